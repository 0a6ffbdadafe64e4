import { bind } from './arguments.ts'
import { codePoints, textLength, textSlice } from './code-points.ts'
import { checkLength, PythonError, typeError, valueError } from './errors.ts'
import { iterate } from './iteration.ts'
import { mappingGet } from './mappings.ts'
import type { Methods } from './methods.ts'
import { strFormat } from './str-format.ts'
import { splitLines, splitText } from './string-split.ts'
import { asIndex, isInt, Tuple, truthy, typeName, type Value } from './values.ts'

type TextMethod = (self: string, args: readonly Value[]) => Value

/** A method with positional and named parameters; the first `required` must be given. */
const method =
  (name: string, parameters: string[], required: number, run: TextMethod): Methods[string] =>
  (self, args, kwargs) =>
    run(self as string, bind(name, args, kwargs, parameters, required))

const simple =
  (run: (self: string) => Value): Methods[string] =>
  (self, args) => {
    if (args.length > 0) throw typeError(`method takes no arguments (${args.length} given)`)
    return run(self as string)
  }

function text(value: Value, what = 'argument'): string {
  if (typeof value === 'string') return value
  throw typeError(`${what} must be str, not ${typeName(value)}`)
}

export const STRING_METHODS: Methods = {
  lower: simple((self) => lower(self)),
  upper: simple((self) => self.toUpperCase()),
  casefold: simple((self) => self.toLowerCase().replaceAll('ß', 'ss')),
  capitalize: simple((self) => capitalize(self)),
  title: simple((self) => titleCase(self)),
  swapcase: simple((self) =>
    codePoints(self)
      .map((c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase()))
      .join(''),
  ),
  strip: method('strip', ['chars'], 0, (self, [chars]) => strip(self, chars, true, true)),
  lstrip: method('lstrip', ['chars'], 0, (self, [chars]) => strip(self, chars, true, false)),
  rstrip: method('rstrip', ['chars'], 0, (self, [chars]) => strip(self, chars, false, true)),
  split: method('split', ['sep', 'maxsplit'], 0, (self, [separator, limit]) =>
    splitText(self, separator, limit, false),
  ),
  rsplit: method('rsplit', ['sep', 'maxsplit'], 0, (self, [separator, limit]) =>
    splitText(self, separator, limit, true),
  ),
  splitlines: method('splitlines', ['keepends'], 0, (self, [keepEnds]) =>
    splitLines(self, truthy(keepEnds)),
  ),
  join: (self, args) => join(self as string, args[0]),
  replace: method('replace', ['old', 'new', 'count'], 2, (self, [old, fresh, count]) =>
    replaceText(self, text(old), text(fresh), count === undefined ? -1 : asIndex(count)),
  ),
  startswith: method('startswith', ['prefix', 'start', 'end'], 1, (self, args) =>
    affixed(self, args, (part, affix) => part.startsWith(affix)),
  ),
  endswith: method('endswith', ['suffix', 'start', 'end'], 1, (self, args) =>
    affixed(self, args, (part, affix) => part.endsWith(affix)),
  ),
  find: method('find', ['sub', 'start', 'end'], 1, (self, args) => find(self, args, false)),
  rfind: method('rfind', ['sub', 'start', 'end'], 1, (self, args) => find(self, args, true)),
  index: method('index', ['sub', 'start', 'end'], 1, (self, args) =>
    found(find(self, args, false)),
  ),
  rindex: method('rindex', ['sub', 'start', 'end'], 1, (self, args) =>
    found(find(self, args, true)),
  ),
  count: method('count', ['sub', 'start', 'end'], 1, (self, [sub, start, end]) => {
    const { part } = range(self, start, end)
    return text(sub) === '' ? textLength(part) + 1 : part.split(text(sub)).length - 1
  }),
  partition: method('partition', ['sep'], 1, (self, [separator]) =>
    partition(self, separator, false),
  ),
  rpartition: method('rpartition', ['sep'], 1, (self, [separator]) =>
    partition(self, separator, true),
  ),
  removeprefix: method('removeprefix', ['prefix'], 1, (self, [prefix]) =>
    self.startsWith(text(prefix)) ? self.slice(text(prefix).length) : self,
  ),
  removesuffix: method('removesuffix', ['suffix'], 1, (self, [suffix]) =>
    suffix !== '' && self.endsWith(text(suffix)) ? self.slice(0, -text(suffix).length) : self,
  ),
  zfill: method('zfill', ['width'], 1, (self, [width]) => {
    const size = sizeOf(width)
    const sign = /^[+-]/.test(self) ? self.slice(0, 1) : ''
    const rest = self.slice(sign.length)
    return sign + '0'.repeat(Math.max(0, size - sign.length - textLength(rest))) + rest
  }),
  ljust: method(
    'ljust',
    ['width', 'fillchar'],
    1,
    (self, [width, fill = ' ']) =>
      self + text(fill).repeat(Math.max(0, sizeOf(width) - textLength(self))),
  ),
  rjust: method(
    'rjust',
    ['width', 'fillchar'],
    1,
    (self, [width, fill = ' ']) =>
      text(fill).repeat(Math.max(0, sizeOf(width) - textLength(self))) + self,
  ),
  center: method('center', ['width', 'fillchar'], 1, (self, [width, fill = ' ']) =>
    center(self, sizeOf(width), text(fill)),
  ),
  expandtabs: method('expandtabs', ['tabsize'], 0, (self, [size = 8]) =>
    self.replaceAll(
      /(.*?)\t/g,
      (_all, before: string) =>
        before + ' '.repeat(asIndex(size) - (before.length % asIndex(size))),
    ),
  ),
  isdigit: simple((self) => /^[\p{Nd}²³¹⁰⁴-⁹₀-₉]+$/u.test(self)),
  isdecimal: simple((self) => /^\p{Nd}+$/u.test(self)),
  isnumeric: simple((self) => /^\p{N}+$/u.test(self)),
  isalpha: simple((self) => /^\p{L}+$/u.test(self)),
  isalnum: simple((self) => /^[\p{L}\p{N}]+$/u.test(self)),
  isspace: simple((self) => self !== '' && codePoints(self).every((c) => SPACE.test(c))),
  isascii: simple((self) => !/[\u0080-\uffff]/.test(self)),
  islower: simple((self) => /\p{Ll}/u.test(self) && !/[\p{Lu}\p{Lt}]/u.test(self)),
  isupper: simple((self) => /\p{Lu}/u.test(self) && !/[\p{Ll}\p{Lt}]/u.test(self)),
  istitle: simple((self) => /\p{Lu}/u.test(self) && titleCase(self) === self),
  isidentifier: simple((self) => /^[\p{L}_][\p{L}\p{N}_]*$/u.test(self)),
  format: (self, args, kwargs) => strFormat(self as string, args, kwargs, PLAIN_ACCESS),
}

