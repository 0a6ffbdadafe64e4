import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import r2 from '../../connectors/destinations/r2/index.ts'
import type { StreamConfig } from '../../src/durable-object/rpc.ts'
import type { JsonObject, RowCondition } from '../../src/protocol/index.ts'
import { connectMysql, type MysqlClient } from '../../src/runtime/mysql/client.ts'
import { closePostgres } from '../../src/runtime/postgres/client.ts'
import { runMysql } from '../support/mysql-statement.ts'
import { serverFields } from '../support/server-fields.ts'
import { workerdContext } from '../support/workerd-context.ts'
import { type CdcDatabase, ctx, followed, openDatabase } from './cdc-support.ts'
import { type WrittenTable, writeTo } from './cdc-writer.ts'
import { connect, ended, run, settled, start } from './harness.ts'

const NAME = 'cdc_filter'
const MYSQL = {
  ...serverFields((env as unknown as { MARIADB_URL: string }).MARIADB_URL),
  ssl_mode: { mode: 'disabled' as const },
}
let mysql: MysqlClient
let db: CdcDatabase
beforeAll(async () => {
  mysql = await connectMysql(workerdContext(), MYSQL)
  db = await openDatabase(NAME)
})
afterAll(async () => {
  for (const name of ['src', 'dst']) await mysql.query(`DROP DATABASE IF EXISTS ${NAME}_${name}`)
  await mysql.close()
  await db.close()
})
beforeEach(async () => {
  await db.reset()
  for (const name of ['src', 'dst'])
    await runMysql(mysql, `CREATE OR REPLACE DATABASE ${NAME}_${name} CHARACTER SET utf8mb4`)
})

type Text = string | null

/** A server whose log is read. */
interface From {
  type: string
  namespace: string
  config(more?: JsonObject): JsonObject
  sql(text: string): Promise<unknown>
  rows(text: string): Promise<Text[][]>
  writes(): Promise<{ table: WrittenTable; close(): Promise<unknown> }>
}

async function postgresRows(text: string): Promise<Text[][]> {
  return (await db.client.query<Text[]>({ text, rowMode: 'array' })).rows
}

const FROM: Record<string, From> = {
  PostgreSQL: {
    ...{ type: 'postgres', namespace: 'src', rows: postgresRows },
    config: (more = {}) => db.setup([], {}, more).source.config as JsonObject,
    sql: (text) => db.sql(text),
    async writes() {
      const session = await db.connect()
      const table: WrittenTable = {
        name: 'src.t',
        run: (statements) => session.query(statements.join('; ')),
        insert: (values) => `insert into src.t values (${values}) on conflict do nothing`,
        move: (from) => `update src.t set id = (select max(id) + 1 from src.t) where id = ${from}`,
      }
      return { table, close: () => closePostgres(session) }
    },
  },
  MariaDB: {
    ...{ type: 'mysql', namespace: `${NAME}_src` },
    config: (more = {}) => ({
      ...{ ...MYSQL, database: `${NAME}_src`, replication_method: { method: 'CDC' }, ...more },
    }),
    async sql(text) {
      for (const statement of text.replaceAll('src.', `${NAME}_src.`).split(';'))
        if (statement.trim()) await mysql.query(statement)
    },
    rows: (text) => mysql.query(text.replaceAll('src.', `${NAME}_src.`)),
    async writes() {
      const session = await connectMysql(workerdContext(), MYSQL)
      const t = `${NAME}_src.t`
      const table: WrittenTable = {
        name: t,
        async run(statements) {
          for (const statement of statements) await session.query(statement)
        },
        insert: (values) => `INSERT IGNORE INTO ${t} VALUES (${values})`,
        move: (from) =>
          `UPDATE ${t}, (SELECT MAX(id) + 1 AS next FROM ${t}) last SET id = next WHERE id = ${from}`,
      }
      return { table, close: () => session.close() }
    },
  },
}

