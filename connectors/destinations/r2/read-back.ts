import {
  AirbyteError,
  type Cell,
  type Column,
  type RecordBatch,
} from '../../../src/protocol/index.ts'
import type { ObjectStore } from '../../../src/runtime/contract.ts'
import { csvRecords } from '../../../src/runtime/formats/csv.ts'
import { linesOf, membersOf } from '../../../src/runtime/formats/jsonl-read.ts'
import { exactNumber } from '../../../src/runtime/formats/parquet-cells.ts'
import { readParquet, safeInteger } from '../../../src/runtime/formats/parquet-read.ts'
import type { Ledger, LedgerEntry } from './document.ts'
import { formatOf, type Layout } from './layout.ts'
import { entriesNewestFirst, entriesOf } from './ledger.ts'
import type { Table } from './table.ts'

/** Rows of a text file gathered before they are handed on. */
const BATCH_ROWS = 5000
/** Keys remembered while rows are deduplicated: what memory allows. */
const LARGEST_KEY_SET = 1_000_000

interface Cells {
  length: number
  columns: Cell[][]
}

/** Every row, in the order of loading. */
export async function* readRows(
  store: ObjectStore,
  layout: Layout,
  ledgers: Ledger[],
  table: Table,
): AsyncGenerator<RecordBatch> {
  for (const ledger of ledgers) {
    for await (const entry of entriesOf(store, layout, ledger)) {
      for await (const cells of readFile(store, entry, table.columns, false)) {
        yield batchOf(table, entry, cells)
      }
    }
  }
}

/** The latest row of every key that is not deleted, newest first. Throws TOO_LARGE past a million keys. */
export async function* readLatest(
  store: ObjectStore,
  layout: Layout,
  ledgers: Ledger[],
  table: Table,
): AsyncGenerator<RecordBatch> {
  for await (const { entry, cells, rows } of latest(store, layout, ledgers, table, table.columns)) {
    const columns = cells.columns.map((column) => rows.map((row) => column[row] ?? null))
    yield batchOf(table, entry, { length: rows.length, columns })
  }
}

/** How many keys `readLatest` would give, reading only what that takes. */
export async function countLatest(
  store: ObjectStore,
  layout: Layout,
  ledgers: Ledger[],
  table: Table,
): Promise<number> {
  let count = 0
  for await (const { rows } of latest(store, layout, ledgers, table)) count += rows.length
  return count
}

async function* latest(
  store: ObjectStore,
  layout: Layout,
  ledgers: Ledger[],
  table: Table,
  wanted: Column[] = [],
) {
  const { keys, deletedAt } = table
  // Wanted columns first, then those that decide and are not among them.
  const deciding = [...keys, deletedAt].flatMap((i) => table.columns[i] ?? [])
  const columns = [...new Set([...wanted, ...deciding])]
  const places = deciding.map((column) => columns.indexOf(column))
  const seen = new Set<string>()
  for (const ledger of ledgers.toReversed()) {
    for await (const entry of entriesNewestFirst(store, layout, ledger)) {
      for await (const cells of readFile(store, entry, columns, true)) {
        const decide = places.map((place) => cells.columns[place] ?? [])
        const deleted = decide.pop() ?? []
        const rows: number[] = []
        for (let row = cells.length - 1; row >= 0; row--) {
          const key = JSON.stringify(decide.map((column) => String(column[row])))
          if (seen.has(key)) continue
          seen.add(key)
          if (deleted[row] === null) rows.push(row)
        }
        if (seen.size > LARGEST_KEY_SET) throw tooManyKeys(table)
        yield { entry, cells, rows }
      }
    }
  }
}

const tooManyKeys = ({ stream }: Table) =>
  new AirbyteError(
    'TOO_LARGE',
    `'${stream}' has more than ${LARGEST_KEY_SET} keys to compare here.`,
    {
      stream,
      hint: 'Query the files with the SQL of latestByKeySql in an engine such as DuckDB.',
    },
  )

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

