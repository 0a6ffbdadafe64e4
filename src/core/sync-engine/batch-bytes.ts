import type { Batch, RecordBatch } from '../../protocol/index.ts'

/** Each stage asks again. */
const SIZES = new WeakMap<RecordBatch, number>()

/** Bytes of a batch; of records, texts count with their length and other cells eight each. */
export function batchBytes(batch: Batch): number {
  if (batch.kind === 'encoded') return batch.bytes.length
  const known = SIZES.get(batch)
  if (known !== undefined) return known
  let bytes = 0
  for (const [c, cells] of batch.columns.entries()) {
    const type = batch.schema[c]?.type
    // One large text among small ones must not be missed; these have none.
    if (type === 'integer' || type === 'boolean') bytes += 8 * batch.length
    else for (const cell of cells) bytes += bytesOf(cell)
  }
  SIZES.set(batch, bytes)
  return bytes
}

const bytesOf = (cell: unknown) => (typeof cell === 'string' ? cell.length + 2 : 8)
