import type { StreamKey, WireFormat } from './catalog.ts'
import type { Cell, Column } from './schema.ts'

/** A value that was changed on its way, as Airbyte's `_airbyte_meta.changes` records it. */
export interface RecordChange {
  /** Row index in its batch. */
  row: number
  field: string
  change: 'NULLED' | 'TRUNCATED'
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
  /** Per row `u` (upsert) or `d` (delete); absent: all upserts. */
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
