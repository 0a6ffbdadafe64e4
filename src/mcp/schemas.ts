import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server'
import type { z } from 'zod'

type Json = Record<string, unknown>

/**
 * A tool's input schema: published as JSON Schema, but not checked here. The operation checks its
 * input itself and answers as every face does, with the field and the nearest names.
 */
export const inputSchema = perSchema((schema) => standard(schema, (value) => ({ value })))

/** A tool's output schema, without what only makes it longer for the model. */
export const outputSchema = perSchema((schema) =>
  standard(schema, (value) => schema['~standard'].validate(value)),
)

/** A server is built for every request; its schemas are the same each time and cost milliseconds. */
function perSchema(make: (schema: z.ZodObject) => StandardSchemaWithJSON) {
  const made = new WeakMap<z.ZodObject, StandardSchemaWithJSON>()
  return (schema: z.ZodObject): StandardSchemaWithJSON => {
    const known = made.get(schema) ?? make(schema)
    made.set(schema, known)
    return known
  }
}

type ToJson = StandardSchemaWithJSON['~standard']['jsonSchema']['input']

function once(convert: ToJson): ToJson {
  const converted = new Map<string, Json>()
  return (options) => {
    const known = converted.get(options.target) ?? convert(options)
    converted.set(options.target, known)
    return known
  }
}

type Validate = StandardSchemaWithJSON['~standard']['validate']

function standard(schema: z.ZodObject, validate: Validate): StandardSchemaWithJSON {
  const { jsonSchema } = schema['~standard'] as unknown as StandardSchemaWithJSON['~standard']
  return {
    '~standard': {
      version: 1,
      vendor: 'airbyte',
      validate,
      jsonSchema: {
        input: once((options) => slimRoot(jsonSchema.input(options))),
        output: once((options) => slimRoot(jsonSchema.output(options))),
      },
    },
  }
}

/** Sizes that the operation checks itself, with a better message than a schema error. */
const BOUNDS = new Set(['minLength', 'maxLength', 'minItems', 'maxItems', '$schema'])

/** Strictness is said once, at the root; inside, a wrong field is refused all the same. */
function slimRoot(schema: Json): Json {
  const { additionalProperties } = schema
  return {
    ...(slim(schema) as Json),
    ...(additionalProperties === false && { additionalProperties }),
  }
}

/** Drops what costs a model tokens and tells it nothing: sizes, "safe integer", patterns of formats. */
function slim(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(slim)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => !isNoise(key, value, node as Json) && !isAdvanced(value))
      .map(([key, value]) => [key, slim(value)]),
  )
}

function isNoise(key: string, value: unknown, parent: Json): boolean {
  if (key === 'pattern') return typeof parent.format === 'string'
  if (key === 'additionalProperties') return typeof value !== 'object' || isEmpty(value)
  // Under `properties` these are names of fields, whose schemas are objects.
  if (BOUNDS.has(key)) return typeof value !== 'object'
  return (
    (key === 'exclusiveMinimum' && value === 0) ||
    (key === 'maximum' && value === Number.MAX_SAFE_INTEGER) ||
    (key === 'minimum' && value === Number.MIN_SAFE_INTEGER)
  )
}

/** A field that is taken but not offered. */
const isAdvanced = (value: unknown) =>
  typeof value === 'object' && value !== null && 'x-advanced' in value

const isEmpty = (value: object | null) => value === null || Object.keys(value).length === 0
