/** What happens to an operator of change data capture, with real servers that are stopped, filled and stolen from. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { createNodeContext } from '../../src/egress/node-context.ts'
import { connectMysql } from '../../src/runtime/mysql/client.ts'
import { type RunningServer, startServer } from '../support/dev-server.ts'
import { startOwnMariadb } from '../support/mariadb.ts'
import { runMysql } from '../support/mysql-statement.ts'
import { serverFields } from '../support/server-fields.ts'
import { type Desk, type Finding, openDesk, type SyncView, until } from './support/cdc-pipeline.ts'

const ROWS = 30_000
const COLUMNS = 'id, v, n'
/** One segment is more than may be staged: every catch-up has to make room first. */
const VARS = { LEASE_MS: '3000', MAX_STAGED_LOG_BYTES: '500000' }
/** Many commits, so that there is a middle. */
const SMALL = { sliceMs: 2000, sliceRows: 3000, chunkBytes: 100_000 }

let directory: string
let server: RunningServer
let desk: Desk
let postgres: RunningPostgres
let target: Client

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'airbyte-cdc-failures-'))
  postgres = await startPostgres(['max_wal_size=64MB', 'min_wal_size=32MB'])
  server = await startServer({ stateDirectory: directory, vars: VARS })
  desk = await openDesk(server.url)
  target = await session(inject('pgUrl'))
  await target.query('drop schema if exists cdc_failures cascade; create schema cdc_failures')
})

afterAll(async () => {
  await desk?.close()
  await server?.stop()
  await target?.end()
  await postgres?.stop()
  rmSync(directory, { recursive: true, force: true })
})

async function session(url: string): Promise<Client> {
  const client = new Client(url)
  // The server is stopped under it.
  client.on('error', () => {})
  await client.connect()
  return client
}

/** A database of its own with the table `t`, copied by a connection that bears its name. */
async function pipeline(name: string, { rows = ROWS, config = {} } = {}) {
  const url = await postgres.createDatabase(name)
  const sql = async (text: string) => {
    const client = await session(url)
    try {
      return (await client.query(text)).rows
    } finally {
      await client.end().catch(() => {})
    }
  }
  await sql(`create table ${name} (id int primary key, v text, n int);
    insert into ${name} select i, md5(i::text), 0 from generate_series(1, ${rows}) i`)
  const schema = 'cdc_failures'
  await desk.connect(
    name,
    {
      source: {
        ...{ type: 'postgres', url },
        config: {
          replication_method: { method: 'CDC' },
          chunk_rows: 1000,
          checkpoint_rows: 1000,
          ...config,
        },
      },
      destination: { type: 'postgres', url: inject('pgUrl'), config: { schema } },
    },
    {
      streams: [{ name, syncMode: 'cdc', destinationSyncMode: 'append_dedup' }],
      ...{ namespace: schema, limits: SMALL },
    },
  )
  const contents = async (ask: (text: string) => Promise<unknown[]>, table: string) =>
    ask(`select count(*)::int as n, md5(string_agg(t::text, '|' order by id)) as hash
      from (select ${COLUMNS} from ${table}) t`)
  const asked = async (text: string) => (await target.query(text)).rows
  return {
    sql,
    slot: async () =>
      (await sql('select * from pg_replication_slots where database = current_database()'))[0],
    async expectEqual() {
      const there = await contents(sql, name)
      expect(await contents(asked, `${schema}.${name}`)).toEqual(there)
    },
  }
}

const errorOf = (sync: SyncView) => sync.streams[0]?.error

async function expectSuccess(sync: SyncView) {
  expect(errorOf(sync)).toBeUndefined()
  expect(sync.status).toBe('succeeded')
}

describe('a PostgreSQL that crashes and comes back', () => {
  it('in the middle of the snapshot, and of the stream: the sync goes on by itself, and nothing is lost or doubled', async () => {
    const db = await pipeline('restarted', { rows: 20_000 })
    const first = await desk.start('restarted')
    await desk.inTheMiddle(first, 20_000)
    await postgres.restart('crash')
    await db.sql(`update restarted set v = 'after the crash' where id % 7 = 0`)
    await expectSuccess(await desk.ended(first))
    await expectSuccess(await desk.sync('restarted'))
    await db.expectEqual()

    for (let n = 0; n < 30; n++) {
      await db.sql(`update restarted set n = n + 1 where id % 30 = ${n % 30}`)
    }
    const staged = (await db.slot())?.confirmed_flush_lsn
    const second = await desk.start('restarted')
    const moved = async () => {
      const slot = await db.slot()
      return slot?.active === true && slot.confirmed_flush_lsn !== staged
    }
    await until('some of the log is acknowledged', moved)
    await postgres.restart('crash')
    await db.sql(`delete from restarted where id % 11 = 0`)
    await expectSuccess(await desk.ended(second))
    await expectSuccess(await desk.sync('restarted'))
    await db.expectEqual()
    const { rows } = await target.query(
      'select count(*)::int - count(distinct id)::int as doubled from cdc_failures.restarted',
    )
    expect(rows).toEqual([{ doubled: 0 }])
  })
})

