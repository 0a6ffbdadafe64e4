/** Tuples as the log has them. */
import type { Buffer } from 'node:buffer'
import type { Cell } from '../../../protocol/index.ts'

/** The transaction that a change belongs to, as every row of it shows it. */
export interface TransactionCells {
  lsn: Cell
  time: string
}

/** Kinds of value. */
export const TUPLE_NULL = 0x6e
export const UNCHANGED = 0x75
export const TEXT = 0x74

/** `money` and its array. */
export const MONEY_OIDS: ReadonlySet<number> = new Set([790, 791])

export const u32 = (bytes: Buffer, at: number) =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0
