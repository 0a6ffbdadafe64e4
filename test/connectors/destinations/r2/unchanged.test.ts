import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, describe, expect, it } from 'vitest'
import { Carried } from '../../../../connectors/destinations/r2/carried.ts'
import { currentFiles, latestByKeySql } from '../../../../connectors/destinations/r2/read.ts'
import { parseConfig } from '../../../../connectors/destinations/r2/spec.ts'
import { tableReader } from '../../../../connectors/destinations/r2/table-reader.ts'
import type { Cell, Column, RecordChange, RowOp } from '../../../../src/protocol/index.ts'
import type { Loader, ObjectStore, StreamPlan } from '../../../../src/runtime/contract.ts'
import { fileStore } from '../../../../src/staging/file-store.ts'
import { seeded } from '../../../durable-object/cdc-writer.ts'
import { batchOf, chunkOf, open, planOf, rowsOf } from './support.ts'

const root = mkdtempSync(join(tmpdir(), 'r2-unchanged-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const COLUMNS: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'lsn', type: 'integer' },
  { name: 'Large', type: 'string' },
  // Their names differ by case only, so the file's has a number.
  { name: 'large', type: 'integer' },
]
const PLAN: Partial<StreamPlan> = {
  ...{ columns: COLUMNS, mode: 'append_dedup', cursorField: ['lsn'] },
}

/** Two values; `undefined` where the change left one out. */
type Values = [string | null | undefined, number | string | null | undefined]
type Change = [op: RowOp, id: number | null, lsn: number | null, ...values: Partial<Values>]

function load(loader: Loader, id: string, changes: Change[], columns = COLUMNS) {
  const left = changes.flatMap(([op, , , ...values], row) =>
    op === 'u' || op === 'm'
      ? ['Large', 'large'].flatMap((field, i): RecordChange[] =>
          values[i] === undefined
            ? [{ row, field, change: 'UNCHANGED', reason: 'SOURCE_LEFT_IT_OUT' }]
            : [],
        )
      : [],
  )
  const cells = columns.map((_, c) => changes.map((change) => (change[c + 1] ?? null) as Cell))
  const batch = batchOf(columns, cells, { op: changes.map(([op]) => op), changes: left })
  return loader.load(chunkOf(id, [batch]), 1)
}

let opened = 0
function warehouse() {
  const directory = join(root, `w${++opened}`)
  return { store: fileStore(directory), urlOf: (key: string) => join(directory, key) }
}

type Row = [id: number, ...Values]
const byId = (rows: Row[]) => rows.sort(([a], [b]) => a - b)

/** The rows as each reader of the warehouse sees them, which must be the same. */
async function contents(
  { store, urlOf }: { store: ObjectStore; urlOf: (key: string) => string },
  loader: Loader,
): Promise<Row[]> {
  const read = byId(
    (await rowsOf(loader)).map(([id, , ...values]) => [Number(id), ...values] as Row),
  )
  const stream = await currentFiles(store, planOf().target)
  if (!stream) throw new Error('nothing is there')
  const connection = await (await DuckDBInstance.create()).connect()
  const sql = `SELECT id::INT AS id, "Large" AS a, large_1::VARCHAR AS b FROM (${latestByKeySql(stream, urlOf)})`
  const found = (await connection.runAndReadAll(sql)).getRowObjectsJson()
  connection.closeSync()
  const text = (cell: unknown) => (cell === null ? null : String(cell))
  expect(byId(found.map(({ id, a, b }) => [Number(id), a, b] as Row))).toEqual(
    read.map(([id, a, b]) => [id, a, text(b)]),
  )
  const table = await tableReader(store, parseConfig({}), planOf().target)
  const rows: Row[] = []
  for await (const { length, columns } of table?.read(['large_1', 'id', 'Large']) ?? []) {
    const [b = [], ids = [], a = []] = columns
    for (let row = 0; row < length; row++) rows.push([Number(ids[row]), a[row], b[row]] as Row)
  }
  expect(byId(rows)).toEqual(read)
  expect(await loader.count()).toBe(read.length)
  return read
}

describe.each(['Parquet', 'JSONL', 'CSV'])('values that a log left out, in %s files', (format) => {
  it('are what the row had before, through any number of files', async () => {
    const place = warehouse()
    const loader = open(place.store, planOf(PLAN), format)
    await loader.prepare(1)
    await load(loader, 'a', [
      ['u', 1, -5, 'one', 1],
      ['u', 2, -5, 'two', 2],
      ['u', 3, -5, null, 3],
    ])
    await load(loader, 'b', [
      ['u', 1, 1, undefined, 10],
      ['u', 3, 1],
    ])
    await load(loader, 'c', [['u', 1, 2, undefined, undefined]])
    await load(loader, 'd', [
      ['d', 2, 3],
      ['u', 2, 4, 'two again', null],
      ['u', 2, 5],
      ['u', 1, 6],
    ])
    expect(await contents(place, loader)).toEqual([
      [1, 'one', 10],
      [2, 'two again', null],
      [3, null, 3],
    ])
  })

  it('end with a deletion, a truncate or a key that another row had', async () => {
    const place = warehouse()
    const loader = open(place.store, planOf(PLAN), format)
    await loader.prepare(1)
    await load(loader, 'a', [
      ['u', 1, 1, 'one', 1],
      ['u', 2, 1, 'two', 2],
      ['u', 3, 1, 'three', 3],
    ])
    await load(loader, 'b', [
      ['d', 1, 2],
      ['u', 1, 3, undefined, 7],
      ['d', 2, 4],
      ['m', 3, 4],
    ])
    expect(await contents(place, loader)).toEqual([
      [1, null, 7],
      [3, null, null],
    ])
    await load(loader, 'c', [
      ['t', null, 5],
      ['u', 1, 6],
    ])
    expect(await contents(place, loader)).toEqual([[1, null, null]])
  })

  it('have the type that the column has by now', async () => {
    const place = warehouse()
    const narrow = open(place.store, planOf(PLAN), format)
    await narrow.prepare(1)
    await load(narrow, 'a', [['u', 1, 1, 'one', 1]])
    const wide = COLUMNS.map((column) =>
      column.name === 'large' ? { ...column, type: 'string' as const } : column,
    )
    const loader = open(place.store, planOf({ ...PLAN, columns: wide }), format)
    await loader.prepare(1)
    await load(loader, 'b', [['u', 1, 2]], wide)
    expect(await contents(place, loader)).toEqual([[1, 'one', '1']])
  })

  it('are found in the file where deletes say no place', async () => {
    const place = warehouse()
    const loader = open(place.store, planOf(PLAN), format)
    await loader.prepare(1)
    await load(loader, 'a', [
      ['u', 1, 1, 'one', 1],
      ['u', 2, 1, 'two', 2],
    ])
    await load(loader, 'b', [
      ['d', 1, null],
      ['u', 1, 2, undefined, 5],
      ['u', 1, 2, 'again', undefined],
      ['u', 2, 3, undefined, 6],
      ['u', 2, 3],
    ])
    await load(loader, 'c', [['u', 1, 4]])
    expect(await contents(place, loader)).toEqual([
      [1, 'again', 5],
      [2, 'two', 6],
    ])
  })
})

it('every reader finds what a log says, however it is cut into files and read again', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = seeded(seed)
    const below = (n: number) => Math.floor(random() * n)
    const rows = new Map<number, [string, number]>()
    const log: Change[] = []
    const snapshot: Change[] = []
    for (let id = 0; id < 4; id++) {
      rows.set(id, [`snapshot ${id}`, id])
      snapshot.push(['u', id, -1, `snapshot ${id}`, id])
    }
    for (let lsn = 1; lsn <= 60; lsn++) {
      const id = below(6)
      const now = rows.get(id)
      if (random() < 0.03) {
        log.push(['t', null, lsn])
        rows.clear()
      } else if (now && random() < 0.2) {
        log.push(['d', id, lsn])
        rows.delete(id)
      } else {
        const a = random() < 0.3 || now === undefined
        const b = random() < 0.3 || now === undefined
        const next: [string, number] = [a ? `a ${lsn}` : now[0], b ? lsn : now[1]]
        log.push(['u', id, lsn, a ? next[0] : undefined, b ? next[1] : undefined])
        rows.set(id, next)
      }
    }
    const place = warehouse()
    const loader = open(place.store, planOf(PLAN))
    await loader.prepare(1)
    await load(loader, 'snapshot', snapshot)
    let at = 0
    for (let n = 0; at < log.length; n++) {
      const end = Math.min(log.length, at + 1 + below(15))
      await load(loader, `c${n}`, log.slice(at, end))
      // What was read is read again from an older position now and then.
      at = random() < 0.3 ? Math.max(0, end - below(20)) : end
    }
    const expected = byId([...rows].map(([id, values]): Row => [id, ...values]))
    expect({ seed, rows: await contents(place, loader) }).toEqual({ seed, rows: expected })
  }
})

it('more than there is room for is carried in several passes, each of which completes rows', () => {
  const value = 'x'.repeat(10)
  const told = new Map([
    [10, [0, 1]],
    [11, [2, undefined]],
    [12, [undefined, 3]],
    [13, [-1, undefined]],
  ])
  const seen = new Map<number, Cell[]>()
  let passes = 0
  for (let left = new Map(told); left.size > 0; passes++) {
    const carried = new Carried(left, 25)
    carried.take([Array(14).fill(value), Array(14).fill(value)], 0, 14)
    const done = [...left.keys()].filter((place) => !carried.isPutOff(place))
    expect(done.length).toBeGreaterThan(0)
    for (const place of done) {
      seen.set(place, [carried.cell(place, 0, 'own'), carried.cell(place, 1, 'own')])
      left.delete(place)
    }
  }
  expect(passes).toBeGreaterThan(1)
  expect([...seen].sort(([a], [b]) => a - b)).toEqual([
    [10, [value, value]],
    [11, [value, 'own']],
    [12, ['own', value]],
    [13, [null, 'own']],
  ])
})