async function* readFile(
  store: ObjectStore,
  { file, bytes }: LedgerEntry,
  columns: Column[],
  lastFirst: boolean,
): AsyncGenerator<Cells> {
  if (!file) return
  switch (formatOf(file)) {
    case 'Parquet':
      yield* readParquet(rangesOf(store, file, bytes), columns, { lastFirst })
      return
    case 'JSONL':
      yield* inOrder(readJsonl(await bodyOf(store, file, true), columns), lastFirst)
      return
    case 'CSV':
      yield* inOrder(readCsv(await bodyOf(store, file, false), columns), lastFirst)
  }
}

/** A text file can only be read forwards: its batches are gathered to be given backwards. */
async function* inOrder(source: AsyncIterable<Cells>, lastFirst: boolean) {
  if (!lastFirst) {
    yield* source
    return
  }
  const all: Cells[] = []
  for await (const cells of source) all.push(cells)
  yield* all.reverse()
}

async function* readJsonl(body: ReadableStream<Uint8Array>, columns: Column[]) {
  const gathered = gather(columns)
  for await (const line of linesOf(chunks(body))) {
    const members = membersOf(line)
    yield* gathered.add((column) => {
      const text = members.get(column.name)
      // JSON Lines has one null: a JSON null of a JSON column comes back as SQL's.
      if (text === undefined || text === 'null') return null
      return isJson(column) ? text : cellOf(column, text[0] === '"' ? JSON.parse(text) : text)
    })
  }
  yield* gathered.rest()
}

async function* readCsv(body: ReadableStream<Uint8Array>, columns: Column[]) {
  const gathered = gather(columns)
  let header: (string | null)[] | undefined
  for await (const record of csvRecords(chunks(body))) {
    if (!header) {
      header = record
      continue
    }
    const names = header
    yield* gathered.add((column) => {
      const text = record[names.indexOf(column.name)]
      return text === null || text === undefined ? null : cellOf(column, text)
    })
  }
  yield* gathered.rest()
}

function gather(columns: Column[]) {
  let cells: Cells = { length: 0, columns: columns.map(() => []) }
  const take = () => {
    const full = cells
    cells = { length: 0, columns: columns.map(() => []) }
    return full
  }
  return {
    *add(cellFor: (column: Column) => Cell): Generator<Cells> {
      columns.forEach((column, i) => {
        cells.columns[i]?.push(cellFor(column))
      })
      cells.length += 1
      if (cells.length >= BATCH_ROWS) yield take()
    },
    *rest(): Generator<Cells> {
      if (cells.length > 0) yield take()
    },
  }
}

const isJson = ({ type }: Column) => type === 'object' || type === 'array' || type === 'unknown'

function cellOf({ type }: Column, text: string): Cell {
  switch (type) {
    case 'boolean':
      return text === 'true'
    case 'integer':
      return /^-?\d+$/.test(text) ? safeInteger(BigInt(text)) : exactNumber(text)
    case 'number':
      return exactNumber(text)
    default:
      return text
  }
}

function rangesOf(store: ObjectStore, key: string, byteLength: number) {
  return {
    byteLength,
    async slice(start: number, end = byteLength): Promise<ArrayBuffer> {
      const from = start < 0 ? byteLength + start : start
      const found = await store.get(key, { offset: from, length: end - from })
      if (!found) throw missing(key)
      return new Response(found.body).arrayBuffer()
    },
  }
}

async function bodyOf(store: ObjectStore, key: string, zipped: boolean) {
  const found = await store.get(key)
  if (!found) throw missing(key)
  if (!zipped) return found.body
  const body = found.body as ReadableStream<Uint8Array<ArrayBuffer>>
  return body.pipeThrough(new DecompressionStream('gzip')) as ReadableStream<Uint8Array>
}

const missing = (key: string) => new Error(`${key} is in the ledger and not in the warehouse`)

async function* chunks(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}
