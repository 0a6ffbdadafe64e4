import { isObject, type JsonSchema, type JsonValue } from '../protocol/index.ts'

/** A place in a config: property names and array indexes; `*` stands for any index or key. */
export type Path = readonly (string | number)[]

/** RFC 6901. */
export const toPointer = (path: Path) =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

export const fromPointer = (pointer: string) =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))

/** A path as people and error messages name fields: `tunnel.keys[0].value`. */
export const toFieldName = (path: Path) =>
  path.reduce<string>((name, part) => {
    if (typeof part === 'number' || part === '*') return `${name}[${part}]`
    return name === '' ? part : `${name}.${part}`
  }, '')

/** A schema and every alternative within it that speaks about the same value. */
export function alternatives(schema: JsonSchema): JsonSchema[] {
  const inner = ['oneOf', 'anyOf', 'allOf'].flatMap((keyword) => schemasIn(schema[keyword]))
  return [schema, ...inner.flatMap(alternatives)]
}

/** Like `alternatives`, but of `oneOf` and `anyOf` only the variant whose constants the value bears. */
export function activeAlternatives(schema: JsonSchema, value: JsonValue | undefined): JsonSchema[] {
  const chosen = ['oneOf', 'anyOf'].flatMap((keyword) =>
    schemasIn(schema[keyword]).filter((variant) => bearsConstants(variant, value)),
  )
  return [schema, ...schemasIn(schema.allOf), ...chosen.slice(0, 1)].flatMap((part) =>
    part === schema ? [part] : activeAlternatives(part, value),
  )
}

/** Schemas of the member `key` (a property name or an index), by any of the given schemas. */
export function memberSchemas(schemas: JsonSchema[], key: string | number): JsonSchema[] {
  return schemas.flatMap((schema) => {
    if (typeof key === 'number') return schemasIn(schema.items)
    const own = propertiesOf(schema)[key]
    return own ? [own] : schemasIn(schema.additionalProperties)
  })
}

export const propertiesOf = (schema: JsonSchema) =>
  isObject(schema.properties) ? (schema.properties as Record<string, JsonSchema>) : {}

/** The constants by which variants of a `oneOf` are told apart, such as `{ method: 'ssl' }`. */
export function constantsOf(schema: JsonSchema): Map<string, unknown> {
  const constants = new Map<string, unknown>()
  for (const [name, property] of Object.entries(propertiesOf(schema))) {
    if ('const' in property) constants.set(name, property.const)
    else if (Array.isArray(property.enum) && property.enum.length === 1)
      constants.set(name, property.enum[0])
  }
  return constants
}

function bearsConstants(variant: JsonSchema, value: JsonValue | undefined): boolean {
  if (!isObject(value)) return false
  return [...constantsOf(variant)].every(([name, constant]) => value[name] === constant)
}

const schemasIn = (value: unknown): JsonSchema[] =>
  (Array.isArray(value) ? value : [value]).filter(isObject)
