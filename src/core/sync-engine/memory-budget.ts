import { AirbyteError } from '../../protocol/index.ts'

/** Bytes that the slices of one isolate may plan for together; the isolate has 128 MB. */
const TOTAL = 100 * 1024 * 1024
/** What one slice plans for: batches in flight, socket buffers, one multipart part. */
export const SLICE_BYTES = 32 * 1024 * 1024

let reserved = 0

/**
 * Takes a slice's share of the isolate's memory; call the result to give it back.
 * Throws MEMORY_BUDGET when the isolate is full: the task is then retried with a delay.
 */
export function reserveMemory(bytes: number = SLICE_BYTES): () => void {
  if (reserved + bytes > TOTAL) {
    throw new AirbyteError('MEMORY_BUDGET', 'Other slices use the memory of this isolate.')
  }
  reserved += bytes
  let released = false
  return () => {
    if (!released) reserved -= bytes
    released = true
  }
}
