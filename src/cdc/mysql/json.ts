import type { Buffer } from 'node:buffer'
import { readDecimal } from './decimal.ts'
import { FIELD } from './table-map.ts'
import { packedDatetimeText, packedTimeText } from './temporal.ts'

/**
 * MySQL stores JSON as a tree: each value is a type and, at another place, its content.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/json__binary_8h.html
 */
const TYPE = {
  smallObject: 0x00,
  largeObject: 0x01,
  smallArray: 0x02,
  largeArray: 0x03,
  literal: 0x04,
  int16: 0x05,
  uint16: 0x06,
  int32: 0x07,
  uint32: 0x08,
  int64: 0x09,
  uint64: 0x0a,
  double: 0x0b,
  string: 0x0c,
  opaque: 0x0f,
} as const

const LITERALS = ['null', 'true', 'false']

/**
 * The text of a JSON value as the server prints it in a query, with every digit of its numbers.
 * A value without bytes (of a row that was written without it) is `null`.
 */
export function jsonText(bytes: Buffer, start: number, end: number): string {
  return start === end ? 'null' : valueText(bytes, bytes[start] as number, start + 1)
}

function valueText(bytes: Buffer, type: number, at: number): string {
  switch (type) {
    case TYPE.smallObject:
      return treeText(bytes, at, 2, true)
    case TYPE.largeObject:
      return treeText(bytes, at, 4, true)
    case TYPE.smallArray:
      return treeText(bytes, at, 2, false)
    case TYPE.largeArray:
      return treeText(bytes, at, 4, false)
    case TYPE.literal:
      return LITERALS[bytes[at] as number] ?? unknown(type)
    case TYPE.int16:
      return String(bytes.readInt16LE(at))
    case TYPE.uint16:
      return String(bytes.readUInt16LE(at))
    case TYPE.int32:
      return String(bytes.readInt32LE(at))
    case TYPE.uint32:
      return String(bytes.readUInt32LE(at))
    case TYPE.int64:
      return String(bytes.readBigInt64LE(at))
    case TYPE.uint64:
      return String(bytes.readBigUInt64LE(at))
    case TYPE.double:
      return doubleText(bytes.readDoubleLE(at))
    case TYPE.string:
      return stringText(bytes, at)
    case TYPE.opaque:
      return opaqueText(bytes, at)
  }
  return unknown(type)
}

const unknown = (type: number): never => {
  throw new Error(`a value of JSON has an unknown type (${type})`)
}

/** An object or an array: `width` bytes for each number, offsets counted from its own begin. */
function treeText(bytes: Buffer, begin: number, width: 2 | 4, isObject: boolean): string {
  const count = bytes.readUIntLE(begin, width)
  const keys = begin + 2 * width
  const keyBytes = width + 2
  const values = keys + (isObject ? count * keyBytes : 0)
  const parts: string[] = []
  for (let n = 0; n < count; n++) {
    const value = entryText(bytes, begin, values + n * (1 + width), width)
    if (isObject) {
      const entry = keys + n * keyBytes
      const from = begin + bytes.readUIntLE(entry, width)
      const key = bytes.toString('utf8', from, from + bytes.readUInt16LE(entry + width))
      parts.push(`${JSON.stringify(key)}: ${value}`)
    } else parts.push(value)
  }
  return isObject ? `{${parts.join(', ')}}` : `[${parts.join(', ')}]`
}

/** Values that fit into the place of their offset stand there. */
function entryText(bytes: Buffer, begin: number, entry: number, width: 2 | 4): string {
  const type = bytes[entry] as number
  const inlined =
    type === TYPE.literal ||
    type === TYPE.int16 ||
    type === TYPE.uint16 ||
    (width === 4 && (type === TYPE.int32 || type === TYPE.uint32))
  return valueText(bytes, type, inlined ? entry + 1 : begin + bytes.readUIntLE(entry + 1, width))
}

/** A length of seven bits a byte, lowest first. */
function readLength(bytes: Buffer, at: number): { length: number; at: number } {
  let length = 0
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++] as number
    length += (byte & 0x7f) * factor
    if (byte < 0x80) return { length, at }
  }
}

function stringText(bytes: Buffer, start: number): string {
  const { length, at } = readLength(bytes, start)
  return JSON.stringify(bytes.toString('utf8', at, at + length))
}

/** A value of a type of SQL that JSON does not have. */
function opaqueText(bytes: Buffer, start: number): string {
  const type = bytes[start] as number
  const { length, at } = readLength(bytes, start + 1)
  switch (type) {
    case FIELD.newdecimal:
      return readDecimal(bytes, at + 2, bytes[at] as number, bytes[at + 1] as number)
    case FIELD.date:
      return `"${packedDatetimeText(bytes, at).slice(0, 10)}"`
    case FIELD.datetime:
    case FIELD.timestamp:
      return `"${packedDatetimeText(bytes, at)}"`
    case FIELD.time:
      return `"${packedTimeText(bytes, at)}"`
  }
  return `"base64:type${type}:${bytes.toString('base64', at, at + length)}"`
}

/** Digits beyond which the server writes a number with an exponent. */
const PLAIN_DIGITS = 15

/** The shortest digits that mean the number, as the server sets them: `1.0`, `1e16`, `0.1`. */
function doubleText(value: number): string {
  const [digits = '0', exponent = '0'] = Math.abs(value).toExponential().replace('.', '').split('e')
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  /** Digits before the point. */
  const point = Number(exponent) + 1
  if (value === 0) return `${sign}0.0`
  const plain = point > -PLAIN_DIGITS && (point <= PLAIN_DIGITS || digits.length > point)
  if (!plain) {
    const rest = digits.length > 1 ? `.${digits.slice(1)}` : ''
    return `${sign}${digits[0]}${rest}e${point - 1}`
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (digits.length <= point) return `${sign}${digits.padEnd(point, '0')}.0`
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}
