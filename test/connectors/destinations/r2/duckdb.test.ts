import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, describe, expect, it } from 'vitest'
import {
  allRowsSql,
  type CurrentStream,
  currentFiles,
  latestByKeySql,
} from '../../../../connectors/destinations/r2/read.ts'
import { parseConfig } from '../../../../connectors/destinations/r2/spec.ts'
import { tableReader } from '../../../../connectors/destinations/r2/table-reader.ts'
import type { Cell, Column, RowOp } from '../../../../src/protocol/index.ts'
import { rowIdsOf } from '../../../../src/runtime/row-ids.ts'
import { fileStore } from '../../../../src/staging/file-store.ts'
import { batchOf, chunkOf, open, planOf, rowsOf, USERS, users } from './support.ts'

const root = mkdtempSync(join(tmpdir(), 'r2-duckdb-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const native = (type: string) => ({ dialect: 'postgres', type })
const EVERY_TYPE: Column[] = [
  { name: 'big', type: 'integer' },
  { name: 'money', type: 'number', native: native('numeric(38,10)') },
  { name: 'small', type: 'number', native: native('numeric(5,2)') },
  { name: 'exact', type: 'number', native: native('numeric') },
  { name: 'float', type: 'number' },
  { name: 'ok', type: 'boolean' },
  { name: 'day', type: 'date' },
  { name: 'clock', type: 'time_without_timezone' },
  { name: 'clock_tz', type: 'time_with_timezone' },
  { name: 'at', type: 'timestamp_with_timezone' },
  { name: 'local', type: 'timestamp_without_timezone' },
  { name: 'Text, "odd" name', type: 'string' },
  { name: 'nested', type: 'object' },
  { name: 'bytes', type: 'binary' },
]

/** Rows of cells; their text in DuckDB is the same but where `IN_DUCKDB` says otherwise. */
const ROWS: Cell[][] = [
  [
    ...[9007199254740993n, '1234567890123456789012345678.0123456789', 123.45],
    ...['0.1000000000000000055511151231257827', 0.1, true, '2024-02-29', '23:59:59.999999'],
    ...['12:00:00+05:30', '2026-11-23T03:31:33.432059Z', '1969-12-31T23:59:59.000001'],
    ...['çà "x", 🐘\r\nline', '{"a": [1, {"b": null}], "n": 12345678901234567890}', 'AP8K'],
  ],
  [
    ...[
      -9223372036854775808n,
      '-0.0000000001',
      -0.01,
      '-12345678901234567890123456789012345678901.5',
    ],
    ...[-1.5e300, false, '0001-01-01', '00:00:00', '00:00:00Z', '9999-12-31T23:59:59.999999Z'],
    ...['0001-01-01T00:00:00', '', '[]', ''],
  ],
  EVERY_TYPE.map(() => null),
  [
    ...[9223372036854775807n, '9999999999999999999999999999.9999999999', 0, '7'],
    ...[5e-324, null, '1970-01-01', '12:34:56.5', null, '2026-11-23T05:31:33.5+02:00'],
    ...['2500-06-15T12:00:00.123456', 'null', '"text"', null],
  ],
]

const IN_DUCKDB: Record<string, string>[] = [
  { at: '2026-11-23 03:31:33.432059+00', local: '1969-12-31 23:59:59.000001', small: '123.45' },
  {
    ...{ at: '9999-12-31 23:59:59.999999+00', local: '0001-01-01 00:00:00', float: '-1.5e+300' },
    day: '0001-01-01',
  },
  {},
  {
    ...{ at: '2026-11-23 03:31:33.5+00', local: '2500-06-15 12:00:00.123456', small: '0.00' },
    ...{ float: '5e-324' },
  },
]

const columnsOf = (rows: Cell[][], schema: Column[]) =>
  schema.map((_, c) => rows.map((row) => row[c] ?? null))

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run("SET TimeZone = 'UTC'")
  return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[]
}

/** DuckDB reads JSON numbers as doubles, compacts JSON, and has one null: the rest must be equal. */
function asJsonReadersSee(row: Record<string, unknown>) {
  const number = (value: unknown) => (value === null ? null : Number(value))
  const { money, small, exact, float, nested, ...rest } = row
  return {
    ...rest,
    ...{ money: number(money), small: number(small), exact: number(exact), float: number(float) },
    nested: nested === null ? null : JSON.parse(String(nested)),
  }
}

let opened = 0
function warehouse() {
  const directory = join(root, `w${++opened}`)
  return { store: fileStore(directory), urlOf: (key: string) => join(directory, key) }
}

describe.each(['Parquet', 'JSONL', 'CSV'])('%s files of the warehouse', (format) => {
  it('hold every value exactly, as DuckDB reads them', async () => {
    const { store, urlOf } = warehouse()
    const loader = open(store, planOf({ columns: EVERY_TYPE, primaryKey: [] }), format)
    await loader.prepare(1)
    await loader.load(chunkOf('a', [batchOf(EVERY_TYPE, columnsOf(ROWS, EVERY_TYPE))]), 1)
    const stream = await currentFiles(store, planOf().target)
    if (!stream) throw new Error('nothing is there')
    const text = EVERY_TYPE.map(({ name, type }) => {
      const column = `"${name.replaceAll('"', '""')}"`
      return type === 'binary' && format === 'Parquet'
        ? `base64(${column}) AS ${column}`
        : `${column}::VARCHAR AS ${column}`
    })
    const found = await query(
      `SELECT ${text.join(', ')} FROM (${allRowsSql(stream, urlOf)})
       ORDER BY right(_airbyte_raw_id::VARCHAR, 8)`,
    )
    const expected = ROWS.map((row, r) =>
      Object.fromEntries(
        EVERY_TYPE.map(({ name }, c) => {
          const cell = row[c] ?? null
          return [name, IN_DUCKDB[r]?.[name] ?? (cell === null ? null : String(cell))]
        }),
      ),
    )
    if (format === 'JSONL') {
      expect(found.map(asJsonReadersSee)).toEqual(expected.map(asJsonReadersSee))
      return
    }
    expect(found).toEqual(expected)
  })

  it('read back as the cells that were loaded', async () => {
    const { store } = warehouse()
    const loader = open(store, planOf({ columns: EVERY_TYPE, primaryKey: [] }), format)
    await loader.prepare(1)
    await loader.load(chunkOf('a', [batchOf(EVERY_TYPE, columnsOf(ROWS, EVERY_TYPE))]), 1)
    const expected = ROWS.map((row) => [...row])
    // An exact text that a double holds comes back as the number.
    const last = expected[3]
    if (last) last[3] = format === 'Parquet' ? '7' : 7
    const second = expected[1]
    if (second) second[1] = -1e-10
    if (last && format === 'Parquet') last[9] = '2026-11-23T03:31:33.5Z'
    expect(await rowsOf(loader)).toEqual(expected)
  })

  it('carry the metadata of every row', async () => {
    const { store, urlOf } = warehouse()
    const loader = open(store, planOf({ generationId: 4 }), format)
    await loader.prepare(1)
    const changes = [{ row: 1, field: 'name', change: 'NULLED' as const, reason: 'SOURCE' }]
    await loader.load(chunkOf('a', [{ ...users([1, 'x'], [2, null]), changes }]), 1)
    const stream = await currentFiles(store, planOf().target)
    if (!stream) throw new Error('nothing is there')
    const found = await query(
      `SELECT _airbyte_raw_id::VARCHAR AS raw, _airbyte_extracted_at::VARCHAR AS at,
       _airbyte_generation_id::INT AS generation, _airbyte_meta::VARCHAR AS meta
       FROM (${allRowsSql(stream, urlOf)}) ORDER BY id`,
    )
    expect(found.map(({ raw }) => raw)).toEqual([
      expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{4}0{8}$/,
      ),
      expect.stringMatching(/-[0-9a-f]{4}00000001$/),
    ])
    const metas = found.map(({ meta }) => JSON.parse(String(meta)))
    expect(metas).toEqual([
      { sync_id: 7, changes: [] },
      { sync_id: 7, changes: [{ field: 'name', change: 'NULLED', reason: 'SOURCE' }] },
    ])
    expect(found[0]).toMatchObject({ generation: 4, at: '2026-11-30 00:53:20.123+00' })
  })

  it('give the latest row by key, without the deleted, in SQL', async () => {
    const { store, urlOf } = warehouse()
    const loader = open(store, planOf({ mode: 'append_dedup' }), format)
    await loader.prepare(1)
    await loader.load(chunkOf('a', [users([1, 'a'], [2, 'b'], [3, 'c'], [1, 'a2'])]), 1)
    const changes = batchOf(
      USERS,
      [
        [2, 3],
        [null, 'c2'],
      ],
      { op: ['d', 'u'] },
    )
    await loader.load(chunkOf('b', [changes]), 1)
    await loader.load(chunkOf('c', [users([4, 'd'], [4, 'd2'])]), 1)
    const stream = await currentFiles(store, planOf().target)
    if (!stream) throw new Error('nothing is there')
    const found = await query(
      `SELECT id::INT AS id, name FROM (${latestByKeySql(stream, urlOf)}) ORDER BY id`,
    )
    expect(found).toEqual([
      { id: 1, name: 'a2' },
      { id: 3, name: 'c2' },
      { id: 4, name: 'd2' },
    ])
  })

  it('give the elements of the latest rows, in SQL as when read', async () => {
    const { store, urlOf } = warehouse()
    const links: Column[] = [
      { name: '_airbyte_parent_id', type: 'string' },
      { name: '_airbyte_root_id', type: 'string' },
      { name: '_airbyte_index', type: 'integer' },
    ]
    const tags: Column[] = [...links, { name: 'value', type: 'string' }]
    const columns: Column[] = [
      { name: 'id', type: 'integer' },
      { name: 'tags_count', type: 'integer' },
    ]
    const children = [{ path: ['tags'], table: 'users_tags', count: 'tags_count', columns: tags }]
    const loader = open(store, planOf({ mode: 'append_dedup', columns, children }), format)
    const chunk = (name: string, rows: [number, string[]][], op?: RowOp[]) => {
      const rowIds = rows.map((_, row) => rowIdsOf(name).text(row))
      const counts = rows.map(([, values]) => values.length)
      const found = rows.flatMap(([, values], row) =>
        values.map((value, place) => [rowIds[row], rowIds[row], place, value] as Cell[]),
      )
      const ids = rows.map(([id]) => id)
      return chunkOf(name, [
        batchOf(columns, [ids, counts], { rowIds, ...(op && { op }) }),
        batchOf(
          tags,
          tags.map((_, c) => found.map((row) => row[c] ?? null)),
          { child: 0, rowIds: found.map((_, row) => rowIdsOf(`${name}/tags`).text(row)) },
        ),
      ])
    }
    await loader.prepare(1)
    const first = chunk('a', [
      [1, ['old', 'older']],
      [2, ['gone']],
      [3, ['kept']],
    ])
    await loader.load(first, 1)
    const changed = chunk(
      'b',
      [
        [1, ['new']],
        [2, []],
      ],
      ['u', 'd'],
    )
    await loader.load(changed, 1)
    await loader.finish(1)
    const target = { namespace: 'public', table: 'users_tags' }
    const stream = await currentFiles(store, target)
    if (!stream) throw new Error('nothing is there')
    const sql = `SELECT t.value, u.id::INT AS id FROM (${latestByKeySql(stream, urlOf)}) AS t
      JOIN (${latestByKeySql(stream.parent as CurrentStream, urlOf)}) AS u
        ON u._airbyte_raw_id = t._airbyte_parent_id ORDER BY value`
    expect(await query(sql)).toEqual([
      { value: 'kept', id: 3 },
      { value: 'new', id: 1 },
    ])
    const reader = await tableReader(store, parseConfig({}), target)
    const read: Cell[] = []
    for await (const { columns: cells } of reader?.read(['value']) ?? [])
      read.push(...(cells[0] ?? []))
    expect(read.sort()).toEqual(['kept', 'new'])
    expect(await currentFiles(store, { namespace: 'public', table: 'none' })).toBeNull()
    const other = open(store, planOf({ target, connectionId: 'c2' }), format)
    await expect(other.prepare(1)).rejects.toMatchObject({ code: 'TABLE_TAKEN' })
  })

  it('keep byte order marks in text', async () => {
    const { store, urlOf } = warehouse()
    const loader = open(store, planOf(), format)
    await loader.prepare(1)
    await loader.load(chunkOf('a', [users([1, '\uFEFF'], [2, '\uFEFFx'], [3, 'x\uFEFFy'])]), 1)
    const stream = await currentFiles(store, planOf().target)
    if (!stream) throw new Error('nothing is there')
    // DuckDB's Node client strips such marks from text itself, so it is asked for the bytes.
    const sql = `SELECT hex(encode(name)) AS name FROM (${allRowsSql(stream, urlOf)}) ORDER BY id`
    const found = await query(sql)
    const names = ['\uFEFF', '\uFEFFx', 'x\uFEFFy']
    const hex = names.map((name) => Buffer.from(name).toString('hex').toUpperCase())
    expect(found.map(({ name }) => name)).toEqual(hex)
    expect((await rowsOf(loader)).map(([, name]) => name)).toEqual(names)
  })

  it('give the same latest rows in SQL as when read back, by cursor and change log', async () => {
    const { store, urlOf } = warehouse()
    const schema: Column[] = [
      { name: 'id', type: 'integer' },
      { name: 'version', type: 'number', native: { dialect: 'postgres', type: 'numeric' } },
      { name: 'name', type: 'string' },
    ]
    const plan = planOf({ columns: schema, mode: 'append_dedup', cursorField: ['version'] })
    const loader = open(store, plan, format)
    await loader.prepare(1)
    const load = (id: string, rows: Cell[][], op?: ('u' | 'd')[]) => {
      const cells = schema.map((_, c) => rows.map((row) => row[c] ?? null))
      return loader.load(chunkOf(id, [batchOf(schema, cells, op ? { op } : {})]), 1)
    }
    await load('a', [
      [1, 10, 'ten, though it comes first'],
      [1, 9, 'nine'],
      [2, 5, 'before the delete'],
      [3, null, 'undated'],
      [4, 1, 'first of equals'],
      [5, 7, 'deleted and made again'],
      [6, 8, 'newer than what the log says'],
    ])
    const log: Cell[][] = [
      [2, null, null],
      [4, 1, 'last of equals'],
      [5, null, null],
      [5, 1, 'made again'],
      [7, 9, 'not the last in its log'],
      [7, 8, 'the last in its log'],
      [8, null, null],
      [6, 3, 'older'],
    ]
    await load('b', log, ['d', 'u', 'd', 'u', 'u', 'u', 'd', 'u'])
    await load('c', [
      [1, 9.5, 'late and old'],
      [3, 0, 'dated'],
      [2, 1, 'after the delete'],
    ])
    const stream = await currentFiles(store, planOf().target)
    if (!stream) throw new Error('nothing is there')
    const expected = [
      { id: 1, name: 'ten, though it comes first' },
      { id: 2, name: 'after the delete' },
      { id: 3, name: 'dated' },
      { id: 4, name: 'last of equals' },
      { id: 5, name: 'made again' },
      { id: 6, name: 'newer than what the log says' },
      { id: 7, name: 'the last in its log' },
    ]
    const sql = latestByKeySql(stream, urlOf)
    expect(await query(`SELECT id::INT AS id, name FROM (${sql}) ORDER BY id`)).toEqual(expected)
    const rows = (await rowsOf(loader)).map(([id, , name]) => ({ id, name }))
    expect(rows.sort((a, b) => Number(a.id) - Number(b.id))).toEqual(expected)
    expect(await loader.count()).toBe(expected.length)
  })

  it('give the same rows of a log that is read again in SQL as when read back', async () => {
    const { store, urlOf } = warehouse()
    const schema: Column[] = [
      { name: 'id', type: 'integer' },
      { name: 'lsn', type: 'integer' },
      { name: 'name', type: 'string' },
    ]
    const plan = planOf({ columns: schema, mode: 'append_dedup', cursorField: ['lsn'] })
    const loader = open(store, plan, format)
    await loader.prepare(1)
    const load = (id: string, op: RowOp[], rows: Cell[][]) => {
      const cells = schema.map((_, c) => rows.map((row) => row[c] ?? null))
      return loader.load(chunkOf(id, [batchOf(schema, cells, { op })]), 1)
    }
    const before: Cell[][] = [
      [1, 1, 'before the truncate'],
      [null, 2, null],
      [2, 2, 'after it'],
    ]
    await load('a', ['u', 't', 'u'], before)
    const log: Cell[][] = [
      [3, 3, 'three'],
      [3, 4, null],
      [4, 4, 'four'],
      [5, 5, 'five'],
      [2, 6, null],
    ]
    await load('b', ['u', 'd', 'u', 'u', 'd'], log)
    await load('c', ['u', 't', 'u'], before)
    await load('d', ['u', 'd', 'u'], log.slice(0, 3))
    const snapshot: Cell[][] = [
      [3, null, 'of the snapshot'],
      [6, null, 'of the snapshot'],
    ]
    await load('e', ['u', 'u'], snapshot)
    await load('f', ['u'], [[3, 7, 'again']])
    const stream = await currentFiles(store, planOf().target)
    if (!stream) throw new Error('nothing is there')
    const expected = [
      { id: 3, name: 'again' },
      { id: 4, name: 'four' },
      { id: 5, name: 'five' },
    ]
    const sql = latestByKeySql(stream, urlOf)
    expect(await query(`SELECT id::INT AS id, name FROM (${sql}) ORDER BY id`)).toEqual(expected)
    const rows = (await rowsOf(loader)).map(([id, , name]) => ({ id, name }))
    expect(rows.sort((a, b) => Number(a.id) - Number(b.id))).toEqual(expected)
  })

  it('stay readable together when a column is added', async () => {
    const { store, urlOf } = warehouse()
    const loader = open(store, planOf(), format)
    await loader.prepare(1)
    await loader.load(chunkOf('a', [users([1, 'x'])]), 1)
    const wider: Column[] = [...USERS, { name: 'age', type: 'integer' }]
    const later = open(store, planOf({ columns: wider }), format)
    await later.prepare(2)
    await later.load(chunkOf('b', [batchOf(wider, [[2], ['y'], [30]])]), 2)
    const stream = await currentFiles(store, planOf().target)
    if (!stream) throw new Error('nothing is there')
    expect(
      await query(
        `SELECT id::INT AS id, age::INT AS age FROM (${latestByKeySql(stream, urlOf)}) ORDER BY id`,
      ),
    ).toEqual([
      { id: 1, age: null },
      { id: 2, age: 30 },
    ])
    expect(await rowsOf(later)).toEqual([
      [1, 'x', null],
      [2, 'y', 30],
    ])
  })

  it('stay readable together, with every digit, when columns become wider', async () => {
    const { store, urlOf } = warehouse()
    const retyped = (types: Omit<Column, 'name'>[]): Column[] =>
      ['id', 'float', 'money', 'exact', 'note'].map((name, i) => ({
        name,
        ...(types[i] ?? { type: 'integer' }),
      }))
    const integers = retyped([])
    const wide = retyped([
      { type: 'integer' },
      { type: 'number' },
      { type: 'number', native: native('numeric(38,10)') },
      { type: 'number', native: native('numeric') },
      { type: 'string' },
    ])
    const large = 9007199254740993n
    const plan = { mode: 'append_dedup' as const }
    const loader = open(store, planOf({ ...plan, columns: integers }), format)
    await loader.prepare(1)
    const narrow: Cell[][] = [
      [1, 2],
      [5, 6],
      [large, 7],
      [large, 8],
      [large, 9],
    ]
    await loader.load(chunkOf('a', [batchOf(integers, narrow)]), 1)
    const later = open(store, planOf({ ...plan, columns: wide }), format)
    await later.prepare(2)
    const rows: Cell[][] = [
      [2, 3],
      [0.5, 1],
      ['7.25', 2],
      ['8.125', '3'],
      ['nine', 'ten'],
    ]
    await later.load(chunkOf('b', [batchOf(wide, rows)]), 2)
    const stream = await currentFiles(store, planOf().target)
    if (!stream) throw new Error('nothing is there')
    const sql = `SELECT id::INT AS id, float::DOUBLE AS float, money::VARCHAR AS money,
      exact::VARCHAR AS exact, note::VARCHAR AS note FROM (${latestByKeySql(stream, urlOf)}) ORDER BY id`
    const digits = (text: unknown) => String(text).replace(/\.0*$|(\.\d*?)0+$/, '$1')
    const [first, ...others] = await query(sql)
    expect(first).toMatchObject({ id: 1, float: 5, note: String(large) })
    // As a double, which is what DuckDB makes of every number in JSON Lines.
    const kept = format === 'JSONL' ? String(Number(large)) : String(large)
    expect([first?.money, first?.exact].map(digits)).toEqual([kept, kept])
    expect(others).toMatchObject([
      { id: 2, float: 0.5, note: 'nine' },
      { id: 3, float: 1, note: 'ten' },
    ])
    const cells = (await rowsOf(later)).sort((a, b) => Number(a[0]) - Number(b[0]))
    expect(cells.map((row) => row.map(String))).toEqual([
      ['1', '5', String(large), String(large), String(large)],
      ['2', '0.5', '7.25', '8.125', 'nine'],
      ['3', '1', '2', '3', 'ten'],
    ])
    // As cells of the columns as they are now: a decimal is no bigint, and a text no number.
    const kinds = cells[0]?.slice(2).map((cell) => typeof cell)
    expect(kinds).toEqual(['string', 'string', 'string'])
  })
})

it('reads a stream whose files changed format', async () => {
  const { store, urlOf } = warehouse()
  for (const [i, format] of ['Parquet', 'JSONL', 'CSV'].entries()) {
    const loader = open(store, planOf(), format)
    await loader.prepare(i + 1)
    await loader.load(chunkOf(format, [users([i, format])]), i + 1)
  }
  const stream = await currentFiles(store, planOf().target)
  if (!stream) throw new Error('nothing is there')
  const found = await query(`SELECT name FROM (${latestByKeySql(stream, urlOf)}) ORDER BY id`)
  expect(found.map(({ name }) => name)).toEqual(['Parquet', 'JSONL', 'CSV'])
})

it('reads a stream without files', async () => {
  const { store, urlOf } = warehouse()
  await open(store, planOf({ mode: 'append_dedup' })).prepare(1)
  const stream = await currentFiles(store, planOf().target)
  if (!stream) throw new Error('nothing is there')
  expect(await query(latestByKeySql(stream, urlOf))).toEqual([])
})
