/** Servers that crash and come back in the middle of a read that follows no log. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { createNodeContext } from '../../src/egress/node-context.ts'
import { connectMysql } from '../../src/runtime/mysql/client.ts'
import { type RunningServer, startServer } from '../support/dev-server.ts'
import { type OwnMariadb, startOwnMariadb } from '../support/mariadb.ts'
import { runMysql } from '../support/mysql-statement.ts'
import { serverFields } from '../support/server-fields.ts'
import { type Desk, openDesk } from './support/cdc-pipeline.ts'

const ROWS = 20_000
const SCHEMA = 'snapshot_restart'
/** Many commits, so that there is a middle. */
const SMALL = { sliceMs: 2000, sliceRows: 3000, chunkBytes: 100_000 }
const directory = mkdtempSync(join(tmpdir(), 'airbyte-snapshot-restart-'))
let server: RunningServer
let desk: Desk
let target: Client
let postgres: RunningPostgres
let mariadb: OwnMariadb

beforeAll(async () => {
  postgres = await startPostgres()
  // As a server is run that is to keep what it committed.
  mariadb = await startOwnMariadb(['--innodb-flush-log-at-trx-commit=1'])
  server = await startServer({ stateDirectory: directory, vars: { LEASE_MS: '3000' } })
  desk = await openDesk(server.url)
  target = new Client(inject('pgUrl'))
  await target.connect()
  await target.query(`drop schema if exists ${SCHEMA} cascade; create schema ${SCHEMA}`)
})

afterAll(async () => {
  await desk?.close()
  await server?.stop()
  await target?.end()
  await mariadb?.stop()
  await postgres?.stop()
  rmSync(directory, { recursive: true, force: true })
})

async function postgresSource(name: string) {
  const url = await postgres.createDatabase(name)
  const client = new Client(url)
  await client.connect()
  await client.query(`create table ${name} (id int primary key, v text);
    insert into ${name} select n, lpad(n::text, 32, '-') from generate_series(1, ${ROWS}) n`)
  await client.end()
  return { type: 'postgres' as const, url, crash: () => postgres.restart('crash') }
}

async function mariadbSource(name: string) {
  const config = { ...serverFields(mariadb.url), ssl_mode: { mode: 'disabled' } }
  const client = await connectMysql(createNodeContext(), config as never)
  await client.query(`create table ${name} (id int primary key, v varchar(40))`)
  await runMysql(client, `insert into ${name} select seq, lpad(seq, 32, '-') from seq_1_to_${ROWS}`)
  await client.close()
  return { type: 'mysql' as const, url: mariadb.url, crash: () => mariadb.crash() }
}

const full = { syncMode: 'full_refresh', destinationSyncMode: 'overwrite' }
const byCursor = { syncMode: 'incremental', destinationSyncMode: 'append', cursorField: 'id' }

it.each([
  ['PostgreSQL', 'full refresh', 'pg_full', postgresSource, full],
  ['PostgreSQL', 'read by a cursor', 'pg_cursor', postgresSource, byCursor],
  ['MariaDB', 'full refresh', 'maria_full', mariadbSource, full],
  ['MariaDB', 'read by a cursor', 'maria_cursor', mariadbSource, byCursor],
] as const)(
  'a %s that crashes in the middle of a %s is waited for, and no row is lost or doubled',
  async (_server, _mode, name, open, mode) => {
    const { type, url, crash } = await open(name)
    await desk.connect(
      name,
      {
        source: { type, url, config: { chunk_rows: 1000, checkpoint_rows: 1000 } },
        destination: { type: 'postgres', url: inject('pgUrl'), config: { schema: SCHEMA } },
      },
      { streams: [{ name, ...mode }], namespace: SCHEMA, limits: SMALL },
    )
    const sync = await desk.start(name)
    await desk.inTheMiddle(sync, ROWS)
    await crash()
    const { status, streams } = await desk.ended(sync)
    expect(streams[0]?.error).toBeUndefined()
    expect(status).toBe('succeeded')
    const { rows } = await target.query(
      `select count(*)::int as n, count(distinct id)::int as ids,
       count(*) filter (where v = lpad(id::text, 32, '-'))::int as correct from ${SCHEMA}.${name}`,
    )
    expect(rows).toEqual([{ n: ROWS, ids: ROWS, correct: ROWS }])
  },
)
