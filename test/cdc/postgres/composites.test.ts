import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { ownColumns } from '../../../connectors/sources/postgres/cdc/columns.ts'
import { postgresLog } from '../../../connectors/sources/postgres/cdc/log.ts'
import postgres from '../../../connectors/sources/postgres/index.ts'
import {
  type Cell,
  columnsOf,
  type JsonObject,
  type RecordBatch,
} from '../../../src/protocol/index.ts'
import type { LogPlace, LogStream } from '../../../src/runtime/source-log.ts'
import { createDatabase, ctx, type TestDatabase } from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase(inject('pgUrl'), 'cdc_composites')
  await db.sql(
    `CREATE EXTENSION hstore; CREATE TYPE mood AS ENUM ('sad', 'it''s "fine"');
     CREATE DOMAIN positive AS int CHECK (VALUE > 0);
     CREATE TYPE pair AS (a int, "b c" text); CREATE DOMAIN couple AS pair; CREATE TYPE empty AS ();
     CREATE TYPE one AS (x text); CREATE TYPE many AS (
       flag boolean, small smallint, "long ""name""" bigint, exact numeric, "real" real, double float8,
       words text, bytes bytea, day date, clock time, at timestamp, zoned timestamptz, span interval,
       plain json, canonical jsonb, ints int[], texts text[], moods mood[], feeling mood, p pair,
       pairs pair[], c couple, domain positive, cash money, id uuid, boxes box[], spans int4range,
       number oid, nothing empty, single one, letter "char", fixed char(4), stamps timestamptz[])`,
  )
})
afterEach(() => db.dropSlots())
afterAll(() => db.close())

const config = () =>
  ({
    ...{ ...db.config, schemas: ['public'] },
    replication_method: { method: 'CDC', initial_waiting_seconds: 60 },
  }) as unknown as JsonObject

/** The log of one table, from now on, read as its reader reads it. */
async function follow(table: string, key = ['id']) {
  const { streams } = await postgres.discover(ctx, config())
  const found = streams.find(({ name }) => name === table)
  if (!found) throw new Error('not discovered')
  const stream: LogStream = {
    stream: { name: table, namespace: 'public' },
    columns: ownColumns(columnsOf(found.json_schema)),
    primaryKey: key,
  }
  const prepare = async (kept: LogPlace | null) => {
    const options = { name: `of_${table}`, kept, mayBeginAnew: false }
    const { place, failed } = await postgresLog.prepare(ctx, config(), [stream], options)
    if (failed[0]) throw failed[0].error
    return place
  }
  let place = await prepare(null)
  return {
    /** A new sync begins. */
    async prepare() {
      place = await prepare(place)
    },
    /** The next changes in the log, so many of them; `meanwhile` happens before they are taken. */
    async changes(count: number, meanwhile?: () => Promise<unknown>): Promise<Cell[][]> {
      const feed = await postgresLog.open(ctx, config(), place, [stream])
      await meanwhile?.()
      // Or a row waits for a fuller batch.
      const asking = setInterval(() => feed.ask(), 100)
      const rows: Cell[][] = []
      try {
        for await (const event of feed) {
          if (event.type === 'batch') rows.push(...rowsOf(event.batch as RecordBatch))
          if (event.type !== 'checkpoint') continue
          place = { ...place, position: event.position }
          if (rows.length >= count) break
        }
      } finally {
        clearInterval(asking)
      }
      return rows
    },
  }
}

const rowsOf = ({ columns, length }: RecordBatch) =>
  Array.from({ length }, (_, row) => columns.slice(0, -3).map((cells) => cells[row] as Cell))

/** As a snapshot reads them. */
async function snapshotOf(table: string, ...columns: string[]): Promise<Cell[][]> {
  const list = columns.map((column) => `to_jsonb(${column})::text AS ${column}`)
  const { rows } = await db.sql(`SELECT id, ${list.join(', ')} FROM ${table} ORDER BY id`)
  return rows.map((row) => [Number(row.id), ...columns.map((column) => row[column] as string)])
}

