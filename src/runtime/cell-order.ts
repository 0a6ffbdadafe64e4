import { Buffer } from 'node:buffer'
import type { Cell, Column } from '../protocol/index.ts'
import { expandDecimal, numberText } from './formats/decimal-text.ts'
import { timestampText, timestamptzText, timetzText } from './formats/temporal-text.ts'

/**
 * Compares two cells of a column as a database would: null is the smallest, numbers go by value
 * with every digit, timestamps by their instant, times and spans by their length, texts by their code
 * points, binary values by their bytes.
 *
 * @returns negative, zero or positive, as for `sort`
 */
export function compareCells({ type }: Column, a: Cell, b: Cell): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null)
  if (a === b) return 0
  switch (type) {
    case 'integer':
    case 'number':
      return compareNumbers(a, b)
    case 'date':
      return compareTexts(chronological(String(a)), chronological(String(b)))
    case 'time_without_timezone':
      return spanOf(String(a)) - spanOf(String(b))
    case 'time_with_timezone':
      return dayTime(String(a)) - dayTime(String(b))
    case 'timestamp_with_timezone':
      return compareTexts(instant(String(a)), instant(String(b)))
    case 'timestamp_without_timezone':
      return compareTexts(wallClock(String(a)), wallClock(String(b)))
    case 'binary':
      return Buffer.compare(Buffer.from(String(a), 'base64'), Buffer.from(String(b), 'base64'))
    default:
      return compareTexts(String(a), String(b))
  }
}

/** Without its offset, so that a fraction ranks above none. */
const instant = (text: string) => chronological(timestamptzText(text)?.replace('+00', '') ?? text)
const wallClock = (text: string) => chronological(timestampText(text) ?? text)

const DASH = 0x2d
const LAST_OF_BC = 0x43

/** A date, or what follows one, such that earlier ones are smaller: years have any number of digits. */
function chronological(text: string): string {
  if (text.charCodeAt(4) === DASH && text.charCodeAt(text.length - 1) !== LAST_OF_BC) return text
  if (text === '-infinity') return '!'
  const [, year = '', rest = '', era] = /^(\d+)(-.*?)( BC)?$/.exec(text) ?? []
  if (year === '') return text
  return era ? `-${MAX_YEAR - Number(year)}${rest}` : `:${year.padStart(6, '0')}${rest}`
}

/** Of as many digits is what is left of it by any year before Christ. */
const MAX_YEAR = 199_999

const SPAN = /^(-?)(\d+):(\d\d)(?::(\d\d)(?:\.(\d+))?)?/

/** Microseconds of a time of day or a span; not a number for anything else. */
function spanOf(text: string): number {
  const [, sign, hours, minutes, seconds = '0', fraction = ''] = SPAN.exec(text) ?? []
  const whole = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  const size = whole * 1e6 + Number(fraction.padEnd(6, '0').slice(0, 6))
  return sign === '-' ? -size : size
}

/** Microseconds of a time of day less its offset. */
function dayTime(text: string): number {
  const printed = timetzText(text) ?? text
  const at = printed.search(/[+-]/)
  if (at < 0) return spanOf(printed)
  const [sign, hours = '0', minutes = '0', seconds = '0'] = [
    ...[printed[at], ...printed.slice(at + 1).split(':')],
  ]
  const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1e6
  return spanOf(printed) - (sign === '-' ? -size : size)
}

const HIGH = 0xd800

/** By code points, as UTF-8 is ordered: halves of large ones rank above all that are whole. */
function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (x === y) continue
    return x < HIGH || y < HIGH ? x - y : ranked(x) - ranked(y)
  }
  return a.length - b.length
}

const ranked = (unit: number) => (unit >= 0xe000 ? unit - 0x2000 : unit + 0x2000)

function compareNumbers(a: Cell, b: Cell): number {
  if (typeof a === 'number' && typeof b === 'number') return compareDoubles(a, b)
  const [left, right] = [scaled(a), scaled(b)]
  if (!left || !right) return compareDoubles(Number(a), Number(b))
  const scale = Math.max(left.scale, right.scale)
  const x = left.digits * 10n ** BigInt(scale - left.scale)
  const y = right.digits * 10n ** BigInt(scale - right.scale)
  return x < y ? -1 : x > y ? 1 : 0
}

/** NaN is above everything, as in PostgreSQL. */
function compareDoubles(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : 0
}

/** A decimal as an integer and its power of ten; undefined for what is not finite. */
function scaled(cell: Cell): { digits: bigint; scale: number } | undefined {
  if (typeof cell === 'bigint') return { digits: cell, scale: 0 }
  const plain = expandDecimal(typeof cell === 'number' ? numberText(cell) : String(cell))
  if (plain === undefined) return undefined
  const point = plain.indexOf('.')
  return {
    digits: BigInt(plain.replace('.', '')),
    scale: point < 0 ? 0 : plain.length - point - 1,
  }
}
