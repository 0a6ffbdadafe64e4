import type { JsonSchema } from '../../src/protocol/index.ts'

const SECRET_NAMES = /password|passphrase|secret|token|private_key|api_key|credentials_json/i

/** Fields whose name says secret and whose schema does not. */
export function secretProblems(schema: JsonSchema, path = ''): string[] {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)
  const own = properties.flatMap(([name, property]) => {
    // When a token expires is no secret.
    const isText = property.type === 'string' && property.format !== 'date-time'
    const isSecret = SECRET_NAMES.test(name) && isText
    const unmarked = isSecret && property.airbyte_secret !== true && property.const === undefined
    return unmarked ? [`${path}${name} is not marked airbyte_secret`] : []
  })
  const branches = [schema.oneOf, schema.anyOf].flatMap((list) => (list ?? []) as JsonSchema[])
  return [
    ...own,
    ...properties.flatMap(([name, property]) => secretProblems(property, `${path}${name}.`)),
    ...branches.flatMap((branch) => secretProblems(branch, path)),
  ]
}