/** A destination, and what its readers see. */
interface To {
  type: string
  namespace: string
  config(softly: boolean): JsonObject
  rows(columns: string[]): Promise<Text[][]>
  /** Deletions that are remembered, beside the highest position. */
  tombstones?(): Promise<number>
  /** Keys of the rows that are marked as deleted, and whether they have a time. */
  marked?(): Promise<Text[]>
}

const softly = (config: JsonObject, isSoft: boolean): JsonObject =>
  isSoft ? { ...config, cdc_deletion_mode: 'Soft delete' } : config

const TO: Record<string, To> = {
  PostgreSQL: {
    ...{ type: 'postgres', namespace: 'dst' },
    config: (isSoft) => softly(db.setup([]).destination.config as JsonObject, isSoft),
    rows: (columns) =>
      postgresRows(
        `select ${columns.join(', ')} from dst.t where _ab_cdc_deleted_at is null order by id`,
      ),
    tombstones: async () =>
      Number(
        (
          await postgresRows(`select count(*) from dst._airbyte_tombstones where length(key) > 1`)
        )[0],
      ),
    marked: async () =>
      (
        await postgresRows('select id from dst.t where _ab_cdc_deleted_at is not null order by id')
      ).flat(),
  },
  MariaDB: {
    ...{ type: 'mysql', namespace: `${NAME}_dst` },
    config: (isSoft) => softly({ ...MYSQL, database: `${NAME}_dst` }, isSoft),
    rows: (columns) =>
      mysql.query(
        `SELECT ${columns.join(', ')} FROM ${NAME}_dst.t WHERE _ab_cdc_deleted_at IS NULL ORDER BY id`,
      ),
    tombstones: async () =>
      Number(
        (
          await mysql.query(
            `SELECT COUNT(*) FROM ${NAME}_dst._airbyte_tombstones WHERE deleted_key <> ''`,
          )
        )[0],
      ),
    marked: async () =>
      (
        await mysql.query(
          `SELECT id FROM ${NAME}_dst.t WHERE _ab_cdc_deleted_at IS NOT NULL ORDER BY id`,
        )
      ).flat(),
  },
  'the warehouse': {
    ...{ type: 'r2', namespace: 'dst', config: () => ({ path_prefix: prefix }) },
    async rows(wanted) {
      const table = await r2.table?.(ctx, { path_prefix: prefix }, { namespace: 'dst', table: 't' })
      const rows: Text[][] = []
      for await (const { length, columns } of table?.read(wanted) ?? []) {
        for (let row = 0; row < length; row++)
          rows.push(columns.map((cells) => (cells[row] === null ? null : String(cells[row]))))
      }
      return rows.sort((a, b) => Number(a[0]) - Number(b[0]))
    },
  },
}
let prefix = ''
beforeEach(() => {
  prefix = `filter-${crypto.randomUUID()}`
})

const PAIRS = Object.keys(FROM).flatMap((from) => Object.keys(TO).map((to) => [from, to] as const))
const WHOLE: RowCondition = { field: 'kind', op: 'eq', value: 'keep' }

async function follow(
  from: From,
  to: To,
  filter: RowCondition,
  { isSoft = false, more = {}, stream = {} as Partial<StreamConfig> } = {},
) {
  const config = { name: 't', namespace: from.namespace, mapping: { filter }, ...stream }
  const { connection } = await connect({
    source: { type: from.type, config: from.config(more) },
    destination: { type: to.type, config: to.config(isSoft) },
    streams: [followed(config)],
    change: { namespace: to.namespace },
  })
  return connection
}

type Connection = Awaited<ReturnType<typeof follow>>

async function succeeds(connection: Connection) {
  const record = await run(connection)
  expect(record.streams.map(({ error }) => error)).toEqual([undefined])
  expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: true })
  return record.receipt?.streams[0]
}

