/** What a change of a connection would do, before it does it; and a hash that holds it to that. */

import { rekeyedStreams } from '../../core/sync-engine/rekeyed.ts'
import type { ConnectionConfig, ConnectionRecord, StreamPast } from '../../durable-object/rpc.ts'
import { type AirbyteCatalog, type StreamKey, stableJson, streamKey } from '../../protocol/index.ts'
import { type ConnectionInput, changeOf, tablesOf } from '../connection-config.ts'
import { checkContinuous } from '../continuous.ts'
import type { OperationContext } from '../define.ts'
import { catalogOf } from '../discover.ts'
import { estimateOf } from './estimate.ts'
import { hashOf, requireSame } from './hash.ts'
import { requireFreeName } from './index.ts'
import { shownOf } from './shown.ts'
import { planStreams } from './streams.ts'
import { type PlanWarning, warningsOf } from './warnings.ts'

export interface ConnectionChange extends Partial<ConnectionInput> {
  status?: ConnectionRecord['status']
}

/** Settings by which tables or what is in them becomes another. */
const OF_TABLES = ['streams', 'namespace', 'prefix', 'normalization', 'flattening'] as const
/** Of a stream, and how each of its rows is written. */
const OF_ROWS = ['selectedFields', 'mapping', 'normalization'] as const

/**
 * Looks at the connection and both its ends as they are now. Nothing is changed, claimed or written.
 * @throws what making the change would
 */
export async function planChange(ctx: OperationContext, id: string, input: ConnectionChange) {
  const { before, after, streams, rekeyed, hash } = await look(ctx, id, input)
  const difference = differenceOf(before, after)
  const { added, changed } = difference.streams
  const touched = new Set([...added, ...changed.map(({ stream }) => stream)])
  const concerned = streams.filter(
    ({ config }) => movesTables(before, after) || touched.has(streamKey(config)),
  )
  const isNew = new Set(added)
  const planned = shownOf(concerned)
  const fresh = streams.filter(({ config }) => isNew.has(streamKey(config)))
  return {
    planHash: hash,
    settings: difference.settings,
    streams: {
      ...difference.streams,
      planned: planned.streams,
      plannedCount: planned.streamCount,
    },
    ...(fresh.length > 0 && { estimate: estimateOf(fresh) }),
    warnings: [
      ...consequences(before, after, difference.streams, rekeyed),
      ...warningsOf(concerned),
    ],
  }
}

/** @throws PLAN_CHANGED naming what is different */
export async function requireChangePlan(
  ctx: OperationContext,
  id: string,
  input: ConnectionChange,
  planned: string,
): Promise<void> {
  requireSame(planned, (await look(ctx, id, input)).hash, 'changed')
}

async function look(ctx: OperationContext, id: string, { status, ...input }: ConnectionChange) {
  const connection = ctx.objects.connection(id)
  const [before, known] = await Promise.all([connection.get(), connection.known()])
  const change = await changeOf(ctx, before, input, true)
  const after: ConnectionRecord = { ...before, ...change, ...(status && { status }) }
  await requireFreeName(ctx, after.name, id)
  if (change.schedule || change.streams) await checkContinuous(ctx, after)
  const ends = { source: before.sourceId, destination: before.destinationId }
  await ctx.objects.destination(ends.destination).checkTables(id, await tablesOf(ctx, after))
  const [source, destination] = await Promise.all([
    ctx.objects.source(ends.source).get(),
    ctx.objects.destination(ends.destination).get(),
  ])
  const rekeyed = rekeyedStreams(before.streams, after.streams, (key) => known[key]?.writtenKey)
  const streams = OF_TABLES.some((name) => change[name] !== undefined)
    ? await planStreams(
        ctx,
        ...there(after, (await catalogOf(ctx, ends.source, !change.streams)).catalog),
        { source, destination },
        { connectionId: id, of: pastOf(known, rekeyed) },
      )
    : []
  const world = { config: settingsOf(after), before: settingsOf(before) }
  return {
    before,
    after,
    streams,
    rekeyed,
    hash: hashOf({ ...world, source, destination, streams }),
  }
}

