import type { JsonSchema } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import { customPart } from '../custom/part.ts'
import type { Environment } from '../environment.ts'
import { parseFloatText, parseInteger } from '../python/numbers.ts'
import { str } from '../python/text.ts'
import {
  asNumber,
  float,
  isFloat,
  isInt,
  isPlainObject,
  truthy,
  type Value,
} from '../python/values.ts'
import type { RecordData } from './types.ts'

/** Brings each value to the type that the schema gives it, in place; what cannot be stays. */
export function normalizer(
  selector: Component,
  env: Environment,
  schema: JsonSchema = {},
): ((record: RecordData) => void) | undefined {
  const mode = selector.get('schema_normalization')
  if (mode === undefined || mode === 'None') return undefined
  if (typeof mode === 'object') {
    const child = selector.child('schema_normalization')
    const normalize = customPart('schemaNormalization', child, env.custom, { env })
    return (record) => normalize(record, schema)
  }
  if (mode !== 'Default') {
    throw selector.refuse('Only None and Default are known here.', 'schema_normalization')
  }
  return (record) => normalizeObject(record, schema)
}

function normalizeObject(record: RecordData, schema: JsonSchema): void {
  const properties = schema.properties
  if (!isPlainObject(properties)) return
  for (const [name, subschema] of Object.entries(properties)) {
    if (!Object.hasOwn(record, name) || !isPlainObject(subschema)) continue
    record[name] = normalizeValue(record[name], subschema)
  }
}

function normalizeValue(value: Value, schema: JsonSchema): Value {
  const converted = convert(value, schema)
  if (isPlainObject(converted)) normalizeObject(converted, schema)
  else if (Array.isArray(converted) && isPlainObject(schema.items)) {
    const items = schema.items
    converted.forEach((item, index) => {
      converted[index] = normalizeValue(item, items)
    })
  }
  return converted
}

const SCALARS = new Set(['boolean', 'number', 'integer', 'string'])

function convert(value: Value, schema: JsonSchema): Value {
  const declared = Array.isArray(schema.type) ? schema.type : [schema.type]
  if (value === null && declared.includes('null')) return null
  const types = declared.filter((type) => type !== 'null')
  if (types.length !== 1) return value
  switch (types[0]) {
    case 'string':
      return str(value)
    case 'number':
      return toFloat(value)
    case 'integer':
      return toInteger(value)
    case 'boolean':
      return typeof value === 'string' ? toBoolean(value) : truthy(value)
    case 'array':
      return typeof value !== 'object' && itemsAreScalars(schema) ? [value] : value
    default:
      return value
  }
}

function itemsAreScalars(schema: JsonSchema): boolean {
  const type = isPlainObject(schema.items) ? schema.items.type : undefined
  // A single type that is no list counts as none that is known, as in the reference.
  if (type !== undefined && !Array.isArray(type)) return false
  return (type ?? []).every((name) => SCALARS.has(String(name)))
}

function toFloat(value: Value): Value {
  if (typeof value === 'string') {
    const parsed = parseFloatText(value)
    return parsed === undefined ? value : float(parsed)
  }
  // Digits beyond a double's would be lost: the integer stays.
  if (typeof value === 'bigint') return value
  return isInt(value) || typeof value === 'boolean' ? float(asNumber(value)) : value
}

function toInteger(value: Value): Value {
  if (typeof value === 'string') return parseInteger(value) ?? value
  if (typeof value === 'boolean') return value ? 1 : 0
  return isFloat(value) && Number.isFinite(asNumber(value)) ? Math.trunc(asNumber(value)) : value
}

const YES = new Set(['y', 'yes', 't', 'true', 'on', '1'])
const NO = new Set(['n', 'no', 'f', 'false', 'off', '0'])

function toBoolean(text: string): Value {
  const lower = text.toLowerCase()
  if (YES.has(lower)) return true
  return NO.has(lower) ? false : text
}