describe('composites in the log', () => {
  it('are byte for byte what a snapshot reads, whatever their fields', async () => {
    await db.sql('CREATE TABLE every (id int PRIMARY KEY, m many, list many[], domain couple)')
    const log = await follow('every')
    const rows = [
      `ROW(true, 1, 9007199254740993, 1.50, 0.1, 1e300, E'q"\\\\,()é\\n', '\\x00ff', '2024-02-29',
       '12:00:01.5', '2024-01-01 00:00:00.25', '2024-01-01 00:00:00+02', '1 day 2 hours',
       '{"b":  [1.50], "a": 1e3}', '{"b": 1.50, "a": null}', '{{1,2},{3,NULL}}', '{"a,b",NULL,"NULL",""}',
       ARRAY['sad', E'it''s "fine"']::mood[], 'sad', ROW(1, 'x "y" \\z'), ARRAY[ROW(1, '{}'), NULL]::pair[],
       ROW(2, ','), 7, 12.34::numeric::money, '6f1b8c1e-0000-4000-8000-000000000001',
       '{(1,2),(0,0);(3,4),(1,1)}', '[1,5)', 4294967295, ROW(), ROW(NULL), 'x', 'ab',
       '{2024-01-01 00:00:00+00,infinity}')`,
      `ROW(false, -1, -9223372036854775808, 'NaN', '-Infinity', '-0', '', '', '0044-03-15 BC', '24:00',
       '0044-03-15 01:02:03 BC', 'infinity', '-1 month', 'null', 'null', '[0:1]={7,8}', '{}', '{}',
       NULL, ROW(NULL, ''), '{}', NULL, 1, 0::numeric::money, NULL, '{}', 'empty', 0, ROW(), ROW(''), ' ', '', NULL)`,
      `ROW(${new Array(33).fill('NULL').join(', ')})`,
      'NULL',
    ]
    for (const [id, row] of rows.entries())
      await db.sql(
        `INSERT INTO every VALUES (${id}, ${row}::many, ARRAY[${row}]::many[], ROW(${id}, 'd'))`,
      )
    await db.sql(`INSERT INTO every VALUES (9, NULL, '{}', NULL)`)
    const changes = await log.changes(5)
    expect(changes).toEqual(await snapshotOf('every', 'm', 'list', 'domain'))
    expect(changes).toHaveLength(5)
  })

  it('have the fields that they had, or the row is read again, when their type is altered', async () => {
    await db.sql(
      `CREATE TYPE place AS (street text, town text); CREATE TABLE altered (id int PRIMARY KEY, p place)`,
    )
    const log = await follow('altered')
    await db.sql(`INSERT INTO altered VALUES (1, ROW('s', 't'))`)
    expect(await log.changes(1)).toEqual([[1, '{"town": "t", "street": "s"}']])
    // Between two reads of one reader, and while it reads.
    await db.sql(
      `INSERT INTO altered VALUES (2, ROW('s', 't')), (3, ROW('s', 't'));
       UPDATE altered SET p = ROW('a', 'b') WHERE id = 1; DELETE FROM altered WHERE id = 3;
       ALTER TYPE place RENAME ATTRIBUTE street TO road; ALTER TYPE place RENAME ATTRIBUTE town TO street`,
    )
    const rename = () => db.sql(`INSERT INTO altered VALUES (4, ROW('s', 't'))`)
    expect(await log.changes(5, rename)).toEqual([
      [2, '{"road": "s", "street": "t"}'],
      [3, null],
      [1, '{"road": "a", "street": "b"}'],
      [3, null],
      [4, '{"road": "s", "street": "t"}'],
    ])
    const swap = () =>
      db.sql(
        `INSERT INTO altered VALUES (5, ROW('s', 't')); ALTER TYPE place DROP ATTRIBUTE road;
         ALTER TYPE place ADD ATTRIBUTE road text; INSERT INTO altered VALUES (6, ROW('t', 'r'))`,
      )
    expect(await log.changes(2, swap)).toEqual([
      [5, '{"road": null, "street": "t"}'],
      [6, '{"road": "r", "street": "t"}'],
    ])
    await log.prepare()
    const after = () => db.sql(`UPDATE altered SET p = ROW('x', 'y') WHERE id = 5`)
    expect(await log.changes(1, after)).toEqual([[5, '{"road": "y", "street": "x"}']])
  })

  it('are refused, with the remedy, when their type was altered and their rows have no key', async () => {
    await db.sql(
      `CREATE TYPE spot AS (x int, y int); CREATE TABLE keyless (id int, s spot);
       ALTER TABLE keyless REPLICA IDENTITY FULL`,
    )
    const log = await follow('keyless', [])
    await db.sql(`INSERT INTO keyless VALUES (1, ROW(1, 2))`)
    expect(await log.changes(1)).toEqual([[1, '{"x": 1, "y": 2}']])
    await db.sql(
      `INSERT INTO keyless VALUES (2, ROW(1, 2)); ALTER TYPE spot RENAME ATTRIBUTE x TO z`,
    )
    await expect(log.changes(1)).rejects.toMatchObject({
      ...{ code: 'CDC_TABLE_UNSUITABLE', field: 's', stream: 'public.keyless' },
      hint: expect.stringContaining("Deselect the column 's'"),
    })
  })

  it('come with a column that is new, as the sync that will know it wants them', async () => {
    await db.sql('CREATE TABLE grown (id int PRIMARY KEY)')
    const log = await follow('grown')
    await db.sql(
      `ALTER TABLE grown ADD p pair, ADD moods mood[], ADD feeling mood;
       INSERT INTO grown VALUES (1, ROW(1, 'x'), '{sad}', 'sad')`,
    )
    expect(await log.changes(1)).toEqual([[1, '{"a": 1, "b c": "x"}', '["sad"]', 'sad']])
  })

  it('are refused where PostgreSQL makes JSON of a field by a function of its own', async () => {
    await db.sql(
      'CREATE TYPE tagged AS (tags hstore); CREATE TABLE own_json (id int PRIMARY KEY, t tagged[])',
    )
    await expect(follow('own_json')).rejects.toMatchObject({
      ...{ code: 'CDC_TABLE_UNSUITABLE', field: 't', hint: "Deselect the column 't'." },
    })
  })
})
