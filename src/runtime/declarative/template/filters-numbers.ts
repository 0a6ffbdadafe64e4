import { bind } from '../python/arguments.ts'
import { PythonError, typeError } from '../python/errors.ts'
import {
  negate,
  normalizeInt,
  parseFloatText,
  parseInteger,
  roundHalfEven,
} from '../python/numbers.ts'
import { Timedelta } from '../python/timedelta.ts'
import { asIndex, asNumber, float, isFloat, isInt, typeName, type Value } from '../python/values.ts'
import type { Filters } from './filters.ts'
import { Undefined } from './undefined.ts'

export const NUMBER_FILTERS: Filters = {
  int: (value, args, kwargs) => {
    const [fallback = 0, base = 10] = bind('int', args, kwargs, ['default', 'base'])
    if (value instanceof Undefined) return value.fail()
    if (typeof value === 'string') return textToInt(value, asIndex(base)) ?? fallback
    return toInt(value) ?? fallback
  },
  float: (value, args, kwargs) => {
    const [fallback = float(0)] = bind('float', args, kwargs, ['default'])
    if (value instanceof Undefined) return value.fail()
    const number = typeof value === 'string' ? parseFloatText(value) : plainNumber(value)
    return number === undefined ? fallback : float(number)
  },
  abs: (value) => {
    if (value instanceof Undefined) throw typeError('bad operand type for abs()')
    if (value instanceof Timedelta) return value.days < 0 ? value.negated() : value
    if (typeof value === 'boolean') return Number(value)
    if (isFloat(value)) return float(Math.abs(asNumber(value)))
    if (isInt(value)) return value < 0 ? negate(value) : value
    throw typeError(`bad operand type for abs(): '${typeName(value)}'`)
  },
  round: (value, args, kwargs) => {
    const [precision = 0, method = 'common'] = bind('round', args, kwargs, ['precision', 'method'])
    if (method !== 'common' && method !== 'ceil' && method !== 'floor')
      throw new PythonError('FilterArgumentError', 'method must be common, ceil or floor')
    if (value instanceof Undefined && method !== 'common') value.fail()
    if (value instanceof Undefined)
      throw typeError("type Undefined doesn't define __round__ method")
    return rounded(value, asIndex(precision), method)
  },
}

const plainNumber = (value: Value): number | undefined =>
  isInt(value) || isFloat(value) || typeof value === 'boolean' ? asNumber(value) : undefined

/** The whole part of a number; undefined for what is none. */
function toInt(value: Value): Value {
  if (typeof value === 'boolean') return Number(value)
  if (isInt(value)) return value
  if (!isFloat(value)) return undefined
  const number = asNumber(value)
  if (Number.isNaN(number)) return undefined
  if (!Number.isFinite(number))
    throw new PythonError('OverflowError', 'cannot convert float infinity to integer')
  return normalizeInt(BigInt(Math.trunc(number)))
}

/** `"42.23"` counts too: read as a float, cut to its whole part. */
function textToInt(value: string, base: number): Value {
  if (base !== 0 && (base < 2 || base > 36)) return undefined
  const whole = parseInteger(value, base)
  if (whole !== undefined) return whole
  const number = parseFloatText(value)
  return number === undefined || !Number.isFinite(number) ? undefined : toInt(float(number))
}

function rounded(value: Value, precision: number, method: 'common' | 'ceil' | 'floor'): Value {
  if (!isInt(value) && !isFloat(value) && typeof value !== 'boolean')
    throw typeError(`type ${typeName(value)} doesn't define __round__ method`)
  if (method === 'common') {
    if (isFloat(value)) return float(roundHalfEven(asNumber(value), precision))
    const whole = typeof value === 'boolean' ? Number(value) : (value as number | bigint)
    return precision >= 0 ? whole : roundInt(BigInt(whole), 10n ** BigInt(-precision))
  }
  const factor = 10 ** precision
  const scaled = asNumber(value) * factor
  return float(Math[method](scaled) / factor)
}

function roundInt(value: bigint, unit: bigint): Value {
  const remainder = ((value % unit) + unit) % unit
  const down = value - remainder
  const isUp = remainder * 2n > unit || (remainder * 2n === unit && (down / unit) % 2n !== 0n)
  return normalizeInt(isUp ? down + unit : down)
}
