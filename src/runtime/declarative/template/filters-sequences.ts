import { bind } from '../python/arguments.ts'
import { compare } from '../python/equality.ts'
import { checkLength, PythonError, typeError } from '../python/errors.ts'
import { Generator, iterate, lengthOf } from '../python/iteration.ts'
import { sortValues } from '../python/list-methods.ts'
import { hashKey, isMapping, mappingEntries } from '../python/mappings.ts'
import { binaryOperation } from '../python/operators.ts'
import { str } from '../python/text.ts'
import {
  asIndex,
  type Kwargs,
  PyFloat,
  PyObject,
  Tuple,
  truthy,
  typeName,
  type Value,
} from '../python/values.ts'
import { attributeGetter } from './attribute-getter.ts'
import { getAttributeOnly } from './attributes.ts'
import { type Filters, filters } from './filters.ts'
import { foldCase } from './fold-case.ts'
import { batches, columns, groups } from './grouping.ts'
import { tests } from './tests.ts'
import { Undefined } from './undefined.ts'

export const SEQUENCE_FILTERS: Filters = {
  length: (value) => lengthOf(value),
  count: (value) => lengthOf(value),
  list: (value) => [...iterate(value)],
  first: (value) => {
    for (const item of iterate(value)) return item
    return new Undefined('No first item, sequence was empty.')
  },
  last: (value) => {
    const items = [...reversible(value)]
    if (items.length === 0) return new Undefined('No last item, sequence was empty.')
    return items.at(-1)
  },
  join: (value, args, kwargs) => {
    const [separator = '', attribute] = bind('join', args, kwargs, ['d', 'attribute'])
    const get = attributeGetter(attribute)
    const parts = Array.from(iterate(value), (item) => str(get(item)))
    checkLength(parts.reduce((sum, part) => sum + part.length, 0))
    return parts.join(str(separator))
  },
  reverse: (value) => {
    if (typeof value === 'string') return [...iterate(value)].reverse().join('')
    if (!isIterable(value))
      throw new PythonError('FilterArgumentError', 'argument must be iterable')
    const items = [...iterate(value)].reverse()
    const isLazy = Array.isArray(value) || isMapping(value) || value instanceof Undefined
    return isLazy ? new ReverseIterator(value, items) : items
  },
  sort: (value, args, kwargs) => {
    const names = ['reverse', 'case_sensitive', 'attribute']
    const [reverse, caseSensitive, attribute] = bind('sort', args, kwargs, names)
    const keys = String(attribute ?? '')
      .split(',')
      .map((part) => {
        const get = attributeGetter(
          attribute === undefined || attribute === null
            ? null
            : typeof attribute === 'string'
              ? part
              : attribute,
        )
        return (item: Value) => foldCase(get(item), truthy(caseSensitive))
      })
    return sortValues([...iterate(value)], (item) => keys.map((key) => key(item)), truthy(reverse))
  },
  unique: (value, args, kwargs) => {
    const [caseSensitive, attribute] = bind('unique', args, kwargs, ['case_sensitive', 'attribute'])
    const get = attributeGetter(attribute)
    return new Generator(
      'do_unique',
      distinct(value, (item) => foldCase(get(item), truthy(caseSensitive))),
    )
  },
  min: (value, args, kwargs) => extreme(value, args, kwargs, -1),
  max: (value, args, kwargs) => extreme(value, args, kwargs, 1),
  sum: (value, args, kwargs) => {
    const [attribute, start = 0] = bind('sum', args, kwargs, ['attribute', 'start'])
    const get = attributeGetter(attribute)
    let total: Value = start
    for (const item of iterate(value)) {
      const next = get(item)
      if (next instanceof Undefined) next.fail()
      total = binaryOperation('+', total, next)
    }
    return total
  },
  map: (value, args, kwargs) => new Generator('sync_do_map', mapped(value, args, kwargs)),
  select: (value, args, kwargs) => chosen('select', value, args, kwargs, true),
  reject: (value, args, kwargs) => chosen('reject', value, args, kwargs, false),
  selectattr: (value, args, kwargs) => chosenByAttribute('selectattr', value, args, kwargs, true),
  rejectattr: (value, args, kwargs) => chosenByAttribute('rejectattr', value, args, kwargs, false),
  batch: (value, args, kwargs) => {
    const [size, fill] = bind('batch', args, kwargs, ['linecount', 'fill_with'], 1)
    return new Generator('do_batch', batches(value, asIndex(size), fill))
  },
  slice: (value, args, kwargs) => {
    const [count, fill] = bind('slice', args, kwargs, ['slices', 'fill_with'], 1)
    return new Generator('sync_do_slice', columns([...iterate(value)], asIndex(count), fill))
  },
  groupby: (value, args, kwargs) => {
    const names = ['attribute', 'default', 'case_sensitive']
    const [attribute, fallback, caseSensitive] = bind('groupby', args, kwargs, names, 1)
    return groups(value, attributeGetter(attribute, fallback), truthy(caseSensitive))
  },
  dictsort: (value, args, kwargs) => {
    const names = ['case_sensitive', 'by', 'reverse']
    const [caseSensitive, by = 'key', reverse] = bind('dictsort', args, kwargs, names)
    if (by !== 'key' && by !== 'value')
      throw new PythonError('FilterArgumentError', 'You can only sort by either "key" or "value"')
    if (!isMapping(value))
      throw new PythonError(
        'AttributeError',
        `'${typeName(value)}' object has no attribute 'items'`,
      )
    const entries = Array.from(mappingEntries(value), (entry) => Tuple.of(...entry))
    const key = (item: Value) =>
      foldCase((item as Tuple)[by === 'key' ? 0 : 1], truthy(caseSensitive))
    return sortValues(entries, key, truthy(reverse))
  },
  items: (value) => {
    return new Generator('do_items', pairs(value))
  },
  attr: (value, args) => getAttributeOnly(value, str(args[0])),
}

