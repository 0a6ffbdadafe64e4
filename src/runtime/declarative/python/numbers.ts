import { checkLength, PythonError, typeError } from './errors.ts'
import { asNumber, float, isFloat, isInt, isNumeric, typeName, type Value } from './values.ts'

type Integer = number | bigint

/** An int in its one form: `number` while it is safe, else `bigint`. */
export function normalizeInt(value: bigint): Integer {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : value
}

/** Arithmetic of two numbers; undefined when one of them is none. Ints stay exact. */
export function numericOperation(operator: string, a: Value, b: Value): Value {
  if (!isNumeric(a) || !isNumeric(b)) return undefined
  if (operator === '/') return divide(a, b)
  if (isFloat(a) || isFloat(b)) return float(onFloats(operator, asNumber(a), asNumber(b)))
  return onInts(operator, toInt(a), toInt(b))
}

const toInt = (value: Value): Integer =>
  (typeof value === 'boolean' ? Number(value) : value) as Integer

function onInts(operator: string, a: Integer, b: Integer): Value {
  switch (operator) {
    case '+':
      return exact(
        a,
        b,
        (x, y) => x + y,
        (x, y) => x + y,
      )
    case '-':
      return exact(
        a,
        b,
        (x, y) => x - y,
        (x, y) => x - y,
      )
    case '*':
      return exact(
        a,
        b,
        (x, y) => x * y + 0,
        (x, y) => x * y,
      )
    case '//':
      return divmod(a, b)[0]
    case '%':
      return divmod(a, b)[1]
    default:
      return intPower(a, b)
  }
}

/** The quick way when operands and result are safe, else the exact one. */
function exact(
  a: Integer,
  b: Integer,
  quick: (x: number, y: number) => number,
  slow: (x: bigint, y: bigint) => bigint,
): Integer {
  const result = typeof a === 'number' && typeof b === 'number' ? quick(a, b) : Number.NaN
  return Number.isSafeInteger(result) ? result : normalizeInt(slow(BigInt(a), BigInt(b)))
}

function onFloats(operator: string, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '//':
      if (b === 0) throw new PythonError('ZeroDivisionError', 'float floor division by zero')
      return floatDivmod(a, b)[0]
    case '%':
      if (b === 0) throw new PythonError('ZeroDivisionError', 'float modulo')
      return floatDivmod(a, b)[1]
    default:
      return floatPower(a, b)
  }
}

function divide(a: Value, b: Value): Value {
  if (Number(b) === 0) throw new PythonError('ZeroDivisionError', 'division by zero')
  if (typeof a === 'bigint' || typeof b === 'bigint') {
    if (isFloat(a) || isFloat(b)) return float(asNumber(a) / asNumber(b))
    return float(divideInts(BigInt(toInt(a)), BigInt(toInt(b))))
  }
  return float(asNumber(a) / asNumber(b))
}

/** The double nearest to the quotient of two large ints. */
function divideInts(a: bigint, b: bigint): number {
  const negative = a < 0n !== b < 0n
  const x = a < 0n ? -a : a
  const y = b < 0n ? -b : b
  const shift = Math.max(0, 66 - (x.toString(2).length - y.toString(2).length))
  const quotient = (x << BigInt(shift)) / y
  const sticky = (x << BigInt(shift)) % y === 0n ? 0n : 1n
  const result = Number((quotient << 1n) | sticky) / 2 ** (shift + 1)
  if (!Number.isFinite(result))
    throw new PythonError('OverflowError', 'integer division result too large for a float')
  return negative ? -result : result
}

/** Floor division and its remainder, which has the divisor's sign. */
export function divmod(a: Integer, b: Integer): [Integer, Integer] {
  if (b === 0) throw new PythonError('ZeroDivisionError', 'integer division or modulo by zero')
  if (typeof a === 'number' && typeof b === 'number') {
    const remainder = a % b
    const wrapped = remainder !== 0 && remainder < 0 !== b < 0 ? remainder + b : remainder
    return [(a - wrapped) / b + 0, wrapped + 0]
  }
  const x = BigInt(a)
  const y = BigInt(b)
  const remainder = x % y
  const wrapped = remainder !== 0n && remainder < 0n !== y < 0n ? remainder + y : remainder
  return [normalizeInt((x - wrapped) / y), normalizeInt(wrapped)]
}

function floatDivmod(a: number, b: number): [number, number] {
  let modulo = a % b
  let quotient = (a - modulo) / b
  if (modulo !== 0) {
    if (b < 0 !== modulo < 0) {
      modulo += b
      quotient -= 1
    }
  } else modulo = b < 0 ? -0 : 0
  if (quotient === 0) return [a / b < 0 ? -0 : 0, modulo]
  const floored = Math.floor(quotient)
  return [quotient - floored > 0.5 ? floored + 1 : floored, modulo]
}

const MAX_BITS = 20_000

