import type { Buffer } from 'node:buffer'
import type { Cell } from '../../protocol/index.ts'
import { float4Text } from '../formats/float-text.ts'
import { exactNumber } from '../formats/parquet-cells.ts'
import { safeInteger } from '../formats/parquet-read.ts'
import type { CellKind } from './types.ts'

/** Bytes that hold fields, and the same as one string of a character per byte. */
export interface FieldBytes {
  bytes: Buffer
  /** Of `bytes` from `base` on. */
  latin1: string
  base: number
}

/** A value that has no cell of its column's type: what is there instead, and what that is called. */
export interface Misfit {
  cell: Cell
  change: 'NULLED' | 'TRUNCATED'
  /** What stands in a key instead, where rows would become one: the engine rejects it. */
  inKey?: Cell
}

type Decode = (fields: FieldBytes, start: number, end: number) => Cell | Misfit

export const isMisfit = (value: Cell | Misfit): value is Misfit =>
  typeof value === 'object' && value !== null

export const NULLED: Misfit = { cell: null, change: 'NULLED' }
/** MySQL's own BOOLEAN takes any small integer, all of which but 0 are true. */
export const truthy = (value: number): Misfit => ({
  cell: true,
  change: 'TRUNCATED',
  inKey: value,
})

/** Values in the text protocol, by their kind. */
export const DECODE_TEXT: Record<CellKind, Decode> = {
  boolean(fields, start, end) {
    const value = integer(fields, start, end)
    return value === 0 ? false : value === 1 ? true : truthy(Number(value))
  },
  bit: ({ bytes }, start) => bytes[start] === 1,
  integer,
  number: (fields, start, end) => decimal(slice(fields, start, end)),
  float: (fields, start, end) => Number(float4Text(Number(slice(fields, start, end)))),
  double: (fields, start, end) => Number(slice(fields, start, end)),
  text: utf8,
  json: utf8,
  binary: ({ bytes }, start, end) => bytes.toString('base64', start, end),
  date: (fields, start, end) => dateCell(slice(fields, start, end)),
  // A span of either sign: whether it is a time of day is for the destination to ask.
  time: (fields, start, end) => slice(fields, start, end),
  datetime: (fields, start, end) => timestampCell(slice(fields, start, end), ''),
  timestamp: (fields, start, end) => timestampCell(slice(fields, start, end), 'Z'),
}

const slice = ({ latin1, base }: FieldBytes, start: number, end: number) =>
  latin1.slice(start - base, end - base)

const SAFE_DIGITS = 15
const MINUS = 0x2d
const ZERO = 0x30

function integer(fields: FieldBytes, start: number, end: number): Cell {
  if (end - start > SAFE_DIGITS) return safeInteger(BigInt(slice(fields, start, end)))
  const { bytes } = fields
  const negative = bytes[start] === MINUS
  let value = 0
  for (let at = negative ? start + 1 : start; at < end; at++) {
    value = value * 10 + (bytes[at] as number) - ZERO
  }
  return negative ? -value : value
}

/** A decimal that a double may not hold stays text. */
export const decimal = (text: string): Cell =>
  text.length <= SAFE_DIGITS ? Number(text) : exactNumber(text)

function utf8(fields: FieldBytes, start: number, end: number): string {
  const { bytes } = fields
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) > 0x7f) return bytes.toString('utf8', start, end)
  }
  return slice(fields, start, end)
}

/** A date with a zero for its year, month or day is on no calendar. */
const onCalendar = (text: string) =>
  !(text.startsWith('0000') || isZero(text, 5) || isZero(text, 8))

const isZero = (text: string, at: number) =>
  text.charCodeAt(at) === ZERO && text.charCodeAt(at + 1) === ZERO

export const dateCell = (text: string): Cell | Misfit => (onCalendar(text) ? text : NULLED)

export const timestampCell = (text: string, zone: string): Cell | Misfit =>
  onCalendar(text) ? `${text.slice(0, 10)}T${text.slice(11)}${zone}` : NULLED
