/** Decimal numbers as text, in the forms in which PostgreSQL prints them. No digit is ever lost. */

/**
 * The number without an exponent, as `numeric` prints it; undefined if it is not a decimal number.
 * @example
 * expandDecimal('1.50e1') // '15.0'
 * expandDecimal('-1e-3') // '-0.001'
 */
export function expandDecimal(text: string): string | undefined {
  if (PLAIN.test(text)) return text
  const match = DECIMAL.exec(text)
  if (!match) return undefined
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match
  if (whole === '' && fraction === '') return undefined
  const exponent = Number(exponentText)
  if (Math.abs(exponent) > MAX_EXPONENT) return undefined
  let digits = whole + fraction
  let scale = fraction.length - exponent
  if (scale < 0) {
    digits += '0'.repeat(-scale)
    scale = 0
  }
  digits = digits.padStart(scale + 1, '0')
  const integer = digits.slice(0, digits.length - scale).replace(/^0+(?=\d)/, '')
  const rest = scale > 0 ? `.${digits.slice(digits.length - scale)}` : ''
  const negative = sign === '-' && /[1-9]/.test(digits)
  return `${negative ? '-' : ''}${integer}${rest}`
}

/** Most integers and decimals need no work: no exponent, no leading zero, not negative zero. */
const PLAIN = /^(?:-?[1-9]\d*(?:\.\d+)?|0(?:\.\d+)?|-0\.0*[1-9]\d*)$/
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/
/** `numeric` itself ends at 131072 digits before the point. */
const MAX_EXPONENT = 200_000

/** A JavaScript number as `numeric` prints it: `1e21` as digits, `-0` as `0`. */
export function numberText(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e-6 && size < 1e21) return String(value)
  if (Number.isFinite(value)) return expandDecimal(String(value)) as string
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
}

/**
 * A plain decimal as `numeric(p, scale)` prints it, rounded half away from zero.
 * @example
 * withScale('1.5', 3) // '1.500'
 */
export function withScale(decimal: string, scale: number): string {
  const point = decimal.indexOf('.')
  const fraction = point < 0 ? '' : decimal.slice(point + 1)
  if (fraction.length === scale) return decimal
  const whole = point < 0 ? decimal : decimal.slice(0, point)
  if (fraction.length < scale) return `${whole}.${fraction.padEnd(scale, '0')}`
  const digits = BigInt(whole.replace('-', '') + fraction.slice(0, scale))
  const rounded = digits + (fraction.charCodeAt(scale) >= 0x35 ? 1n : 0n)
  if (rounded === 0n) return scale > 0 ? `0.${'0'.repeat(scale)}` : '0'
  const text = rounded.toString().padStart(scale + 1, '0')
  const sign = decimal.startsWith('-') ? '-' : ''
  return scale > 0 ? `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}` : sign + text
}
