import { AirbyteError, type Cell, type JsonObject } from '../../protocol/index.ts'

/** A place in PostgreSQL's log: a byte offset, 64 bits wide. */
export type Lsn = bigint

/**
 * How far a log was read. Everything that committed before `confirmed` is done; of the transaction
 * whose commit record is at `transaction.commit`, the first `transaction.sequence` changes are done too.
 * Only `confirmed` may be acknowledged to the server: it starts from there again.
 */
export interface CdcPosition {
  confirmed: Lsn
  transaction?: { commit: Lsn; sequence: number }
}

/**
 * Where a change stands: by the commit of its transaction, then by its place in it. Transactions come
 * in the order of their commits, and a transaction's changes in the same order each time it is read.
 */
export interface ChangeOrder {
  commit: Lsn
  /** From 1; counts the transaction's changes of all published tables, a truncate among them. */
  sequence: number
}

/** Below every change: rows of the snapshot. */
export const SNAPSHOT_ORDER: ChangeOrder = { commit: 0n, sequence: 0 }

/** Negative when `a` is before `b`. */
export function compareOrder(a: ChangeOrder, b: ChangeOrder): number {
  if (a.commit !== b.commit) return a.commit < b.commit ? -1 : 1
  return a.sequence - b.sequence
}

/**
 * @example
 * parseLsn('16/B374D848') // 0x16B374D848n
 */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
  if (!match) throw new AirbyteError('STATE_INVALID', `'${text}' is not a log position.`)
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)
}

/** As PostgreSQL prints it. */
export const printLsn = (lsn: Lsn): string =>
  `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase()

/** As a cell of an integer column. */
export const lsnCell = (lsn: Lsn): Cell =>
  lsn <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(lsn) : lsn

/** As state: positions as PostgreSQL prints them. */
export function positionToJson({ confirmed, transaction }: CdcPosition): JsonObject {
  return {
    v: 1,
    confirmed: printLsn(confirmed),
    ...(transaction
      ? { transaction: { commit: printLsn(transaction.commit), sequence: transaction.sequence } }
      : {}),
  }
}

/** Undoes `positionToJson`. Throws STATE_INVALID. */
export function positionFromJson(json: JsonObject): CdcPosition {
  if (json.v !== 1 || typeof json.confirmed !== 'string') {
    throw new AirbyteError('STATE_INVALID', 'The saved state is not a position in the log.')
  }
  const confirmed = parseLsn(json.confirmed)
  const transaction = json.transaction as { commit: string; sequence: number } | undefined
  if (!transaction) return { confirmed }
  return {
    confirmed,
    transaction: { commit: parseLsn(transaction.commit), sequence: transaction.sequence },
  }
}
