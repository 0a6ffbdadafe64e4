import { validate } from '@cfworker/json-schema'
import type { JsonSchema, JsonValue } from '../protocol/index.ts'
import { isFound } from '../runtime/declarative/python/pattern.ts'

/**
 * What one value breaks of its own schema's keywords (type, enum, bounds, pattern, format …),
 * without looking into fields or items. Messages end a sentence that begins with the field, and do
 * not repeat the value, which may be a secret in the wrong place.
 */
export function keywordProblems(schema: JsonSchema, value: JsonValue): string[] {
  const { pattern, ...own } = Object.fromEntries(
    Object.entries(schema).filter(([keyword]) => !WALKED.has(keyword)),
  )
  const { errors } = validate(value, own, '7', undefined, false)
  const wrongType = errors.find((error) => error.keyword === 'type')
  if (wrongType) return [`must be ${typeNames(schema)}, not ${typeOf(value)}`]
  const problems = errors.map(({ keyword, error }) => explain(schema, keyword) ?? error)
  if (typeof pattern === 'string' && typeof value === 'string' && !matches(pattern, value)) {
    problems.push(`must look like ${schema.pattern_descriptor ?? pattern}`)
  }
  return problems
}

/** Keywords that the walk over the config handles itself. */
const WALKED = new Set([
  'properties',
  'required',
  'additionalProperties',
  'patternProperties',
  'items',
])

function explain(schema: JsonSchema, keyword: string): string | undefined {
  const limit = schema[keyword]
  switch (keyword) {
    case 'enum':
      return `must be one of ${(limit as unknown[]).map((v) => JSON.stringify(v)).join(', ')}`
    case 'const':
      return `must be ${JSON.stringify(limit)}`
    case 'minimum':
      return `must be at least ${limit}`
    case 'maximum':
      return `must be at most ${limit}`
    case 'exclusiveMinimum':
      return `must be more than ${limit}`
    case 'exclusiveMaximum':
      return `must be less than ${limit}`
    case 'minLength':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} characters`
    case 'maxLength':
      return `must have at most ${limit} characters`
    case 'minItems':
      return `must have at least ${limit} items`
    case 'maxItems':
      return `must have at most ${limit} items`
    case 'format':
      return `must be a valid ${limit}`
    default:
      return undefined
  }
}

/** Patterns are written for many engines: one that this engine cannot read does not block. */
const matches = (pattern: string, value: string) => isFound(pattern, value, true)

function typeNames(schema: JsonSchema): string {
  const types = [schema.type].flat() as string[]
  return types.map((type) => withArticle(type)).join(' or ')
}

function typeOf(value: JsonValue): string {
  if (value === null) return 'null'
  return withArticle(Array.isArray(value) ? 'array' : typeof value)
}

const withArticle = (type: string) =>
  type === 'null' ? type : `${/^[aeio]/.test(type) ? 'an' : 'a'} ${type}`
