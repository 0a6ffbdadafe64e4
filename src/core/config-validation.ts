import {
  AirbyteError,
  isObject,
  type JsonObject,
  type JsonSchema,
  type JsonValue,
} from '../protocol/index.ts'
import { isFound } from '../runtime/declarative/python/pattern.ts'
import { choosesSecrets } from '../vault/index.ts'
import { keywordProblems } from './config-keywords.ts'
import { narrow } from './config-unions.ts'
import { nearest } from './nearest.ts'

export interface ConfigProblem {
  /** Path of the field, such as `config.ssl_mode.mode` or `config.tables[0]`. */
  field: string
  /** What is wrong, as the end of a sentence that begins with the field. Never holds the value. */
  message: string
  didYouMean?: string[]
}

export interface ConfigOptions {
  /**
   * Secret fields may be missing, masked or of any form, and so may a choice between ways to give them:
   * they are entered elsewhere.
   */
  ignoreSecrets?: boolean
  /** Fields that the spec does not know are taken, as JSON Schema has it, unless it forbids them. */
  open?: boolean
}

/**
 * Checks a config against a connector's `connectionSpecification` and returns it with the defaults
 * filled in. Fields that the spec does not know are problems, unless it says
 * `additionalProperties: true`. Throws VALIDATION_FAILED: `field` is the first wrong field, the
 * message lists all of them.
 *
 * @example
 * const config = validateConfig(source.spec().connectionSpecification, { host: 'db', port: 5432 })
 */
export function validateConfig(
  spec: JsonSchema,
  config: JsonObject,
  options: ConfigOptions = {},
): JsonObject {
  const { value, problems } = checkConfig(spec, config, options)
  const [first] = problems
  if (first === undefined) return value
  const message = `${problems.map((p) => `${p.field} ${p.message}`).join('; ')}.`
  throw new AirbyteError('VALIDATION_FAILED', message, {
    field: first.field,
    didYouMean: first.didYouMean,
  })
}

/** As `validateConfig`, for callers that show every problem beside its field. */
export function checkConfig(
  spec: JsonSchema,
  config: JsonObject,
  options: ConfigOptions = {},
): { value: JsonObject; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = []
  const value = visit({ type: 'object', ...spec }, config, 'config', {
    ignoreSecrets: options.ignoreSecrets ?? false,
    open: options.open ?? false,
    problems,
  })
  return { value: value as JsonObject, problems }
}

interface Walk {
  ignoreSecrets: boolean
  open: boolean
  problems: ConfigProblem[]
}

function visit(declared: JsonSchema, value: JsonValue, path: string, walk: Walk): JsonValue {
  if (walk.ignoreSecrets && declared.airbyte_secret === true) return value
  const fits = (schema: JsonSchema) => {
    const trial: Walk = { ...walk, problems: [] }
    visit(schema, value, path, trial)
    return trial.problems.length === 0
  }
  const { schema, problem } = narrow(declared, value, path, fits)
  if (problem) walk.problems.push(problem)
  if (!schema) return value

  const wrong = keywordProblems(schema, value)
  walk.problems.push(...wrong.map((message) => ({ field: path, message })))
  if (isObject(value)) return visitObject(schema, value, path, walk)
  if (Array.isArray(value) && isObject(schema.items)) {
    const items = schema.items as JsonSchema
    return value.map((item, index) => visit(items, item, `${path}[${index}]`, walk))
  }
  return value
}

function visitObject(schema: JsonSchema, value: JsonObject, path: string, walk: Walk): JsonObject {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>
  const required = new Set((schema.required ?? []) as string[])
  const filled = new Map(Object.entries(value))

  for (const [name, property] of Object.entries(properties)) {
    if (!filled.has(name) && property.default !== undefined) {
      filled.set(name, structuredClone(property.default) as JsonValue)
    }
  }
  for (const name of required) {
    if (filled.has(name) || (walk.ignoreSecrets && isEnteredElsewhere(properties[name]))) continue
    walk.problems.push({ field: `${path}.${name}`, message: 'is missing' })
  }
  for (const [name, given] of filled) {
    const property = propertyOf(schema, properties, name, walk.open)
    if (property === undefined) walk.problems.push(unknownField(path, name, properties))
    else filled.set(name, visit(property, given, `${path}.${name}`, walk))
  }
  return Object.fromEntries(filled)
}

const isEnteredElsewhere = (property: JsonSchema = {}) =>
  property.airbyte_secret === true || choosesSecrets(property)

/** The schema of a field by its name; undefined when there is none and none may be added. */
function propertyOf(
  schema: JsonSchema,
  properties: Record<string, JsonSchema>,
  name: string,
  byDefault: boolean,
): JsonSchema | undefined {
  if (Object.hasOwn(properties, name)) return properties[name]
  const patterns = Object.entries((schema.patternProperties ?? {}) as Record<string, JsonSchema>)
  const matching = patterns.find(([pattern]) => isFound(pattern, name))
  if (matching) return matching[1]
  const additional = schema.additionalProperties
  if (isObject(additional)) return additional as JsonSchema
  // An object without declared fields is a free map; any other is closed unless it says otherwise.
  const open = additional ?? (byDefault || schema.properties === undefined)
  return open === true ? {} : undefined
}

function unknownField(
  path: string,
  name: string,
  properties: Record<string, JsonSchema>,
): ConfigProblem {
  const didYouMean = nearest(name, Object.keys(properties))
  const advice = didYouMean.length > 0 ? `did you mean ${didYouMean.join(' or ')}?` : fieldList()
  return { field: `${path}.${name}`, message: `is not a known field (${advice})`, didYouMean }

  function fieldList() {
    return `known: ${Object.keys(properties).join(', ') || 'none'}`
  }
}
