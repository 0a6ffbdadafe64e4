/** Databases that hold or say what others cannot take: what becomes of it in a sync. */
import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { armFaultPoint } from '../../src/core/fault-points.ts'
import { connectMysql, type MysqlClient } from '../../src/runtime/mysql/client.ts'
import { configOf, createDatabase, dropDatabase, inDatabase } from '../operations/databases.ts'
import { callerOf } from '../operations/support.ts'
import { runMysql } from '../support/mysql-statement.ts'
import { workerdContext } from '../support/workerd-context.ts'

const DATABASE = 'bad_values'
const ASCII = 'bad_values_ascii'
const sql = (text: string, database = DATABASE) => inDatabase(database, text)

const url = new URL((env as unknown as { MARIADB_URL: string }).MARIADB_URL)
const server = {
  ...{ host: url.hostname, port: Number(url.port), database: 'test' },
  ...{ username: url.username, password: url.password },
}
let mariadb: MysqlClient

beforeAll(async () => {
  await createDatabase(DATABASE)
  await dropDatabase(ASCII)
  await inDatabase(
    'postgres',
    `CREATE DATABASE ${ASCII} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
  )
  await sql(
    `DROP ROLE IF EXISTS plain_reader; CREATE ROLE plain_reader LOGIN PASSWORD 'reader-pw-1'`,
  )
  mariadb = await connectMysql(workerdContext(), server)
  await runMysql(mariadb, `CREATE OR REPLACE DATABASE ${DATABASE} CHARACTER SET utf8mb4`)
  await mariadb.query(`USE ${DATABASE}`)
})
afterAll(async () => {
  await dropDatabase(DATABASE)
  await dropDatabase(ASCII)
  await inDatabase('postgres', 'DROP ROLE IF EXISTS plain_reader')
  await mariadb.query(`DROP DATABASE ${DATABASE}`)
  await mariadb.close()
})

let flows = 0
const WHOLE = { syncMode: 'full_refresh', destinationSyncMode: 'overwrite' }

interface Flow {
  source?: { type: string; config: object }
  into?: 'postgres' | 'r2'
  format?: string
}

/** A connection of one stream into a schema of its own, or into the warehouse. */
async function flow(stream: object, { source, into = 'postgres', format = 'Parquet' }: Flow = {}) {
  const schema = `f${++flows}`
  const call = callerOf(env, `bad-values-${flows}`)
  const from = source ?? {
    type: 'postgres',
    config: { ...configOf(DATABASE), schemas: ['public'] },
  }
  await call('sources.create', { name: 'from', ...from })
  const config =
    into === 'r2' ? { format: { format_type: format } } : { ...configOf(DATABASE), schema }
  await call('destinations.create', { name: 'into', type: into, config })
  await call('connections.create', {
    ...{ name: 'flow', source: 'from', destination: 'into' },
    ...(into === 'postgres' && { namespace: schema }),
    streams: [{ ...WHOLE, ...stream }],
  })
  return {
    call,
    schema,
    async sync() {
      const { syncId } = await call('connections.sync', { connection: 'flow' })
      return call('syncs.get', { sync: syncId, waitSeconds: 40 })
    },
    rows: async (table: string, what = '*') =>
      (await sql(`SELECT ${what} FROM ${schema}.${table} ORDER BY 1`)).rows,
  }
}

describe('values that few can hold', () => {
  const ODD = `(1, '-infinity', 'infinity', 'NaN', 'NaN'), (2, '0044-03-15 BC', '0044-03-15 12:00:00+00 BC', '0.10', 'Infinity'),
    (3, '2026-01-02', '2026-01-02 03:04:05+00', '-1', '1.5')`

  beforeAll(() =>
    sql(`CREATE TABLE odd (id int PRIMARY KEY, day date, at timestamptz, price numeric, ratio float8);
      INSERT INTO odd VALUES ${ODD}`),
  )

  it('arrive in PostgreSQL as they are', async () => {
    const { sync, rows } = await flow({ name: 'odd' })
    expect(await sync()).toMatchObject({ status: 'succeeded', rows: 3, warnings: 0 })
    const columns = 'id, day, at, price, ratio'
    expect(await rows('odd', columns)).toEqual(
      (await sql(`SELECT ${columns} FROM odd ORDER BY 1`)).rows,
    )
  })

  it.each(['Parquet', 'JSONL'])(
    'of time become null in a warehouse of %s, each recorded',
    async (format) => {
      const { sync, call } = await flow({ name: 'odd' }, { into: 'r2', format })
      const done = await sync()
      expect(done).toMatchObject({ status: 'succeeded', rows: 3, warnings: 1 })
      const statement = 'SELECT id, day, at, price, ratio FROM "public.odd" ORDER BY id'
      const { rows } = await call('destinations.query', { destination: 'into', sql: statement })
      expect(rows).toMatchObject([
        [1, null, null, 'NaN', 'NaN'],
        [2, null, null, expect.anything(), 'Infinity'],
        [3, '2026-01-02', '2026-01-02T03:04:05Z', expect.anything(), 1.5],
      ])
      const receipt = await vi.waitFor(() => call('syncs.receipt', { sync: done.syncId }), 10_000)
      expect(receipt).toMatchObject({ streams: [{ nulled: 4 }] })
    },
  )
})

it('a text of bytes that are no UTF-8 becomes null, recorded and counted', async () => {
  await sql(
    `CREATE TABLE texts (id int PRIMARY KEY, v text);
     INSERT INTO texts VALUES (1, 'plain'), (2, E'caf\\xe9'), (3, E'\\xff\\xfe'), (4, E'caf\\xc3\\xa9')`,
    ASCII,
  )
  const source = { type: 'postgres', config: { ...configOf(ASCII), schemas: ['public'] } }
  const { call, sync, rows } = await flow({ name: 'texts' }, { source })
  const { syncId, ...done } = await sync()
  expect(done).toMatchObject({ status: 'succeeded', rows: 4 })
  const found = await rows('texts', 'id, v, _airbyte_meta')
  expect(found.map(({ v }) => v)).toEqual(['plain', null, null, 'café'])
  const nulled = expect.stringMatching('"field": "v", "change": "NULLED"')
  for (const row of [1, 2]) expect(found[row]?._airbyte_meta).toEqual(nulled)
  const receipt = await vi.waitFor(() => call('syncs.receipt', { sync: syncId }), 10_000)
  expect(receipt).toMatchObject({ streams: [{ nulled: 2 }] })
})

it('a text in latin1 arrives in UTF-8, and dates that are none as null, from MariaDB', async () => {
  await mariadb.query("SET sql_mode = ''")
  await mariadb.query(
    'CREATE TABLE odd (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET latin1, day DATE, at DATETIME, ts TIMESTAMP NULL)',
  )
  await mariadb.query(
    "INSERT INTO odd VALUES (1, X'E9FF80', '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00'), (2, 'x', '2026-02-31', '2026-00-10 01:02:03', NULL), (3, 'y', '0000-01-01', '2026-01-02 03:04:05', NULL)",
  )
  const config = { ...server, database: DATABASE, ssl_mode: { mode: 'disabled' } }
  const { sync, rows } = await flow({ name: 'odd' }, { source: { type: 'mysql', config } })
  expect(await sync()).toMatchObject({ status: 'succeeded', rows: 3 })
  const found = await rows('odd', 'id, v, day, at, ts, _airbyte_meta')
  const nulled = (field: string) => expect.stringMatching(`"field": "${field}", "change": "NULLED"`)
  expect(found[0]).toMatchObject({ v: 'éÿ€', day: null, at: null, ts: null })
  expect(found[1]).toMatchObject({ v: 'x', day: null, at: null })
  for (const field of ['day', 'at', 'ts']) expect(found[0]?._airbyte_meta).toEqual(nulled(field))
  for (const field of ['day', 'at']) expect(found[1]?._airbyte_meta).toEqual(nulled(field))
})

it('a key whose type has no ranges is read whole, in one piece', async () => {
  await sql(`CREATE TABLE spans (id tsrange PRIMARY KEY, n int);
    INSERT INTO spans SELECT tsrange('2026-01-01'::timestamp, '2026-01-01'::timestamp + n * interval '1 h'), n FROM generate_series(1, 500) n`)
  const source = {
    type: 'postgres',
    config: { ...configOf(DATABASE), schemas: ['public'], chunk_rows: 100 },
  }
  const { sync, rows } = await flow({ name: 'spans' }, { source })
  expect(await sync()).toMatchObject({ status: 'succeeded', rows: 500 })
  expect(await rows('spans', 'count(*) AS n, sum(n) AS sum')).toEqual([{ n: '500', sum: '125250' }])
})

it('a table without a key is refused for dedup, with the field that is missing', async () => {
  await sql('CREATE TABLE keyless (n int); INSERT INTO keyless VALUES (1)')
  const dedup = { name: 'keyless', destinationSyncMode: 'overwrite_dedup' }
  await expect(flow(dedup)).rejects.toMatchObject({ code: 'PRIMARY_KEY_MISSING' })
})

it('a key whose constraint is dropped still is the key of its connection', async () => {
  await sql('CREATE TABLE keyed (id int PRIMARY KEY, n int); INSERT INTO keyed VALUES (1, 1)')
  const { sync, rows } = await flow({ name: 'keyed', destinationSyncMode: 'overwrite_dedup' })
  expect(await sync()).toMatchObject({ status: 'succeeded' })
  await sql('ALTER TABLE keyed DROP CONSTRAINT keyed_pkey')
  // The key was frozen with the connection: it still tells rows apart.
  await sql('INSERT INTO keyed VALUES (1, 2)')
  expect(await sync()).toMatchObject({ status: 'succeeded' })
  expect(await rows('keyed', 'id')).toEqual([{ id: '1' }])
})

it('a user without the right to replicate is told the statement that gives it', async () => {
  await sql(`CREATE TABLE followed (id int PRIMARY KEY); GRANT SELECT ON followed TO plain_reader`)
  const config = {
    ...{ ...configOf(DATABASE), username: 'plain_reader', password: 'reader-pw-1' },
    ...{ schemas: ['public'], replication_method: { method: 'CDC' } },
  }
  const { sync } = await flow(
    { name: 'followed', syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
    { source: { type: 'postgres', config } },
  )
  const failed = await sync()
  expect(failed.error).toMatchObject({
    code: 'CDC_SETUP_REQUIRED',
    hint: expect.stringContaining('ALTER ROLE "plain_reader" REPLICATION'),
  })
})

describe.each(['full_refresh', 'incremental'])('a column that is dropped, %s', (syncMode) => {
  const name = `dropped_${syncMode}`
  const stream = { name, syncMode, destinationSyncMode: 'append', cursorField: 'id' }

  it('is null from the next sync on; in the middle of one it fails the stream by name, and the next goes on by itself', async () => {
    await sql(`CREATE TABLE ${name} (id int PRIMARY KEY, v text, w text, x text);
      INSERT INTO ${name} VALUES (1, 'a', 'b', 'c')`)
    const { call, sync, rows } = await flow(stream)
    await sync()
    await sql(`ALTER TABLE ${name} DROP COLUMN v; INSERT INTO ${name} VALUES (2, 'd', 'e')`)
    expect(await sync()).toMatchObject({ status: 'succeeded' })
    const now = await rows(name, 'id, v, w')
    expect(now).toContainEqual({ id: '1', v: 'a', w: 'b' })
    expect(now).toContainEqual({ id: '2', v: null, w: 'd' })

    armFaultPoint('plan.frozen', 1, async () => {
      await sql(`ALTER TABLE ${name} DROP COLUMN x; INSERT INTO ${name} VALUES (3, 'f')`)
    })
    expect(await sync()).toMatchObject({
      status: 'failed',
      error: { code: 'COLUMNS_CHANGED', stream: `public.${name}`, field: 'x' },
    })
    expect(await sync()).toMatchObject({ status: 'succeeded' })
    expect(await rows(name, 'id, w, x')).toContainEqual({ id: '3', w: 'f', x: null })

    // Under `disable` the next sync, which discovers the change, asks for a decision.
    await call('connections.update', { connection: 'flow', schemaChanges: 'disable' })
    armFaultPoint('plan.frozen', 1, async () => {
      await sql(`ALTER TABLE ${name} DROP COLUMN w`)
    })
    expect(await sync()).toMatchObject({ error: { code: 'COLUMNS_CHANGED', field: 'w' } })
    expect(await sync()).toMatchObject({ error: { code: 'SCHEMA_CHANGED' } })
    expect(await call('connections.get', { connection: 'flow' })).toMatchObject({
      status: 'paused',
    })
  })
})
