import type { RecordBatch } from '../../protocol/index.ts'

/** Only these fields, in the batch's order. The same batch when nothing is left out. */
export function project(batch: RecordBatch, selectedFields: string[] | undefined): RecordBatch {
  if (selectedFields === undefined) return batch
  const selected = new Set(selectedFields)
  const kept = batch.schema.flatMap(({ name }, index) => (selected.has(name) ? [index] : []))
  if (kept.length === batch.schema.length) return batch
  return {
    ...batch,
    schema: kept.flatMap((index) => batch.schema[index] ?? []),
    columns: kept.flatMap((index) => [batch.columns[index] ?? []]),
    changes: batch.changes?.filter(({ field }) => selected.has(field)),
  }
}
