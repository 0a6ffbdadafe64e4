/** Binary floating point numbers as PostgreSQL prints them (`extra_float_digits` 1, its default). */
import { expandDecimal, numberText } from './decimal-text.ts'

/**
 * A `double precision`: the fewest digits that give the same double; exponent from 1e+15, below 1e-4.
 * @example
 * float8Text(1e20) // '1e+20'
 */
export function float8Text(value: number): string {
  const size = Math.abs(value)
  // Here JavaScript prints digits alone as well, and the fewest.
  if (size >= 1e-4 && size < 1e15) return String(value)
  const special = specialText(value)
  if (special) return special
  const shortest = value.toExponential()
  // JavaScript takes a decimal that lies exactly between two doubles if it rounds to this one,
  // PostgreSQL only one that lies strictly nearer. Below 2^52 such a decimal has more than 17 digits.
  if (size < 2 ** 52 || !isHalfway(shortest, value)) return notation(shortest, 15)
  for (let decimals = 1; decimals < 16; decimals++) {
    const text = value.toExponential(decimals)
    if (Number(text) === value && !isHalfway(text, value)) return notation(text, 15)
  }
  return notation(value.toExponential(16), 15)
}

/**
 * A `real`: the fewest digits that give the same 32-bit float; exponent from 1e+06, below 1e-4.
 * @example
 * float4Text(0.10000000149011612) // '0.1'
 */
export function float4Text(value: number): string {
  const single = Math.fround(value)
  const special = specialText(single)
  if (special) return special
  for (let digits = 0; digits < 8; digits++) {
    const text = toEven(single, digits)
    const decimal = Number(text)
    if (Math.fround(decimal) === single && !isSingleHalfway(decimal, single))
      return notation(text, 6)
  }
  return notation(single.toExponential(8), 6)
}

/** Rounded to the nearest decimal, a tie to the even one (`toExponential` takes the larger). */
function toEven(value: number, digits: number): string {
  const text = value.toExponential(digits)
  const end = text.indexOf('e')
  const exact = value.toExponential(100)
  const from = exact.indexOf('.') + 1 + digits
  const isTie = /^50*$/.test(exact.slice(from, exact.indexOf('e')))
  if (!isTie || Number(text[end - 1]) % 2 === 0) return text
  return text.slice(0, end - 1) + (Number(text[end - 1]) - 1) + text.slice(end)
}

function specialText(value: number): string | undefined {
  if (!Number.isFinite(value)) return numberText(value)
  return value === 0 ? (Object.is(value, -0) ? '-0' : '0') : undefined
}

/** `d.ddde±x` with the exponent in two digits, or in plain digits within PostgreSQL's limits. */
function notation(exponential: string, limit: number): string {
  const [digits = '', exponentText = '0'] = exponential.split('e')
  const mantissa = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits
  const exponent = Number(exponentText)
  if (exponent >= -4 && exponent < limit) return expandDecimal(`${mantissa}e${exponent}`) as string
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

const bits = new DataView(new ArrayBuffer(8))

const MAX_HALFWAY_SCALE = 23

/** Whether the decimal lies exactly between this double and a neighbour. */
function isHalfway(decimal: string, value: number): boolean {
  bits.setFloat64(0, Math.abs(value))
  const raw = bits.getBigUint64(0)
  const biased = Number(raw >> 52n)
  const fraction = raw & ((1n << 52n) - 1n)
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n)
  const power = Math.max(biased, 1) - 1075
  const [digits = '', exponent = '0'] = decimal.replace('-', '').split('e')
  const scale = Number(exponent) - (digits.split('.')[1]?.length ?? 0)
  // What lies between two doubles has 54 bits and is a multiple of 5^scale.
  if (scale > MAX_HALFWAY_SCALE) return false
  // Four times both numbers over one denominator: a quarter of the last place becomes 1 × 2^power.
  let ours = BigInt(digits.replace('.', '')) * 4n
  let exact = mantissa * 4n
  let quarter = 1n
  if (scale >= 0) ours *= 10n ** BigInt(scale)
  else {
    exact *= 10n ** BigInt(-scale)
    quarter *= 10n ** BigInt(-scale)
  }
  if (power >= 0) {
    exact <<= BigInt(power)
    quarter <<= BigInt(power)
  } else ours <<= BigInt(-power)
  const distance = ours > exact ? ours - exact : exact - ours
  const narrowBelow = fraction === 0n && biased > 1 && ours < exact
  return distance === (narrowBelow ? quarter : quarter * 2n)
}

function isSingleHalfway(decimal: number, single: number): boolean {
  bits.setFloat32(0, Math.abs(single))
  const raw = bits.getUint32(0)
  const lastPlace = 2 ** (Math.max(raw >>> 23, 1) - 150)
  const narrowBelow = (raw & 0x7fffff) === 0 && raw >>> 23 > 1
  const distance = Math.abs(decimal) - Math.abs(single)
  return distance === lastPlace / 2 || distance === -lastPlace / (narrowBelow ? 4 : 2)
}
