/** Databases whose settings or rights are not what following their log needs, before and between syncs. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { createNodeContext } from '../../src/egress/node-context.ts'
import { connectMysql, type MysqlClient } from '../../src/runtime/mysql/client.ts'
import { type RunningServer, startServer } from '../support/dev-server.ts'
import { type OwnMariadb, startOwnMariadb } from '../support/mariadb.ts'
import { ON_MYSQL, runMysql } from '../support/mysql-statement.ts'
import { serverFields } from '../support/server-fields.ts'
import { type Desk, type End, openDesk, type SyncView } from './support/cdc-pipeline.ts'

const SCHEMA = 'database_settings'
const directory = mkdtempSync(join(tmpdir(), 'airbyte-settings-'))
let server: RunningServer
let desk: Desk
let target: Client

beforeAll(async () => {
  server = await startServer({ stateDirectory: directory })
  desk = await openDesk(server.url)
  target = new Client(inject('pgUrl'))
  await target.connect()
  await target.query(`drop schema if exists ${SCHEMA} cascade; create schema ${SCHEMA}`)
})

afterAll(async () => {
  await desk?.close()
  await server?.stop()
  await target?.end()
  rmSync(directory, { recursive: true, force: true })
})

/** A connection that follows the table `name`, all by this name. */
const follow = (name: string, source: Omit<End, 'config'>, config: object = {}) =>
  desk.connect(
    name,
    {
      source: { ...source, config: { replication_method: { method: 'CDC' }, ...config } },
      destination: { type: 'postgres', url: inject('pgUrl'), config: { schema: SCHEMA } },
    },
    {
      streams: [{ name, syncMode: 'cdc', destinationSyncMode: 'append_dedup' }],
      namespace: SCHEMA,
    },
  )

const errorOf = (sync: SyncView) => sync.streams[0]?.error

async function expectSuccess(sync: SyncView) {
  expect(errorOf(sync)).toBeUndefined()
  expect(sync.status).toBe('succeeded')
}

/** A sync that fails by what is not set up, in words that say what is so and what to run. */
async function expectRefusal(sync: SyncView, { is, run }: { is: RegExp; run: string | RegExp }) {
  expect(errorOf(sync)).toMatchObject({
    code: 'CDC_SETUP_REQUIRED',
    message: expect.stringMatching(is),
    hint: expect.stringMatching(run),
  })
}

const landed = async (table: string) =>
  (await target.query(`select id, v from ${SCHEMA}.${table} order by id`)).rows.map(({ id, v }) => [
    String(id),
    v,
  ])

const refresh = (name: string) => desk.call('reset_streams', { connection: name, confirm: name })

