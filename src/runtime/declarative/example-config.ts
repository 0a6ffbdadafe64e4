import { isObject, type JsonObject, type JsonSchema, type JsonValue } from '../../protocol/index.ts'
import { isFound } from './python/pattern.ts'

/** Tried in turn against the pattern of a field. */
const TEXTS = [
  ...['2024-01-01T00:00:00Z', '2024-01-01T00:00:00.000000Z', '2024-01-01', '2024-01-01 00:00:00'],
  ...['1', 'example', 'example.com', 'https://example.com', 'https://example.com/'],
]

/** A config of the form that a spec asks for, to see whether a manifest can be built at all. */
export const exampleConfig = (spec: JsonSchema): JsonObject => objectOf(spec)

function exampleOf(schema: JsonSchema): JsonValue {
  if (schema.default !== undefined) return schema.default as JsonValue
  if (schema.const !== undefined) return schema.const as JsonValue
  for (const choices of [schema.enum, schema.examples]) {
    if (Array.isArray(choices) && choices.length > 0) return ofType(schema, choices[0])
  }
  const variant = [schema.oneOf, schema.anyOf].flat().find(isObject)
  const isMap = variant !== undefined || isObject(schema.properties)
  const type = [schema.type].flat().find((name) => name !== 'null') ?? (isMap && 'object')
  switch (type) {
    case 'object':
      return { ...objectOf(schema), ...(variant && (asObject(variant) as JsonObject)) }
    case 'array':
      return isObject(schema.items) ? [exampleOf(schema.items)] : []
    case 'integer':
    case 'number':
      return typeof schema.minimum === 'number' ? schema.minimum : 1
    case 'boolean':
      return false
    default:
      return textFor(schema)
  }
}

const asObject = (variant: JsonSchema) => exampleOf({ type: 'object', ...variant })

/** The examples of a list are often those of its items. */
function ofType({ type }: JsonSchema, example: JsonValue): JsonValue {
  return [type].flat().includes('array') && !Array.isArray(example) ? [example] : example
}

function objectOf({ properties }: JsonSchema): JsonObject {
  if (!isObject(properties)) return {}
  const fields = Object.entries(properties).filter(([, field]) => isObject(field))
  return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf(field as JsonSchema)]))
}

function textFor({ format, pattern }: JsonSchema): string {
  if (format === 'date') return '2024-01-01'
  if (format === 'date-time') return '2024-01-01T00:00:00Z'
  const fits = (text: string) => typeof pattern === 'string' && isFound(pattern, text)
  return TEXTS.find(fits) ?? 'example'
}