/** A stream that is read anew begins a generation that replaces all before it. */
const pastOf = (known: Record<StreamKey, StreamPast>, anew: StreamKey[]) => (key: StreamKey) => {
  const past = known[key]
  if (!past || !anew.includes(key)) return past
  const { basis: _, ...read } = past
  const generationId = past.generationId + 1
  return { ...read, generationId, minimumGenerationId: generationId }
}

/** Streams that the source has no more are not planned; a sync says so of them. */
function there(
  after: ConnectionConfig,
  catalog: AirbyteCatalog,
): [ConnectionConfig, AirbyteCatalog] {
  const found = new Set(catalog.streams.map(streamKey))
  const streams = after.streams.filter((stream) => found.has(streamKey(stream)))
  return [{ ...after, streams }, catalog]
}

/** What a person has set, without what became of it since. */
function settingsOf(record: ConnectionRecord): ConnectionConfig {
  const {
    id: _,
    tenantId,
    createdAt,
    updatedAt,
    lastSync,
    freshAsOf,
    nextRunAt,
    ...settings
  } = record
  return settings
}

type Difference = ReturnType<typeof differenceOf>

function differenceOf(before: ConnectionRecord, after: ConnectionRecord) {
  const { streams: streamsBefore, ...from } = settingsOf(before)
  const { streams: streamsAfter, ...to } = settingsOf(after)
  const old = new Map(streamsBefore.map((stream) => [streamKey(stream), stream]))
  const now = new Set(streamsAfter.map(streamKey))
  return {
    settings: fieldsThatDiffer(from, to).map((field) => ({
      field,
      from: (from as Record<string, unknown>)[field] ?? null,
      to: (to as Record<string, unknown>)[field] ?? null,
    })),
    streams: {
      added: [...now].filter((key) => !old.has(key)),
      removed: [...old.keys()].filter((key) => !now.has(key)),
      changed: streamsAfter.flatMap((stream) => {
        const was = old.get(streamKey(stream))
        const fields = was ? fieldsThatDiffer(was, stream) : []
        return fields.length > 0 ? [{ stream: streamKey(stream), fields }] : []
      }),
    },
  }
}

function fieldsThatDiffer(from: object, to: object): string[] {
  const [a, b] = [from, to] as Record<string, unknown>[]
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  return names.filter((name) => stableJson(a?.[name]) !== stableJson(b?.[name])).sort()
}

const movesTables = (before: ConnectionConfig, after: ConnectionConfig) =>
  before.namespace !== after.namespace || before.prefix !== after.prefix

/** What the change leaves behind: rows that are there are not written anew by it. */
function consequences(
  before: ConnectionRecord,
  after: ConnectionRecord,
  { removed, changed }: Difference['streams'],
  rekeyed: StreamKey[],
): PlanWarning[] {
  const old = new Set(before.streams.map(streamKey))
  const kept = after.streams.filter((stream) => old.has(streamKey(stream)))
  const growing = new Set(kept.filter(({ syncMode }) => syncMode === 'incremental').map(streamKey))
  const isRewritten = new Set<string>(OF_ROWS)
  const every =
    before.normalization !== after.normalization ||
    stableJson(before.flattening) !== stableJson(after.flattening)
  const rewritten = every
    ? [...growing]
    : changed
        .filter(
          ({ stream, fields }) => growing.has(stream) && fields.some((f) => isRewritten.has(f)),
        )
        .map(({ stream }) => stream)
  return [
    ...removed.map((stream) => ({
      ...{ code: 'STREAM_LEFT', stream },
      message: `${stream} is not synced any more; its table stays as it is.`,
    })),
    ...(movesTables(before, after) ? [...growing] : []).map((stream) => ({
      ...{ code: 'TABLE_LEFT', stream },
      message: `${stream} goes on in another table, which gets only what is read from now on; the old one stays as it is. Resetting the stream reads everything again.`,
    })),
    ...rekeyed.map((stream) => ({
      ...{ code: 'STREAM_READ_ANEW', stream },
      message: `The key of ${stream} is written otherwise: the next sync reads the whole stream again, and then removes the rows that are there.`,
    })),
    ...rewritten
      .filter((stream) => !rekeyed.includes(stream))
      .map((stream) => ({
        ...{ code: 'ROWS_KEPT', stream },
        message: `Rows of ${stream} that are in the table stay as they are; resetting the stream reads them again.`,
      })),
  ]
}
