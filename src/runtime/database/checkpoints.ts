import type { Batch } from '../../protocol/index.ts'

/** Rows of a statement, as they came. */
export interface Scanned {
  batch: Batch
  rows: number
  bytes: number
  /** Values of the scan's keys in the last row. */
  position: string[]
}

const CHECKPOINT_BYTES = 4 << 20

/** Says after which batch a state is due: every 4 MiB, and every so many rows. */
export function checkpoints({ checkpoint_rows = Infinity }: { checkpoint_rows?: number }) {
  let bytes = 0
  let rows = 0
  return (scanned: Scanned): boolean => {
    bytes += scanned.bytes
    rows += scanned.rows
    if (bytes < CHECKPOINT_BYTES && rows < checkpoint_rows) return false
    bytes = 0
    rows = 0
    return true
  }
}
