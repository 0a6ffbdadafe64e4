import { Buffer } from 'node:buffer'
import type { Cell } from '../../protocol/index.ts'
import { float4Text } from '../../runtime/formats/float-text.ts'
import { safeInteger } from '../../runtime/formats/parquet-read.ts'
import {
  dateCell,
  decimal,
  type Misfit,
  NULLED,
  timestampCell,
  truthy,
} from '../../runtime/mysql/cells.ts'
import type { CellKind } from '../../runtime/mysql/types.ts'
import type { DecodeText } from './charsets.ts'
import { decimalBytes, EXACT_DIGITS, readDecimal, readShortDecimal } from './decimal.ts'
import { uuidText } from './gtid.ts'
import { jsonText } from './json.ts'
import { FIELD, type LoggedColumn } from './table-map.ts'
import {
  fractionBytes,
  readDate,
  readDatetime,
  readOldDatetime,
  readOldTime,
  readTime,
  readTimestamp,
  secondsText,
} from './temporal.ts'

/** The value at `start`; where it ends comes from `spanOf`. */
export type ReadValue = (bytes: Buffer, start: number, end: number) => Cell | Misfit

/** Where a value that begins at `at` has its content, and where it ends. */
export interface Span {
  /** Bytes before the content that say how long it is. */
  lengthBytes: number
  /** Of the content, where that does not depend on the value. */
  size: number
}

/** How the values of a column lie in a row; undefined: this type is not known. */
export function spanOf({ type, meta }: LoggedColumn): Span | undefined {
  const fixed = (size: number): Span => ({ lengthBytes: 0, size })
  switch (type) {
    case FIELD.tiny:
    case FIELD.year:
      return fixed(1)
    case FIELD.short:
      return fixed(2)
    case FIELD.int24:
    case FIELD.date:
    case FIELD.newdate:
    case FIELD.time:
      return fixed(3)
    case FIELD.long:
    case FIELD.float:
    case FIELD.timestamp:
      return fixed(4)
    case FIELD.longlong:
    case FIELD.double:
    case FIELD.datetime:
      return fixed(8)
    case FIELD.timestamp2:
      return fixed(4 + fractionBytes(meta))
    case FIELD.datetime2:
      return fixed(5 + fractionBytes(meta))
    case FIELD.time2:
      return fixed(3 + fractionBytes(meta))
    case FIELD.newdecimal:
      return fixed(decimalBytes(meta >> 8, meta & 255))
    case FIELD.bit:
      return fixed((meta >> 8) + ((meta & 255) > 0 ? 1 : 0))
    case FIELD.enum:
    case FIELD.set:
      return fixed(meta)
    case FIELD.varchar:
    case FIELD.varString:
    case FIELD.string:
      return { lengthBytes: meta > 255 ? 2 : 1, size: 0 }
    case FIELD.blob:
    case FIELD.tinyBlob:
    case FIELD.mediumBlob:
    case FIELD.longBlob:
    case FIELD.geometry:
    case FIELD.vector:
    case FIELD.json:
      return { lengthBytes: meta, size: 0 }
  }
  return undefined
}

/**
 * How the values of a column become cells of this kind; undefined: they cannot.
 *
 * @param dataType as the catalog has it, for types that the log does not know (`uuid`)
 * @param text decodes the column's character set; undefined: it cannot be decoded
 */
export function readerOf(
  column: LoggedColumn,
  kind: CellKind,
  dataType: string,
  text: DecodeText | undefined,
): ReadValue | undefined {
  const { type, meta, unsigned } = column
  switch (kind) {
    case 'boolean':
      if (type !== FIELD.tiny) return undefined
      return (bytes, at) => {
        const value = unsigned ? bytes.readUInt8(at) : bytes.readInt8(at)
        return value === 0 ? false : value === 1 ? true : truthy(value)
      }
    case 'bit':
      return type === FIELD.bit ? (bytes, at) => bytes[at] === 1 : undefined
    case 'integer':
      return integerOf(type, unsigned)
    case 'number':
      if (type === FIELD.longlong && unsigned) return (bytes, at) => unsignedCell(bytes, at)
      return type === FIELD.newdecimal ? decimalOf(meta >> 8, meta & 255) : undefined
    case 'float':
      if (type !== FIELD.float) return undefined
      return (bytes, at) => Number(float4Text(bytes.readFloatLE(at)))
    case 'double':
      return type === FIELD.double ? (bytes, at) => bytes.readDoubleLE(at) : undefined
    case 'json':
      return type === FIELD.json ? jsonText : textOf(column, dataType, text)
    case 'text':
      return textOf(column, dataType, text)
    case 'binary':
      return binaryOf(column)
    default:
      return temporalOf(column, kind)
  }
}

function unsignedCell(bytes: Buffer, at: number): Cell {
  const value = bytes.readBigUInt64LE(at)
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)
}

const decimalOf = (precision: number, scale: number): ReadValue =>
  precision <= EXACT_DIGITS
    ? (bytes, at) => readShortDecimal(bytes, at, precision, scale)
    : (bytes, at) => decimal(readDecimal(bytes, at, precision, scale))

