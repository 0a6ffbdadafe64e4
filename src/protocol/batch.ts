import type { StreamKey, WireFormat } from './catalog.ts'
import type { Cell, Column } from './schema.ts'

/** A value that was changed on its way, as Airbyte's `_airbyte_meta.changes` records it. */
export interface RecordChange {
  /** Row index in its batch. */
  row: number
  field: string
  /**
   * `UNCHANGED`: the log left the value out because the change did not touch it. The cell is null and
   * means what the row of this key had before. Such rows go to a destination that deduplicates only if
   * its capabilities say `keepsUnchanged`; in a change log the entry tells why the cell is null.
   */
  change: 'NULLED' | 'TRUNCATED' | 'UNCHANGED'
  reason: string
}

/** Rows as columns: `columns[c][r]` is the cell of column `c` in row `r`. */
export interface RecordBatch {
  kind: 'records'
  stream: StreamKey
  schema: Column[]
  length: number
  columns: Cell[][]
  /** When the rows were read, epoch milliseconds. */
  extractedAt: number
  /**
   * Per row `u` (upsert), `d` (delete: the key, and what else of the old row is known) or `t` (truncate:
   * every row of the stream that came before is gone; its cells are null). Absent: all upserts. Rows of
   * a stream come in the order of their changes, over all batches and chunks.
   */
  op?: string[]
  changes?: RecordChange[]
  /** The cells of JSON columns were serialised here: that they are JSON needs no second look. */
  jsonIsSound?: true
}

/** Whole rows in a wire format, in the column order of `schema`. */
export interface EncodedBatch {
  kind: 'encoded'
  stream: StreamKey
  schema: Column[]
  format: WireFormat
  rows: number
  bytes: Uint8Array
  extractedAt: number
}

export type Batch = RecordBatch | EncodedBatch

export const rowsOf = (batch: Batch) => (batch.kind === 'records' ? batch.length : batch.rows)
