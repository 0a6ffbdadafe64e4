import type { RecordBatch } from '../protocol/index.ts'

/** The batch with those rows only for which `keeps` holds. */
export function withRows(batch: RecordBatch, keeps: (row: number) => boolean): RecordBatch {
  const kept: number[] = []
  for (let row = 0; row < batch.length; row++) if (keeps(row)) kept.push(row)
  if (kept.length === batch.length) return batch
  const moved = new Map(kept.map((old, row) => [old, row]))
  return remade(
    batch,
    kept.length,
    <T>(values: T[]) => kept.map((row) => values[row] as T),
    (row) => moved.get(row),
  )
}

/** The rows from one up to another, which is left out. */
export const rowsBetween = (batch: RecordBatch, from: number, to: number): RecordBatch =>
  remade(
    batch,
    to - from,
    (values) => values.slice(from, to),
    (row) => (row >= from && row < to ? row - from : undefined),
  )

function remade(
  batch: RecordBatch,
  length: number,
  pick: <T>(values: T[]) => T[],
  placeOf: (row: number) => number | undefined,
): RecordBatch {
  const { op, rowIds, changes } = batch
  return {
    ...batch,
    length,
    columns: batch.columns.map((column) => pick(column)),
    ...(op && { op: pick(op) }),
    ...(rowIds && { rowIds: pick(rowIds) }),
    ...(changes && {
      changes: changes.flatMap((change) => {
        const row = placeOf(change.row)
        return row === undefined ? [] : [{ ...change, row }]
      }),
    }),
  }
}
