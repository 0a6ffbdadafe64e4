import { dateOperation, PyDate } from './datetime.ts'
import { Duration, durationOperation } from './duration.ts'
import { checkItems, checkLength, typeError } from './errors.ts'
import { negate, numericOperation } from './numbers.ts'
import { percentFormat } from './percent-format.ts'
import { Timedelta, timedeltaOperation } from './timedelta.ts'
import { asIndex, isFloat, isInt, PyObject, Tuple, typeName, type Value } from './values.ts'

/** Python's `a + b`, `-`, `*`, `/`, `//`, `%` and `**`. */
export function binaryOperation(operator: string, a: Value, b: Value): Value {
  const result =
    numericOperation(operator, a, b) ??
    sequenceOperation(operator, a, b) ??
    (a instanceof PyObject || b instanceof PyObject ? objectOperation(operator, a, b) : undefined)
  if (result !== undefined) return result
  throw typeError(
    `unsupported operand type(s) for ${operator}: '${typeName(a)}' and '${typeName(b)}'`,
  )
}

function sequenceOperation(operator: string, a: Value, b: Value): Value {
  if (operator === '+') return concatenated(a, b)
  if (operator === '*') return repeated(a, b) ?? repeated(b, a)
  return operator === '%' && typeof a === 'string' ? percentFormat(a, b) : undefined
}

function concatenated(a: Value, b: Value): Value {
  if (typeof a === 'string' && typeof b === 'string') {
    checkLength(a.length + b.length)
    return a + b
  }
  if (!Array.isArray(a) || !Array.isArray(b) || a instanceof Tuple !== b instanceof Tuple)
    return undefined
  checkItems(a.length + b.length)
  return a instanceof Tuple ? Tuple.of(...a, ...b) : [...a, ...b]
}

function repeated(sequence: Value, times: Value): Value {
  const isText = typeof sequence === 'string'
  if ((!isText && !Array.isArray(sequence)) || (!isInt(times) && typeof times !== 'boolean'))
    return undefined
  const count = Math.max(0, asIndex(times))
  if (isText) {
    checkLength(sequence.length * count)
    return sequence.repeat(count)
  }
  checkItems(sequence.length * count)
  const items = Array.from({ length: count }, () => [...sequence]).flat()
  return sequence instanceof Tuple ? Tuple.of(...items) : items
}

function objectOperation(operator: string, a: Value, b: Value): Value {
  if (a instanceof Duration || b instanceof Duration) return durationOperation(operator, a, b)
  if (a instanceof PyDate || b instanceof PyDate) return dateOperation(operator, a, b)
  if (a instanceof Timedelta || b instanceof Timedelta) return timedeltaOperation(operator, a, b)
  return undefined
}

/** Python's `-value`. */
export function negative(value: Value): Value {
  if (value instanceof Timedelta) return value.negated()
  return value instanceof Duration ? value.times(-1) : negate(value)
}

/** Python's `+value`. */
export function positive(value: Value): Value {
  if (typeof value === 'boolean') return Number(value)
  if (isInt(value) || isFloat(value) || value instanceof Timedelta) return value
  throw typeError(`bad operand type for unary +: '${typeName(value)}'`)
}
