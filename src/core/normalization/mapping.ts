import { createHmac } from 'node:crypto'
import type {
  Cell,
  Column,
  RecordBatch,
  RowCondition,
  StreamMapping,
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
  const { filter, hash = [], rename = {} } = mapping
  const kept = filter ? withRows(batch, keptBy(filter, batch)) : batch
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
    filtered: batch.length - kept.length,
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
