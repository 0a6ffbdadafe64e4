/**
 * Decimals as Parquet's DECIMAL: the value times 10^scale, two's complement, the high byte first.
 * Digits go into the page without a text or a big integer in between: those were a third of the
 * time that a file of prices takes.
 */
import type { Cell } from '../../protocol/index.ts'

export interface DecimalType {
  precision: number
  scale: number
}

/** Digits that a double holds whatever they are. */
const SAFE_DIGITS = 15
const POWERS = Array.from({ length: SAFE_DIGITS + 1 }, (_, n) => 10 ** n)
const ZERO = 48
const MINUS = 45
const POINT = 46

/**
 * Writes a number, big integer or decimal text into `bytes` bytes of `page` at `at`. False, with
 * nothing of value written, if it is no finite number, has digits below the scale, or has more
 * digits than the precision.
 */
export function writeDecimal(
  cell: NonNullable<Cell>,
  type: DecimalType,
  page: Uint8Array,
  at: number,
  bytes: number,
): boolean {
  const { precision, scale } = type
  if (typeof cell === 'number') {
    const unscaled = unscaledDouble(cell, scale)
    if (unscaled !== undefined && Math.abs(unscaled) < (POWERS[precision] ?? Infinity)) {
      writeNumber(unscaled, page, at, bytes)
      return true
    }
  }
  let text = typeof cell === 'string' ? cell : String(cell)
  const negative = text.charCodeAt(0) === MINUS
  let digits = digitsOf(text, negative ? 1 : 0, scale)
  if (digits < 0 && EXPONENT.test(text)) {
    text = withoutExponent(text)
    digits = digitsOf(text, negative ? 1 : 0, scale)
  }
  if (digits < 0 || digits > precision) return false
  if (digits <= SAFE_DIGITS) {
    writeNumber(negative ? -parsed : parsed, page, at, bytes)
  } else {
    readLimbs(text, negative ? 1 : 0, scale)
    writeLimbs(negative, page, at, bytes)
  }
  return true
}

/**
 * A double times 10^scale where that is exact: a decimal of up to fifteen digits that the double
 * stands for is the one that it prints as, for no two of them share a double.
 */
function unscaledDouble(value: number, scale: number): number | undefined {
  const power = POWERS[scale]
  if (power === undefined) return undefined
  const unscaled = Math.round(value * power)
  return Math.abs(unscaled) < 1e15 && unscaled / power === value ? unscaled : undefined
}

/** What `digitsOf` read, as far as a double holds it. */
let parsed = 0

/** How many digits the text times 10^scale has, without leading zeros; -1 if it is not such a number. */
function digitsOf(text: string, from: number, scale: number): number {
  let count = 0
  let fraction = -1
  let value = 0
  for (let i = from; i < text.length; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (digit >= 0 && digit <= 9) {
      if (fraction >= scale) {
        if (digit !== 0) return -1
        continue
      }
      if (fraction >= 0) fraction++
      if (count < SAFE_DIGITS) value = value * 10 + digit
      if (count > 0 || digit > 0) count++
    } else if (digit === POINT - ZERO && fraction < 0) fraction = 0
    else return -1
  }
  // A sign or a point alone is no number.
  if (text.length - from - (fraction < 0 ? 0 : 1) < 1) return -1
  const missing = scale - Math.max(0, fraction)
  const all = count === 0 ? 0 : count + missing
  if (all <= SAFE_DIGITS) parsed = value * (POWERS[all - count] as number)
  return all
}

function writeNumber(unscaled: number, page: Uint8Array, at: number, bytes: number) {
  let rest = unscaled
  for (let i = at + bytes - 1; i >= at; i--) {
    const next = Math.floor(rest / 256)
    page[i] = rest - next * 256
    rest = next
  }
}

/** An integer of 128 bits in limbs of 16, the low one first: a limb times 10^4 stays a small integer. */
const limbs = new Int32Array(8)
let used = 0

/** Reads the digits, which `digitsOf` has found good, into `limbs`, four at a time. */
function readLimbs(text: string, from: number, scale: number) {
  limbs.fill(0)
  used = 0
  let four = 0
  let factor = 1
  let fraction = -1
  for (let i = from; fraction < scale; i++) {
    // Past its end, the text goes on in zeros.
    const code = i < text.length ? text.charCodeAt(i) : fraction < 0 ? POINT : ZERO
    if (code === POINT) {
      fraction = 0
      continue
    }
    if (fraction >= 0) fraction++
    four = four * 10 + code - ZERO
    factor *= 10
    if (factor === 10_000) {
      shiftIn(factor, four)
      four = 0
      factor = 1
    }
  }
  shiftIn(factor, four)
}

/** `limbs` times `factor` plus `carry`. */
function shiftIn(factor: number, carry: number) {
  let over = carry
  for (let i = 0; i < used; i++) {
    const product = (limbs[i] as number) * factor + over
    limbs[i] = product & 0xffff
    over = product >>> 16
  }
  if (over > 0) limbs[used++] = over
}

function writeLimbs(negative: boolean, page: Uint8Array, at: number, bytes: number) {
  let carry = 1
  for (let i = 0; i < bytes; i++) {
    let byte = ((limbs[i >> 1] as number) >>> ((i & 1) * 8)) & 255
    if (negative) {
      byte = (byte ^ 255) + carry
      carry = byte >>> 8
    }
    page[at + bytes - 1 - i] = byte
  }
}

const EXPONENT = /^(-?)(\d+)(?:\.(\d*))?[eE]([+-]?\d+)$/

function withoutExponent(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent] = EXPONENT.exec(text) ?? []
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (Math.abs(point) > 400) return text
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return `${sign}${digits.slice(0, point).padEnd(point, '0')}.${digits.slice(point)}`
}
