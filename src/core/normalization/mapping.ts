import { createHmac } from 'node:crypto'
import {
  type Cell,
  CHANGED_AT,
  type Column,
  DELETED_AT,
  isOfLog,
  type RecordBatch,
  type RowCondition,
  type RowOp,
  type StreamMapping,
} from '../../protocol/index.ts'
import { withRows } from '../../runtime/batch-rows.ts'
import { numberText } from '../../runtime/formats/decimal-text.ts'
import { fieldsOf, rowTest } from './condition.ts'

/** A mapping with what a sync froze of it. */
export interface PlannedMapping extends StreamMapping {
  /** Of the workspace: equal values have equal hashes in all its tables, and in nobody else's. */
  salt: string
  /** The columns before it, by their names at the source. */
  columns: Column[]
  /** Where rows are merged: changed rows that do not fulfil the filter leave. */
  leaves?: {
    /** Columns that tell which row it is, and in which order it changed. */
    keys: string[]
    cursor?: string
    /** Also new ones: their key need not have been free. */
    inserts: boolean
  }
}

/** The columns that a mapping makes of these. */
export function mappedColumns(
  columns: Column[],
  { hash = [], rename = {} }: StreamMapping,
): Column[] {
  return columns.map((column) => {
    const { name, nullable } = column
    const kept: Column = hash.includes(name)
      ? { name, type: 'string', ...(nullable === undefined ? {} : { nullable }) }
      : column
    return { ...kept, name: newName(name, rename) }
  })
}

/** The path to a key or cursor as the destination knows it. */
export const mappedPath = ([top, ...rest]: string[], { rename = {} }: StreamMapping): string[] =>
  top === undefined ? [] : [newName(top, rename), ...rest]

/**
 * Filters rows, hashes columns and renames them. The batch holds values that fit their columns.
 *
 * @returns the batch that the destination gets, and how many rows were left out
 */
export function applyMapping(
  batch: RecordBatch,
  mapping: PlannedMapping,
): { batch: RecordBatch; filtered: number } {
  const { hash = [], rename = {} } = mapping
  const { kept, filtered } = filteredBy(mapping, batch)
  return {
    batch: {
      ...kept,
      schema: mappedColumns(kept.schema, mapping),
      columns: kept.schema.map(({ name }, index) => {
        const cells = kept.columns[index] ?? []
        return hash.includes(name) ? cells.map((cell) => hashed(cell, mapping.salt)) : cells
      }),
      ...(kept.changes && {
        changes: kept.changes.map((change) => ({
          ...change,
          field: newName(change.field, rename),
        })),
      }),
    },
    filtered,
  }
}

/** The rows that fulfil the filter, and those that leave; counted are all that do not fulfil it. */
function filteredBy({ filter, leaves }: PlannedMapping, batch: RecordBatch) {
  if (!filter) return { kept: batch, filtered: 0 }
  const fulfils = keptBy(filter, batch)
  if (!leaves || !batch.op) {
    const kept = withRows(batch, fulfils)
    return { kept, filtered: batch.length - kept.length }
  }
  const keys = leaves.keys.map((key) => batch.schema.findIndex(({ name }) => name === key))
  const isFree = (op: RowOp) => op === 'i' && !leaves.inserts
  let filtered = 0
  const op = batch.op.map((op, row): RowOp | null => {
    if (fulfils(row)) return op
    filtered++
    const hasKey = keys.every((key) => (batch.columns[key]?.[row] ?? null) !== null)
    return hasKey && !isFree(op) ? 'x' : null
  })
  if (filtered === 0) return { kept: batch, filtered }
  const left = op.includes('x') ? leaving({ ...batch, op: op as RowOp[] }, leaves) : batch
  return { kept: withRows(left, (row) => op[row] !== null), filtered }
}

/** The batch with rows that leave by their key and place alone: what else they have is not for the destination. */
function leaving(
  batch: RecordBatch & { op: RowOp[] },
  { keys, cursor = '' }: NonNullable<PlannedMapping['leaves']>,
): RecordBatch {
  const told = new Set([...keys, cursor])
  const { op, schema, columns, changes } = batch
  const leaves = (row: number) => op[row] === 'x'
  const changedAt = columns[schema.findIndex(({ name }) => name === CHANGED_AT)]
  return {
    ...batch,
    columns: schema.map(({ name }, c) => {
      const cells = columns[c] ?? []
      if (name === DELETED_AT && changedAt)
        return cells.map((cell, row) => (leaves(row) ? (changedAt[row] ?? null) : cell))
      if (told.has(name) || isOfLog(name)) return cells
      return cells.map((cell, row) => (leaves(row) ? null : cell))
    }),
    ...(changes && { changes: changes.filter(({ row }) => !leaves(row)) }),
  }
}

/** What a change log does not tell of a row cannot be judged: deletions, and values that it left out. */
function keptBy(filter: RowCondition, batch: RecordBatch): (row: number) => boolean {
  const fulfils = rowTest(filter, batch)
  const { op, changes = [] } = batch
  if (!op) return fulfils
  const judged = new Set(fieldsOf(filter))
  const untold = new Set(
    changes.flatMap(({ row, field, change }) =>
      change === 'UNCHANGED' && judged.has(field) ? [row] : [],
    ),
  )
  return (row) => op[row] === 'd' || op[row] === 't' || untold.has(row) || fulfils(row)
}

const newName = (name: string, rename: Record<string, string>) =>
  Object.hasOwn(rename, name) ? (rename[name] as string) : name

function hashed(cell: Cell, salt: string): Cell {
  if (cell === null || cell === undefined) return null
  const text = typeof cell === 'number' ? numberText(cell) : String(cell)
  return createHmac('sha256', salt).update(text).digest('hex')
}
