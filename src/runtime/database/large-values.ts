/** Values that are too large to hold: databases have fields of 1 GB, an isolate has 128 MB. */
import type { RecordChange } from '../../protocol/index.ts'

/** A row beyond this many bytes is never held as a whole. */
export const LARGEST_ROW = 32 << 20

/** No key is longer, in whatever form it is read: a row keeps what it is told apart by. */
const ALWAYS_KEPT = 8 << 10

/** Whether a value is kept in a row of which so many bytes are kept already. */
export const fits = (kept: number, bytes: number, limit = LARGEST_ROW): boolean =>
  bytes <= ALWAYS_KEPT || kept + bytes <= limit

/** A value of a row that was read over. */
export interface LeftOut {
  row: number
  /** Place among the fields that were read. */
  field: number
  bytes: number
}

/** What is recorded where a value was left out. */
export const leftOutChange = (
  row: number,
  field: string,
  bytes: number,
  limit = LARGEST_ROW,
): RecordChange => ({
  ...{ row, field, change: 'NULLED' },
  reason: `The value has ${bytes} bytes; of a row ${limit} are read.`,
})
