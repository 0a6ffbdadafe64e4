import type {
  Cell,
  Column,
  EncodedBatch,
  RecordBatch,
  RowOp,
  StreamKey,
} from '../../../protocol/index.ts'
import type { CdcPosition, ChangeOrder, Lsn } from '../position.ts'
import type { PgRelation } from './relation.ts'

/**
 * Changes of one table, in their order. After the table's own columns come `_ab_cdc_lsn` (commit of the
 * transaction), `_ab_cdc_updated_at` and `_ab_cdc_deleted_at` (its time; null unless the row is a delete).
 *
 * A delete holds the replica identity; its other cells are null. A change of the key is a delete of the
 * old key and, in the next row of the same batch, an upsert of the new one.
 */
export interface ChangeBatch extends RecordBatch {
  /** `u` upsert, `d` delete. */
  op: RowOp[]
  /** With `_ab_cdc_lsn`, the order of each row: see `ChangeOrder`. */
  sequences: number[]
  /**
   * By column, a bit for each row (`isUnchanged` reads it): set where the log left out a large value
   * because the change did not touch it. The cell is null and means "what the row had before".
   */
  unchanged?: (Uint8Array | undefined)[]
  /**
   * Rows that came from another key: row → the row of this batch that deletes the old key. What is
   * unchanged in such a row is what the *old* key's row had.
   */
  movedFrom?: Map<number, number>
  /** Columns whose cells are as the server prints them: see `TableShape`. */
  printed?: PrintedColumn[]
  /** The first place in the log of these changes, where there are such columns. */
  from?: Lsn
}

export interface PrintedColumn {
  /** In the batch. */
  place: number
  typeOid: number
}

/** A table's new description; `previous` is undefined for the first since the log was opened. */
export interface RelationEvent {
  type: 'relation'
  stream: StreamKey
  relation: PgRelation
  previous?: PgRelation
  /** Its columns, with the types that the log tells. */
  columns: Column[]
}

export type ChangeEvent =
  | { type: 'changes'; batch: ChangeBatch }
  /**
   * Such changes as rows of COPY text, where that was asked for and can say them: with nothing left out,
   * and of no other key than before.
   */
  | { type: 'copied'; batch: EncodedBatch }
  /** All rows of the stream that are before this order are gone. */
  | { type: 'truncate'; stream: StreamKey; order: ChangeOrder; at: string }
  | RelationEvent
  /** Every event so far is covered by this position. */
  | { type: 'checkpoint'; position: CdcPosition }

/** What a stream wants of a relation. */
export interface TableShape {
  stream: StreamKey
  /** Columns of the batches, by name and in this order. The log's other columns are left out. */
  columns: Column[]
  /** Names of the columns by which rows are told apart; empty: no update is taken for a move. */
  key: string[]
  /** Names of columns whose values are to be given as the server prints them, whatever their type. */
  printed?: string[]
}

export const CDC_COLUMNS: Column[] = [
  { name: '_ab_cdc_lsn', type: 'integer' },
  { name: '_ab_cdc_updated_at', type: 'timestamp_with_timezone' },
  { name: '_ab_cdc_deleted_at', type: 'timestamp_with_timezone' },
]

/** Whether a cell holds no value because the change left it as it was. */
export function isUnchanged(batch: ChangeBatch, column: number, row: number): boolean {
  const bits = batch.unchanged?.[column]
  return bits !== undefined && ((bits[row >> 3] ?? 0) & (1 << (row & 7))) !== 0
}

/** Where a row stands among all changes. */
export function orderOf(batch: ChangeBatch, row: number): ChangeOrder {
  const lsn = batch.columns[batch.schema.length - CDC_COLUMNS.length] as Cell[]
  return { commit: BigInt(lsn[row] as number | bigint), sequence: batch.sequences[row] as number }
}
