import type { JsonValue } from '../../../protocol/index.ts'
import { checkLength, typeError, valueError } from './errors.ts'
import { parseExactly } from './json-numbers.ts'
import { isMapping, mappingEntries } from './mappings.ts'
import { floatText } from './text.ts'
import { isFloat, isInt, PyFloat, typeName, type Value } from './values.ts'

export interface DumpOptions {
  /** Spaces a level; absent for one line. */
  indent?: number
  sortKeys?: boolean
}

/** Python's `json.dumps(value)`: a space after `,` and `:`, everything beyond ASCII escaped. */
export function dumps(value: Value, options: DumpOptions = {}, level = 0): string {
  if (level > 200) throw valueError('Circular reference detected')
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'boolean' || isInt(value)) return String(value)
  if (isFloat(value)) return jsonFloat(value instanceof PyFloat ? value.value : value)
  const next = (item: Value) => dumps(item, options, level + 1)
  if (Array.isArray(value)) return block('[', Array.from(value, next), ']', options, level)
  if (!isMapping(value))
    throw typeError(`Object of type ${typeName(value)} is not JSON serializable`)
  const entries = Array.from(mappingEntries(value), ([key, item]) => [jsonKey(key), item] as const)
  if (options.sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const members = entries.map(([key, item]) => `${quote(key)}: ${next(item)}`)
  return block('{', members, '}', options, level)
}

function block(open: string, items: string[], close: string, options: DumpOptions, level: number) {
  checkLength(items.reduce((sum, item) => sum + item.length, 0))
  if (!options.indent || items.length === 0) return open + items.join(', ') + close
  const inner = `\n${' '.repeat(options.indent * (level + 1))}`
  return `${open}${inner}${items.join(`,${inner}`)}\n${' '.repeat(options.indent * level)}${close}`
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  return floatText(value)
}

function jsonKey(key: Value): string {
  if (typeof key === 'string') return key
  if (key === null || typeof key === 'boolean' || isInt(key)) return String(key)
  if (isFloat(key)) return jsonFloat(Number(key))
  throw typeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`)
}

const NOT_ASCII = /[\u007f-\uffff]/g

function quote(text: string): string {
  return JSON.stringify(text).replace(NOT_ASCII, (unit) =>
    unit === '\u007f' ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/**
 * JSON text as Python's `json.loads` reads it: ints beyond 2^53 become `bigint`, and `2.0` stays a
 * float.
 * @throws SyntaxError for anything that is not JSON (also `NaN`, which Python would take)
 */
export const loads = parseExactly

/**
 * A value as JSON can hold it: floats as numbers, tuples as lists, dicts as objects with text keys.
 * `bigint` stays (the record writers keep its digits); dates become text.
 */
export function toJson(value: Value): unknown {
  if (value instanceof PyFloat) return value.value
  if (Array.isArray(value)) return Array.from(value, toJson)
  if (isMapping(value)) {
    const entries = Array.from(mappingEntries(value), ([key, item]) => [jsonKey(key), toJson(item)])
    return Object.fromEntries(entries)
  }
  return typeof value === 'object' && value !== null ? String(value) : value
}

/**
 * The same for what is saved with a position, which is plain JSON: an integer beyond 2^53 is text,
 * which templates read as the integer again.
 */
export function toSavedJson(value: Value): JsonValue {
  const json = toJson(value)
  const isPlain = typeof json !== 'bigint' && typeof json !== 'object'
  return (isPlain ? json : JSON.parse(JSON.stringify(json, textOfBigInt))) as JsonValue
}

const textOfBigInt = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? String(value) : value
