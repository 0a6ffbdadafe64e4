import type { Batch } from '../../protocol/index.ts'

/** Bytes of a batch; record batches are taken at a flat eight a cell, strings at their length. */
export function batchBytes(batch: Batch): number {
  if (batch.kind === 'encoded') return batch.bytes.length
  let bytes = 0
  for (const column of batch.columns) {
    const sample = column[0]
    bytes += (typeof sample === 'string' ? sample.length + 2 : 8) * batch.length
  }
  return bytes
}
