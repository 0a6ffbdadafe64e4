/**
 * PostgreSQL array literals (`{1,NULL,"a b"}`) and JSON arrays, each way.
 * @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
import { jsonbText } from './jsonb-text.ts'

/** What the elements of an array stand for in JSON. */
export type ElementKind =
  | 'number'
  | 'float'
  | 'boolean'
  | 'json'
  | 'jsonb'
  | 'money'
  | 'box'
  | 'string'

/** Their elements stay as they are written, also numbers with an exponent. */
const KEEPS_TEXT = new Set<ElementKind>(['json', 'float'])

/** Boxes have commas of their own. */
const delimiterOf = (kind: ElementKind) => (kind === 'box' ? ';' : ',')

/** Elements are JSON themselves, so that the array's own brackets are the outermost ones only. */
const isJson = (kind: ElementKind) => kind === 'json' || kind === 'jsonb'

/**
 * JSON array text as an array literal; undefined if the text is not a JSON array.
 * @example
 * arrayLiteral('[1,null,"a b"]', 'string') // '{1,NULL,"a b"}'
 */
export function arrayLiteral(json: string, kind: ElementKind): string | undefined {
  const normal = KEEPS_TEXT.has(kind) ? json.trim() : jsonbText(json)
  if (!normal?.startsWith('[')) return undefined
  return literal(splitJsonArray(normal), kind)
}

function literal(items: string[], kind: ElementKind): string {
  const printed = items.map((item) => {
    if (item === 'null') return 'NULL'
    if (isJson(kind)) return quoted(item, kind)
    if (item === 'true') return 't'
    if (item === 'false') return 'f'
    if (item.startsWith('[')) return literal(splitJsonArray(item), kind)
    if (item.startsWith('"')) return quoted(JSON.parse(item) as string, kind)
    return item.startsWith('{') ? quoted(item, kind) : item
  })
  return `{${printed.join(delimiterOf(kind))}}`
}

/** The items of a JSON array as JSON text, so that numbers keep their digits. */
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

const quoted = (value: string, kind: ElementKind) =>
  kind !== 'box' && NEEDS_QUOTES.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : value

/** Lower bounds other than 1, which come before the elements: `[0:1]={…}`. */
const BOUNDS = /^(?:\[[+-]?\d+:[+-]?\d+\])+=(?=\{)/

/** Whether a cell of an array column is PostgreSQL's own text, since JSON could not say it. */
export const isArrayLiteral = (text: string): boolean => text.startsWith('{') || BOUNDS.test(text)

/**
 * An array literal as JSON array text; undefined if it is none, or says what JSON cannot: bounds of its
 * own, several dimensions of JSON values, a JSON null that is not NULL.
 * @example
 * jsonOfArray('{1,NULL}', 'number') // '[1, null]'
 */
export function jsonOfArray(text: string, kind: ElementKind): string | undefined {
  if (!text.startsWith('{')) return undefined
  let isExact = true
  const reader = new LiteralReader(text, delimiterOf(kind), (value) => {
    if (isJson(kind) && value.trim() === 'null') isExact = false
    return jsonOfElement(value, kind)
  })
  const json = reader.array()
  return isExact && !(reader.isNested && isJson(kind)) ? json : undefined
}

/** As `jsonOfArray`, without what JSON cannot say. */
export const nearestJsonOfArray = (text: string, kind: ElementKind): string =>
  jsonOfElements(text, delimiterOf(kind), (value) => jsonOfElement(value, kind))

/** An array literal as JSON array text, with each element as `print` says it. */
export const jsonOfElements = (
  text: string,
  delimiter: string,
  print: (value: string) => string,
): string => new LiteralReader(text.replace(BOUNDS, ''), delimiter, print).array()

class LiteralReader {
  /** It has arrays within. */
  isNested = false
  private readonly text: string
  private readonly delimiter: string
  private readonly print: (value: string) => string
  private at = 0

  constructor(text: string, delimiter: string, print: (value: string) => string) {
    this.text = text
    this.delimiter = delimiter
    this.print = print
  }

  array(): string {
    this.at++
    const items: string[] = []
    while (this.at < this.text.length && this.text[this.at] !== '}') {
      items.push(this.element())
      if (this.text[this.at] === this.delimiter) this.at++
    }
    this.at++
    return `[${items.join(', ')}]`
  }

  private element(): string {
    if (this.text[this.at] === '{') {
      this.isNested = true
      return this.array()
    }
    if (this.text[this.at] === '"') return this.print(this.quoted())
    const start = this.at
    while (this.at < this.text.length && !this.ends(this.text[this.at])) this.at++
    const value = this.text.slice(start, this.at)
    return value === 'NULL' ? 'null' : this.print(value)
  }

  private ends(char: string | undefined): boolean {
    return char === '}' || char === this.delimiter
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
}

function jsonOfElement(value: string, kind: ElementKind): string {
  switch (kind) {
    case 'boolean':
      return value === 't' ? 'true' : 'false'
    case 'json':
      return value
    case 'jsonb':
      return jsonbText(value) ?? JSON.stringify(value)
    case 'money':
      return plainMoney(value)
    case 'float':
      if (/^-?\d/.test(value)) return value
      break
    case 'number':
      if (/^-?\d/.test(value)) return jsonbText(value) ?? `"${value}"`
  }
  return JSON.stringify(value)
}

/** As a cast to numeric prints an amount that the `C` locale prints as `-$1,234.50`. */
export const plainMoney = (text: string) => text.replaceAll(/[$,]/g, '')
