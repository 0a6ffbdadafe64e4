import { isMapping } from '../python/mappings.ts'
import { str } from '../python/text.ts'
import type { Value } from '../python/values.ts'
import type { Fields } from './options.ts'

/**
 * `path` relative to `base`, which gets a trailing slash first. A path that begins with a slash
 * replaces the base's path; one with a scheme replaces all. An empty path leaves the base as it is.
 */
export function joinUrl(base: string, path: string): string {
  if (path === '') return base
  if (base === '' || /^[a-z][a-z0-9+.-]*:\/\//i.test(path)) return path
  const origin = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)([^?#]*)/i.exec(
    base.endsWith('/') ? base : `${base}/`,
  )
  if (!origin) return path
  const [, host = '', directory = '/'] = origin
  if (path.startsWith('//')) return `${host.slice(0, host.indexOf('//'))}${path}`
  if (path.startsWith('/')) return host + path
  const [, own = '', rest = ''] = /^([^?#]*)(.*)$/s.exec(path) ?? []
  if (own === '') return host + directory + rest
  const folder = directory.slice(0, directory.lastIndexOf('/') + 1) || '/'
  return host + withoutDotsOrGaps(folder + own) + rest
}

/** `/a//./b/../c` → `/a/c`, as Python's urljoin does: empty segments inside go too. */
function withoutDotsOrGaps(path: string): string {
  const kept: string[] = []
  const segments = path.split('/')
  for (const [index, segment] of segments.entries()) {
    const isInner = index > 0 && index < segments.length - 1
    if (segment === '..') kept.length > 1 && kept.pop()
    else if (segment !== '.' && (segment !== '' || !isInner)) kept.push(segment)
  }
  if (/\/\.\.?$/.test(path)) kept.push('')
  return kept.join('/')
}

/** The URL with these parameters added, except those it already has with the same value. */
export function withParameters(url: string, parameters: Fields): string {
  const hash = url.indexOf('#')
  const target = requoted(hash === -1 ? url : url.slice(0, hash))
  const mark = target.indexOf('?')
  const present = new Map<string, string>()
  if (mark !== -1) {
    for (const [key, value] of new URLSearchParams(target.slice(mark + 1))) {
      if (!present.has(key) && value !== '') present.set(key, value)
    }
  }
  const added: string[] = []
  for (const [key, value] of parameters) {
    if (present.get(key) === str(value)) continue
    added.push(...encodePairs(key, value))
  }
  if (added.length === 0) return target
  const glue = mark === -1 ? '?' : target.endsWith('?') || target.endsWith('&') ? '' : '&'
  return target + glue + added.join('&')
}

/**
 * An address as Python's `requests` writes it: what may not stand in one is escaped, which WHATWG's
 * URL does for fewer characters; letters and digits need no escape.
 */
function requoted(url: string): string {
  if (/^[\w\-.~!$&'()*+,;=:@/?]*$/.test(url)) return url
  const [, head = '', path = '', query = ''] =
    /^([a-z][\w+.-]*:\/\/[^/?]*)?([^?]*)(.*)$/is.exec(url) ?? []
  return head + quoted(path) + quoted(query)
}

function quoted(part: string): string {
  // One % that begins no escape makes all of them text.
  const isText = /%(?![0-9a-f]{2})/i.test(part)
  const foreign = isText ? /[^\w\-.~!$&'()*+,;=:@/?]/gu : /[^\w\-.~!$&'()*+,;=:@/?%]/gu
  return part
    .toWellFormed()
    .replace(/%[0-9a-f]{2}/gi, (escaped) => escaped.toUpperCase())
    .replace(foreign, encodeURIComponent)
    .replace(/%[0-9A-F]{2}/g, (escaped) => {
      const char = String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
      return /[\w\-.~]/.test(char) ? char : escaped
    })
}

/** Fields as `application/x-www-form-urlencoded`; a list repeats its key. */
export function encodeForm(fields: Fields): string {
  return [...fields].flatMap(([key, value]) => encodePairs(key, value)).join('&')
}

function encodePairs(key: string, value: Value): string[] {
  const values = Array.isArray(value) ? value : isMapping(value) ? [] : [value]
  return values
    .filter((item) => item !== null && item !== undefined)
    .map((item) => `${quotePlus(key)}=${quotePlus(str(item))}`)
}

/** Python's `quote_plus`: a space is `+`; `_.-~` and letters and digits stay. */
export function quotePlus(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
