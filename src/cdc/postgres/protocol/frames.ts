import { Buffer } from 'node:buffer'
import type { Lsn } from '../position.ts'

/** A message's type byte and its length. */
export const HEADER = 5
export const COPY_DATA = 0x64
export const COPY_DONE = 0x63
export const COPY_BOTH = 0x57
/** ParameterStatus, NoticeResponse, NotificationResponse: may come at any time. */
export const ASIDES = new Set([0x53, 0x4e, 0x41])

/** First byte of what a walsender puts into CopyData. */
export const XLOG_DATA = 0x77
export const KEEPALIVE = 0x6b

/** In CopyData, from its header: kind, start of the WAL, end of the WAL, clock, then the message. */
export const XLOG_START = HEADER + 1
export const XLOG_WAL_END = HEADER + 1 + 8
export const XLOG_MESSAGE = HEADER + 1 + 8 + 8 + 8
/** Kind, end of the WAL, clock, whether a reply is wanted at once. */
export const KEEPALIVE_WAL_END = HEADER + 1
export const KEEPALIVE_REPLY = HEADER + 1 + 8 + 8

/** Microseconds between 1970 and 2000, the walsender's epoch. */
const EPOCH_MICROS = 946_684_800_000_000n

/** ISO 8601 with microseconds of a walsender's clock. */
export function clockText(micros: bigint): string {
  const unix = micros + EPOCH_MICROS
  const millis = Number(unix / 1000n)
  const rest = String(unix % 1000n).padStart(3, '0')
  return `${new Date(millis).toISOString().slice(0, -1)}${rest}Z`
}

/**
 * Standby status update, as a whole CopyData message.
 * `ask` has the server say at once how far it is. `received` is reported as written: a server that sees it behind asks again and again.
 * https://www.postgresql.org/docs/current/protocol-replication.html
 */
export function statusUpdate(received: Lsn, acknowledged: Lsn, now: number, ask = false): Buffer {
  const bytes = Buffer.alloc(HEADER + 34)
  bytes[0] = COPY_DATA
  bytes.writeUInt32BE(4 + 34, 1)
  bytes[5] = 0x72
  bytes.writeBigUInt64BE(received, 6)
  bytes.writeBigUInt64BE(acknowledged, 14)
  bytes.writeBigUInt64BE(acknowledged, 22)
  bytes.writeBigInt64BE(BigInt(now) * 1000n - EPOCH_MICROS, 30)
  bytes[38] = ask ? 1 : 0
  return bytes
}

export const copyDone = (): Buffer => Buffer.from([COPY_DONE, 0, 0, 0, 4])
