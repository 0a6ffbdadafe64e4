import type { RecordBatch, RecordChange } from '../../../protocol/index.ts'
import { type ChangeBatch, isUnchanged } from './events.ts'

/** Changes as the rows of a change log that destinations take: see `RecordBatch.op`. */
export function toChangeLog(batch: ChangeBatch): RecordBatch {
  const { kind, stream, schema, length, columns, extractedAt } = batch
  const changes: RecordChange[] = [...(batch.changes ?? [])]
  for (const [c, { name }] of schema.entries()) {
    if (!batch.unchanged?.[c]) continue
    for (let row = 0; row < length; row++)
      if (isUnchanged(batch, c, row))
        changes.push({ row, field: name, change: 'UNCHANGED', reason: 'SOURCE_LEFT_IT_OUT' })
  }
  const op = batch.movedFrom
    ? batch.op.map((kind, row) => (batch.movedFrom?.has(row) ? 'm' : kind))
    : batch.op
  return {
    ...{ kind, stream, schema, length, columns, extractedAt, op },
    ...(changes.length > 0 ? { changes } : {}),
  }
}
