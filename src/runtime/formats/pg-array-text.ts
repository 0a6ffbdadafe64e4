/**
 * PostgreSQL array literals (`{1,NULL,"a b"}`) and JSON arrays, each way.
 * @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
import type { JsonValue } from '../../protocol/index.ts'
import { jsonbText } from './jsonb-text.ts'

/**
 * JSON array text as an array literal; undefined if the text is not a JSON array.
 * @example
 * arrayLiteral('[1,null,"a b"]') // '{1,NULL,"a b"}'
 */
export function arrayLiteral(json: string): string | undefined {
  const normal = jsonbText(json)
  if (!normal?.startsWith('[')) return undefined
  return literal(splitJsonArray(normal))
}

function literal(items: string[]): string {
  const printed = items.map((item) => {
    if (item === 'null') return 'NULL'
    if (item === 'true') return 't'
    if (item === 'false') return 'f'
    if (item.startsWith('[')) return literal(splitJsonArray(item))
    if (item.startsWith('"')) return quoted(JSON.parse(item) as string)
    return item.startsWith('{') ? quoted(item) : item
  })
  return `{${printed.join(',')}}`
}

/** The items of a normalised JSON array as JSON text, so that numbers keep their digits. */
function splitJsonArray(text: string): string[] {
  const items: string[] = []
  let depth = 0
  let start = 1
  let inString = false
  for (let at = 1; at < text.length; at++) {
    const char = text[at]
    if (inString) {
      if (char === '\\') at++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '[' || char === '{') depth++
    else if ((char === ']' || char === '}') && depth > 0) depth--
    else if ((char === ',' && depth === 0) || at === text.length - 1) {
      const item = text.slice(start, at).trim()
      if (item !== '') items.push(item)
      start = at + 1
    }
  }
  return items
}

const NEEDS_QUOTES = /^$|^null$|[{}",\\\s]/i

const quoted = (value: string) =>
  NEEDS_QUOTES.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : value

/** What the elements of an array stand for in JSON. */
export type ElementKind = 'number' | 'boolean' | 'json' | 'string'

/**
 * An array literal as JSON array text; undefined if it is none, or has bounds of its own (`[0:1]={…}`).
 * @example
 * jsonOfArray('{1,NULL}', 'number') // '[1, null]'
 */
export function jsonOfArray(text: string, kind: ElementKind): string | undefined {
  if (!text.startsWith('{')) return undefined
  const reader = new LiteralReader(text, kind)
  return reader.array()
}

class LiteralReader {
  private readonly text: string
  private readonly kind: ElementKind
  private at = 0

  constructor(text: string, kind: ElementKind) {
    this.text = text
    this.kind = kind
  }

  array(): string {
    this.at++
    const items: string[] = []
    while (this.at < this.text.length && this.text[this.at] !== '}') {
      items.push(this.element())
      if (this.text[this.at] === ',') this.at++
    }
    this.at++
    return `[${items.join(', ')}]`
  }

  private element(): string {
    if (this.text[this.at] === '{') return this.array()
    if (this.text[this.at] === '"') return this.json(this.quoted(), true)
    const start = this.at
    while (this.at < this.text.length && !',}'.includes(this.text[this.at] as string)) this.at++
    return this.json(this.text.slice(start, this.at), false)
  }

  private quoted(): string {
    let value = ''
    for (this.at++; this.at < this.text.length && this.text[this.at] !== '"'; this.at++) {
      if (this.text[this.at] === '\\') this.at++
      value += this.text[this.at]
    }
    this.at++
    return value
  }

  private json(value: string, wasQuoted: boolean): string {
    if (!wasQuoted && value === 'NULL') return 'null'
    if (this.kind === 'boolean') return value === 't' ? 'true' : 'false'
    if (this.kind === 'json') return jsonbText(value) ?? JSON.stringify(value satisfies JsonValue)
    if (this.kind === 'number' && /^-?\d/.test(value)) return jsonbText(value) ?? `"${value}"`
    return JSON.stringify(value)
  }
}
