import { compare, equal } from './equality.ts'
import { checkItems, PythonError, typeError, valueError } from './errors.ts'
import { iterate } from './iteration.ts'
import type { Methods } from './methods.ts'
import { asIndex, type Kwargs, PyFunction, truthy, type Value } from './values.ts'

const indexOf = (self: Value, args: readonly Value[]) => {
  const items = self as Value[]
  const start = args[1] === undefined ? 0 : asIndex(args[1])
  const index = items.findIndex((item, at) => at >= start && equal(item, args[0]))
  if (index < 0) throw valueError('value is not in list')
  return index
}

const count = (self: Value, args: readonly Value[]) =>
  (self as Value[]).filter((item) => equal(item, args[0])).length

export const TUPLE_METHODS: Methods = { index: indexOf, count }

export const LIST_METHODS: Methods = {
  index: indexOf,
  count,
  append: (self, args) => {
    one('append', args)
    return done((self as Value[]).push(args[0]))
  },
  extend: (self, args) => {
    one('extend', args)
    const items = [...iterate(args[0])]
    const list = self as Value[]
    checkItems(list.length + items.length)
    for (const item of items) list.push(item)
    return null
  },
  insert: (self, args) => done((self as Value[]).splice(asIndex(args[0]), 0, args[1])),
  remove: (self, args) => done((self as Value[]).splice(indexOf(self, [args[0]]), 1)),
  pop: (self, args) => {
    const list = self as Value[]
    if (list.length === 0) throw new PythonError('IndexError', 'pop from empty list')
    const index = args[0] === undefined ? -1 : asIndex(args[0])
    const at = index < 0 ? index + list.length : index
    if (at < 0 || at >= list.length) throw new PythonError('IndexError', 'pop index out of range')
    return list.splice(at, 1)[0]
  },
  reverse: (self) => done((self as Value[]).reverse()),
  clear: (self) => done((self as Value[]).splice(0)),
  copy: (self) => [...(self as Value[])],
  sort: (self, args, kwargs) => {
    if (args.length > 0) throw typeError('sort() takes no positional arguments')
    const list = self as Value[]
    return done(list.splice(0, list.length, ...sorted(list, kwargs)))
  },
}

const done = (_result: unknown) => null

function one(name: string, args: readonly Value[]): void {
  if (args.length !== 1)
    throw typeError(`list.${name}() takes exactly one argument (${args.length} given)`)
}

function sorted(items: readonly Value[], kwargs: Kwargs): Value[] {
  const key = kwargs.key instanceof PyFunction ? kwargs.key : undefined
  const keyOf = (item: Value) => (key ? key.call([item], {}) : item)
  return sortValues(items, keyOf, truthy(kwargs.reverse))
}

/** A stable sort by a key, in Python's order. */
export function sortValues(
  items: readonly Value[],
  keyOf: (item: Value) => Value,
  reverse: boolean,
): Value[] {
  const keyed = items.map((item) => ({ item, key: keyOf(item) }))
  const direction = reverse ? -1 : 1
  keyed.sort((a, b) => direction * compare(a.key, b.key, '<'))
  return keyed.map(({ item }) => item)
}
