import type { JsonObject, JsonSchema, JsonValue } from '../../../../src/protocol/index.ts'

/**
 * A synthetic value that fills every field of a schema, the n-th always the same. `known` are the
 * fields that mean something to the mock: identities, moments, references.
 */
export function rowOf(schema: JsonSchema, n: number, known: JsonObject = {}): JsonObject {
  return { ...(fill(schema, n, 'row') as JsonObject), ...known }
}

function fill(schema: JsonSchema, n: number, name: string): JsonValue {
  const type = typeOf(schema)
  if (type === 'object') {
    const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)
    if (properties.length === 0) return { [`synthetic_${name}`]: String(n) }
    return Object.fromEntries(properties.map(([key, inner]) => [key, fill(inner, n, key)]))
  }
  if (type === 'array') return [fill((schema.items ?? {}) as JsonSchema, n, name)]
  if (type === 'boolean') return n % 2 === 0
  if (type === 'integer') return n + name.length
  if (type === 'number') return n + 0.5
  return TEXTS[String(schema.format)]?.(n) ?? `${name} ${n}`
}

const TEXTS: Record<string, (n: number) => string> = {
  date: (n) => `2026-01-${String((n % 28) + 1).padStart(2, '0')}`,
  'date-time': (n) => `2026-01-01T00:00:${String(n % 60).padStart(2, '0')}Z`,
}

function typeOf({ type }: JsonSchema): string {
  const types = (Array.isArray(type) ? type : [type]) as string[]
  return types.find((candidate) => candidate !== 'null') ?? 'string'
}
