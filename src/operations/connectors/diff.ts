/** What changes from one release of a connector to another, as far as its manifests tell. */
import type { JsonSchema, JsonValue } from '../../protocol/index.ts'
import type { InspectedStream, ManifestReport } from '../../runtime/declarative/index.ts'
import { flattenSpec, type SpecField } from '../spec-fields.ts'

export interface SpecDifference {
  added: { path: string; type: string; required: boolean; secret: boolean }[]
  removed: string[]
  nowRequired: string[]
  nowSecret: string[]
  noLongerSecret: string[]
  retyped: Retyped[]
}

export interface Retyped {
  path: string
  from: string
  to: string
}

export interface StreamsDifference {
  added: string[]
  removed: string[]
  /** They could be read before and cannot be read with the other release. */
  refused: { name: string; reason: string }[]
  changed: StreamDifference[]
  /** Both releases have streams that only the config or the API tells; they are not compared. */
  dynamic: string[]
}

export interface StreamDifference {
  name: string
  primaryKey?: { from: string[][]; to: string[][] }
  cursorField?: { from: string | null; to: string | null }
  /** `dynamic`: the fields come from the API and are not known here. */
  schema: 'static' | 'dynamic'
  fields?: { added: string[]; removed: string[]; retyped: Retyped[] }
}

export function specDifference(before: JsonSchema, after: JsonSchema): SpecDifference {
  const [old, now] = [fieldsByPath(before), fieldsByPath(after)]
  const both = [...now].flatMap(([path, field]) => {
    const known = old.get(path)
    return known ? [{ path, known, field }] : []
  })
  const pathsWhere = (test: (known: SpecField, field: SpecField) => boolean) =>
    both.filter(({ known, field }) => test(known, field)).map(({ path }) => path)
  return {
    added: [...now]
      .filter(([path]) => !old.has(path))
      .map(([path, { type, required, secret }]) => ({ path, type, required, secret })),
    removed: [...old.keys()].filter((path) => !now.has(path)),
    nowRequired: pathsWhere((known, field) => !known.required && field.required),
    nowSecret: pathsWhere((known, field) => !known.secret && field.secret),
    noLongerSecret: pathsWhere((known, field) => known.secret && !field.secret),
    retyped: both
      .filter(({ known, field }) => known.type !== field.type)
      .map(({ path, known, field }) => ({ path, from: known.type, to: field.type })),
  }
}

/** A field that stands in several variants of a choice is one for each. */
const fieldsByPath = (spec: JsonSchema) =>
  new Map(
    flattenSpec(spec).map((field) => [
      field.when ? `${field.path} (${field.when})` : field.path,
      field,
    ]),
  )

export function streamsDifference(
  before: ManifestReport,
  after: ManifestReport,
): StreamsDifference {
  const [old, now] = [streamsByName(before), streamsByName(after)]
  const both = [...now.values()].flatMap((stream) => {
    const known = old.get(stream.name)
    return known ? [{ known, stream }] : []
  })
  return {
    added: [...now.keys()].filter((name) => !old.has(name)),
    removed: [...old.keys()].filter((name) => !now.has(name)),
    refused: both.flatMap(({ known, stream: { name, refused } }) =>
      refused !== undefined && known.refused === undefined
        ? [{ name, reason: refused.slice(0, 300) }]
        : [],
    ),
    changed: both.flatMap(({ known, stream }) => streamDifference(known, stream) ?? []),
    dynamic: [...new Set([...before.dynamicStreams, ...after.dynamicStreams])],
  }
}

const streamsByName = ({ streams }: ManifestReport) =>
  new Map(streams.map((stream) => [stream.name, stream]))

function streamDifference(
  before: InspectedStream,
  after: InspectedStream,
): StreamDifference | undefined {
  const [from, to] = [before.cursorField ?? null, after.cursorField ?? null]
  const isStatic = before.schema !== undefined && after.schema !== undefined
  const fields = fieldsDifference(before.schema ?? {}, after.schema ?? {})
  const change: StreamDifference = {
    name: after.name,
    ...(!same(before.primaryKey, after.primaryKey) && {
      primaryKey: { from: before.primaryKey, to: after.primaryKey },
    }),
    ...(from !== to && { cursorField: { from, to } }),
    schema: isStatic ? 'static' : 'dynamic',
    ...(isStatic && fields && { fields }),
  }
  const wasStatic = (before.schema === undefined) === (after.schema === undefined)
  return Object.keys(change).length > 2 || !wasStatic ? change : undefined
}

function fieldsDifference(before: JsonSchema, after: JsonSchema): StreamDifference['fields'] {
  const [old, now] = [schemaFields(before), schemaFields(after)]
  const difference = {
    added: [...now.keys()].filter((path) => !old.has(path)),
    removed: [...old.keys()].filter((path) => !now.has(path)),
    retyped: [...now].flatMap(([path, to]) => {
      const from = old.get(path)
      return from === undefined || from === to ? [] : [{ path, from, to }]
    }),
  }
  return Object.values(difference).some((list) => list.length > 0) ? difference : undefined
}

const MAX_LEVELS = 6

/** Each field of a schema by its path, with its type: `address.city` → `null | string`. */
function schemaFields(schema: JsonSchema, prefix = '', level = 0): Map<string, string> {
  const fields = new Map<string, string>()
  if (level > MAX_LEVELS) return fields
  for (const [name, property] of Object.entries(objectOf(schema.properties))) {
    const inner = objectOf(property)
    const path = prefix === '' ? name : `${prefix}.${name}`
    fields.set(path, typeOf(inner))
    const items = objectOf(inner.items)
    for (const [below, type] of schemaFields(inner, path, level + 1)) fields.set(below, type)
    for (const [below, type] of schemaFields(items, `${path}[]`, level + 1)) fields.set(below, type)
  }
  return fields
}

/** A format makes another column of it. */
function typeOf(schema: JsonSchema): string {
  const types = [schema.type ?? 'any'].flat().map(String).sort()
  const detail = schema.airbyte_type ?? schema.format
  return `${types.join(' | ')}${detail === undefined ? '' : ` (${detail})`}`
}

const objectOf = (value: unknown): JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : {}

const same = (a: JsonValue, b: JsonValue) => JSON.stringify(a) === JSON.stringify(b)