const makeTable = (from: From) =>
  from.sql(`create table src.t (id int primary key, kind varchar(9), n int);
    insert into src.t values (1, 'keep', 1), (2, 'keep', 2), (3, 'keep', 3), (4, 'keep', 4), (5, 'drop', 5), (6, 'drop', 6)`)

/** Each of the ways in which a row can leave, and in which one that never came changes. */
const changeAll = (from: From) =>
  from.sql(`
    update src.t set kind = 'drop' where id = 1;
    update src.t set kind = 'drop' where id = 2; update src.t set kind = 'keep', n = 22 where id = 2;
    update src.t set id = 30, kind = 'drop' where id = 3;
    update src.t set n = 55 where id = 5; update src.t set id = 50 where id = 5;
    delete from src.t where id = 6;
    insert into src.t values (7, 'drop', 7); update src.t set n = 77 where id = 7;
    insert into src.t values (8, 'keep', 8); update src.t set kind = 'drop' where id = 8`)

describe.each(PAIRS)('a filter on the log of %s, into %s', (source, target) => {
  const from = FROM[source] as From
  const to = TO[target] as To
  const rows = () => to.rows(['id', 'kind', 'n'])

  it('keeps the rows that fulfil it, and no other, whatever becomes of them', async () => {
    await makeTable(from)
    const connection = await follow(from, to, WHOLE)
    expect(await succeeds(connection)).toMatchObject({ rowsLoaded: 4, rowsFiltered: 2 })
    expect((await rows()).map(([id]) => id)).toEqual(['1', '2', '3', '4'])

    await changeAll(from)
    // All but the new row 7, of which there is nothing to take away.
    expect(await succeeds(connection)).toMatchObject({ rowsLoaded: 12, rowsFiltered: 8 })
    const both = [
      ['2', 'keep', '22'],
      ['4', 'keep', '4'],
    ]
    expect(await rows()).toEqual(both)
    // Of 1, which was loaded and left, and of 3, 5 and 6, which are keys no longer.
    if (to.tombstones) expect(await to.tombstones()).toBe(4)
    expect(await succeeds(connection)).toMatchObject({ rowsLoaded: 0 })

    await from.sql(`update src.t set kind = 'keep' where id in (1, 8, 50);
      update src.t set kind = 'drop' where id = 4; delete from src.t where id = 4;
      update src.t set n = 0 where kind = 'drop'`)
    await succeeds(connection)
    expect(await rows()).toEqual([
      ['1', 'keep', '1'],
      ['2', 'keep', '22'],
      ['8', 'keep', '8'],
      ['50', 'keep', '55'],
    ])

    await from.sql(`truncate table src.t;
      insert into src.t values (9, 'keep', 9), (10, 'drop', 10), (11, 'keep', 11);
      update src.t set kind = 'drop' where id = 11; delete from src.t where id = 10`)
    await succeeds(connection)
    expect(await rows()).toEqual([['9', 'keep', '9']])
  }, 90_000)

  if (to.marked)
    it('marks those that left, where deleted rows are kept, and adds none that never came', async () => {
      await makeTable(from)
      const connection = await follow(from, to, WHOLE, { isSoft: true })
      await succeeds(connection)
      await changeAll(from)
      await succeeds(connection)
      expect(await rows()).toEqual([
        ['2', 'keep', '22'],
        ['4', 'keep', '4'],
      ])
      expect(await to.marked?.()).toEqual(['1', '3'])
      await from.sql(
        `update src.t set n = 11 where id = 1; update src.t set kind = 'keep' where id = 8`,
      )
      await succeeds(connection)
      expect(await to.marked?.()).toEqual(['1', '3'])
      await from.sql(`update src.t set kind = 'keep' where id = 1; delete from src.t where id = 7`)
      await succeeds(connection)
      expect(await rows()).toEqual([
        ['1', 'keep', '11'],
        ['2', 'keep', '22'],
        ['4', 'keep', '4'],
        ['8', 'keep', '8'],
      ])
      expect(await to.marked?.()).toEqual(['3'])
    }, 90_000)

  it('holds while the table is written to, from its first row on', async () => {
    await from.sql(`create table src.t (id int primary key, v varchar(20), n int, large text)`)
    const values = Array.from({ length: 300 }, (_, i) => `(${i + 1}, 'first', ${i}, 'large')`)
    await from.sql(`insert into src.t values ${values.join(', ')}`)
    const connection = await follow(
      from,
      to,
      { field: 'v', op: 'lt', value: 'i5' },
      {
        more: { chunk_rows: 70 },
      },
    )
    const writer = await from.writes()
    let running = true
    const written = writeTo(writer.table, 7, { rows: 300, goesOn: () => running, pauseMs: 3 })
    try {
      for (let n = 0; n < 3; n++) {
        const sync = await start(connection)
        const { syncId, streams } = await ended(sync)
        expect(streams.map(({ error }) => error)).toEqual([undefined])
        await settled(connection, syncId)
      }
    } finally {
      running = false
      await written
      await writer.close()
    }
    await succeeds(connection)
    const there = await from.rows('select id, v, n, large from src.t order by id')
    const fulfil = there.filter(([, v]) => (v as string) < 'i5')
    expect(fulfil.length).toBeLessThan(there.length)
    expect(await to.rows(['id', 'v', 'n', 'large'])).toEqual(fulfil)
  }, 120_000)
})

