import { codePoints, sliceIndices } from '../python/code-points.ts'
import { PythonError, typeError } from '../python/errors.ts'
import { isMapping, mappingGet } from '../python/mappings.ts'
import { type Method, methodsOf } from '../python/methods.ts'
import { repr } from '../python/text.ts'
import {
  asIndex,
  isInt,
  isPlainObject,
  PyFunction,
  PyObject,
  Tuple,
  typeName,
  type Value,
} from '../python/values.ts'
import { Undefined } from './undefined.ts'

/** `value.name`: the attribute or method first, then the key of that name. */
export function getAttribute(value: Value, name: string): Value {
  if (value instanceof Undefined) return value.fail()
  const attribute = attributeOf(value, name)
  if (attribute !== undefined) return isSafe(name) ? attribute : unsafe(value, name)
  const item = itemOf(value, name)
  return item === undefined ? missing(value, name) : item
}

/** The attribute or method only, never a key. */
export function getAttributeOnly(value: Value, name: string): Value {
  const attribute = attributeOf(value, name)
  if (attribute === undefined) return missing(value, name)
  return isSafe(name) ? attribute : unsafe(value, name)
}

/** `value[key]`: the key or index first, then the attribute or method of that name. */
export function getItem(value: Value, key: Value): Value {
  if (typeof value === 'object' && value !== null) {
    const item = itemOf(value, key)
    if (item !== undefined) return item
  } else if (typeof value === 'string' && typeof key !== 'string') {
    const item = itemOf(value, key)
    if (item !== undefined) return item
  }
  if (typeof key !== 'string') return missing(value, key)
  const attribute = attributeOf(value, key)
  if (attribute === undefined) return missing(value, key)
  return isSafe(key) ? attribute : unsafe(value, key)
}

/** The method, ready to be called on the value, when the attribute is one and is allowed. */
export function methodOf(value: Value, name: string): Method | undefined {
  if (value instanceof PyObject && !isMapping(value)) return undefined
  const methods = methodsOf(value)
  if (value instanceof PyObject && value.attribute(name) !== undefined) return undefined
  return methods && Object.hasOwn(methods, name) ? methods[name] : undefined
}

const DUNDER =
  /^__(?:class|init|new|doc|dir|eq|ne|hash|repr|str|reduce|reduce_ex|getattribute|setattr|delattr|format|sizeof|subclasshook|init_subclass|len|contains|iter|getitem|lt|le|gt|ge|add|mul)__$/

function attributeOf(value: Value, name: string): Value {
  const own = value instanceof PyObject ? value.attribute(name) : undefined
  if (own !== undefined) return own
  if (name.startsWith('_')) return DUNDER.test(name) ? null : undefined
  const methods = methodsOf(value)
  const method = methods && Object.hasOwn(methods, name) ? methods[name] : undefined
  if (method) return new BoundMethod(name, value, method)
  if (typeof value === 'boolean') return integerAttribute(Number(value), name)
  return isInt(value) ? integerAttribute(value, name) : undefined
}

function integerAttribute(value: number | bigint, name: string): Value {
  if (name === 'real' || name === 'numerator') return value
  if (name === 'imag') return 0
  return name === 'denominator' ? 1 : undefined
}

class BoundMethod extends PyFunction {
  override readonly typeName = 'builtin_function_or_method'
  readonly #owner: string

  constructor(name: string, self: Value, method: Method) {
    super(name, (args, kwargs) => method(self, args, kwargs))
    this.#owner = typeName(self)
  }

  override repr(): string {
    return `<built-in method ${this.name} of ${this.#owner} object at 0x0>`
  }
}

/** Python's `value[key]`, JavaScript's undefined where it would raise a lookup or type error. */
function itemOf(value: Value, key: Value): Value {
  if (isPlainObject(value) && typeof key === 'string') return mappingGet(value, key)
  if (isMapping(value)) return quietly(() => mappingGet(value, key))
  if (Array.isArray(value)) return indexed(value, key)
  if (typeof value === 'string') return indexed(codePoints(value), key)
  return value instanceof PyObject ? quietly(() => value.item(key)) : undefined
}

function indexed(items: readonly Value[], key: Value): Value {
  if (!isInt(key) && typeof key !== 'boolean') return undefined
  return items.at(asIndex(key))
}

const LOOKUP_ERRORS = new Set(['TypeError', 'KeyError', 'IndexError', 'AttributeError'])

function quietly(read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (error instanceof PythonError && LOOKUP_ERRORS.has(error.type)) return undefined
    throw error
  }
}

export function getSlice(value: Value, start: Value, stop: Value, step: Value): Value {
  if (value instanceof Undefined) return value.fail()
  const items = typeof value === 'string' ? codePoints(value) : value
  if (!Array.isArray(items)) throw typeError(`'${typeName(value)}' object is not subscriptable`)
  for (const bound of [start, stop, step])
    if (bound !== null && !isInt(bound) && typeof bound !== 'boolean')
      throw typeError('slice indices must be integers or None')
  const picked = sliceIndices(items.length, start, stop, step).map((index) => items[index])
  if (typeof value === 'string') return picked.join('')
  return value instanceof Tuple ? Tuple.of(...picked) : picked
}

/** The sandbox: nothing that begins with an underscore, but the slice's `_partition`. */
const isSafe = (name: string) => !name.startsWith('_') || name === '_partition'

const unsafe = (value: Value, name: string) =>
  new Undefined(
    `access to attribute '${name}' of '${typeName(value)}' object is unsafe`,
    'SecurityError',
  )

function missing(value: Value, name: Value): Undefined {
  const what = typeof name === 'string' ? `attribute '${name}'` : `element ${repr(name)}`
  return new Undefined(`'${typeName(value)}' object has no ${what}`)
}
