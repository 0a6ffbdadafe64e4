import type { StreamKey, WireFormat } from './catalog.ts'
import type { Cell, Column } from './schema.ts'

/** A value that was changed on its way, as Airbyte's `_airbyte_meta.changes` records it. */
export interface RecordChange {
  /** Row index in its batch. */
  row: number
  field: string
  /**
   * `UNCHANGED`: the log left the value out because the change did not touch it. The cell is null and
   * means what the row had before; of a row that moved (`m`), what the row of its old key had. Such rows
   * go to a destination that deduplicates only if its capabilities say `keepsUnchanged` (of rows that
   * moved: `true`); in a change log the entry tells why the cell is null.
   */
  change: 'NULLED' | 'TRUNCATED' | 'UNCHANGED'
  reason: string
}

/**
 * What a change log says of a row. `u`: it is so now. `i`: as `u`, and its key was free. `d`: the row
 * with this key is gone; cells beyond the key may be null. `m`: as `u`, of a row that had another key
 * until now; the row before it is the `d` of that key. `t`: every row before this one is gone; all cells
 * but the cursor may be null. `x`: the row is no part of the stream now, by its filter, and may never have
 * been. It comes only where rows are merged, and not from sources: as `d`, but where no row stands it
 * leaves nothing behind. With it no value is `UNCHANGED`.
 */
export type RowOp = 'u' | 'i' | 'd' | 'm' | 't' | 'x'

/** Whether a change takes rows away. */
export const isDelete = (kind: RowOp): boolean => kind === 'd' || kind === 't' || kind === 'x'

/** Columns of a change log that say when a row was changed, and when it was deleted. */
export const CHANGED_AT = '_ab_cdc_updated_at'
export const DELETED_AT = '_ab_cdc_deleted_at'

/** Whether a column is one in which a change log tells of place and time. */
export const isOfLog = (name: string): boolean => name.startsWith('_ab_cdc_')

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
   * Per row what happened to it; absent: all are `u`. Batches with it are a change log: rows of a stream
   * come in the order of their changes, over all batches and chunks.
   *
   * Under dedup rows are ordered by the stream's cursor, and those with equal cursors as they come. So a
   * log that bears its position in the cursor (`_ab_cdc_lsn`) can be read again from an older one:
   * deletions leave tombstones, and what ranks below what is there, or below a tombstone, is left out.
   * Rows of a snapshot have no position or a negative one, and rank below every change. Negative, it is
   * the end of the log when the row was read: a row that moved away before then is not the one read.
   */
  op?: RowOp[]
  changes?: RecordChange[]
  /** The table of the plan's `children` that the rows belong to; absent: the stream's own. */
  child?: number
  /** UUIDs of the rows, where rows of other tables link to them. They follow from chunk and row. */
  rowIds?: string[]
  /** The cells of JSON columns were serialised here: that they are JSON needs no second look. */
  jsonIsSound?: true
  /**
   * Of a log, in a batch without rows: what happened at this place to the table that no row tells. It is
   * said to who reads the stream, and goes no further.
   */
  note?: string
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
  /** As of a record batch. A row that is gone (`d`) has the time of it, if the schema has `_ab_cdc_deleted_at`. */
  op?: RowOp[]
}

export type Batch = RecordBatch | EncodedBatch

/** The child table that the rows belong to, if it is not the stream's own. */
export const childOf = (batch: Batch) => (batch.kind === 'records' ? batch.child : undefined)

export const rowsOf = (batch: Batch) => (batch.kind === 'records' ? batch.length : batch.rows)
