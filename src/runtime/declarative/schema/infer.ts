import type { JsonObject, JsonSchema } from '../../../protocol/index.ts'
import { isMapping } from '../python/mappings.ts'
import { PyFloat, type Value } from '../python/values.ts'
import type { RecordData } from '../records/types.ts'

/**
 * A schema for records of an API that comes without one: the fields of some records with the types
 * they have there, every field nullable. A field of several types can hold anything.
 *
 * @example
 * inferSchema([{ id: 1, tags: [] }, { id: 2.5 }]).properties
 * // { id: { type: ['number', 'null'] }, tags: { type: ['array', 'null'] } }
 */
export function inferSchema(records: RecordData[]): JsonSchema {
  const types = new Map<string, Set<string>>()
  for (const record of records) {
    if (!isMapping(record)) continue
    for (const [name, value] of Object.entries(record)) {
      const seen = types.get(name) ?? new Set()
      const type = typeOf(value)
      if (type) seen.add(type)
      types.set(name, seen)
    }
  }
  const properties = Object.fromEntries([...types].map(([name, seen]) => [name, schemaOf(seen)]))
  return { type: 'object', additionalProperties: true, properties }
}

function schemaOf(types: Set<string>): JsonObject {
  if (types.has('number')) types.delete('integer')
  const [type = 'string', ...others] = types
  return others.length > 0 ? {} : { type: [type, 'null'] }
}

function typeOf(value: Value): string | undefined {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'bigint') return 'integer'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  if (value instanceof PyFloat) return 'number'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'object' ? 'object' : typeof value
}
