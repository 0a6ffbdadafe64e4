import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/protocol/index.ts'
import { connectMysql, type MysqlClient } from '../../src/runtime/mysql/client.ts'
import { runMysql } from '../support/mysql-statement.ts'
import { serverFields } from '../support/server-fields.ts'
import { workerdContext } from '../support/workerd-context.ts'
import { type CdcDatabase, openDatabase } from './cdc-support.ts'
import { connect, run, stream } from './harness.ts'

const SOURCE = 'to_mysql_source'
const TARGET = 'to_mysql'
const server = {
  ...serverFields((env as unknown as { MARIADB_URL: string }).MARIADB_URL),
  ssl_mode: { mode: 'disabled' as const },
}
const destination = { type: 'mysql', config: { ...server, database: TARGET } as JsonObject }
let mysql: MysqlClient
let db: CdcDatabase

beforeAll(async () => {
  mysql = await connectMysql(workerdContext(), server)
  db = await openDatabase(TARGET)
})
afterAll(async () => {
  for (const name of [SOURCE, TARGET]) await mysql.query(`DROP DATABASE IF EXISTS ${name}`)
  await mysql.close()
  await db.close()
})
beforeEach(async () => {
  await db.reset()
  for (const name of [SOURCE, TARGET])
    await runMysql(mysql, `CREATE OR REPLACE DATABASE ${name} CHARACTER SET utf8mb4`)
})

/** Rows as texts, as both databases print them. */
async function rowsOf(sql: string): Promise<(string | null)[][]> {
  return mysql.query(sql)
}
async function postgresRows(sql: string): Promise<(string | null)[][]> {
  const { rows } = await db.client.query<(string | null)[]>({ text: sql, rowMode: 'array' })
  return rows
}

async function createItems() {
  await db.sql(`
    create table src.items (id int primary key, name text, n bigint, amount numeric(12,3), at timestamptz);
    insert into src.items select n, 'näme ' || n, 9007199254740993 + n, n / 7.0,
      timestamptz '2024-01-01 00:00:00.000001+00' + n * interval '1 second' from generate_series(1, 1000) n`)
}
const THERE = `select id, name, n, amount, to_char(at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS.US') from src.items order by id`
const HERE = `SELECT id, name, n, amount, at FROM ${TARGET}.items ORDER BY id`

async function expectCopy() {
  expect(await rowsOf(HERE)).toEqual(await postgresRows(THERE))
}

describe('syncs into MariaDB, in workerd', { timeout: 90_000 }, () => {
  it('copy a table of PostgreSQL, again and again, and prove it', async () => {
    await createItems()
    const { source } = db.setup([{ name: 'items' }])
    const { replication_method: _, ...config } = source.config as JsonObject
    const { connection } = await connect({
      source: { type: 'postgres', config },
      destination,
      streams: [stream({ name: 'items', namespace: 'src' })],
      change: { namespace: TARGET },
    })
    const first = await run(connection)
    expect(first.streams[0]?.error).toBeUndefined()
    expect(first).toMatchObject({ status: 'succeeded', rows: 1000 })
    await expectCopy()
    expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: true })
    await db.sql(`delete from src.items where id > 10; update src.items set amount = -0.001`)
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 10 })
    await expectCopy()
    await mysql.query(`UPDATE ${TARGET}.items SET amount = 1 WHERE id = 3`)
    expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: false })
  })

  it('follow the log of PostgreSQL: inserts, updates, moves of the key, deletes, truncate', async () => {
    await createItems()
    const { connection } = await connect({
      ...db.setup([{ name: 'items' }], {}, { chunk_rows: 300 }),
      destination,
      change: { namespace: TARGET },
    })
    const first = await run(connection)
    expect(first.streams[0]?.error).toBeUndefined()
    expect(first).toMatchObject({ status: 'succeeded', rows: 1000 })
    await expectCopy()
    await db.sql(`
      insert into src.items values (2000, 'new', 1, 2, null);
      update src.items set name = 'changed' where id between 10 and 20;
      update src.items set id = 3000 where id = 5;
      delete from src.items where id in (1, 2, 15)`)
    const second = await run(connection)
    expect(second.streams[0]?.error).toBeUndefined()
    await expectCopy()
    // Large values that a change leaves as they were are not in the log.
    await db.sql(`alter table src.items alter name set storage external;
      insert into src.items values (4000, repeat('large', 1000), 1, 2, null)`)
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 1 })
    await db.sql(`update src.items set n = 2 where id = 4000;
      update src.items set id = 4001 where id = 4000;
      update src.items set amount = 3 where id = 4001`)
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 4 })
    await expectCopy()
    await db.sql(`truncate src.items; insert into src.items values (1, 'after', 1, 1, null)`)
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 2 })
    await expectCopy()
  })

  it('follow the binlog of MariaDB, with unsigned numbers, bits and bytes', async () => {
    await mysql.query(
      `CREATE TABLE ${SOURCE}.items (id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(50), small TINYINT UNSIGNED,
         bits BIT(9), bytes VARBINARY(20), amount DECIMAL(20,6), f FLOAT, at DATETIME(3), ts TIMESTAMP(6) NULL,
         ok BOOLEAN, mood ENUM('sad','glad'), j JSON)`,
    )
    await runMysql(
      mysql,
      `INSERT INTO ${SOURCE}.items SELECT 18446744073709550000 + seq, CONCAT('näme ', seq), seq MOD 256, seq,
         UNHEX(LEFT(SHA2(seq, 256), 40)), seq / 7, seq / 7, TIMESTAMP '2024-01-01 00:00:00' + INTERVAL seq SECOND,
         TIMESTAMP '2024-01-01 00:00:00' + INTERVAL seq MICROSECOND, seq MOD 2, 1 + seq MOD 2, JSON_OBJECT('n', seq)
       FROM seq_1_to_500`,
    )
    const { connection } = await connect({
      source: {
        type: 'mysql',
        config: { ...server, database: SOURCE, replication_method: { method: 'CDC' } },
      },
      destination,
      streams: [
        stream({
          ...{ name: 'items', namespace: SOURCE, syncMode: 'incremental' },
          ...{ destinationSyncMode: 'append_dedup', primaryKey: [['id']] },
        }),
      ],
      change: { namespace: TARGET },
    })
    const list = `id, name, small, HEX(bits), HEX(bytes), amount, f + 0e0, CAST(at AS DATETIME(6)), ts, ok, mood, j`
    const expectSame = async () =>
      expect(await rowsOf(`SELECT ${list} FROM ${TARGET}.items ORDER BY id`)).toEqual(
        await rowsOf(`SELECT ${list} FROM ${SOURCE}.items ORDER BY id`),
      )
    const first = await run(connection)
    expect(first.streams[0]?.error).toBeUndefined()
    expect(first).toMatchObject({ status: 'succeeded', rows: 500 })
    await expectSame()
    for (const statement of [
      `UPDATE ${SOURCE}.items SET name = 'chänged', bits = b'1' WHERE id < 18446744073709550010`,
      `UPDATE ${SOURCE}.items SET id = 7 WHERE id = 18446744073709550001`,
      `DELETE FROM ${SOURCE}.items WHERE small = 9`,
    ])
      await mysql.query(statement)
    expect(await run(connection)).toMatchObject({ status: 'succeeded' })
    await expectSame()
  })
})
