/** SQL over tables that are read as streams of cells. Nothing here knows where they lie. */
import { type AsyncDataSource, type AsyncRow, executeSql, type SqlPrimitive } from 'squirreling'
import { AirbyteError, type Cell } from '../../protocol/index.ts'
import type { TableReader } from '../contract.ts'
import { Meter, QUERY_LIMITS, type QueryLimits } from './meter.ts'
import { fromEngine, parseQuery, readable, shapeOf } from './statement.ts'

export type { Meter, QueryLimits } from './meter.ts'

export interface QueryOptions {
  sql: string
  /** The tables of these names; throws QUERY_INVALID for one that is not there. */
  open(names: string[], meter: () => Meter): Promise<Record<string, TableReader>>
  signal: AbortSignal
  limits?: Partial<QueryLimits>
}

export interface QueryAnswer {
  columns: string[]
  rows: Cell[][]
  /** There are more rows than were asked for. */
  truncated: boolean
  rowsRead: number
  bytesRead: number
  /** Numbers with more digits than a double has went into a computation. */
  rounded: boolean
}

/**
 * Runs one SELECT.
 * @throws QUERY_INVALID, QUERY_LIMIT, CANCELLED
 */
export async function runQuery(options: QueryOptions): Promise<QueryAnswer> {
  const limits = { ...QUERY_LIMITS, ...options.limits }
  const { statement, tables: names, computes } = parseQuery(options.sql)
  let meter = new Meter(limits, options.signal, true)
  const readers = await options.open(names, () => meter)
  const known = Object.entries(readers).map(([name, { columns }]) => [name, columnsOnly(columns)])
  const { holds, byColumn } = shapeOf(statement, Object.fromEntries(known))
  meter = new Meter(limits, options.signal, holds)
  const exact = { seen: false }
  const tables = Object.fromEntries(
    Object.entries(readers).map(([name, reader]) => [
      name,
      sourceOf(reader, meter, exact, byColumn),
    ]),
  )
  const result = readable(() =>
    executeSql({ query: statement, tables, signal: stepping(meter) as AbortSignal }),
  )
  const rows: Cell[][] = []
  let truncated = false
  try {
    for await (const row of result.rows()) {
      if (rows.length === limits.rows) {
        truncated = true
        break
      }
      rows.push(await cellsOf(row, result.columns))
    }
  } catch (error) {
    throw error instanceof AirbyteError ? error : engineFailure(error)
  }
  return {
    columns: result.columns,
    rows,
    truncated,
    rowsRead: meter.rows,
    bytesRead: meter.bytes,
    rounded: computes && exact.seen,
  }
}

const columnsOnly = (columns: { name: string }[]) => ({
  columns: columns.map(({ name }) => name),
  scan(): never {
    throw new Error('only its shape is known')
  },
})

type ScanColumnOptions = Parameters<NonNullable<AsyncDataSource['scanColumn']>>[0]

/** A table as the engine takes it: rows whose cells are functions. */
function sourceOf(
  reader: TableReader,
  meter: Meter,
  exact: { seen: boolean },
  byColumn: boolean,
): AsyncDataSource {
  const all = reader.columns.map(({ name }) => name)
  async function* batches(columns: string[]) {
    for await (const batch of reader.read(columns)) {
      meter.read(0)
      yield batch
    }
  }
  const numbers = new Set(
    reader.columns.flatMap(({ name, type }) => (type === 'number' ? [name] : [])),
  )
  const look = (name: string, cell: Cell) => {
    if (typeof cell === 'bigint' || (typeof cell === 'string' && numbers.has(name)))
      exact.seen = true
    return cell as SqlPrimitive
  }
  async function* scanColumn({ column, offset = 0, limit = Infinity }: ScanColumnOptions) {
    let skip = offset
    let left = limit
    for await (const batch of batches([column])) {
      const cells = (batch.columns[0] ?? []).slice(skip, skip + left)
      skip = Math.max(0, skip - batch.length)
      left -= cells.length
      meter.rows += cells.length
      yield cells.map((cell) => look(column, cell))
      if (left <= 0) return
    }
  }
  return {
    ...(reader.rows !== undefined && { numRows: reader.rows }),
    columns: all,
    scan: ({ columns = all }) => ({
      appliedWhere: false,
      appliedLimitOffset: false,
      async *rows() {
        for await (const batch of batches(columns)) {
          for (let i = 0; i < batch.length; i++) {
            const values = columns.map((name, c) => look(name, batch.columns[c]?.[i] ?? null))
            meter.row(values as Cell[])
            yield rowOf(columns, values, meter)
          }
        }
      },
    }),
    ...(byColumn && { scanColumn }),
  }
}

function rowOf(columns: string[], values: SqlPrimitive[], meter: Meter): AsyncRow {
  const cells: AsyncRow['cells'] = {}
  columns.forEach((name, i) => {
    cells[name] = () => {
      meter.step()
      return Promise.resolve(values[i] ?? null)
    }
  })
  return { columns, cells }
}

/** The engine asks in its loops whether to stop: each asking is a step. */
const stepping = (meter: Meter) => ({
  get aborted() {
    meter.step()
    return false
  },
})

const cellsOf = async (row: AsyncRow, columns: string[]): Promise<Cell[]> =>
  Promise.all(columns.map(async (name) => cellOf((await row.cells[name]?.()) ?? null)))

/** Numbers, texts and booleans stay; what the engine makes of JSON and dates becomes text. */
function cellOf(value: SqlPrimitive): Cell {
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value as Cell)
}

/** Names of the engine's own errors, which are about the query; any other is a fault. */
function engineFailure(error: unknown): unknown {
  const known = /^(ExecutionError|ArgValueError|ParseError|.*NotFoundError|SyntaxError)$/
  return known.test((error as Error).name ?? '') ? fromEngine(error) : error
}
