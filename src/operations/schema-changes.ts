import type { ConnectionRecord, StreamConfig } from '../durable-object/rpc.ts'
import { type AirbyteStream, type Column, columnsOf, streamKey } from '../protocol/index.ts'
import type { OperationContext } from './define.ts'
import { catalogOf } from './discover.ts'
import { planStreams, type StreamOutlook } from './plan/streams.ts'

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
  return {
    policy: record.schemaChanges,
    streams: [...record.streams.filter((s) => !found.has(streamKey(s))).map(goneOf), ...changed],
    newStreams: newStreams(record, catalog.streams),
  }
}

function changeOf({ schemaChanges }: ConnectionRecord, outlook: StreamOutlook, known: Column[]) {
  const { found, config, view } = outlook
  if (known.length === 0) return null
  const difference = differenceOf(known, columnsOf(found.json_schema), config.selectedFields)
  const { added, removed, retyped } = difference
  if (added.length + removed.length + retyped.length === 0) return null
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

function newStreams({ streams }: ConnectionRecord, all: AirbyteStream[]): string[] {
  const own = new Set(streams.map(streamKey))
  return all.map(streamKey).filter((key) => !own.has(key))
}

/** Columns by name; a retype is what another column would be made for. */
function differenceOf(known: Column[], now: Column[], selected: string[] | undefined) {
  const before = new Map(known.map((column) => [column.name, column]))
  const after = new Map(now.map((column) => [column.name, column]))
  const wanted = selected && new Set(selected)
  return {
    added: now
      .filter(({ name }) => !before.has(name) && (wanted?.has(name) ?? true))
      .map((column) => ({ name: column.name, type: typeOf(column) })),
    removed: known.filter(({ name }) => !after.has(name)).map(({ name }) => name),
    retyped: known.flatMap((column) => {
      const other = after.get(column.name)
      const [from, to] = [typeOf(column), other ? typeOf(other) : '']
      return other && from !== to ? [{ name: column.name, from, to }] : []
    }),
  }
}

const typeOf = ({ type, native }: Column): string => native?.type ?? type