class ReverseIterator extends Generator {
  override readonly typeName: string

  constructor(of: Value, items: Value[]) {
    super('', items)
    this.typeName = REVERSED[typeName(of)] ?? 'reversed'
  }

  override repr(): string {
    return `<${this.typeName} object at 0x0>`
  }
}

const REVERSED: Record<string, string> = {
  list: 'list_reverseiterator',
  dict: 'dict_reversekeyiterator',
}

/** The pairs of a dict; that something else is none shows only when they are asked for. */
function* pairs(value: Value): Iterable<Value> {
  if (value instanceof Undefined) return
  if (!isMapping(value)) throw typeError('Can only get item pairs from a mapping.')
  for (const entry of mappingEntries(value)) yield Tuple.of(...entry)
}

const isIterable = (value: Value) =>
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof PyFloat) &&
  !(value instanceof PyObject && !hasItems(value))

const hasItems = (value: PyObject) =>
  isMapping(value) ||
  value instanceof Undefined ||
  value instanceof Generator ||
  value.typeName.startsWith('dict_')

function reversible(value: Value): Iterable<Value> {
  if (value instanceof Generator) throw typeError("'generator' object is not reversible")
  return iterate(value)
}

function* distinct(value: Value, keyOf: (item: Value) => Value): Iterable<Value> {
  const seen = new Set<string>()
  for (const item of iterate(value)) {
    const key = hashKey(keyOf(item))
    if (seen.has(key)) continue
    seen.add(key)
    yield item
  }
}

function extreme(value: Value, args: readonly Value[], kwargs: Kwargs, sign: 1 | -1): Value {
  const names = ['case_sensitive', 'attribute']
  const [caseSensitive, attribute] = bind('max', args, kwargs, names)
  const get = attributeGetter(attribute)
  const keyOf = (item: Value) => foldCase(get(item), truthy(caseSensitive))
  let best: Value
  for (const item of iterate(value))
    if (best === undefined || sign * compare(keyOf(item), keyOf(best), '>') > 0) best = item
  return best === undefined ? new Undefined('No aggregated item, sequence was empty.') : best
}

function* mapped(value: Value, args: readonly Value[], kwargs: Kwargs): Iterable<Value> {
  if (!truthy(value)) return
  const apply = mapper(args, kwargs)
  for (const item of iterate(value)) yield apply(item)
}

function mapper(args: readonly Value[], kwargs: Kwargs): (item: Value) => Value {
  if (args.length === 0 && 'attribute' in kwargs) {
    const { attribute, default: fallback, ...unknown } = kwargs
    for (const name in unknown)
      throw new PythonError('FilterArgumentError', `Unexpected keyword argument '${name}'`)
    return attributeGetter(attribute, fallback)
  }
  const [name, ...rest] = args
  if (name === undefined)
    throw new PythonError('FilterArgumentError', 'map requires a filter argument')
  const filter =
    typeof name === 'string' && Object.hasOwn(filters, name) ? filters[name] : undefined
  if (!filter) throw new PythonError('TemplateRuntimeError', `No filter named '${str(name)}'.`)
  return (item) => filter(item, rest, kwargs)
}

type Predicate = (item: Value) => boolean

function tester(args: readonly Value[], kwargs: Kwargs): Predicate {
  const [name, ...rest] = args
  if (name === undefined) return truthy
  const test = typeof name === 'string' && Object.hasOwn(tests, name) ? tests[name] : undefined
  if (!test) throw new PythonError('TemplateRuntimeError', `No test named '${str(name)}'.`)
  return (item) => truthy(test(item, rest, kwargs))
}

function* filtered(value: Value, predicate: () => Predicate, wanted: boolean): Iterable<Value> {
  if (!truthy(value)) return
  const test = predicate()
  for (const item of iterate(value)) if (test(item) === wanted) yield item
}

function chosen(
  name: string,
  value: Value,
  args: readonly Value[],
  kwargs: Kwargs,
  wanted: boolean,
) {
  return new Generator(
    `sync_do_${name}`,
    filtered(value, () => tester(args, kwargs), wanted),
  )
}

function chosenByAttribute(
  name: string,
  value: Value,
  args: readonly Value[],
  kwargs: Kwargs,
  wanted: boolean,
) {
  const predicate = (): Predicate => {
    if (args[0] === undefined)
      throw new PythonError('FilterArgumentError', 'Missing parameter for attribute name')
    const get = attributeGetter(args[0])
    const test = tester(args.slice(1), kwargs)
    return (item) => test(get(item))
  }
  return new Generator(`sync_do_${name}`, filtered(value, predicate, wanted))
}
