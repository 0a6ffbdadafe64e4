import { codePoints } from './code-points.ts'
import { equal } from './equality.ts'
import { typeError } from './errors.ts'
import { isMapping, mappingEntries, mappingGet, mappingSize } from './mappings.ts'
import { repr } from './text.ts'
import { PyObject, typeName, type Value } from './values.ts'

/** Python's `iter(value)`: characters, items, keys. */
export function iterate(value: Value): Iterable<Value> {
  if (Array.isArray(value)) return value
  if (typeof value === 'string') return codePoints(value)
  if (value instanceof PyObject) return value.iterate()
  if (isMapping(value)) return Array.from(mappingEntries(value), ([key]) => key)
  throw typeError(`'${typeName(value)}' object is not iterable`)
}

/** Python's `len(value)`. */
export function lengthOf(value: Value): number {
  if (Array.isArray(value)) return value.length
  if (typeof value === 'string') return codePoints(value).length
  if (value instanceof PyObject) return value.length()
  if (isMapping(value)) return mappingSize(value)
  throw typeError(`object of type '${typeName(value)}' has no len()`)
}

/** Python's `item in container`. */
export function contains(container: Value, item: Value): boolean {
  if (typeof container === 'string') {
    if (typeof item === 'string') return container.includes(item)
    throw typeError(`'in <string>' requires string as left operand, not ${typeName(item)}`)
  }
  if (Array.isArray(container)) return container.some((other) => equal(other, item))
  if (container instanceof PyObject) return container.contains(item, equal)
  if (isMapping(container)) return mappingGet(container, item) !== undefined
  throw typeError(`argument of type '${typeName(container)}' is not iterable`)
}

/** What lazy filters give: may be run through once. */
export class Generator extends PyObject {
  override readonly typeName: string = 'generator'
  readonly #name: string
  readonly #items: Iterator<Value>

  constructor(name: string, items: Iterable<Value>) {
    super()
    this.#name = name
    this.#items = items[Symbol.iterator]()
  }

  override repr(): string {
    return `<generator object ${this.#name} at 0x0>`
  }

  override iterate(): Iterable<Value> {
    const items = this.#items
    return { [Symbol.iterator]: () => ({ next: () => items.next() }) }
  }
}

/** `dict.keys()`, `.values()` and `.items()`: a view that prints as Python's. */
export class View extends PyObject {
  override readonly typeName: string
  readonly #items: () => Value[]

  constructor(kind: 'dict_keys' | 'dict_values' | 'dict_items', items: () => Value[]) {
    super()
    this.typeName = kind
    this.#items = items
  }

  override iterate(): Iterable<Value> {
    return this.#items()
  }

  override length(): number {
    return this.#items().length
  }

  override truthy(): boolean {
    return this.length() > 0
  }

  override repr(): string {
    return `${this.typeName}(${repr(this.#items())})`
  }
}
