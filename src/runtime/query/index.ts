/** SQL over tables that are read as streams of cells. Nothing here knows where they lie. */
import { type AsyncRow, executeSql, type SqlPrimitive, type Statement } from 'squirreling'
import { AirbyteError, type Cell } from '../../protocol/index.ts'
import type { TableReader } from '../contract.ts'
import { EXACT_FUNCTIONS, ExactSum, ExactValue, summedColumn } from './exact-sum.ts'
import { Meter, QUERY_LIMITS, type QueryLimits } from './meter.ts'
import { tableSource } from './source.ts'
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
  const { statement, exact, tables: names, conditions, computes } = parseQuery(options.sql)
  let meter = new Meter(limits, options.signal, true)
  const readers = await options.open(names, () => meter)
  const known = Object.entries(readers).map(([name, { columns }]) => [name, columnsOnly(columns)])
  const { holds, byColumn } = shapeOf(statement, Object.fromEntries(known))
  meter = new Meter(limits, options.signal, holds)
  const seen = { exact: false }
  // Columns that are read one after the other are added up on the way.
  const sums = byColumn ? sumsOf(statement) : null
  const tables = Object.fromEntries(
    Object.entries(readers).map(([name, reader]) => [
      name,
      tableSource(reader, {
        ...{ meter, seen, sums, condition: conditions.get(name) },
        signal: stepping(meter) as AbortSignal,
      }),
    ]),
  )
  const result = readable(() =>
    executeSql({
      query: byColumn ? statement : exact,
      ...{ tables, functions: EXACT_FUNCTIONS, signal: stepping(meter) as AbortSignal },
    }),
  )
  const rows: Cell[][] = []
  let truncated = false
  try {
    for await (const row of result.rows()) {
      if (rows.length === limits.rows) {
        truncated = true
        break
      }
      const cells = await cellsOf(row, result.columns)
      rows.push(sums ? withSums(cells, statement, sums) : cells)
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
    rounded: computes && seen.exact,
  }
}

const columnsOnly = (columns: { name: string }[]) => ({
  columns: columns.map(({ name }) => name),
  scan(): never {
    throw new Error('only its shape is known')
  },
})

const columnsOf = (statement: Statement): unknown[] =>
  statement.type === 'with'
    ? columnsOf(statement.query)
    : statement.type === 'select'
      ? statement.columns.map((column) => (column.type === 'derived' ? column.expr : column))
      : []

const sumsOf = (statement: Statement) =>
  new Map(
    columnsOf(statement).flatMap((expr) => {
      const name = summedColumn(expr)
      return name === null ? [] : [[name, new ExactSum()] as const]
    }),
  )

/** The one row of such a query, with the sums that were taken beside the engine. */
const withSums = (cells: Cell[], statement: Statement, sums: ReadonlyMap<string, ExactSum>) =>
  columnsOf(statement).map((expr, i) => {
    const sum = sums.get(summedColumn(expr) ?? '')
    return sum ? sum.value : (cells[i] ?? null)
  })

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
function cellOf(value: SqlPrimitive | ExactValue): Cell {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof ExactValue) return value.cell
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value as Cell)
}

/** Names of the engine's own errors, which are about the query; any other is a fault. */
function engineFailure(error: unknown): unknown {
  const known = /^(ExecutionError|ArgValueError|ParseError|.*NotFoundError|SyntaxError)$/
  return known.test((error as Error).name ?? '') ? fromEngine(error) : error
}
