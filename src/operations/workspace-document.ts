import { parse, stringify, YAMLParseError } from 'yaml'
import { z } from 'zod'
import { AirbyteError, type JsonObject, type JsonValue } from '../protocol/index.ts'
import { MASK } from '../vault/index.ts'
import type { OperationContext } from './define.ts'
import {
  config,
  connectionSettings,
  entityName,
  nameOrId,
  schedule,
  streamChoice,
} from './fields.ts'
import type { EntityKind, IndexRow } from './tenant.ts'
import { parseInput } from './validate.ts'
import { scheduleView } from './views.ts'

const actor = z.strictObject({ name: entityName, type: nameOrId, config })
const connection = z.strictObject({
  name: entityName,
  source: nameOrId,
  destination: nameOrId,
  status: z.enum(['active', 'paused']).optional(),
  schedule: schedule.optional(),
  streams: z.array(streamChoice).min(1).optional(),
  ...connectionSettings,
})
const document = z.strictObject({
  version: z.literal(1),
  sources: z.array(actor).default([]),
  destinations: z.array(actor).default([]),
  connections: z.array(connection).default([]),
})

/** A workspace as a file: everything by name, nothing by id, no secrets. */
export type WorkspaceDocument = z.output<typeof document>
export type ActorEntry = z.output<typeof actor>
export type ConnectionEntry = z.output<typeof connection>

/** @throws VALIDATION_FAILED with the line, or with the path of the wrong field */
export function parseDocument(yaml: string): WorkspaceDocument {
  let raw: unknown
  try {
    raw = parse(yaml, { maxAliasCount: 100 })
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    throw new AirbyteError('VALIDATION_FAILED', `The YAML does not parse: ${error.message}`, {
      field: 'yaml',
    })
  }
  return parseInput(document, raw)
}

/** The workspace as YAML. Secrets are `${env:NAME}` references. */
export async function exportDocument(ctx: OperationContext): Promise<string> {
  const [sources, destinations, connections] = await Promise.all([
    allRows(ctx, 'source'),
    allRows(ctx, 'destination'),
    allRows(ctx, 'connection'),
  ])
  const names = new Map([...sources, ...destinations].map(({ id, name }) => [id, name]))
  return stringify({
    version: 1,
    sources: await Promise.all(sources.map((row) => actorEntry(ctx, 'source', row))),
    destinations: await Promise.all(destinations.map((row) => actorEntry(ctx, 'destination', row))),
    connections: await Promise.all(connections.map((row) => connectionEntry(ctx, row, names))),
  })
}

export async function allRows(
  ctx: OperationContext,
  kind: EntityKind,
  filter: { connectorId?: string } = {},
): Promise<IndexRow[]> {
  const rows: IndexRow[] = []
  let cursor: string | undefined
  do {
    const page = await ctx.tenant.list({ ...filter, kind, limit: 100, cursor })
    rows.push(...page.items)
    cursor = page.cursor
  } while (cursor)
  return rows
}

async function actorEntry(ctx: OperationContext, kind: 'source' | 'destination', row: IndexRow) {
  const { name, type, config: stored } = await ctx.objects[kind](row.id).get()
  return { name, type, config: withReferences(stored, [name]) as JsonObject }
}

/** `password` of `orders-db` → `${env:ORDERS_DB_PASSWORD}`. */
function withReferences(value: JsonValue, path: string[]): JsonValue {
  if (value === MASK) return `\${env:${path.join('_').toUpperCase().replaceAll(/\W+/g, '_')}}`
  if (Array.isArray(value))
    return value.map((item, i) => withReferences(item, [...path, String(i)]))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withReferences(inner, [...path, key])]),
  )
}

async function connectionEntry(
  ctx: OperationContext,
  row: IndexRow,
  names: Map<string, string>,
): Promise<ConnectionEntry> {
  const record = await ctx.objects.connection(row.id).get()
  const { namespace, prefix, normalization, transfer, schemaChanges, maxRejects, limits } = record
  return {
    name: record.name,
    source: names.get(record.sourceId) ?? record.sourceId,
    destination: names.get(record.destinationId) ?? record.destinationId,
    status: record.status,
    schedule: scheduleView(record.schedule),
    ...(namespace !== undefined && { namespace }),
    ...(prefix !== undefined && { prefix }),
    ...{ normalization, transfer, schemaChanges, maxRejects },
    ...(limits && { limits }),
    ...(record.flattening && { flattening: record.flattening }),
    ...(record.freshnessSeconds && { freshnessSeconds: record.freshnessSeconds }),
    streams: record.streams,
  }
}
