import { DICT_METHODS } from './dict-methods.ts'
import { LIST_METHODS, TUPLE_METHODS } from './list-methods.ts'
import { isMapping } from './mappings.ts'
import { numericMethods } from './number-methods.ts'
import { STRING_METHODS } from './string-methods.ts'
import { type Kwargs, Tuple, type Value } from './values.ts'

/** A method of a built-in type, called with the value it belongs to. */
export type Method = (self: Value, args: readonly Value[], kwargs: Kwargs) => Value
export type Methods = Readonly<Record<string, Method>>

/** The methods of the value's type. Objects with attributes of their own bring those themselves. */
export function methodsOf(value: Value): Methods | undefined {
  if (typeof value === 'string') return STRING_METHODS
  if (Array.isArray(value)) return value instanceof Tuple ? TUPLE_METHODS : LIST_METHODS
  return isMapping(value) ? DICT_METHODS : numericMethods(value)
}
