import type { RecordBatch } from '../../protocol/index.ts'

/** The batch with those rows only for which `keeps` holds. */
export function withRows(batch: RecordBatch, keeps: (row: number) => boolean): RecordBatch {
  const kept: number[] = []
  for (let row = 0; row < batch.length; row++) if (keeps(row)) kept.push(row)
  if (kept.length === batch.length) return batch
  const keep = <T>(values: T[]) => kept.map((row) => values[row] as T)
  const moved = new Map(kept.map((old, row) => [old, row]))
  const changes = batch.changes?.flatMap((change) => {
    const row = moved.get(change.row)
    return row === undefined ? [] : [{ ...change, row }]
  })
  return {
    ...batch,
    length: kept.length,
    columns: batch.columns.map(keep),
    ...(batch.op ? { op: keep(batch.op) } : {}),
    ...(changes ? { changes } : {}),
  }
}
