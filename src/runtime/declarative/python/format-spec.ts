import { codePoints, textLength } from './code-points.ts'
import { PyDate } from './datetime.ts'
import { checkLength, typeError, valueError } from './errors.ts'
import { fixedHalfEven } from './numbers.ts'
import { strftime } from './strftime.ts'
import { floatText, str } from './text.ts'
import { asNumber, isFloat, isInt, isNumeric, typeName, type Value } from './values.ts'

const SPEC =
  /^(?:([\s\S])?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([_,])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/u

interface Spec {
  fill: string
  align: string | undefined
  sign: string
  alternate: boolean
  width: number
  grouping: string
  precision: number | undefined
  type: string
}

function parseSpec(text: string): Spec {
  const match = SPEC.exec(text)
  if (!match) throw valueError(`Invalid format specifier '${text}'`)
  const [, fill, align, sign = '-', , alternate, zero, width, grouping = '', precision, type = ''] =
    match
  checkLength(Number(width ?? 0))
  checkLength(Number(precision ?? 0) * 1000)
  return {
    fill: fill ?? (zero ? '0' : ' '),
    align: align ?? (zero ? '=' : undefined),
    sign,
    alternate: alternate !== undefined,
    width: Number(width ?? 0),
    grouping,
    precision: precision === undefined ? undefined : Number(precision),
    type,
  }
}

/** Python's `format(value, spec)`: fill, alignment, sign, width, grouping, precision and type. */
export function formatValue(value: Value, specText: string): string {
  if (value instanceof PyDate) return specText === '' ? value.str() : strftime(value, specText)
  if (specText === '') return str(value)
  if (typeof value !== 'string' && !isNumeric(value))
    throw typeError(`unsupported format string passed to ${typeName(value)}.__format__`)
  const spec = parseSpec(specText)
  if (typeof value === 'string') return formatText(value, spec)
  return formatNumber(value, spec)
}

function formatText(value: string, spec: Spec): string {
  if (spec.type !== '' && spec.type !== 's')
    throw valueError(`Unknown format code '${spec.type}' for object of type 'str'`)
  const cut =
    spec.precision === undefined ? value : codePoints(value).slice(0, spec.precision).join('')
  if (spec.align === '=') return aligned('', cut, { ...spec, align: '<' })
  return aligned('', cut, { ...spec, align: spec.align ?? '<' })
}

function formatNumber(value: Value, spec: Spec): string {
  const isWhole = isInt(value) || typeof value === 'boolean'
  const asFloat = isFloat(value) || 'eEfFgG%'.includes(spec.type || ' ')
  if (isWhole && spec.type === 'c') return aligned('', String.fromCodePoint(Number(value)), spec)
  if (isWhole && spec.precision !== undefined && !asFloat)
    throw valueError('Precision not allowed in integer format specifier')
  if (!isWhole && 'bcdoxXs'.includes(spec.type || ' '))
    throw valueError(`Unknown format code '${spec.type}' for object of type 'float'`)
  if (isWhole && spec.type === 's')
    throw valueError("Unknown format code 's' for object of type 'int'")
  const negative = asFloat
    ? asNumber(value) < 0 || Object.is(asNumber(value), -0)
    : BigInt(value as number) < 0n
  const digits = asFloat
    ? floatDigits(Math.abs(asNumber(value)), spec)
    : intDigits(BigInt(value as number), spec)
  const sign = negative ? '-' : spec.sign === '-' ? '' : spec.sign
  const prefix = spec.alternate && !asFloat ? (PREFIXES[spec.type] ?? '') : ''
  return aligned(sign + prefix, grouped(digits, spec), { ...spec, align: spec.align ?? '>' })
}

const PREFIXES: Record<string, string> = { b: '0b', o: '0o', x: '0x', X: '0X' }
const RADIX: Record<string, number> = { b: 2, o: 8, x: 16, X: 16 }

function intDigits(value: bigint, spec: Spec): string {
  const digits = (value < 0n ? -value : value).toString(RADIX[spec.type] ?? 10)
  return spec.type === 'X' ? digits.toUpperCase() : digits
}

function floatDigits(value: number, spec: Spec): string {
  const { precision, type } = spec
  if (!Number.isFinite(value)) {
    const text = (Number.isNaN(value) ? 'nan' : 'inf') + (type === '%' ? '%' : '')
    return type === 'F' || type === 'E' || type === 'G' ? text.toUpperCase() : text
  }
  switch (type) {
    case 'f':
    case 'F':
      return fixedHalfEven(value, precision ?? 6)
    case '%':
      return `${fixedHalfEven(value * 100, precision ?? 6)}%`
    case 'e':
    case 'E':
      return exponential(value, precision ?? 6, type)
    case 'g':
    case 'G':
    case 'n':
      return general(value, precision ?? 6, type, spec.alternate)
    default:
      if (precision === undefined) return floatText(value)
      return withPoint(general(value, precision, 'g', false, 1))
  }
}

const withPoint = (text: string) => (/[.e]/.test(text) ? text : `${text}.0`)

export function exponential(value: number, precision: number, type: string): string {
  const [digits = '', exponent = '0'] = value.toExponential(Math.min(precision, 100)).split('e')
  const power = Math.abs(Number(exponent))
  const text = `${digits}e${exponent.startsWith('-') ? '-' : '+'}${String(power).padStart(2, '0')}`
  return type === 'E' ? text.toUpperCase() : text
}

/** C's `%g`: the shorter of fixed and exponent notation, without trailing zeros. */
export function general(
  value: number,
  precision: number,
  type: string,
  keepZeros: boolean,
  fewer = 0,
): string {
  const significant = Math.max(precision, 1)
  const exponent =
    value === 0 ? 0 : Number(value.toExponential(Math.min(significant - 1, 100)).split('e')[1])
  const trim = (text: string) =>
    keepZeros || !text.includes('.') ? text : text.replace(/\.?0+$/, '')
  if (exponent >= -4 && exponent < significant - (fewer && exponent > 0 ? fewer : 0))
    return trim(fixedHalfEven(value, Math.max(significant - 1 - exponent, 0)))
  const [digits = '', power = ''] = exponential(value, significant - 1, 'e').split('e')
  const text = `${trim(digits)}e${power}`
  return type === 'G' ? text.toUpperCase() : text
}

function grouped(digits: string, spec: Spec): string {
  if (!spec.grouping) return digits
  const [, whole = '', rest = ''] = /^(\w+)([\s\S]*)$/.exec(digits) ?? []
  const size = RADIX[spec.type] ? 4 : 3
  const groups = new RegExp(`\\B(?=(?:\\w{${size}})+$)`, 'g')
  return whole.replace(groups, spec.grouping) + rest
}

function aligned(sign: string, text: string, spec: Spec): string {
  const gap = spec.width - textLength(text) - sign.length
  if (gap <= 0) return sign + text
  const fill = (count: number) => spec.fill.repeat(count)
  if (spec.align === '<') return sign + text + fill(gap)
  if (spec.align === '=') return sign + zeroFilled(text, gap, spec)
  if (spec.align !== '^') return fill(gap) + sign + text
  const left = Math.floor(gap / 2)
  return fill(left) + sign + text + fill(gap - left)
}

/** Zeros before a grouped number are grouped too: `00,012`. */
function zeroFilled(text: string, gap: number, spec: Spec): string {
  if (spec.fill !== '0' || !spec.grouping) return spec.fill.repeat(gap) + text
  const [, whole = '', rest = ''] = /^([\w,]+?)((?:\.|e|%)[\s\S]*)?$/.exec(text) ?? []
  let digits = whole.replaceAll(spec.grouping, '')
  const width = () => grouped(digits, spec).length + rest.length
  while (width() < text.length + gap) digits = `0${digits}`
  return grouped(digits, spec) + rest
}
