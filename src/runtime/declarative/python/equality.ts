import { codePoints } from './code-points.ts'
import { spend, typeError } from './errors.ts'
import { isMapping, mappingEntries, mappingGet, mappingSize, PyMapping } from './mappings.ts'
import { isNumeric, PyFloat, PyObject, Tuple, typeName, type Value } from './values.ts'

/** Python's `==`: `1 == 1.0 == True`, a list never equals a tuple. */
export function equal(a: Value, b: Value): boolean {
  if (a === b) return !Number.isNaN(a)
  if (typeof a === 'string' || typeof b === 'string') return false
  if (isNumeric(a) && isNumeric(b)) return sameNumber(comparable(a), comparable(b))
  if (a instanceof PyObject && !(a instanceof PyMapping)) return a.equals(b)
  if (b instanceof PyObject && !(b instanceof PyMapping)) return b.equals(a)
  if (Array.isArray(a)) return Array.isArray(b) && arraysEqual(a, b)
  if (!isMapping(a) || !isMapping(b) || mappingSize(a) !== mappingSize(b)) return false
  spend(100)
  for (const [key, value] of mappingEntries(a)) {
    const other = mappingGet(b, key)
    if (other === undefined || !equal(value, other)) return false
  }
  return true
}

function arraysEqual(a: Value[], b: Value[]): boolean {
  spend(100)
  if (a.length !== b.length || a instanceof Tuple !== b instanceof Tuple) return false
  return a.every((item, index) => equal(item, b[index]))
}

/** Python's `<`, `>` and the rest; TypeError when the types have no order. */
export function compare(a: Value, b: Value, operator: string): number {
  if (isNumeric(a) && isNumeric(b)) {
    const x = comparable(a)
    const y = comparable(b)
    return x < y ? -1 : x > y ? 1 : sameNumber(x, y) ? 0 : Number.NaN
  }
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (Array.isArray(a) && Array.isArray(b) && a instanceof Tuple === b instanceof Tuple)
    return compareArrays(a, b, operator)
  const order = a instanceof PyObject ? a.compareTo(b) : undefined
  if (order !== undefined) return order
  const reflected = b instanceof PyObject ? b.compareTo(a) : undefined
  if (reflected !== undefined) return -reflected
  throw typeError(
    `'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  )
}

function compareArrays(a: Value[], b: Value[], operator: string): number {
  for (let i = 0; i < a.length && i < b.length; i++)
    if (!equal(a[i], b[i])) return compare(a[i], b[i], operator)
  return a.length - b.length
}

const SURROGATE = /[\ud800-\udfff]/

/** By code point, as Python orders text (UTF-16 order differs above U+D800). */
function compareText(a: string, b: string): number {
  if (!SURROGATE.test(a) && !SURROGATE.test(b)) return a < b ? -1 : a > b ? 1 : 0
  const x = codePoints(a)
  const y = codePoints(b)
  for (let i = 0; i < x.length && i < y.length; i++) {
    const difference = (x[i]?.codePointAt(0) ?? 0) - (y[i]?.codePointAt(0) ?? 0)
    if (difference) return difference
  }
  return x.length - y.length
}

function comparable(value: number | bigint | boolean | PyFloat): number | bigint {
  if (value instanceof PyFloat) return value.value
  return typeof value === 'boolean' ? Number(value) : value
}

/** A bigint and a number are never `===`: neither may be below the other. */
const sameNumber = (x: number | bigint, y: number | bigint) => x >= y && x <= y
