import type { Cell, Column, RecordBatch, RecordChange } from '../../protocol/index.ts'
import { withRows } from '../../runtime/batch-rows.ts'
import type { RejectedRow, ValueLimits } from '../../runtime/contract.ts'
import { rejectedRow } from '../../runtime/row-text.ts'
import { type CellCheck, type Converted, checkOf } from './cell-check.ts'

export interface Coerced {
  batch: RecordBatch
  /** Rows that left the batch: a key or cursor value of theirs does not fit. */
  rejects: RejectedRow[]
  /** Values that became null. */
  nulled: number
  /** Values that became the nearest there is. */
  truncated: number
  /** Columns of the batch that the destination does not have; dropped. */
  unknownFields: string[]
}

/**
 * Makes a batch hold exactly `columns`, each value one that its column and the destination can hold.
 * A value that has an equal in the column's type is converted (`"42"` in an integer column); one
 * that does not fit becomes null, or the nearest number, and an entry in `changes`; in `keyFields` its row is rejected.
 * A batch that fits is returned as it is, after a scan that allocates nothing per row.
 *
 * @param concealed fields whose values must not stand in rejected rows
 *
 * @example
 * const { batch, rejects } = coerceToLimits(read, plan.columns, destination.capabilities.limits, ['id'])
 */
export function coerceToLimits(
  batch: RecordBatch,
  columns: Column[],
  limits: ValueLimits,
  keyFields: string[],
  concealed: ReadonlySet<string> = new Set(),
): Coerced {
  const { aligned, unknownFields } = align(batch, columns)
  const keys = new Set(keyFields)
  const changes: RecordChange[] = []
  const rejected = new Map<number, { field: string; reason: string }>()

  const fitted = columns.map((column, index) => {
    const cells = aligned.columns[index] ?? []
    const check = checkOf(column, limits, isSound(batch, column))
    const first = firstMisfit(cells, check)
    if (first === -1) return cells
    return fitColumn(cells, first, check, (row, { reason: why, exactly }, change) => {
      // A value that is to be hashed is told to nobody.
      const isTold = exactly !== undefined && !concealed.has(column.name)
      const reason = isTold ? `${why}: exactly ${exactly}` : why
      if (!keys.has(column.name)) {
        changes.push({ row, field: column.name, change, reason })
      } else if (!rejected.has(row)) {
        rejected.set(row, { field: column.name, reason })
      }
    })
  })

  const untouched = fitted.every((cells, index) => cells === aligned.columns[index])
  if (untouched) return { batch: aligned, rejects: [], nulled: 0, truncated: 0, unknownFields }
  const full: RecordBatch = {
    ...aligned,
    columns: fitted,
    changes: [...(aligned.changes ?? []), ...changes],
  }
  if (full.changes?.length === 0) delete full.changes
  const rejects = [...rejected]
    .sort(([a], [b]) => a - b)
    .map(([row, why]) => rejectedRow(aligned, row, why, concealed))
  const count = (wanted: RecordChange['change']) =>
    changes.filter(({ row, change }) => change === wanted && !rejected.has(row)).length
  return {
    batch: withRows(full, (row) => !rejected.has(row)),
    rejects,
    nulled: count('NULLED'),
    truncated: count('TRUNCATED'),
    unknownFields,
  }
}

/** Whether the column's cells are JSON that was serialised as such; text of another column may be anything. */
function isSound({ jsonIsSound, schema }: RecordBatch, { name, type }: Column): boolean {
  return jsonIsSound === true && schema.some((own) => own.name === name && own.type === type)
}

/** The batch with `columns` in their order: missing ones are null, unknown ones are dropped. */
function align(
  batch: RecordBatch,
  columns: Column[],
): { aligned: RecordBatch; unknownFields: string[] } {
  const same =
    batch.schema.length === columns.length &&
    columns.every((column, index) => {
      const own = batch.schema[index]
      return own?.name === column.name && own.type === column.type
    })
  if (same) return { aligned: batch, unknownFields: [] }

  const indexes = new Map(batch.schema.map(({ name }, index) => [name, index]))
  const wanted = new Set(columns.map(({ name }) => name))
  return {
    aligned: {
      ...batch,
      schema: columns,
      columns: columns.map(({ name }) => {
        const cells = batch.columns[indexes.get(name) ?? -1]
        return cells ?? new Array<Cell>(batch.length).fill(null)
      }),
      changes: batch.changes?.filter(({ field }) => wanted.has(field)),
    },
    unknownFields: batch.schema.flatMap(({ name }) => (wanted.has(name) ? [] : [name])),
  }
}

function firstMisfit(cells: Cell[], { fits }: CellCheck): number {
  for (let row = 0; row < cells.length; row++) {
    const cell = cells[row] as Cell
    if (cell !== null && !fits(cell)) return row
  }
  return -1
}

function fitColumn(
  cells: Cell[],
  first: number,
  { fits, convert }: CellCheck,
  misfit: (row: number, why: Converted, change: 'NULLED' | 'TRUNCATED') => void,
): Cell[] {
  const fitted = cells.slice()
  for (let row = first; row < cells.length; row++) {
    // A hole is not a value: sources that leave one mean null.
    const cell = cells[row] ?? null
    fitted[row] = cell
    if (cell === null || fits(cell)) continue
    const converted = convert(cell)
    if (converted.cell !== undefined && fits(converted.cell)) {
      fitted[row] = converted.cell
      if (converted.truncated) misfit(row, converted, 'TRUNCATED')
    } else {
      fitted[row] = null
      misfit(row, converted, 'NULLED')
    }
  }
  return fitted
}
