import { bind } from '../python/arguments.ts'
import { textLength, textSlice } from '../python/code-points.ts'
import { checkLength, PythonError, typeError } from '../python/errors.ts'
import { lengthOf } from '../python/iteration.ts'
import { Dict } from '../python/mappings.ts'
import { percentFormat } from '../python/percent-format.ts'
import { capitalize, center, replaceText, strip } from '../python/string-methods.ts'
import { str } from '../python/text.ts'
import { asIndex, type Kwargs, Tuple, truthy, typeName, type Value } from '../python/values.ts'
import type { Filters } from './filters.ts'
import { Undefined } from './undefined.ts'

export const TEXT_FILTERS: Filters = {
  lower: (value) => str(value).toLowerCase(),
  upper: (value) => str(value).toUpperCase(),
  capitalize: (value) => capitalize(str(value)),
  title: (value) =>
    str(value)
      .split(/([-\s({[<]+)/)
      .filter((part) => part !== '')
      .map(capitalize)
      .join(''),
  trim: (value, args, kwargs) => {
    const [chars] = bind('trim', args, kwargs, ['chars'])
    return strip(str(value), chars, true, true)
  },
  replace: (value, args, kwargs) => {
    const [old, fresh, count] = bind('replace', args, kwargs, ['old', 'new', 'count'], 2)
    const most = count === undefined || count === null ? -1 : asIndex(count)
    return replaceText(str(value), str(old), str(fresh), most)
  },
  center: (value, args, kwargs) => {
    const [width = 80] = bind('center', args, kwargs, ['width'])
    checkLength(asIndex(width))
    return center(str(value), asIndex(width), ' ')
  },
  format: (value, args, kwargs) => {
    const named = Object.entries(kwargs)
    if (named.length > 0 && args.length > 0)
      throw typeError("can't handle positional and keyword arguments at the same time")
    return percentFormat(str(value), named.length > 0 ? new Dict(named) : Tuple.of(...args))
  },
  default: orDefault,
  d: orDefault,
  escape: (value) => escapeHtml(str(value)),
  e: (value) => escapeHtml(str(value)),
  forceescape: (value) => escapeHtml(str(value)),
  safe: (value) => str(value),
  striptags: (value) =>
    str(value)
      .replace(/<!--[\s\S]*?-->|<[^>]*>/g, '')
      .trim()
      .replace(/\s+/g, ' '),
  wordcount: (value) => (str(value).match(/[\p{L}\p{N}_]+/gu) ?? []).length,
  truncate: (value, args, kwargs) => {
    const names = ['length', 'killwords', 'end', 'leeway']
    const [length = 255, killWords, end = '...', leeway = 5] = bind('truncate', args, kwargs, names)
    const size = asIndex(length)
    if (typeof value !== 'string') {
      if (lengthOf(value) <= size + asIndex(leeway ?? 5)) return value
      throw typeError(`cannot truncate '${typeName(value)}'`)
    }
    return truncate(value, size, truthy(killWords), str(end), asIndex(leeway ?? 5))
  },
  indent: (value, args, kwargs) => {
    const [width = 4, first, blank] = bind('indent', args, kwargs, ['width', 'first', 'blank'])
    if (typeof value !== 'string') throw notText(value)
    const margin = typeof width === 'string' ? width : ' '.repeat(Math.min(asIndex(width), 10_000))
    return indent(value, margin, truthy(first), truthy(blank))
  },
}

function orDefault(value: Value, args: readonly Value[], kwargs: Kwargs): Value {
  const [fallback = '', whenFalse] = bind('default', args, kwargs, ['default_value', 'boolean'])
  return value instanceof Undefined || (truthy(whenFalse) && !truthy(value)) ? fallback : value
}

const HTML: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
}

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => HTML[character] ?? '')

/** Python adds a line break to the value first: a list takes it and fails later. */
const notText = (value: Value) =>
  Array.isArray(value) && !(value instanceof Tuple)
    ? new PythonError('AttributeError', "'list' object has no attribute 'splitlines'")
    : value instanceof Undefined
      ? value.fail()
      : typeError(`cannot indent '${typeName(value)}'`)

function truncate(text: string, length: number, killWords: boolean, end: string, leeway: number) {
  if (length < textLength(end)) throw typeError(`expected length >= ${textLength(end)}`)
  if (textLength(text) <= length + leeway) return text
  const cut = textSlice(text, 0, length - textLength(end))
  if (killWords) return cut + end
  const lastSpace = cut.lastIndexOf(' ')
  return (lastSpace < 0 ? cut : cut.slice(0, lastSpace)) + end
}

function indent(text: string, margin: string, first: boolean, blank: boolean): string {
  const lines = `${text}\n`.split('\n').slice(0, -1)
  checkLength(text.length + lines.length * margin.length)
  const indented = lines.map((line, index) => {
    if (index === 0 && !first) return line
    return line === '' && !blank && index > 0 ? line : margin + line
  })
  return indented.join('\n')
}
