import { compare, equal } from '../python/equality.ts'
import { PythonError } from '../python/errors.ts'
import { contains, iterate, lengthOf } from '../python/iteration.ts'
import { isMapping } from '../python/mappings.ts'
import { binaryOperation } from '../python/operators.ts'
import { STRING_METHODS } from '../python/string-methods.ts'
import { str } from '../python/text.ts'
import { isFloat, isInt, isNumeric, type Kwargs, PyFunction, type Value } from '../python/values.ts'
import { filters } from './filters.ts'
import { Undefined } from './undefined.ts'

/** A test: `value is name(args)`. */
export type Test = (value: Value, args: readonly Value[], kwargs: Kwargs) => Value

const eq: Test = (value, [other]) => equal(value, other)
const ne: Test = (value, [other]) => !equal(value, other)
const lt: Test = (value, [other]) => compare(value, other, '<') < 0
const le: Test = (value, [other]) => compare(value, other, '<=') <= 0
const gt: Test = (value, [other]) => compare(value, other, '>') > 0
const ge: Test = (value, [other]) => compare(value, other, '>=') >= 0

const leaves = (value: Value, divisor: Value, remainder: number) => {
  if (value instanceof Undefined) value.fail()
  return equal(binaryOperation('%', value, divisor), remainder)
}

/** Whether the reading raises no error. */
function succeeds(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (error instanceof PythonError) return false
    throw error
  }
}

/** Jinja's tests. */
export const tests: Readonly<Record<string, Test>> = {
  defined: (value) => !(value instanceof Undefined),
  undefined: (value) => value instanceof Undefined,
  none: (value) => value === null,
  true: (value) => value === true,
  false: (value) => value === false,
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => isInt(value),
  float: (value) => isFloat(value),
  number: (value) => isNumeric(value),
  string: (value) => typeof value === 'string',
  mapping: (value) => isMapping(value),
  sequence: (value) => succeeds(() => lengthOf(value)) && !(value instanceof PyFunction),
  iterable: (value) => succeeds(() => iterate(value)),
  callable: (value) => value instanceof PyFunction || value instanceof Undefined,
  odd: (value) => leaves(value, 2, 1),
  even: (value) => leaves(value, 2, 0),
  divisibleby: (value, [divisor]) => leaves(value, divisor, 0),
  in: (value, [container]) => contains(container, value),
  lower: (value) => STRING_METHODS.islower?.(str(value), [], {}),
  upper: (value) => STRING_METHODS.isupper?.(str(value), [], {}),
  sameas: (value, [other]) => value === other,
  escaped: () => false,
  filter: (value) => typeof value === 'string' && Object.hasOwn(filters, value),
  test: (value) => typeof value === 'string' && Object.hasOwn(tests, value),
  eq,
  equalto: eq,
  '==': eq,
  ne,
  '!=': ne,
  lt,
  lessthan: lt,
  '<': lt,
  le,
  '<=': le,
  gt,
  greaterthan: gt,
  '>': gt,
  ge,
  '>=': ge,
}