function integerOf(type: number, unsigned: boolean): ReadValue | undefined {
  const size = INTEGER_BYTES[type]
  if (size !== undefined) {
    return unsigned
      ? (bytes, at) => bytes.readUIntLE(at, size)
      : (bytes, at) => bytes.readIntLE(at, size)
  }
  if (type === FIELD.year) return (bytes, at) => (bytes[at] ? 1900 + (bytes[at] as number) : 0)
  if (type !== FIELD.longlong || unsigned) return undefined
  return (bytes, at) => {
    const high = bytes.readInt32LE(at + 4)
    const low = bytes.readUInt32LE(at)
    // Most are small: no BigInt for them.
    const value = high * 2 ** 32 + low
    return Number.isSafeInteger(value) ? value : safeInteger(bytes.readBigInt64LE(at))
  }
}

const INTEGER_BYTES: Record<number, number | undefined> = {
  [FIELD.tiny]: 1,
  [FIELD.short]: 2,
  [FIELD.int24]: 3,
  [FIELD.long]: 4,
}

const STRINGS = new Set<number>([FIELD.varchar, FIELD.varString, FIELD.string])
const BLOBS = new Set<number>([FIELD.blob, FIELD.tinyBlob, FIELD.mediumBlob, FIELD.longBlob])
/** Whatever else is bytes to us. */
const BYTES = new Set<number>([FIELD.geometry, FIELD.vector, FIELD.bit])

function textOf(
  { type, labels }: LoggedColumn,
  dataType: string,
  text: DecodeText | undefined,
): ReadValue | undefined {
  if (type === FIELD.enum && labels && text) {
    const names = labels.map((label) => text(label, 0, label.length))
    return (bytes, start, end) => names[bytes.readUIntLE(start, end - start) - 1] ?? ''
  }
  if (type === FIELD.set && labels && text) {
    const names = labels.map((label) => text(label, 0, label.length))
    return (bytes, start, end) => setText(names, bytes, start, end)
  }
  if (type === FIELD.string && ADDRESSES[dataType]) return ADDRESSES[dataType]
  return STRINGS.has(type) || BLOBS.has(type) ? text : undefined
}

function setText(names: string[], bytes: Buffer, start: number, end: number): string {
  return names
    .filter(
      (_, i) => ((bytes[start + (i >> 3)] ?? 0) & (1 << (i & 7))) !== 0 && start + (i >> 3) < end,
    )
    .join(',')
}

/** MariaDB's types that are bytes in the log. A UUID's parts are stored in the order in which they grow. */
const ADDRESSES: Record<string, ReadValue | undefined> = {
  uuid(bytes, start, end) {
    return end - start === 16 ? uuidText(bytes, start) : uuidText(padded(bytes, start, end, 16), 0)
  },
  inet4: (bytes, start, end) => padded(bytes, start, end, 4).join('.'),
  inet6: (bytes, start, end) => inet6Text(padded(bytes, start, end, 16)),
}

/** As MariaDB prints it: the longest run of zeros left out, and an IPv4 address at the end as such. */
function inet6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2))
  let gap = { from: 8, length: 0 }
  for (let from = 0; from < 8; from++) {
    let length = 0
    while (groups[from + length] === 0) length++
    if (length > gap.length) gap = { from, length }
  }
  const last = bytes.subarray(12).join('.')
  if (gap.from === 0 && gap.length === 6) return `::${last}`
  if (gap.from === 0 && gap.length === 5 && groups[5] === 0xffff) return `::ffff:${last}`
  const hex = groups.map((group) => group.toString(16))
  if (gap.length === 0) return hex.join(':')
  return `${hex.slice(0, gap.from).join(':')}::${hex.slice(gap.from + gap.length).join(':')}`
}

/** The server leaves out trailing zeros of a BINARY. */
function padded(bytes: Buffer, start: number, end: number, size: number): Buffer {
  if (end - start === size) return bytes.subarray(start, end)
  const whole = Buffer.alloc(size)
  bytes.copy(whole, 0, start, end)
  return whole
}

function binaryOf({ type, meta }: LoggedColumn): ReadValue | undefined {
  if (type === FIELD.string) {
    return (bytes, start, end) => padded(bytes, start, end, meta).toString('base64')
  }
  if (STRINGS.has(type) || BLOBS.has(type) || BYTES.has(type)) {
    return (bytes, start, end) => bytes.toString('base64', start, end)
  }
  return undefined
}

function temporalOf({ type, meta }: LoggedColumn, kind: CellKind): ReadValue | undefined {
  switch (type) {
    case FIELD.date:
    case FIELD.newdate:
      return kind === 'date' ? (bytes, at) => dateCell(readDate(bytes, at)) : undefined
    case FIELD.time2:
      return kind === 'time' ? (bytes, at) => readTime(bytes, at, meta) : undefined
    case FIELD.time:
      return kind === 'time' ? (bytes, at) => readOldTime(bytes, at) : undefined
    case FIELD.datetime2:
      return kind === 'datetime'
        ? (bytes, at) => timestampCell(readDatetime(bytes, at, meta), '')
        : undefined
    case FIELD.datetime:
      return kind === 'datetime'
        ? (bytes, at) => timestampCell(readOldDatetime(bytes, at), '')
        : undefined
    case FIELD.timestamp2:
      return kind === 'timestamp'
        ? (bytes, at) =>
            bytes.readUInt32BE(at) === 0
              ? NULLED
              : timestampCell(readTimestamp(bytes, at, meta), 'Z')
        : undefined
    case FIELD.timestamp:
      return kind === 'timestamp'
        ? (bytes, at) => timestampCell(secondsText(bytes.readUInt32LE(at)), 'Z')
        : undefined
  }
  return undefined
}
