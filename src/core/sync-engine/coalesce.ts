import type { Batch, RecordBatch } from '../../protocol/index.ts'
import { batchBytes } from './batch-bytes.ts'

/** What is enough for a batch. */
const ROWS = 2000
const BYTES = 1024 * 1024

/**
 * Small batches of one schema as larger ones, in their order: pages of an API hold a hundred records,
 * and much is done once a batch. The rows count as extracted when the first of them was.
 */
export async function* coalesced(body: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  let open: RecordBatch[] = []
  let rows = 0
  let bytes = 0
  const close = () => {
    const [first, ...more] = open
    open = []
    rows = 0
    bytes = 0
    return first && joined(first, more)
  }
  for await (const batch of body) {
    const isPlain = batch.kind === 'records' && !batch.op && !batch.changes?.length
    if (!isPlain || batch.schema !== open[0]?.schema) {
      const whole = close()
      if (whole) yield whole
    }
    if (!isPlain) {
      yield batch
      continue
    }
    open.push(batch)
    rows += batch.length
    bytes += batchBytes(batch)
    if (rows < ROWS && bytes < BYTES) continue
    const whole = close()
    if (whole) yield whole
  }
  const whole = close()
  if (whole) yield whole
}

function joined(first: RecordBatch, more: RecordBatch[]): RecordBatch {
  if (more.length === 0) return first
  return {
    ...first,
    length: more.reduce((sum, { length }) => sum + length, first.length),
    columns: first.columns.map((cells, c) =>
      cells.concat(...more.map(({ columns }) => columns[c] ?? [])),
    ),
  }
}