describe('a filter on the log of PostgreSQL', () => {
  const from = FROM.PostgreSQL as From

  it.each(Object.keys(TO))(
    'judges large values that a change leaves as they were, into %s',
    async (target) => {
      const to = TO[target] as To
      await db.sql(`create table src.t (id int primary key, kind text, n int, large text);
        alter table src.t alter large set storage external; alter table src.t alter kind set storage external;
        insert into src.t select n, repeat('keep', 1000), n, repeat('large', 1000) from generate_series(1, 4) n`)
      const connection = await follow(from, to, {
        field: 'kind',
        ...{ op: 'eq', value: 'keep'.repeat(1000) },
      })
      await succeeds(connection)
      await db.sql(`update src.t set n = 0; update src.t set id = 40 where id = 4;
        update src.t set kind = 'drop' where id in (2, 3); update src.t set n = 1 where id = 3`)
      await succeeds(connection)
      const whole = `select id, kind, n, large from src.t where kind <> 'drop' order by id`
      expect(await to.rows(['id', 'kind', 'n', 'large'])).toEqual(await postgresRows(whole))
      await db.sql(`update src.t set kind = repeat('keep', 1000)`)
      await succeeds(connection)
      expect(await to.rows(['id', 'kind', 'n', 'large'])).toEqual(await postgresRows(whole))
      expect(await postgresRows('select count(*) from src.t')).toEqual([['4']])
    },
    90_000,
  )

  it('adds the changes that fulfil it, and all deletions, where the log itself is kept', async () => {
    await makeTable(from)
    const to = TO.PostgreSQL as To
    const stream = { destinationSyncMode: 'append' as const }
    const connection = await follow(from, to, WHOLE, { stream })
    await succeeds(connection)
    await db.sql(`update src.t set kind = 'drop' where id = 1; update src.t set n = 22 where id = 2;
      update src.t set n = 55 where id = 5; delete from src.t where id = 6`)
    expect(await succeeds(connection)).toMatchObject({ rowsLoaded: 2, rowsFiltered: 2 })
    expect(
      await postgresRows(
        'select id, kind, _ab_cdc_deleted_at is not null from dst.t order by _ab_cdc_updated_at nulls first, id',
      ),
    ).toEqual([
      ...['1', '2', '3', '4'].map((id) => [id, 'keep', 'f']),
      ['2', 'keep', 'f'],
      ['6', null, 't'],
    ])
  }, 60_000)
})
