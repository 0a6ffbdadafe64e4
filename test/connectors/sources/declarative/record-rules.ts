import type {
  AirbyteStream,
  JsonObject,
  JsonSchema,
  JsonValue,
  ReadEvent,
} from '../../../../src/protocol/index.ts'
import { asRecords, batchesOf } from '../../../conformance/reading.ts'

/** The rows that were read, as objects; nested values parsed. */
export function recordsOf(events: ReadEvent[]): JsonObject[] {
  return batchesOf(events).flatMap((batch) => {
    const { schema, columns, length } = asRecords(batch)
    return Array.from({ length }, (_, row) =>
      Object.fromEntries(
        schema.map(({ name, type }, c) => {
          const cell = columns[c]?.[row] ?? null
          const isJson = type === 'object' || type === 'array' || type === 'unknown'
          return [name, (isJson && cell !== null ? JSON.parse(String(cell)) : cell) as JsonValue]
        }),
      ),
    )
  })
}

/**
 * Where records depart from the stream's schema: a value of another type, a nested field that it
 * does not know, null where the schema does not allow it, and fields that no record fills.
 */
export function schemaProblems(
  { json_schema: schema }: AirbyteStream,
  records: JsonObject[],
  empty: string[],
): string[] {
  const problems = new Set<string>()
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)
  for (const [name, property] of properties) {
    for (const record of records) compare(property, record[name] ?? null, name, problems)
    const isFilled = records.some((record) => (record[name] ?? null) !== null)
    if (isFilled === empty.includes(name)) {
      problems.add(isFilled ? `${name} is filled after all` : `${name} is never filled`)
    }
  }
  return [...problems]
}

function compare(schema: JsonSchema, value: JsonValue, path: string, problems: Set<string>): void {
  const types = typesOf(schema)
  if (types.length > 0 && !types.includes(typeOf(value, types))) {
    problems.add(`${path} is ${typeOf(value, types)}, the schema says ${types.join(' or ')}`)
    return
  }
  if (Array.isArray(value)) {
    const items = schema.items as JsonSchema | undefined
    if (items) for (const item of value) compare(items, item, `${path}[]`, problems)
    return
  }
  const properties = schema.properties as Record<string, JsonSchema> | undefined
  if (typeof value !== 'object' || value === null || !properties) return
  for (const [name, inner] of Object.entries(value)) {
    const property = properties[name]
    if (property) compare(property, inner, `${path}.${name}`, problems)
    else problems.add(`${path}.${name} is not in the schema`)
  }
}

const typesOf = ({ type }: JsonSchema): string[] =>
  type === undefined ? [] : ((Array.isArray(type) ? type : [type]) as string[])

function typeOf(value: JsonValue | bigint, types: string[]): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value !== 'number' && typeof value !== 'bigint') return typeof value
  const isWhole = typeof value === 'bigint' || Number.isInteger(value)
  return isWhole && types.includes('integer') ? 'integer' : 'number'
}

/** The texts at the places of a config that its schema marks `airbyte_secret`. */
export function secretsIn(schema: JsonSchema, config: JsonValue): string[] {
  if (schema.airbyte_secret === true) return typeof config === 'string' ? [config] : []
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return []
  const branches = [schema, ...((schema.oneOf ?? []) as JsonSchema[])]
  const found = branches.flatMap(({ properties }) =>
    Object.entries((properties ?? {}) as Record<string, JsonSchema>).flatMap(([name, property]) =>
      secretsIn(property, config[name] ?? null),
    ),
  )
  return [...new Set(found)]
}
