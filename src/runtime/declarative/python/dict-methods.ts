import { bind } from './arguments.ts'
import { PythonError, typeError, valueError } from './errors.ts'
import { iterate, View } from './iteration.ts'
import {
  Dict,
  isMapping,
  mappingDelete,
  mappingEntries,
  mappingGet,
  mappingSet,
} from './mappings.ts'
import type { Methods } from './methods.ts'
import { type Kwargs, Tuple, type Value } from './values.ts'

export const DICT_METHODS: Methods = {
  get: (self, args, kwargs) => {
    const [key, fallback = null] = plain('get', args, kwargs, 1, 2)
    const value = mappingGet(self, key)
    return value === undefined ? fallback : value
  },
  keys: (self) => new View('dict_keys', () => Array.from(mappingEntries(self), ([key]) => key)),
  values: (self) =>
    new View('dict_values', () => Array.from(mappingEntries(self), ([, value]) => value)),
  items: (self) =>
    new View('dict_items', () => Array.from(mappingEntries(self), (entry) => Tuple.of(...entry))),
  copy: (self) => new Dict(mappingEntries(self)),
  update: (self, args, kwargs) => {
    for (const [key, value] of entriesOf(args[0])) mappingSet(self, key, value)
    for (const key in kwargs) mappingSet(self, key, kwargs[key])
    return null
  },
  setdefault: (self, args, kwargs) => {
    const [key, fallback = null] = plain('setdefault', args, kwargs, 1, 2)
    const value = mappingGet(self, key)
    if (value !== undefined) return value
    mappingSet(self, key, fallback)
    return fallback
  },
  pop: (self, args, kwargs) => {
    const [key, fallback] = plain('pop', args, kwargs, 1, 2)
    const found = mappingGet(self, key)
    const value = found === undefined ? fallback : found
    if (value === undefined) throw new PythonError('KeyError', 'no such key to pop')
    mappingDelete(self, key)
    return value
  },
  popitem: (self) => {
    const last = Array.from(mappingEntries(self)).at(-1)
    if (!last) throw new PythonError('KeyError', 'popitem(): dictionary is empty')
    mappingDelete(self, last[0])
    return Tuple.of(...last)
  },
  clear: (self) => {
    for (const [key] of [...mappingEntries(self)]) mappingDelete(self, key)
    return null
  },
}

/** Arguments of a method that takes none by name. */
function plain(
  name: string,
  args: readonly Value[],
  kwargs: Kwargs,
  least: number,
  most: number,
): readonly Value[] {
  for (const _ in kwargs) throw typeError(`${name}() takes no keyword arguments`)
  const names = Array.from({ length: most }, (_, index) => String(index))
  return bind(name, args, {}, names, least)
}

/** What `dict(value)` and `update(value)` take: a mapping, or pairs. */
export function entriesOf(value: Value): Iterable<readonly [Value, Value]> {
  if (value === undefined) return []
  if (isMapping(value)) return [...mappingEntries(value)]
  return Array.from(iterate(value), (pair) => {
    const items = [...iterate(pair)]
    if (items.length !== 2)
      throw valueError(
        `dictionary update sequence element has length ${items.length}; 2 is required`,
      )
    return [items[0], items[1]] as const
  })
}
