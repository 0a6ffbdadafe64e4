import { isObject, type JsonSchema, type JsonValue } from '../protocol/index.ts'
import type { ConfigProblem } from './config-validation.ts'
import { nearest } from './nearest.ts'

/**
 * Replaces `oneOf`, `anyOf` and `allOf` by one plain schema: that of the branch which the value
 * chose. Airbyte's unions name their branch by a field with a constant (`ssl_mode.mode`), so a
 * mistake is explained by that field and not as "matches no schema".
 * No `schema` in the result: no branch could be chosen, and `problem` says why.
 */
export function narrow(
  declared: JsonSchema,
  value: JsonValue,
  path: string,
  fits: (schema: JsonSchema) => boolean,
): { schema?: JsonSchema; problem?: ConfigProblem } {
  const { oneOf, anyOf, allOf, ...rest } = declared
  const schema = ((allOf ?? []) as JsonSchema[]).reduce(merge, rest)
  const union = (oneOf ?? anyOf) as JsonSchema[] | undefined
  if (!union || union.length === 0) return { schema }

  const branches = union.map((branch) => merge(schema, branch))
  const tag = discriminatorOf(branches)
  if (tag === undefined || !isObject(value)) return byTrial(branches, tag, path, fits)

  const given = value[tag]
  const chosen = branches.find((branch) => constantOf(propertiesOf(branch)[tag]) === given)
  if (chosen) return { schema: chosen }
  const field = `${path}.${tag}`
  if (given !== undefined) {
    const names = branches.map((branch) => String(constantOf(propertiesOf(branch)[tag])))
    const didYouMean = nearest(String(given), names)
    return { problem: { field, message: mustBe(branches, tag), didYouMean } }
  }
  const possible = branches.filter(fits)
  if (possible.length === 1) return { schema: possible[0] }
  return { problem: { field, message: `is missing; it ${mustBe(branches, tag)}` } }
}

function byTrial(
  branches: JsonSchema[],
  tag: string | undefined,
  path: string,
  fits: (schema: JsonSchema) => boolean,
): { schema?: JsonSchema; problem?: ConfigProblem } {
  const schema = branches.find(fits)
  if (schema) return { schema }
  if (tag !== undefined) {
    return {
      problem: { field: path, message: `must be an object whose ${tag} ${mustBe(branches, tag)}` },
    }
  }
  const forms = branches.map((branch) => branch.title ?? branch.type ?? 'an object')
  return { problem: { field: path, message: `must have one of the forms: ${forms.join(', ')}` } }
}

function mustBe(branches: JsonSchema[], tag: string): string {
  const constants = branches.map((branch) => constantOf(propertiesOf(branch)[tag]))
  return `must be one of ${constants.map((c) => JSON.stringify(c)).join(', ')}`
}

/** The field that every branch has with a constant of its own. */
function discriminatorOf(branches: JsonSchema[]): string | undefined {
  const [first] = branches
  return Object.keys(propertiesOf(first)).find((name) => {
    const constants = branches.map((branch) => constantOf(propertiesOf(branch)[name]))
    return !constants.includes(undefined) && new Set(constants).size === branches.length
  })
}

/** Specs write a constant as `const` or as an `enum` of one. */
function constantOf(property: JsonSchema | undefined): unknown {
  if (property?.const !== undefined) return property.const
  const values = property?.enum as unknown[] | undefined
  return values?.length === 1 ? values[0] : undefined
}

/** One schema that holds what both say; the branch has the last word. */
export function merge(base: JsonSchema, branch: JsonSchema): JsonSchema {
  const required = [base.required, branch.required].flatMap((r) => (r ?? []) as string[])
  return {
    ...base,
    ...branch,
    ...(base.properties || branch.properties
      ? { properties: { ...propertiesOf(base), ...propertiesOf(branch) } }
      : {}),
    ...(required.length > 0 ? { required } : {}),
  }
}

const propertiesOf = (schema: JsonSchema | undefined) =>
  (schema?.properties ?? {}) as Record<string, JsonSchema>