describe('a MariaDB whose log is not kept as its reader needs it', { timeout: 240_000 }, () => {
  let mariadb: OwnMariadb
  /** Was there before anything was set. */
  let early: MysqlClient

  beforeAll(async () => {
    mariadb = await startOwnMariadb()
    early = await session()
    await early.query('create table followed (id int primary key, v varchar(40), w int)')
    await runMysql(early, "insert into followed select seq, 'first', 0 from seq_1_to_100")
    await follow('followed', { type: 'mysql', url: mariadb.url })
  })
  afterAll(async () => {
    await early?.close()
    await mariadb?.stop()
  })

  const session = () => {
    const config = { ...serverFields(mariadb.url), ssl_mode: { mode: 'disabled' } }
    return connectMysql(createNodeContext(), config as never)
  }

  async function inNewSession(...statements: string[]) {
    const client = await session()
    for (const statement of statements) await client.query(statement)
    await client.close()
  }

  async function expectEqual() {
    const rows = await early.query('select id, v from followed order by id')
    expect(await landed('followed')).toEqual(rows)
  }

  it('names a setting that was changed after the check, and goes on where it was once that is right', async () => {
    await expectSuccess(await desk.sync('followed'))
    for (const [name, wrong, right] of [
      ['binlog_format', 'STATEMENT', 'ROW'],
      ['binlog_row_image', 'MINIMAL', 'FULL'],
    ]) {
      await early.query(`set global ${name} = ${wrong}`)
      // Sessions that are open keep what they had: what they write is in the log as it should be.
      await early.query(`update followed set v = '${name}' where id % 3 = 0`)
      await expectRefusal(await desk.sync('followed'), {
        is: new RegExp(`${name} is ${wrong}`),
        run: `SET GLOBAL ${name} = ${right};`,
      })
      await early.query(`set global ${name} = ${right}`)
      await expectSuccess(await desk.sync('followed'))
      await expectEqual()
    }
  })

  it('skips nothing of what was written while the setting was wrong: it stops there until the streams are refreshed', async () => {
    for (const [name, wrong, right, is] of [
      ['binlog_format', 'STATEMENT', 'ROW', /statements instead of rows/],
      ['binlog_row_image', 'MINIMAL', 'FULL', /followed without all columns/],
      ['binlog_row_metadata', 'MINIMAL', 'FULL', /does not name the columns of test.followed/],
    ] as const) {
      const before = await landed('followed')
      await early.query(`set global ${name} = ${wrong}`)
      await inNewSession(`update followed set v = '${name}' where id = 7`)
      await early.query(`set global ${name} = ${right}`)
      await expectRefusal(await desk.sync('followed'), {
        is,
        run: new RegExp(`SET GLOBAL ${name} = ${right}.*refresh all streams`),
      })
      expect(await landed('followed')).toEqual(before)
      await refresh('followed')
      await expectSuccess(await desk.sync('followed'))
      await expectEqual()
    }
  })

  it('names the right that was taken away, and goes on where it was once it is given again', async () => {
    const user = "'root'@'127.0.0.1'"
    await early.query(`revoke replication slave on *.* from ${user}`)
    await early.query("update followed set v = 'without the right' where id < 10")
    await expectRefusal(await desk.sync('followed'), {
      is: /may not read the binlog/,
      run: ON_MYSQL
        ? /GRANT REPLICATION SLAVE, REPLICATION CLIENT, PROCESS ON \*\.\*/
        : /GRANT REPLICATION SLAVE, BINLOG MONITOR ON \*\.\*/,
    })
    await early.query(`grant replication slave on *.* to ${user}`)
    await expectSuccess(await desk.sync('followed'))
    await expectEqual()
  })

  it('without a log says so, and never takes the log that comes later for one that has everything', async () => {
    await early.close()
    await mariadb.restart(['--skip-log-bin'])
    early = await session()
    await early.query("update followed set v = 'nowhere in the log' where id = 1")
    await expectRefusal(await desk.sync('followed'), {
      is: /log_bin is OFF/,
      run: /log_bin.*server_id/,
    })
    await early.close()
    await mariadb.restart([])
    early = await session()
    await early.query("update followed set v = 'in the log' where id = 2")
    for (let twice = 0; twice < 2; twice++) {
      expect(errorOf(await desk.sync('followed'))).toMatchObject({
        code: 'CDC_POSITION_LOST',
        message: expect.stringContaining('wrote no binlog'),
        hint: expect.stringMatching(/refresh all streams/i),
      })
    }
    await refresh('followed')
    await expectSuccess(await desk.sync('followed'))
    await expectEqual()
  })
})

describe('a PostgreSQL whose log is not kept as its reader needs it', { timeout: 240_000 }, () => {
  let postgres: RunningPostgres
  let url: string

  beforeAll(async () => {
    postgres = await startPostgres(['wal_level=replica'])
    url = await postgres.createDatabase('settings')
    await sql(`create role reader login superuser password 'pw';
      create table logged (id int primary key, v text);
      insert into logged select n, 'first' from generate_series(1, 100) n`)
    const asReader = new URL(url)
    asReader.username = 'reader'
    await follow('logged', { type: 'postgres', url: asReader.href })
  })
  afterAll(() => postgres?.stop())

  async function sql(text: string) {
    const client = new Client(url)
    await client.connect()
    try {
      return (await client.query({ text, rowMode: 'array' })).rows
    } finally {
      await client.end()
    }
  }

  async function expectEqual() {
    expect(await landed('logged')).toEqual(
      await sql('select id::text, v from logged order by logged.id'),
    )
  }

  it('names wal_level, what it is and what it must be, and copies everything once it is logical', async () => {
    const refused = { is: /wal_level is 'replica'/, run: /wal_level = logical/ }
    await expectRefusal(await desk.sync('logged'), refused)
    await sql(`update logged set v = 'before there was a log' where id = 1`)
    await postgres.restart('fast', ['wal_level=logical'])
    await expectSuccess(await desk.sync('logged'))
    await expectEqual()
  })

  it('names the right that was taken away, and goes on where it was once it is given again', async () => {
    await sql(`alter role reader nosuperuser; grant all on database settings to reader;
      alter table logged owner to reader;
      update logged set v = 'without the right' where id < 10; delete from logged where id = 50`)
    await expectRefusal(await desk.sync('logged'), {
      is: /'reader' may not replicate/,
      run: 'ALTER ROLE "reader" REPLICATION;',
    })
    await sql('alter role reader replication')
    await expectSuccess(await desk.sync('logged'))
    await expectEqual()
  })
})
