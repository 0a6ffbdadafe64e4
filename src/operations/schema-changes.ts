import { fieldsIn, retypedFields, typeName } from '../core/normalization/index.ts'
import type { ActorRecord, ConnectionRecord, StreamConfig } from '../durable-object/rpc.ts'
import {
  type AirbyteCatalog,
  type AirbyteStream,
  type Column,
  columnsOf,
  type ErrorRecord,
  type StreamKey,
  streamKey,
  toAirbyteError,
} from '../protocol/index.ts'
import { tablesOf } from './connection-config.ts'
import type { OperationContext } from './define.ts'
import { catalogOf } from './discover.ts'
import { planStreams, type StreamOutlook, type StreamPlanView } from './plan/streams.ts'
import { chooseStreams } from './stream-choices.ts'

/**
 * What is different at the source since each stream was last synced, what the connection's policy
 * makes of it, and the statements that the next sync would run at the destination. Nothing is changed.
 */
export async function schemaChangesOf(ctx: OperationContext, connectionId: string) {
  const connection = ctx.objects.connection(connectionId)
  const [record, known] = await Promise.all([connection.get(), connection.known()])
  const { catalog } = await catalogOf(ctx, record.sourceId, true)
  const [source, destination] = await Promise.all([
    ctx.objects.source(record.sourceId).get(),
    ctx.objects.destination(record.destinationId).get(),
  ])
  const found = new Set(catalog.streams.map(streamKey))
  const there = record.streams.filter((stream) => found.has(streamKey(stream)))
  const outlooks = await planStreams(
    ctx,
    { ...record, streams: there },
    catalog,
    { source, destination },
    { connectionId, of: (key) => known[key] },
  )
  const changed = outlooks
    .map((outlook) =>
      changeOf(record, outlook, known[streamKey(outlook.config)]?.knownColumns ?? []),
    )
    .filter((change) => change !== null)
  const isNew = newStreams(record, catalog.streams)
  const unseen =
    record.schemaChanges === 'propagate_fully' ? await connection.unseen(isNew.map(streamKey)) : []
  return {
    policy: record.schemaChanges,
    ...(unseen.length > 0 && {
      additions: await additionsOf(ctx, record, catalog, { source, destination }, unseen),
    }),
    streams: [...record.streams.filter((s) => !found.has(streamKey(s))).map(goneOf), ...changed],
    newStreams: isNew.map(streamKey),
  }
}

function changeOf({ schemaChanges }: ConnectionRecord, outlook: StreamOutlook, known: Column[]) {
  const { found, config, view } = outlook
  if (known.length === 0) return null
  const now = columnsOf(found.json_schema)
  const expanded = outlook.planned?.mapping?.columns ?? outlook.planned?.flattened
  const ignored = outlook.planned?.ignored ?? []
  const difference = differenceOf(known, now, expanded, config.selectedFields, ignored)
  const { added, removed, retyped } = difference
  // What is new in objects and arrays is not among the columns of a stream that is refused for it.
  const isRefused = view.problem?.code === 'SCHEMA_CHANGED'
  if (added.length + removed.length + retyped.length === 0 && !isRefused) return null
  const isIgnored = schemaChanges === 'ignore' && retyped.length === 0
  return {
    stream: streamKey(config),
    effect: view.problem
      ? ('refused' as const)
      : isIgnored
        ? ('ignored' as const)
        : ('applied' as const),
    ...difference,
    statements: view.statements,
    ...(view.problem && { problem: view.problem }),
  }
}

const goneOf = (config: StreamConfig) => ({
  stream: streamKey(config),
  effect: 'refused' as const,
  ...{ added: [], removed: [], retyped: [], statements: [] },
  problem: {
    code: 'STREAM_NOT_FOUND',
    message: 'The source no longer has this stream.',
    hint: 'Remove it from the connection, or restore it at the source.',
  },
})

function newStreams({ streams }: ConnectionRecord, all: AirbyteStream[]): AirbyteStream[] {
  const own = new Set(streams.map(streamKey))
  return all.filter((stream) => !own.has(streamKey(stream)))
}

/** New streams that the next sync adds by itself, as it would plan them. */
async function additionsOf(
  ctx: OperationContext,
  record: ConnectionRecord,
  { streams }: AirbyteCatalog,
  actors: { source: ActorRecord; destination: ActorRecord },
  unseen: StreamKey[],
) {
  const { modes } = ctx.registries.destinations.get(actors.destination.type).capabilities
  const wanted = new Set(unseen)
  const additions: (StreamPlanView | { stream: StreamKey; problem: ErrorRecord })[] = []
  for (const stream of streams.filter((found) => wanted.has(streamKey(found)))) {
    const catalog = { streams: [stream] }
    try {
      const chosen = chooseStreams(catalog, undefined, { modes, cdc: false })
      const config = { ...record, streams: chosen }
      const tables = await tablesOf(ctx, config)
      await ctx.objects.destination(record.destinationId).checkTables(record.id, tables)
      const [outlook] = await planStreams(ctx, config, catalog, actors)
      if (outlook) additions.push(outlook.view)
    } catch (error) {
      additions.push({ stream: streamKey(stream), problem: toAirbyteError(error).toJSON() })
    }
  }
  return additions
}

/** Columns by name; a retype is what another column would be made for. */
function differenceOf(
  knownWhole: Column[],
  nowWhole: Column[],
  expanded: Column[] | undefined,
  selected: string[] | undefined,
  ignored: Column[],
) {
  const byName = new Map(expanded?.map((column) => [column.name, column]))
  const known = expanded ? knownWhole.flatMap((column) => fieldsIn(column)) : knownWhole
  const applied = nowWhole.flatMap((column) => fieldsIn(byName.get(column.name) ?? column))
  const now = [...applied, ...ignored]
  const before = new Map(known.map((column) => [column.name, column]))
  const after = new Map(now.map((column) => [column.name, column]))
  const wanted = selected && new Set(selected)
  return {
    added: now
      .filter(({ name }) => !before.has(name) && (wanted?.has(topOf(name)) ?? true))
      .map((column) => ({ name: column.name, type: typeName(column) })),
    removed: known.filter(({ name }) => !after.has(name)).map(({ name }) => name),
    retyped: retypedFields(known, now),
  }
}

/** Between the names of an object, or of an array, and what is in it. */
const IN = /\.|\[\]/

const topOf = (name: string) => name.split(IN, 1)[0] ?? name
