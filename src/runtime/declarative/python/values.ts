import { PythonError, typeError } from './errors.ts'

/**
 * A Python value as this engine holds it:
 *
 * | Python | here |
 * |---|---|
 * | None, bool, str | null, boolean, string |
 * | int | a safe integer `number`, or `bigint` beyond 2^53 |
 * | float | any other `number`, or `PyFloat` when its value is integral (`2.0`) |
 * | list, tuple | array, `Tuple` |
 * | dict | plain object (records, config), or `Dict` when a template made it |
 * | everything else (datetime, Undefined, function) | a `PyObject` |
 */
export type Value = unknown
export type Kwargs = { readonly [name: string]: Value }

/** A float with an integral value: Python prints `2.0`, and `2.0` is no int. */
export class PyFloat {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }

  valueOf(): number {
    return this.value
  }

  toJSON(): number {
    return this.value
  }
}

/** A number as Python's float. */
export function float(value: number): number | PyFloat {
  return Number.isSafeInteger(value) ? new PyFloat(value) : value
}

/** A Python tuple: an array that prints with parentheses and equals only tuples. */
export class Tuple extends Array<Value> {
  static override of<T>(...items: T[]): Tuple & T[] {
    const tuple = new Tuple()
    for (const item of items) tuple.push(item)
    return tuple as Tuple & T[]
  }
}

/** What has attributes or behaviour of its own. Subclasses override what their type can do. */
export abstract class PyObject {
  abstract readonly typeName: string

  repr(): string {
    return `<${this.typeName} object at 0x0>`
  }

  str(): string {
    return this.repr()
  }

  truthy(): boolean {
    return true
  }

  /** The attribute, or undefined (JavaScript's) when there is none. */
  attribute(_name: string): Value {
    return undefined
  }

  /** `self[key]`; throws what Python throws. */
  item(_key: Value): Value {
    throw typeError(`'${this.typeName}' object is not subscriptable`)
  }

  iterate(): Iterable<Value> {
    throw typeError(`'${this.typeName}' object is not iterable`)
  }

  length(): number {
    throw typeError(`object of type '${this.typeName}' has no len()`)
  }

  contains(item: Value, equal: (a: Value, b: Value) => boolean): boolean {
    for (const other of this.iterate()) if (equal(item, other)) return true
    return false
  }

  equals(other: Value): boolean {
    return this === other
  }

  /** Negative, zero or positive; undefined when the two cannot be ordered. */
  compareTo(_other: Value): number | undefined {
    return undefined
  }

  /** Text that is the same for equal objects, for use as a dict key. */
  hashKey(): string {
    throw typeError(`unhashable type: '${this.typeName}'`)
  }
}

/** Anything callable: macros, bound methods. */
export class PyFunction extends PyObject {
  override readonly typeName: string = 'function'
  readonly name: string
  readonly call: (args: readonly Value[], kwargs: Kwargs) => Value

  constructor(name: string, call: (args: readonly Value[], kwargs: Kwargs) => Value) {
    super()
    this.name = name
    this.call = call
  }

  override repr(): string {
    return `<function ${this.name} at 0x0>`
  }
}

export const isInt = (value: Value): value is number | bigint =>
  typeof value === 'number' ? Number.isSafeInteger(value) : typeof value === 'bigint'

export const isFloat = (value: Value): value is number | PyFloat =>
  typeof value === 'number' ? !Number.isSafeInteger(value) : value instanceof PyFloat

/** int, float or bool: what takes part in arithmetic. */
export const isNumeric = (value: Value): value is number | bigint | boolean | PyFloat =>
  typeof value === 'number' ||
  typeof value === 'bigint' ||
  typeof value === 'boolean' ||
  value instanceof PyFloat

/** A dict that came from outside: config, records, responses. */
export function isPlainObject(value: Value): value is { [key: string]: Value } {
  if (typeof value !== 'object' || value === null) return false
  // Most are what JSON.parse made, and this is asked for each record.
  if (Object.getPrototypeOf(value) === Object.prototype) return true
  return !Array.isArray(value) && !(value instanceof PyObject) && !(value instanceof PyFloat)
}

/** The name Python has for the value's type, as its error messages say it. */
export function typeName(value: Value): string {
  if (value === null || value === undefined) return 'NoneType'
  if (typeof value === 'string') return 'str'
  if (typeof value === 'boolean') return 'bool'
  if (isInt(value)) return 'int'
  if (isFloat(value)) return 'float'
  if (value instanceof Tuple) return 'tuple'
  if (Array.isArray(value)) return 'list'
  return value instanceof PyObject ? value.typeName : 'dict'
}

/** Python's `bool(value)`. */
export function truthy(value: Value): boolean {
  switch (typeof value) {
    case 'boolean':
      return value
    case 'string':
      return value !== ''
    case 'number':
      return value !== 0
    case 'bigint':
      return value !== 0n
    case 'object':
      if (value === null) return false
      if (value instanceof PyObject) return value.truthy()
      if (value instanceof PyFloat) return value.value !== 0
      if (Array.isArray(value)) return value.length > 0
      for (const key in value) if (Object.hasOwn(value, key)) return true
      return false
    default:
      return value !== undefined
  }
}

/** The value as an index or count; TypeError for anything but int and bool. */
export function asIndex(value: Value): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (isInt(value)) return Number(value)
  throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`)
}

/** A JavaScript number of an int, float or bool. */
export function asNumber(value: Value): number {
  if (typeof value === 'number') return value
  if (value instanceof PyFloat) return value.value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'bigint') {
    const number = Number(value)
    if (!Number.isFinite(number))
      throw new PythonError('OverflowError', 'int too large to convert to float')
    return number
  }
  throw typeError(`must be real number, not ${typeName(value)}`)
}