describe('a MariaDB that crashes and comes back', () => {
  it('in the middle of the snapshot, and of the stream: the same', async () => {
    const mariadb = await startOwnMariadb()
    const sql = async (text: string) => {
      const config = { ...serverFields(mariadb.url), ssl_mode: { mode: 'disabled' } }
      const client = await connectMysql(createNodeContext(), config as never)
      try {
        return await runMysql(client, text)
      } finally {
        await client.close()
      }
    }
    /** Or a crash takes from the tables what the log has: no server that is followed is run so. */
    const keepCommits = () => sql('set global innodb_flush_log_at_trx_commit = 1')
    try {
      await keepCommits()
      await sql('create table crashed (id int primary key, v varchar(40), n int)')
      await sql("insert into crashed select seq, lpad(seq, 32, '-'), 0 from seq_1_to_20000")
      const schema = 'cdc_failures'
      await desk.connect(
        'crashed',
        {
          source: {
            ...{ type: 'mysql', url: mariadb.url },
            config: {
              replication_method: { method: 'CDC' },
              chunk_rows: 1000,
              checkpoint_rows: 1000,
            },
          },
          destination: { type: 'postgres', url: inject('pgUrl'), config: { schema } },
        },
        {
          streams: [{ name: 'crashed', syncMode: 'cdc', destinationSyncMode: 'append_dedup' }],
          ...{ namespace: schema, limits: SMALL },
        },
      )
      const there = async () =>
        (await sql('select id, v, n from crashed order by id')).map((row) => row.join('|'))
      const here = async () =>
        (await target.query(`select id, v, n from ${schema}.crashed order by id`)).rows.map(
          ({ id, v, n }) => [id, v, n].join('|'),
        )
      const first = await desk.start('crashed')
      await desk.inTheMiddle(first, 20_000)
      await mariadb.crash()
      await sql("update crashed set v = 'after the crash' where id % 7 = 0")
      await expectSuccess(await desk.ended(first))
      await expectSuccess(await desk.sync('crashed'))
      expect(await here()).toEqual(await there())

      await keepCommits()
      for (let n = 0; n < 30; n++) {
        await sql(`update crashed set n = n + 1 where id % 30 = ${n % 30}`)
      }
      const second = await desk.start('crashed')
      const reads = async () =>
        (await sql("select 1 from information_schema.processlist where command = 'Binlog Dump'"))
          .length > 0
      await until('the binlog is read', reads)
      await mariadb.crash()
      await sql('delete from crashed where id % 11 = 0')
      await expectSuccess(await desk.ended(second))
      await expectSuccess(await desk.sync('crashed'))
      expect(await here()).toEqual(await there())
    } finally {
      await mariadb.stop()
    }
  })
})

describe('a slot', () => {
  afterEach(() => postgres.reconfigure({ max_slot_wal_keep_size: '-1' }))

  it('that fell behind max_slot_wal_keep_size is said to be lost, and a reset begins anew', async () => {
    const db = await pipeline('lost', { rows: 1000 })
    await expectSuccess(await desk.sync('lost'))
    await postgres.reconfigure({ max_slot_wal_keep_size: '1MB' })
    const isLost = async () => {
      await db.sql(`insert into lost select i, repeat('x', 200), 1 from generate_series(
        (select max(id) + 1 from lost), (select max(id) + 20000 from lost)) i`)
      await db.sql('select pg_switch_wal()')
      await db.sql('checkpoint')
      return (await db.slot())?.wal_status === 'lost'
    }
    await until('the slot is lost', isLost)
    const failed = await desk.sync('lost')
    expect(errorOf(failed)).toMatchObject({
      code: 'CDC_POSITION_LOST',
      hint: expect.stringMatching(/max_slot_wal_keep_size.*refresh the streams/s),
    })
    const { findings } = await desk.diagnose('lost')
    expect(findings).toMatchObject([{ cause: 'slot_lost', call: { tool: 'reset_streams' } }])
    // Nothing is read anew before someone asks.
    expect(errorOf(await desk.sync('lost'))).toMatchObject({ code: 'CDC_POSITION_LOST' })
    await postgres.reconfigure({ max_slot_wal_keep_size: '-1' })
    await desk.call('reset_streams', { ...findings[0]?.call.arguments, confirm: 'lost' })
    await expectSuccess(await desk.sync('lost'))
    await db.expectEqual()
  })

  it('that someone dropped and made anew, or reads, is not taken for ours', async () => {
    const db = await pipeline('stolen', { rows: 1000 })
    await expectSuccess(await desk.sync('stolen'))
    const name = String((await db.slot())?.slot_name)
    const url = new URL(inject('pgUrl'))
    url.port = String(postgres.port)
    url.pathname = '/stolen'
    url.searchParams.set('replication', 'database')
    url.searchParams.set('options', '-c wal_sender_timeout=0')
    const stranger = await session(url.href)
    const reading = stranger
      .query(`START_REPLICATION SLOT ${name} LOGICAL 0/0
        (proto_version '1', publication_names '${name}')`)
      .catch(() => {})
    await until('a stranger reads the slot', async () => (await db.slot())?.active === true)
    const sync = await desk.start('stolen')
    let finding: Finding | undefined
    await until('the stranger is named', async () => {
      finding = (await desk.diagnose('stolen')).findings[0]
      return finding?.cause === 'slot_in_use'
    })
    expect(finding?.next).toContain('Stop the other reader')
    await db.sql(`select pg_terminate_backend(${(await db.slot())?.active_pid})`)
    await reading
    await stranger.end().catch(() => {})
    await expectSuccess(await desk.ended(sync))

    await db.sql(`select pg_drop_replication_slot('${name}')`)
    await db.sql(`update stolen set v = 'between'`)
    await db.sql(`select pg_create_logical_replication_slot('${name}', 'pgoutput')`)
    expect(errorOf(await desk.sync('stolen'))).toMatchObject({
      code: 'CDC_POSITION_LOST',
      hint: expect.stringContaining('made anew'),
    })
    const after = await desk.diagnose('stolen')
    expect(after.findings).toMatchObject([{ cause: 'slot_lost', call: { tool: 'reset_streams' } }])
    await desk.call('reset_streams', { ...after.findings[0]?.call.arguments, confirm: 'stolen' })
    await expectSuccess(await desk.sync('stolen'))
    await db.expectEqual()
  })
})