function intPower(base: Integer, exponent: Integer): Value {
  if (exponent < 0) {
    if (base === 0)
      throw new PythonError('ZeroDivisionError', '0.0 cannot be raised to a negative power')
    return float(Number(base) ** Number(exponent))
  }
  const quick = Number(base) ** Number(exponent)
  if (Number.isSafeInteger(quick)) return quick
  const bits = BigInt(base).toString(2).length * Number(exponent)
  if (bits > MAX_BITS) throw new PythonError('LimitError', 'a power would have too many digits')
  return normalizeInt(BigInt(base) ** BigInt(exponent))
}

function floatPower(base: number, exponent: number): number {
  if (base === 0 && exponent < 0)
    throw new PythonError('ZeroDivisionError', '0.0 cannot be raised to a negative power')
  if (base === 1 || (base === -1 && !Number.isFinite(exponent))) return 1
  if (base < 0 && Number.isFinite(base) && Number.isFinite(exponent) && !Number.isInteger(exponent))
    throw typeError('complex numbers are not supported')
  const result = base ** exponent
  if (!Number.isFinite(result) && Number.isFinite(base) && Number.isFinite(exponent))
    throw new PythonError('OverflowError', 'Numerical result out of range')
  return result
}

export function negate(value: Value): Value {
  if (typeof value === 'bigint') return normalizeInt(-value)
  if (isInt(value)) return value === 0 ? 0 : -(value as number)
  if (typeof value === 'boolean') return value ? -1 : 0
  if (isFloat(value)) return float0(-asNumber(value))
  throw typeError(`bad operand type for unary -: '${typeName(value)}'`)
}

/** `float` that keeps the sign of a negative zero. */
const float0 = (value: number) => float(value)

const DIGIT_SEPARATOR = /^\d+(?:_\d+)*$/

/** `int(text)` with a base of 2 to 36; undefined when the text is no such number. */
export function parseInteger(text: string, base = 10): Integer | undefined {
  let digits = text.trim().toLowerCase()
  const negative = digits.startsWith('-')
  if (negative || digits.startsWith('+')) digits = digits.slice(1)
  if (base === 10) {
    if (!DIGIT_SEPARATOR.test(digits)) return undefined
    const plain = digits.replaceAll('_', '')
    checkLength(plain.length * 1000)
    return sign(plain.length < 16 ? Number(plain) : BigInt(plain), negative)
  }
  const prefix = PREFIXES[digits.slice(0, 2)]
  if (prefix && (base === prefix || base === 0)) {
    digits = digits.slice(2).replace(/^_/, '')
    base = prefix
  }
  if (base === 0) return /^0[\d_]*[1-9]/.test(digits) ? undefined : parseInteger(text)
  if (!/^[0-9a-z]+(?:_[0-9a-z]+)*$/.test(digits)) return undefined
  let total = 0n
  for (const digit of digits.replaceAll('_', '')) {
    const value = Number.parseInt(digit, 36)
    if (value >= base) return undefined
    total = total * BigInt(base) + BigInt(value)
  }
  return sign(total, negative)
}

const PREFIXES: Record<string, number> = { '0x': 16, '0o': 8, '0b': 2 }

const sign = (value: Integer, negative: boolean): Integer =>
  typeof value === 'bigint' ? normalizeInt(negative ? -value : value) : negative ? 0 - value : value

const FLOAT = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/i
const SPECIAL = /^([+-]?)(inf(?:inity)?|nan)$/i

/** `float(text)`; undefined when the text is no number. */
export function parseFloatText(text: string): number | undefined {
  const plain = text.trim()
  if (FLOAT.test(plain)) return Number(plain.replaceAll('_', ''))
  const special = SPECIAL.exec(plain)
  if (!special?.[2]) return undefined
  if (special[2].toLowerCase() === 'nan') return Number.NaN
  return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}

const halfway = (value: number) => Math.abs(value % 1) === 0.5

/** Python's `round(x, digits)` of a float: to the nearest, a tie of the exact value to even. */
export function roundHalfEven(value: number, digits = 0): number {
  if (!Number.isFinite(value)) return value
  if (digits === 0) {
    const rounded = Math.round(value)
    return halfway(value) && rounded % 2 !== 0 ? rounded - 1 : rounded
  }
  if (digits > 100) return value
  if (digits > 0) return Number(fixedHalfEven(value, digits))
  const power = 10 ** -digits
  return roundHalfEven(value / power) * power
}

/** `toFixed` that breaks exact ties to even, as C's printf does. */
export function fixedHalfEven(value: number, digits: number): string {
  const text =
    Math.abs(value) < 1e21
      ? value.toFixed(Math.min(digits, 100))
      : BigInt(value).toString() + (digits ? `.${'0'.repeat(digits)}` : '')
  if (Math.abs(value) >= 2 ** 52 || digits >= 50) return text
  const exact = Math.abs(value).toFixed(Math.min(digits + 60, 100))
  const at = exact.length - Math.min(60, 100 - digits)
  if (!/^50*$/.test(exact.slice(at))) return text
  const kept = exact.slice(0, at).replace(/\.$/, '')
  const isEven = Number(kept.at(-1)) % 2 === 0
  if (!isEven) return text
  return (value < 0 ? '-' : '') + kept
}
