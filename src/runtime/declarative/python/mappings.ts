import { equal } from './equality.ts'
import { PythonError, typeError } from './errors.ts'
import { isPlainObject, PyFloat, PyObject, Tuple, typeName, type Value } from './values.ts'

/** A dict-like object: read by key, listed in order of insertion. */
export abstract class PyMapping extends PyObject {
  override readonly typeName: string = 'dict'
  abstract get(key: Value): Value
  abstract entries(): Iterable<readonly [Value, Value]>
  abstract size(): number

  set(_key: Value, _value: Value): void {
    throw typeError(`'${this.typeName}' object does not support item assignment`)
  }

  delete(_key: Value): void {
    throw typeError(`'${this.typeName}' object does not support item deletion`)
  }

  override truthy(): boolean {
    return this.size() > 0
  }

  override length(): number {
    return this.size()
  }

  override *iterate(): Iterable<Value> {
    for (const [key] of this.entries()) yield key
  }

  override item(key: Value): Value {
    const value = this.get(key)
    if (value === undefined) throw new PythonError('KeyError', 'no such key')
    return value
  }

  override contains(item: Value): boolean {
    return this.get(item) !== undefined
  }

  override equals(other: Value): boolean {
    return isMapping(other) && mappingsEqual(this, other)
  }
}

/** A dict that a template or a literal made: any hashable key, `1`, `1.0` and `True` being one. */
export class Dict extends PyMapping {
  readonly #items = new Map<string, [Value, Value]>()

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    super()
    for (const [key, value] of entries) this.set(key, value)
  }

  get(key: Value): Value {
    return this.#items.get(hashKey(key))?.[1]
  }

  override set(key: Value, value: Value): void {
    const hash = hashKey(key)
    const item = this.#items.get(hash)
    if (item) item[1] = value
    else this.#items.set(hash, [key, value])
  }

  override delete(key: Value): void {
    this.#items.delete(hashKey(key))
  }

  entries(): Iterable<readonly [Value, Value]> {
    return this.#items.values()
  }

  size(): number {
    return this.#items.size
  }
}

export const isMapping = (value: Value): value is PyMapping | { [key: string]: Value } =>
  isPlainObject(value) || value instanceof PyMapping

/** The value under the key, or JavaScript's undefined. */
export function mappingGet(mapping: Value, key: Value): Value {
  if (mapping instanceof PyMapping) return mapping.get(key)
  if (typeof key !== 'string') {
    hashKey(key)
    return undefined
  }
  const object = mapping as { [key: string]: Value }
  return Object.hasOwn(object, key) ? object[key] : undefined
}

export function mappingSet(mapping: Value, key: Value, value: Value): void {
  if (mapping instanceof PyMapping) {
    mapping.set(key, value)
    return
  }
  if (typeof key !== 'string')
    throw typeError(`a record takes only text as keys, not ${typeName(key)}`)
  setOwn(mapping as { [key: string]: Value }, key, value)
}

export function mappingDelete(mapping: Value, key: Value): void {
  if (mapping instanceof PyMapping) mapping.delete(key)
  else delete (mapping as { [key: string]: Value })[key as string]
}

export function mappingEntries(mapping: Value): Iterable<readonly [Value, Value]> {
  if (mapping instanceof PyMapping) return mapping.entries()
  return Object.entries(mapping as object).filter(([, value]) => value !== undefined)
}

export const mappingSize = (mapping: Value): number =>
  mapping instanceof PyMapping ? mapping.size() : Object.keys(mapping as object).length

/** Assigns without ever touching the prototype: `__proto__` is a key like any other. */
export function setOwn(object: { [key: string]: Value }, key: string, value: Value): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  else object[key] = value
}

/** Lists and objects copied at every depth; other values are shared. */
export function deepCopy(value: Value): Value {
  if (Array.isArray(value)) return value.map(deepCopy)
  if (!isPlainObject(value)) return value
  const copy: { [key: string]: Value } = {}
  for (const [key, item] of Object.entries(value)) setOwn(copy, key, deepCopy(item))
  return copy
}

function mappingsEqual(a: Value, b: Value): boolean {
  if (mappingSize(a) !== mappingSize(b)) return false
  for (const [key, value] of mappingEntries(a)) {
    const other = mappingGet(b, key)
    if (other === undefined || !equal(value, other)) return false
  }
  return true
}

/** Text that is the same for keys that Python holds equal; TypeError when unhashable. */
export function hashKey(key: Value): string {
  switch (typeof key) {
    case 'string':
      return `s${key}`
    case 'number':
      return `n${key}`
    case 'bigint':
      return `n${key}`
    case 'boolean':
      return key ? 'n1' : 'n0'
    default:
  }
  if (key === null) return 'N'
  if (key instanceof PyFloat) return `n${key.value}`
  if (key instanceof Tuple) return `t${JSON.stringify(Array.from(key, hashKey))}`
  if (key instanceof PyObject && !(key instanceof PyMapping)) return key.hashKey()
  throw typeError(`unhashable type: '${typeName(key)}'`)
}
