import type { Cell, Column, RecordBatch, RecordChange } from '../protocol/index.ts'
import type { RejectedRow } from './contract.ts'
import { isJson } from './exact-json.ts'

/** A row that cannot be loaded, with all that loading it again takes. */
export function rejectedRow(
  batch: RecordBatch,
  row: number,
  why: Pick<RejectedRow, 'reason' | 'field'>,
  concealed: ReadonlySet<string> = new Set(),
): RejectedRow {
  const op = batch.op?.[row] ?? 'u'
  const isUnchanged = (change: RecordChange) => change.row === row && change.change === 'UNCHANGED'
  const unchanged = batch.changes?.filter(isUnchanged).map(({ field }) => field) ?? []
  const masked = batch.schema.flatMap(({ name }, index) =>
    concealed.has(name) && (batch.columns[index]?.[row] ?? null) !== null ? [name] : [],
  )
  return {
    ...why,
    row: rowText(batch, row, concealed),
    ...(op === 'u' || op === 'i' ? {} : { op }),
    ...(unchanged.length > 0 ? { unchanged } : {}),
    ...(masked.length > 0 ? { masked } : {}),
  }
}

/** One row as JSON text of `{column: value}`, whatever its values are; those of `concealed` masked. */
function rowText(
  batch: RecordBatch,
  row: number,
  concealed: ReadonlySet<string> = new Set(),
): string {
  const fields = batch.schema.map((column, index) => {
    const cell = batch.columns[index]?.[row] ?? null
    const text = concealed.has(column.name) ? scalar : textOf(column)
    const shown = cell !== null && concealed.has(column.name) ? MASK : cell
    return `${JSON.stringify(column.name)}:${shown === null ? 'null' : text(shown)}`
  })
  return `{${fields.join(',')}}`
}

/** What stands where a value must not be seen. */
const MASK = '**********'

export const JSON_TYPES: ReadonlySet<string> = new Set(['object', 'array', 'unknown'])

export type CellText = (cell: Exclude<Cell, null>) => string

/** How a value of the column is written as JSON. */
export function textOf({ type }: Column): CellText {
  if (JSON_TYPES.has(type)) {
    return (cell) => (typeof cell === 'string' && isJson(cell) ? cell : scalar(cell))
  }
  if (type === 'number') {
    return (cell) => (typeof cell === 'string' && JSON_NUMBER.test(cell) ? cell : scalar(cell))
  }
  return scalar
}

const scalar: CellText = (cell) => {
  if (typeof cell === 'string') return JSON.stringify(cell)
  // JSON has no NaN and no infinities: they go as text.
  if (typeof cell === 'number' && !Number.isFinite(cell)) return `"${cell}"`
  return String(cell)
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
