import { checkLength, PythonError, typeError, valueError } from './errors.ts'
import { exponential, general } from './format-spec.ts'
import { isMapping, mappingGet } from './mappings.ts'
import { fixedHalfEven } from './numbers.ts'
import { repr, str } from './text.ts'
import { asNumber, isFloat, isInt, isNumeric, Tuple, typeName, type Value } from './values.ts'

const CONVERSION = /%(?:\(([^)]*)\))?([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d+)?)?[hlL]?([\s\S]?)/g
const HAS_PRECISION = /\.[\d*]*[hlL]?[\s\S]?$/

/** Python's `text % values`. */
export function percentFormat(text: string, values: Value): string {
  const args = values instanceof Tuple ? [...values] : [values]
  let used = 0
  const next = () => {
    if (used >= args.length) throw typeError('not enough arguments for format string')
    return args[used++]
  }
  let usesMapping = false
  const output = text.replace(CONVERSION, (all, key, flags, width, precision, type) => {
    if (type === '') throw valueError('incomplete format')
    if (type === '%' && all.length === 2) return '%'
    const size = width === '*' ? Number(next()) : Number(width ?? 0)
    const digits = precision === '*' ? Number(next()) : precision
    const exact = HAS_PRECISION.test(all) ? Number(digits ?? 0) : undefined
    checkLength(Math.abs(size))
    checkLength((exact ?? 0) * 1000)
    if (type === '%') return '%'
    if (key !== undefined) usesMapping = true
    const value = key === undefined ? next() : named(values, key)
    return padded(convert(value, type, flags, exact), flags, size, type)
  })
  if (
    used < args.length &&
    !usesMapping &&
    !isMapping(values) &&
    !isList(values) &&
    typeName(values) !== 'Undefined'
  )
    throw typeError('not all arguments converted during string formatting')
  return output
}

const isList = (value: Value) => Array.isArray(value) && !(value instanceof Tuple)

function named(values: Value, key: string): Value {
  if (!isMapping(values)) throw typeError('format requires a mapping')
  const value = mappingGet(values, key)
  if (value === undefined) throw new PythonError('KeyError', `'${key}'`)
  return value
}

function convert(value: Value, type: string, flags: string, precision: number | undefined): string {
  if (type === 's' || type === 'r' || type === 'a') {
    const text = type === 's' ? str(value) : repr(value)
    return precision === undefined ? text : Array.from(text).slice(0, precision).join('')
  }
  if (type === 'c') return character(value)
  if ('diu'.includes(type)) return signed(wholeOf(value, type), flags, precision)
  if ('oxX'.includes(type)) return based(value, type, flags, precision)
  if ('eEfFgG'.includes(type)) return decimal(value, type, flags, precision ?? 6)
  throw valueError(`unsupported format character '${type}'`)
}

function character(value: Value): string {
  if (typeof value === 'string' && Array.from(value).length === 1) return value
  if (isInt(value)) return String.fromCodePoint(Number(value))
  throw typeError('%c requires int or char')
}

function wholeOf(value: Value, type: string): bigint {
  if (isFloat(value) && 'diu'.includes(type)) return BigInt(Math.trunc(asNumber(value)))
  if (isInt(value) || typeof value === 'boolean') return BigInt(value)
  throw typeError(`%${type} format: a real number is required, not ${typeName(value)}`)
}

function signed(value: bigint, flags: string, precision = 0): string {
  const digits = (value < 0n ? -value : value).toString().padStart(precision, '0')
  return signOf(value < 0n, flags) + digits
}

const signOf = (isNegative: boolean, flags: string) =>
  isNegative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''

function based(value: Value, type: string, flags: string, precision = 0): string {
  const whole = wholeOf(value, type)
  const radix = type === 'o' ? 8 : 16
  const digits = (whole < 0n ? -whole : whole).toString(radix).padStart(precision, '0')
  const prefix = flags.includes('#') ? `0${type}` : ''
  return signOf(whole < 0n, flags) + prefix + (type === 'X' ? digits.toUpperCase() : digits)
}

function decimal(value: Value, type: string, flags: string, precision: number): string {
  if (!isNumeric(value)) throw typeError(`must be real number, not ${typeName(value)}`)
  const number = asNumber(value)
  const sign = signOf(number < 0 || Object.is(number, -0), flags)
  const size = Math.abs(number)
  if (!Number.isFinite(size)) return sign + (Number.isNaN(size) ? 'nan' : 'inf')
  if (type === 'f' || type === 'F') return sign + fixedHalfEven(size, precision)
  if (type === 'e' || type === 'E') return sign + exponential(size, precision, type)
  return sign + general(size, precision, type, flags.includes('#'))
}

function padded(text: string, flags: string, width: number, type: string): string {
  const left = flags.includes('-') || width < 0
  const size = Math.abs(width)
  if (left) return text.padEnd(size)
  if (!flags.includes('0') || 'sra'.includes(type)) return text.padStart(size)
  const [, sign = '', digits = ''] = /^([-+ ]?(?:0[xXo])?)([\s\S]*)$/.exec(text) ?? []
  return sign + digits.padStart(size - sign.length, '0')
}