/** In `'{0.name}'.format(x)` only keys and indices are reachable: the sandbox's attributes are not. */
const PLAIN_ACCESS = {
  attribute: (value: Value, name: string): Value => {
    const method = typeof value === 'object' && value !== null && 'attribute' in value
    const found = method ? (value as { attribute(n: string): Value }).attribute(name) : undefined
    if (found === undefined) throw new PythonError('AttributeError', `no attribute '${name}'`)
    return found
  },
  item: (value: Value, key: Value): Value => {
    const found =
      Array.isArray(value) && isInt(key) ? value.at(Number(key)) : mappingGet(value, key)
    if (found === undefined) throw new PythonError('KeyError', `'${key}'`)
    return found
  },
}

function sizeOf(width: Value): number {
  checkLength(asIndex(width))
  return asIndex(width)
}

/** Lower case without JavaScript's final-sigma rule for a sigma that stands alone. */
const lower = (self: string) => self.toLowerCase()

export function capitalize(self: string): string {
  const [first = '', ...rest] = codePoints(self)
  // A letter that becomes two in capitals keeps only the first of them large: ß gives Ss.
  const [large = '', ...small] = codePoints(first.toUpperCase())
  return large + (small.join('') + rest.join('')).toLowerCase()
}

function titleCase(self: string): string {
  return self.replace(/\p{L}+/gu, (word) => capitalize(word))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: Python counts these as blanks
const SPACE = /[\s\x1c-\x1f\x85]/

export function strip(self: string, chars: Value, atStart: boolean, atEnd: boolean): string {
  const set = chars === null || chars === undefined ? undefined : new Set(codePoints(text(chars)))
  const isStripped = (c: string) => (set ? set.has(c) : SPACE.test(c))
  const points = codePoints(self)
  let from = 0
  let to = points.length
  while (atStart && from < to && isStripped(points[from] ?? '')) from++
  while (atEnd && to > from && isStripped(points[to - 1] ?? '')) to--
  return points.slice(from, to).join('')
}

export function join(separator: string, items: Value): string {
  const parts = Array.from(iterate(items), (item, index) => {
    if (typeof item === 'string') return item
    throw typeError(`sequence item ${index}: expected str instance, ${typeName(item)} found`)
  })
  checkLength(parts.reduce((sum, part) => sum + part.length + separator.length, 0))
  return parts.join(separator)
}

export function replaceText(self: string, old: string, fresh: string, count = -1): string {
  const parts = old === '' ? ['', ...codePoints(self), ''] : self.split(old)
  checkLength(self.length + parts.length * fresh.length)
  if (count < 0 || parts.length - 1 <= count) return parts.join(fresh)
  return (
    parts.slice(0, count + 1).join(fresh) +
    (count < parts.length ? old : '') +
    parts.slice(count + 1).join(old)
  )
}

/** `text[start:end]` as `find` and its kind take it. */
function range(
  self: string,
  start: Value,
  end: Value,
): { part: string; from: number; isValid: boolean } {
  const length = textLength(self)
  const clamp = (value: Value, missing: number) => {
    if (value === undefined || value === null) return missing
    const index = asIndex(value)
    return index < 0 ? Math.max(0, index + length) : index
  }
  const from = clamp(start, 0)
  const to = Math.min(clamp(end, length), length)
  return { part: textSlice(self, from, Math.max(from, to)), from, isValid: from <= to }
}

function find(self: string, [sub, start, end]: readonly Value[], fromRight: boolean): number {
  const { part, from, isValid } = range(self, start, end)
  if (!isValid) return -1
  const at = fromRight ? part.lastIndexOf(text(sub)) : part.indexOf(text(sub))
  return at < 0 ? -1 : from + textLength(part.slice(0, at))
}

function found(index: number): number {
  if (index < 0) throw valueError('substring not found')
  return index
}

function affixed(
  self: string,
  [affix, start, end]: readonly Value[],
  test: (part: string, affix: string) => boolean,
): boolean {
  const { part, isValid } = range(self, start, end)
  const affixes = affix instanceof Tuple ? [...affix] : [affix]
  return affixes.some((one) => test(part, text(one)) && isValid)
}

function partition(self: string, separator: Value, fromRight: boolean): Tuple {
  const sep = text(separator)
  if (sep === '') throw valueError('empty separator')
  const at = fromRight ? self.lastIndexOf(sep) : self.indexOf(sep)
  if (at < 0) return fromRight ? Tuple.of('', '', self) : Tuple.of(self, '', '')
  return Tuple.of(self.slice(0, at), sep, self.slice(at + sep.length))
}

/** Python puts the odd blank on the left when both the gap and the width are odd. */
export function center(self: string, width: number, fill: string): string {
  const gap = width - textLength(self)
  if (gap <= 0) return self
  const left = Math.floor(gap / 2) + (gap & width & 1)
  return fill.repeat(left) + self + fill.repeat(gap - left)
}
