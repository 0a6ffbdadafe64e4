import { bind } from '../python/arguments.ts'
import { base64Decode, base64Encode } from '../python/base64.ts'
import { PythonError, typeError } from '../python/errors.ts'
import { hexDigest, hexHmac } from '../python/hashes.ts'
import { iterate } from '../python/iteration.ts'
import { dumps } from '../python/json.ts'
import { isMapping, mappingEntries } from '../python/mappings.ts'
import { compileRegex } from '../python/regex.ts'
import { str } from '../python/text.ts'
import { quote } from '../python/urls.ts'
import { asIndex, PyObject, truthy, typeName, type Value } from '../python/values.ts'
import type { Filters } from './filters.ts'
import { Undefined } from './undefined.ts'

export const ENCODING_FILTERS: Filters = {
  hash: (value, args, kwargs) => {
    const [type = 'md5', salt] = bind('hash', args, kwargs, ['hash_type', 'salt'])
    return hexDigest(str(value) + (truthy(salt) ? str(salt) : ''), text(type))
  },
  hmac: (value, args, kwargs) => {
    const [key, type = 'sha256'] = bind('hmac', args, kwargs, ['key', 'hash_type'], 1)
    return hexHmac(str(value), str(key), str(type))
  },
  base64encode: (value) => base64Encode(defined(value)),
  base64decode: (value) => base64Decode(defined(value)),
  base64binascii_decode: (value) => {
    if (typeof defined(value) === 'string' && /[\u0080-\uffff]/.test(value as string))
      throw new PythonError('UnicodeError', 'the text is not ASCII')
    return base64Encode(value)
  },
  /** Anything but text becomes JSON inside triple quotes, which literal evaluation reads as text. */
  string: (value) => (typeof value === 'string' ? value : `"""${dumps(value)}"""`),
  regex_search: (value, args, kwargs) => {
    const [pattern] = bind('regex_search', args, kwargs, ['regex'], 1)
    const match = compileRegex(text(pattern)).search(text(value))
    if (!match || match.groups.length < 2) return ''
    return match.groups[1] ?? null
  },
  regex_replace: (value, args, kwargs) => {
    const [pattern, replacement] = bind('regex_replace', args, kwargs, ['regex', 'replacement'], 2)
    return compileRegex(text(pattern)).replace(text(value), text(replacement))
  },
  tojson: (value, args, kwargs) => {
    const [indent] = bind('tojson', args, kwargs, ['indent'])
    const spaces = indent === undefined || indent === null ? undefined : asIndex(indent)
    return htmlSafe(dumps(value, { sortKeys: true, indent: spaces }))
  },
  urlencode: (value) => urlEncode(value),
}

function text(value: Value): string {
  if (typeof value === 'string') return value
  throw typeError(`expected text, not ${typeName(value)}`)
}

const defined = (value: Value): Value => (value instanceof Undefined ? value.fail() : value)

const htmlSafe = (json: string) =>
  json
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e')
    .replaceAll('&', '\\u0026')
    .replaceAll("'", '\\u0027')

const encodePart = (value: Value) => quote(str(value), '').replaceAll('%20', '+')

/** Text is percent-encoded; a dict or pairs become a query string. */
function urlEncode(value: Value): string {
  const isPairs = isMapping(value) || Array.isArray(value) || value instanceof Undefined
  if (!isPairs && !(value instanceof PyObject && isIterable(value))) return quote(str(value))
  const pairs = isMapping(value) ? mappingEntries(value) : iterate(value)
  return Array.from(pairs as Iterable<Value>, (pair) => {
    const [key, item, ...more] = [...iterate(pair)]
    if (item === undefined || more.length > 0)
      throw new PythonError('ValueError', 'urlencode takes pairs of key and value')
    return `${encodePart(key)}=${encodePart(item)}`
  }).join('&')
}

function isIterable(value: PyObject): boolean {
  return value.typeName === 'generator' || value.typeName.startsWith('dict_')
}
