import type { Buffer } from 'node:buffer'

/**
 * Types of binlog events, MySQL's and MariaDB's.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Log__event__type.html
 * @see https://mariadb.com/kb/en/2-binlog-event-header/
 */
export const EVENT = {
  query: 2,
  stop: 3,
  rotate: 4,
  intvar: 5,
  rand: 13,
  userVar: 14,
  formatDescription: 15,
  xid: 16,
  beginLoadQuery: 17,
  executeLoadQuery: 18,
  tableMap: 19,
  writeRowsV1: 23,
  updateRowsV1: 24,
  deleteRowsV1: 25,
  incident: 26,
  heartbeat: 27,
  ignorable: 28,
  rowsQuery: 29,
  writeRows: 30,
  updateRows: 31,
  deleteRows: 32,
  gtid: 33,
  anonymousGtid: 34,
  previousGtids: 35,
  transactionContext: 36,
  viewChange: 37,
  xaPrepare: 38,
  transactionPayload: 40,
  heartbeatV2: 41,
  gtidTagged: 42,
  annotateRows: 160,
  binlogCheckpoint: 161,
  mariaGtid: 162,
  mariaGtidList: 163,
  startEncryption: 164,
  queryCompressed: 165,
  writeRowsCompressed: 166,
  updateRowsCompressed: 167,
  deleteRowsCompressed: 168,
} as const

export const HEADER_BYTES = 19
/** Where the header has the event's type, and its size. */
export const EVENT_TYPE = 4
export const EVENT_SIZE = 9
/** Readers that do not know an event with this flag may leave it out. */
const IGNORABLE_FLAG = 0x80
/** Rotations that the server makes up when a reader connects. */
const ARTIFICIAL_FLAG = 0x20

/** One event where it lies. */
export interface BinlogEvent {
  type: number
  /** Seconds since 1970, of the statement. */
  timestamp: number
  /** Where the next event begins; 0 for events that are in no file. */
  nextPosition: number
  ignorable: boolean
  artificial: boolean
  bytes: Buffer
  /** Of what follows the header. */
  start: number
  end: number
}

export function readEvent(bytes: Buffer, at: number, end: number, checksum: number): BinlogEvent {
  const flags = bytes.readUInt16LE(at + 17)
  return {
    timestamp: bytes.readUInt32LE(at),
    type: bytes[at + EVENT_TYPE] as number,
    nextPosition: bytes.readUInt32LE(at + 13),
    ignorable: (flags & IGNORABLE_FLAG) !== 0,
    artificial: (flags & ARTIFICIAL_FLAG) !== 0,
    bytes,
    start: at + HEADER_BYTES,
    end: end - checksum,
  }
}

/** The version of the server that wrote the file which this event describes. */
export const writerOf = ({ bytes, start }: BinlogEvent): string =>
  bytes.toString('latin1', start + 2, start + 52).replace(/\0.*/s, '')

/** Bytes of the checksum that events have after this description of the file, which has `checksum` itself. */
export const checksumOf = ({ bytes, end }: BinlogEvent, checksum: number): number =>
  // The last byte but four names it: 1 is CRC32.
  bytes[end + checksum - 5] === 1 ? 4 : 0
