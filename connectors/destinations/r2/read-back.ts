import { type Column, isDedup, type RecordBatch } from '../../../src/protocol/index.ts'
import type { ObjectStore } from '../../../src/runtime/contract.ts'
import { Carried } from './carried.ts'
import type { Ledger, LedgerEntry } from './document.ts'
import { LatestRows, partsOf, type Standing } from './latest.ts'
import type { Layout } from './layout.ts'
import { entriesOf } from './ledger.ts'
import { type Cells, readFile } from './read-file.ts'
import { RAW_ID, ROOT_ID, type Table } from './table.ts'

/** Past these, `countLatest` takes a bound from the ledger instead of reading. */
const ROWS_WORTH_READING = 1_000_000

/** Every row, in the order of loading. */
export async function* readRows(
  store: ObjectStore,
  layout: Layout,
  ledgers: Ledger[],
  table: Table,
): AsyncGenerator<RecordBatch> {
  for await (const entry of entriesOfAll(store, layout, ledgers)) {
    for await (const cells of readFile(store, entry, table.columns)) {
      yield batchOf(table, entry, cells)
    }
  }
}

/**
 * The latest row of every key that is not deleted, as `LatestRows` finds it. Memory is bounded: a
 * large stream is read several times, each time for its share of the keys, and so is one with many
 * large values that later changes left out.
 */
export async function* readLatest(
  store: ObjectStore,
  layout: Layout,
  ledgers: Ledger[],
  table: Table,
): AsyncGenerator<RecordBatch> {
  for await (const { entry, cells } of standing(store, layout, ledgers, table, table.columns)) {
    yield batchOf(table, entry, cells)
  }
}

/** Of the rows that stand these columns, a part of the keys at a time, and those in the order of loading. */
async function* standing(
  store: ObjectStore,
  layout: Layout,
  ledgers: Ledger[],
  table: Table,
  wanted: Column[],
): AsyncGenerator<{ entry: LedgerEntry; cells: Cells }> {
  const parts = partsOf(rowsIn(ledgers))
  const names = wanted.map(({ name }) => name)
  for (let part = 0; part < parts; part++) {
    const latest = await latestRows(store, layout, ledgers, table, { part, parts }, names)
    let { places, told } = latest.standing()
    while (places.length > 0) {
      const later = yield* completed(store, layout, ledgers, wanted, { places, told })
      places = Float64Array.from(later)
      told = new Map(later.map((place) => [place, told.get(place) ?? []]))
    }
  }
}

/** These rows, with what they left out; returns the places of those for which there was no room. */
async function* completed(
  store: ObjectStore,
  layout: Layout,
  ledgers: Ledger[],
  wanted: Column[],
  { places, told }: Standing,
): AsyncGenerator<{ entry: LedgerEntry; cells: Cells }, number[]> {
  const carried = new Carried(told)
  const later: number[] = []
  let next = 0
  let place = 0
  for await (const entry of entriesOfAll(store, layout, ledgers)) {
    for await (const cells of readFile(store, entry, wanted)) {
      carried.take(cells.columns, place, cells.length)
      const here: number[] = []
      for (; (places[next] ?? Infinity) < place + cells.length; next++) {
        const found = places[next] ?? 0
        if (carried.isPutOff(found)) later.push(found)
        else here.push(found)
      }
      const from = place
      place += cells.length
      if (here.length === 0) continue
      const columns = cells.columns.map((column, c) =>
        here.map((at) => carried.cell(at, c, column[at - from] ?? null)),
      )
      for (const at of here) carried.drop(at)
      yield { entry, cells: { length: here.length, columns } }
    }
    if (next >= places.length) break
  }
  return later
}

/** The rows of an array's table, under dedup those that belong to rows that stand. */
export async function* readChild(
  store: ObjectStore,
  layout: Layout,
  ledgers: Ledger[],
  table: Table,
  child: Table,
): AsyncGenerator<RecordBatch> {
  const fileIn = ({ children = [] }: LedgerEntry) =>
    children.find((file) => file.table === child.plan.target.table) ?? { file: null, bytes: 0 }
  if (!isDedup(table.plan.mode)) {
    for await (const entry of entriesOfAll(store, layout, ledgers))
      for await (const cells of readFile(store, fileIn(entry), child.columns))
        yield batchOf(child, entry, cells)
    return
  }
  const root = child.columns.findIndex(({ name }) => name === ROOT_ID)
  for await (const { entry, cells } of standing(store, layout, ledgers, table, [ID])) {
    // A file's rows may come in several parts: what belongs to others of them is not read twice.
    const ids = new Set(cells.columns[0])
    for await (const found of readFile(store, fileIn(entry), child.columns)) {
      const roots = found.columns[root] ?? []
      const rows = roots.flatMap((id, row) => (ids.has(id) ? [row] : []))
      if (rows.length === 0) continue
      const columns = found.columns.map((column) => rows.map((row) => column[row] ?? null))
      yield batchOf(child, entry, { length: rows.length, columns })
    }
  }
}

const ID: Column = { name: RAW_ID, type: 'string' }

/**
 * How many rows `readLatest` would give: exactly up to a million loaded rows, by reading what
 * decides. For more it is an upper bound that costs no reading, the rows loaded less the deletes:
 * whoever asks then wants to know whether there are any.
 */
export async function countLatest(
  store: ObjectStore,
  layout: Layout,
  ledgers: Ledger[],
  table: Table,
): Promise<number> {
  const loaded = rowsIn(ledgers)
  if (loaded > ROWS_WORTH_READING) {
    let deletes = 0
    for await (const entry of entriesOfAll(store, layout, ledgers)) deletes += entry.deletes
    return loaded - deletes
  }
  let count = 0
  const parts = partsOf(loaded)
  for (let part = 0; part < parts; part++) {
    count += (await latestRows(store, layout, ledgers, table, { part, parts })).standing().places
      .length
  }
  return count
}

async function latestRows(
  store: ObjectStore,
  layout: Layout,
  ledgers: Ledger[],
  table: Table,
  share: { part: number; parts: number },
  wanted: string[] = [],
): Promise<LatestRows> {
  const latest = new LatestRows(table, share, wanted)
  for await (const entry of entriesOfAll(store, layout, ledgers)) {
    for await (const cells of readFile(store, entry, latest.columnsIn(entry))) {
      latest.add(cells, entry)
    }
    latest.endFile()
  }
  return latest
}

async function* entriesOfAll(store: ObjectStore, layout: Layout, ledgers: Ledger[]) {
  for (const ledger of ledgers) yield* entriesOf(store, layout, ledger)
}

const rowsIn = (ledgers: Ledger[]) => ledgers.reduce((sum, { rows }) => sum + rows, 0)

function batchOf(table: Table, entry: LedgerEntry, { length, columns }: Cells): RecordBatch {
  // The tombstone column that this destination adds is not one of the plan's.
  const own = table.plan.normalization === 'raw' ? 1 : table.plan.columns.length
  return {
    kind: 'records',
    stream: table.stream,
    schema: table.plan.normalization === 'raw' ? table.columns : table.plan.columns,
    length,
    columns: columns.slice(0, own),
    extractedAt: entry.extracted?.[1] ?? 0,
  }
}
