import type { JsonSchema } from '../protocol/index.ts'

export interface SpecField {
  /** `credentials.personal_access_token` */
  path: string
  type: string
  required: boolean
  secret: boolean
  title?: string
  description?: string
  enum?: unknown[]
  default?: unknown
  examples?: unknown[]
  /** Set when the field exists only in one variant of a `oneOf`: `replication_method.method = "CDC"`. */
  when?: string
}

/** A spec as a flat list that a person or a model can read; `oneOf` variants follow their choice. */
export function flattenSpec(schema: JsonSchema, prefix = '', when?: string): SpecField[] {
  const required = new Set((schema.required as string[] | undefined) ?? [])
  return ordered(schema).flatMap(([name, property]) => {
    if (property.const !== undefined) return []
    const path = prefix ? `${prefix}.${name}` : name
    const variants = property.oneOf as JsonSchema[] | undefined
    if (variants)
      return [field(path, property, required.has(name), when), ...choices(variants, path)]
    if (property.type === 'object' && property.properties) return flattenSpec(property, path, when)
    return [field(path, property, required.has(name), when)]
  })
}

function choices(variants: JsonSchema[], path: string): SpecField[] {
  return variants.flatMap((variant) => {
    const tag = ordered(variant).find(([, property]) => property.const !== undefined)
    const when = tag ? `${path}.${tag[0]} = ${JSON.stringify(tag[1].const)}` : String(variant.title)
    return flattenSpec(variant, path, when)
  })
}

function field(path: string, property: JsonSchema, required: boolean, when?: string): SpecField {
  const { title, description, examples, oneOf } = property as {
    title?: string
    description?: string
    examples?: unknown[]
    oneOf?: JsonSchema[]
  }
  const tags = oneOf?.flatMap((variant) =>
    ordered(variant).flatMap(([name, p]) => (p.const === undefined ? [] : [{ [name]: p.const }])),
  )
  const values = (property.enum as unknown[] | undefined) ?? tags
  return {
    path,
    type: [property.type ?? 'object'].flat().join(' | '),
    required,
    secret: property.airbyte_secret === true,
    ...(title && { title }),
    ...(description && { description }),
    ...(values && { enum: values }),
    ...(property.default !== undefined && { default: property.default }),
    ...(examples && { examples }),
    ...(when && { when }),
  }
}

/** By the spec's `order`, then as written. */
export function ordered(schema: JsonSchema): [string, JsonSchema][] {
  const entries = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)
  const rank = (property: JsonSchema) => (typeof property.order === 'number' ? property.order : 1e6)
  return entries.sort(([, a], [, b]) => rank(a) - rank(b))
}
