import type { Cell, Column } from '../../../src/protocol/index.ts'
import type { ObjectStore } from '../../../src/runtime/contract.ts'
import { csvRecords } from '../../../src/runtime/formats/csv.ts'
import { linesOf, membersOf } from '../../../src/runtime/formats/jsonl-read.ts'
import { exactNumber } from '../../../src/runtime/formats/parquet-cells.ts'
import { readParquet, safeInteger } from '../../../src/runtime/formats/parquet-read.ts'
import type { LedgerEntry } from './document.ts'
import { formatOf } from './layout.ts'

/** Rows of a text file gathered before they are handed on. */
const BATCH_ROWS = 5000

export interface Cells {
  length: number
  columns: Cell[][]
}

/** The rows of a committed file, in order; a column that the file lacks is all null. */
export async function* readFile(
  store: ObjectStore,
  { file, bytes }: Pick<LedgerEntry, 'file' | 'bytes'>,
  columns: Column[],
): AsyncGenerator<Cells> {
  if (!file) return
  switch (formatOf(file)) {
    case 'Parquet':
      yield* readParquet(rangesOf(store, file, bytes), columns)
      return
    case 'JSONL':
      yield* readJsonl(await bodyOf(store, file, true), columns)
      return
    case 'CSV':
      yield* readCsv(await bodyOf(store, file, false), columns)
  }
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

const ENDS_IN_ZERO = /\.\d*0$/

function cellOf({ type }: Column, text: string): Cell {
  switch (type) {
    case 'boolean':
      return text === 'true'
    case 'integer':
      return /^-?\d+$/.test(text) ? safeInteger(BigInt(text)) : exactNumber(text)
    case 'number':
      // Zeros at the end are digits too: the row hash is of the number as it was written.
      return ENDS_IN_ZERO.test(text) ? text : exactNumber(text)
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
