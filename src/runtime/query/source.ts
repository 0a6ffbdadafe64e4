/** A table as the engine takes it: rows whose cells are functions. */
import {
  type AsyncDataSource,
  type AsyncRow,
  type ExprNode,
  executePlan,
  type SqlPrimitive,
} from 'squirreling'
import type { Cell } from '../../protocol/index.ts'
import type { TableReader } from '../contract.ts'
import { ExactSum } from './exact-sum.ts'
import type { Meter } from './meter.ts'
import { hasSubquery } from './statement.ts'

type ScanColumnOptions = Parameters<NonNullable<AsyncDataSource['scanColumn']>>[0]

interface Reading {
  meter: Meter
  /** Set when a value came by that a double does not hold. */
  seen: { exact: boolean }
  /** By column, what it adds up to; null where the engine is to take rows. */
  sums: Map<string, ExactSum> | null
  /** Leaves out rows of which the engine would make nothing; it brings its own besides. */
  condition?: ExprNode
  signal: AbortSignal
}

interface ReadRow extends AsyncRow {
  values: Cell[]
}

export function tableSource(
  reader: TableReader,
  { meter, seen, sums, condition, signal }: Reading,
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
      seen.exact = true
    return cell
  }
  async function* rowsOf(columns: string[]): AsyncGenerator<ReadRow> {
    for await (const batch of batches(columns)) {
      for (let i = 0; i < batch.length; i++) {
        const values = columns.map((name, c) => look(name, batch.columns[c]?.[i] ?? null))
        meter.row()
        yield rowOf(columns, values, meter)
      }
    }
  }
  /** Only what passes is held: the engine is asked for the scan alone, with its condition. */
  async function* passing(columns: string[], where?: ExprNode): AsyncGenerator<AsyncRow> {
    const rows = where ? filtered(columns, rowsOf, where, signal) : rowsOf(columns)
    for await (const row of rows) {
      meter.hold((row as ReadRow).values)
      yield row
    }
  }
  async function* scanColumn({ column, offset = 0, limit = Infinity }: ScanColumnOptions) {
    const sum = sums?.has(column) ? new ExactSum() : null
    if (sum) sums?.set(column, sum)
    let skip = offset
    let left = limit
    for await (const batch of batches([column])) {
      const cells = (batch.columns[0] ?? []).slice(skip, skip + left)
      skip = Math.max(0, skip - batch.length)
      left -= cells.length
      meter.rows += cells.length
      for (const cell of cells) {
        look(column, cell)
        sum?.add(cell)
      }
      yield cells as SqlPrimitive[]
      if (left <= 0) return
    }
  }
  return {
    ...(reader.rows !== undefined && { numRows: reader.rows }),
    columns: all,
    scan: ({ columns = all, where }) => {
      // A subquery looks at other tables, which only the whole query knows.
      const own = where && !looksElsewhere(where) ? where : undefined
      return {
        appliedWhere: own !== undefined,
        appliedLimitOffset: false,
        rows: () => passing(columns, own ?? condition),
      }
    },
    ...(sums && { scanColumn }),
  }
}

function filtered(
  columns: string[],
  rowsOf: (columns: string[]) => AsyncGenerator<AsyncRow>,
  where: ExprNode,
  signal: AbortSignal,
): AsyncIterable<AsyncRow> {
  const scan = () => ({
    appliedWhere: false,
    appliedLimitOffset: false,
    rows: () => rowsOf(columns),
  })
  const plan = { type: 'Scan' as const, table: 'it', hints: { columns, where } }
  return executePlan({ plan, context: { tables: { it: { columns, scan } }, signal } }).rows()
}

function looksElsewhere(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false
  return hasSubquery(node as Record<string, unknown>) || Object.values(node).some(looksElsewhere)
}

function rowOf(columns: string[], values: Cell[], meter: Meter): ReadRow {
  const cells: AsyncRow['cells'] = {}
  columns.forEach((name, i) => {
    cells[name] = () => {
      meter.step()
      return Promise.resolve((values[i] ?? null) as SqlPrimitive)
    }
  })
  return { columns, cells, values }
}
