import { isObject, type JsonSchema, type JsonValue } from '../../protocol/index.ts'
import { equal } from './python/equality.ts'
import { isFound } from './python/pattern.ts'

type Schema = JsonSchema | boolean

/**
 * What a value breaks first of a JSON Schema (draft 7), with the path inside the value; undefined
 * when it adheres. Formats are not looked at, as in Airbyte's CDK. A pattern runs a bounded number
 * of steps: the schema comes with a manifest.
 *
 * @example
 * schemaProblem({ type: 'object', required: ['id'] }, {}) // "'id' is missing"
 */
export function schemaProblem(schema: Schema, value: JsonValue): string | undefined {
  return problemOf(schema, value, { root: schema, path: '', depth: 0, work: { left: MOST_WORK } })
}

interface Walk {
  root: Schema
  path: string
  depth: number
  work: { left: number }
}

/** A schema that refers to itself without end stops here. */
const DEEPEST = 200
const MOST_WORK = 100_000

function problemOf(schema: Schema, value: JsonValue, walk: Walk): string | undefined {
  if (typeof schema === 'boolean') return schema ? undefined : at(walk, 'nothing is allowed here')
  if (walk.depth > DEEPEST || --walk.work.left < 0) return at(walk, 'the schema has no end')
  const inner = { ...walk, depth: walk.depth + 1 }
  if (typeof schema.$ref === 'string') {
    return problemOf(resolve(schema.$ref, walk.root), value, inner)
  }
  return (
    valueProblem(schema, value, walk) ??
    (typeof value === 'string' ? textProblem(schema, value, walk) : undefined) ??
    (typeof value === 'number' ? numberProblem(schema, value, walk) : undefined) ??
    (Array.isArray(value) ? listProblem(schema, value, inner) : undefined) ??
    (isObject(value) ? objectProblem(schema, value, inner) : undefined) ??
    combinedProblem(schema, value, inner)
  )
}

const at = ({ path }: Walk, message: string) => (path ? `${path}: ${message}` : message)
const below = (walk: Walk, key: string | number): Walk => ({
  ...walk,
  path:
    typeof key === 'number'
      ? `${walk.path}[${key}]`
      : walk.path === ''
        ? key
        : `${walk.path}.${key}`,
})

function resolve(reference: string, root: Schema): Schema {
  let node: unknown = root
  for (const part of reference.replace(/^#\/?/, '').split('/').filter(Boolean)) {
    node = (node as Record<string, unknown> | undefined)?.[
      decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    ]
  }
  return isObject(node) || typeof node === 'boolean' ? node : true
}

const TYPES: Record<string, (value: JsonValue) => boolean> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  array: Array.isArray,
  object: isObject,
}

function valueProblem(schema: JsonSchema, value: JsonValue, walk: Walk): string | undefined {
  const { type, enum: allowed } = schema
  if (type !== undefined) {
    const names = [type].flat() as string[]
    if (!names.some((name) => TYPES[name]?.(value)))
      return at(walk, `must be ${names.join(' or ')}`)
  }
  if (Array.isArray(allowed) && !allowed.some((item) => equal(item, value))) {
    return at(walk, `must be one of ${allowed.map((item) => JSON.stringify(item)).join(', ')}`)
  }
  if ('const' in schema && !equal(schema.const, value)) {
    return at(walk, `must be ${JSON.stringify(schema.const)}`)
  }
  return undefined
}

function textProblem(schema: JsonSchema, value: string, walk: Walk): string | undefined {
  const length = [...value].length
  if (isBelow(length, schema.minLength)) return at(walk, 'is too short')
  if (isBeyond(length, schema.maxLength)) return at(walk, 'is too long')
  const { pattern } = schema
  return typeof pattern === 'string' && !isFound(pattern, value)
    ? at(walk, `does not look like ${pattern}`)
    : undefined
}

