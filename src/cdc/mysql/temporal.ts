import type { Buffer } from 'node:buffer'

/** Bytes of the fraction of a second, for so many digits. */
export const fractionBytes = (digits: number) => (digits + 1) >> 1

/** Made once: a date and its time have five of them. */
const TWO_DIGITS = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'))
/** Of a TIME there may be hundreds of hours. */
const two = (value: number) => TWO_DIGITS[value] ?? String(value)

const dateText = (year: number, month: number, day: number) =>
  `${year > 999 ? year : String(year).padStart(4, '0')}-${two(month)}-${two(day)}`

const clockText = (hour: number, minute: number, second: number) =>
  `${two(hour)}:${two(minute)}:${two(second)}`

/** The stored fraction (two digits a byte) as `.ffffff`, with as many digits as the column has. */
function fractionText(stored: number, digits: number): string {
  if (digits === 0) return ''
  return `.${String(stored)
    .padStart(fractionBytes(digits) * 2, '0')
    .slice(0, digits)}`
}

const readFraction = (bytes: Buffer, at: number, digits: number) =>
  digits === 0 ? 0 : bytes.readUIntBE(at, fractionBytes(digits))

/** DATE: three bytes, little-endian. */
export function readDate(bytes: Buffer, at: number): string {
  const packed = bytes.readUIntLE(at, 3)
  return dateText(packed >> 9, (packed >> 5) & 15, packed & 31)
}

const DATETIME_OFFSET = 0x8000000000
const TIME_OF_DAY = 2 ** 17

/** DATETIME2: five bytes big-endian, then the fraction; as the server prints it. */
export function readDatetime(bytes: Buffer, at: number, digits: number): string {
  const seconds = datetimeText(bytes.readUIntBE(at, 5) - DATETIME_OFFSET)
  return `${seconds}${fractionText(readFraction(bytes, at + 5, digits), digits)}`
}

/** Year and month in months of thirteen, day, hour, minute, second, one after the other. */
function datetimeText(packed: number): string {
  const days = Math.floor(packed / TIME_OF_DAY)
  const months = days >> 5
  const date = dateText(Math.floor(months / 13), months % 13, days & 31)
  return `${date} ${clockOf(packed % TIME_OF_DAY)}`
}

const clockOf = (packed: number) =>
  clockText((packed >> 12) & 0x3ff, (packed >> 6) & 63, packed & 63)

/** TIMESTAMP2: seconds big-endian, then the fraction; in UTC. Zero stands for the zero date. */
export function readTimestamp(bytes: Buffer, at: number, digits: number): string {
  const seconds = bytes.readUInt32BE(at)
  const fraction = fractionText(readFraction(bytes, at + 4, digits), digits)
  return `${secondsText(seconds)}${fraction}`
}

/** Seconds since 1970 as `YYYY-MM-DD HH:MM:SS`. */
export function secondsText(seconds: number): string {
  if (seconds === 0) return '0000-00-00 00:00:00'
  const day = Math.floor(seconds / 86_400)
  // Rows that were written together have the same days.
  if (day !== lastDay.number) {
    lastDay = { number: day, text: new Date(day * 86_400_000).toISOString().slice(0, 10) }
  }
  const left = seconds - day * 86_400
  const minutes = Math.floor(left / 60)
  return `${lastDay.text} ${clockText(Math.floor(minutes / 60), minutes % 60, left % 60)}`
}

let lastDay = { number: 0, text: '1970-01-01' }

/** TIME2: three bytes and the fraction as one number with an offset, so that it sorts as bytes. */
export function readTime(bytes: Buffer, at: number, digits: number): string {
  const scale = 256 ** fractionBytes(digits)
  const packed = bytes.readUIntBE(at, 3 + fractionBytes(digits)) - 0x800000 * scale
  const size = Math.abs(packed)
  const text = clockOf(Math.floor(size / scale))
  return `${packed < 0 ? '-' : ''}${text}${fractionText(size % scale, digits)}`
}

const MICROSECONDS = 24n

/** DATETIME as one number, in JSON: eight bytes, little-endian; with all six digits. */
export function packedDatetimeText(bytes: Buffer, at: number): string {
  const packed = bytes.readBigInt64LE(at)
  const seconds = Number(packed >> MICROSECONDS)
  const fraction = Number(packed & 0xffffffn)
  return `${datetimeText(seconds)}${fractionText(fraction, 6)}`
}

/** TIME as one number, in JSON. */
export function packedTimeText(bytes: Buffer, at: number): string {
  const packed = bytes.readBigInt64LE(at)
  const size = packed < 0n ? -packed : packed
  const text = clockOf(Number(size >> MICROSECONDS))
  return `${packed < 0n ? '-' : ''}${text}${fractionText(Number(size & 0xffffffn), 6)}`
}

/** TIME, DATETIME and TIMESTAMP as servers before 5.6 stored them. */
export function readOldTime(bytes: Buffer, at: number): string {
  const packed = bytes.readIntLE(at, 3)
  const size = Math.abs(packed)
  const text = clockText(Math.floor(size / 10_000), Math.floor(size / 100) % 100, size % 100)
  return packed < 0 ? `-${text}` : text
}

export function readOldDatetime(bytes: Buffer, at: number): string {
  const digits = bytes.readBigUInt64LE(at).toString().padStart(14, '0')
  const [, year, month, day, hour, minute, second] =
    /^(\d+)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(digits) ?? []
  return `${year}-${month}-${day} ${hour}:${minute}:${second}`
}
