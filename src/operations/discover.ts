import type { AirbyteCatalog, AirbyteStream } from '../protocol/index.ts'
import type { OperationContext } from './define.ts'
import { runConnector } from './run-connector.ts'
import { findStream } from './stream-choices.ts'
import { iso } from './views.ts'

interface DiscoverQuery {
  stream?: string
  query?: string
  refresh?: boolean
  schemas?: boolean
  limit: number
  cursor?: string
}

/** The cached catalog; a fresh one where none is cached, the config changed since, or `refresh` asks. */
export async function catalogOf(
  ctx: OperationContext,
  sourceId: string,
  refresh = false,
): Promise<{ catalog: AirbyteCatalog; discoveredAt: number }> {
  const source = ctx.objects.source(sourceId)
  if (!refresh) {
    const [cached, { updatedAt }] = await Promise.all([source.catalog(), source.get()])
    if (cached && cached.discoveredAt >= updatedAt) return cached
  }
  const catalog = await runConnector(ctx, 'source', sourceId, ({ connector, context, config }) =>
    connector.discover(context, config),
  )
  await source.saveCatalog(catalog)
  return { catalog, discoveredAt: Date.now() }
}

export async function discoverStreams(
  ctx: OperationContext,
  sourceId: string,
  { stream, query = '', refresh, schemas, limit, cursor }: DiscoverQuery,
) {
  const { catalog, discoveredAt } = await catalogOf(ctx, sourceId, refresh)
  const wanted = query.toLowerCase()
  const found =
    stream === undefined
      ? catalog.streams.filter((s) =>
          `${s.namespace ?? ''}.${s.name}`.toLowerCase().includes(wanted),
        )
      : [findStream(catalog, stream, 'stream')]
  const start = Number(cursor ?? 0) || 0
  const next = start + limit
  const full = schemas === true || stream !== undefined
  return {
    streams: found.slice(start, next).map((s) => streamView(s, full)),
    total: found.length,
    ...(next < found.length && { cursor: String(next) }),
    discoveredAt: iso(discoveredAt),
  }
}

function streamView(stream: AirbyteStream, full: boolean) {
  const { name, namespace, json_schema: jsonSchema, supported_sync_modes: syncModes } = stream
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    syncModes,
    primaryKey: stream.source_defined_primary_key ?? [],
    cursorField: stream.default_cursor_field ?? [],
    sourceDefinedCursor: stream.source_defined_cursor ?? false,
    fieldCount: Object.keys(jsonSchema.properties ?? {}).length,
    captures: stream.captures,
    estimatedRows: stream.estimated_rows,
    ...(full && { jsonSchema }),
  }
}
