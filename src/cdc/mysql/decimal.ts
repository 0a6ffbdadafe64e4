import type { Buffer } from 'node:buffer'

/** Nine digits to four bytes; fewer to fewer. */
const BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]
const bytesOf = (digits: number) => Math.floor(digits / 9) * 4 + (BYTES[digits % 9] as number)

export const decimalBytes = (precision: number, scale: number) =>
  bytesOf(precision - scale) + bytesOf(scale)

/** Decimals of so many digits are doubles to the last of them. */
export const EXACT_DIGITS = 15

/**
 * A DECIMAL of at most `EXACT_DIGITS` digits. Both the digits and the power of ten are doubles, and the
 * quotient of two doubles is the nearest one.
 */
export function readShortDecimal(
  bytes: Buffer,
  start: number,
  precision: number,
  scale: number,
): number {
  const flip = flipOf(bytes, start)
  let value = 0
  let at = start
  for (const digits of groupsOf(precision, scale)) {
    value = value * (POWERS[digits] as number) + groupAt(bytes, at, start, digits, flip)
    at += BYTES[digits] as number
  }
  value /= POWERS[scale] as number
  return flip === 0 ? value : -value
}

/**
 * A DECIMAL as its text, every digit of it. Stored big-endian in groups of nine digits; the first bit is
 * the sign, inverted, and a negative number has all its bits inverted.
 */
export function readDecimal(bytes: Buffer, start: number, precision: number, scale: number) {
  const flip = flipOf(bytes, start)
  let digits = ''
  let at = start
  for (const size of groupsOf(precision, scale)) {
    digits += String(groupAt(bytes, at, start, size, flip)).padStart(size, '0')
    at += BYTES[size] as number
  }
  const whole = digits.slice(0, precision - scale).replace(/^0+(?=\d)/, '') || '0'
  const text = scale > 0 ? `${whole}.${digits.slice(precision - scale)}` : whole
  return flip === 0 ? text : `-${text}`
}

const POWERS = Array.from({ length: EXACT_DIGITS + 1 }, (_, digits) => 10 ** digits)

/** What each byte is inverted with. */
const flipOf = (bytes: Buffer, start: number) =>
  ((bytes[start] as number) & 0x80) === 0 ? 0xff : 0

const GROUPS = new Map<number, number[]>()

/** Digits of each group of bytes: the first of the whole part and the last of the fraction may be short. */
function groupsOf(precision: number, scale: number): number[] {
  const known = GROUPS.get(precision * 100 + scale)
  if (known) return known
  const whole = precision - scale
  const nines = (digits: number) => new Array<number>(Math.floor(digits / 9)).fill(9)
  const groups = [whole % 9, ...nines(whole), ...nines(scale), scale % 9].filter((size) => size > 0)
  GROUPS.set(precision * 100 + scale, groups)
  return groups
}

function groupAt(bytes: Buffer, at: number, start: number, digits: number, flip: number): number {
  const end = at + (BYTES[digits] as number)
  let value = 0
  for (let i = at; i < end; i++) {
    const byte = (bytes[i] as number) ^ flip
    value = value * 256 + (i === start ? byte ^ 0x80 : byte)
  }
  return value
}