function numberProblem(schema: JsonSchema, value: number, walk: Walk): string | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  const isOut =
    isBelow(value, minimum) ||
    isBeyond(value, maximum) ||
    (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) ||
    (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum)
  if (isOut) return at(walk, 'is out of bounds')
  return typeof multipleOf === 'number' && !Number.isInteger(value / multipleOf)
    ? at(walk, `is no multiple of ${multipleOf}`)
    : undefined
}

function listProblem(schema: JsonSchema, value: JsonValue[], walk: Walk): string | undefined {
  if (isBelow(value.length, schema.minItems)) return at(walk, 'has too few items')
  if (isBeyond(value.length, schema.maxItems)) return at(walk, 'has too many items')
  if (schema.uniqueItems === true) {
    const isRepeated = value.some((item, index) =>
      value.slice(0, index).some((one) => equal(one, item)),
    )
    if (isRepeated) return at(walk, 'has an item twice')
  }
  const { items, additionalItems, contains } = schema
  for (const [index, item] of value.entries()) {
    const own = Array.isArray(items) ? (items[index] ?? additionalItems) : items
    const problem = isSchema(own) ? problemOf(own, item, below(walk, index)) : undefined
    if (problem) return problem
  }
  const isFound = !isSchema(contains) || value.some((item) => !problemOf(contains, item, walk))
  return isFound ? undefined : at(walk, 'lacks an item')
}

function objectProblem(
  schema: JsonSchema,
  value: Record<string, JsonValue>,
  walk: Walk,
): string | undefined {
  const names = Object.keys(value)
  if (isBelow(names.length, schema.minProperties)) return at(walk, 'has too few fields')
  if (isBeyond(names.length, schema.maxProperties)) return at(walk, 'has too many fields')
  const required = Array.isArray(schema.required) ? schema.required.map(String) : []
  const missing = required.find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) return at(walk, `'${missing}' is missing`)
  const properties = isObject(schema.properties) ? schema.properties : {}
  const patterns = Object.entries(
    isObject(schema.patternProperties) ? schema.patternProperties : {},
  )
  for (const name of names) {
    const own: unknown[] = patterns
      .filter(([pattern]) => isFound(pattern, name))
      .map(([, one]) => one)
    if (Object.hasOwn(properties, name)) own.push(properties[name])
    if (own.length === 0) own.push(schema.additionalProperties)
    for (const one of own) {
      const problem = isSchema(one)
        ? problemOf(one, value[name] as JsonValue, below(walk, name))
        : undefined
      if (problem) return problem
    }
    const { propertyNames } = schema
    const nameProblem = isSchema(propertyNames) ? problemOf(propertyNames, name, walk) : undefined
    if (nameProblem) return nameProblem
  }
  return undefined
}

function combinedProblem(schema: JsonSchema, value: JsonValue, walk: Walk): string | undefined {
  const fits = (one: unknown) => !isSchema(one) || problemOf(one, value, walk) === undefined
  for (const one of Array.isArray(schema.allOf) ? schema.allOf : []) {
    const problem = isSchema(one) ? problemOf(one, value, walk) : undefined
    if (problem) return problem
  }
  if (Array.isArray(schema.anyOf) && !schema.anyOf.some(fits)) {
    return at(walk, 'is none of what is allowed')
  }
  if (Array.isArray(schema.oneOf) && schema.oneOf.filter(fits).length !== 1) {
    return at(walk, 'must be exactly one of what is allowed')
  }
  if (isSchema(schema.not) && fits(schema.not)) return at(walk, 'is what is not allowed')
  if (!isSchema(schema.if)) return undefined
  const branch = fits(schema.if) ? schema.then : schema.else
  return isSchema(branch) ? problemOf(branch, value, walk) : undefined
}

const isSchema = (value: unknown): value is Schema => typeof value === 'boolean' || isObject(value)
const isBelow = (size: number, limit: unknown) => typeof limit === 'number' && size < limit
const isBeyond = (size: number, limit: unknown) => typeof limit === 'number' && size > limit
