import { knownTables } from '../core/sync-engine/connection-tables.ts'
import { DEFAULT_LIMITS, type SyncInput, type SyncStreamInput } from '../core/sync-engine/types.ts'
import { streamKey } from '../protocol/index.ts'
import type { ConnectionStore, RunningSync } from './connection-store.ts'
import { destinationStub, sourceStub, tenantStub } from './platform.ts'
import type { ConnectionRecord, StreamConfig } from './rpc.ts'

/**
 * What a connection hands to a new sync, as everything is at this moment. Streams that begin anew get
 * their generations.
 *
 * @param transaction within which the generations are taken
 */
export async function syncInput(
  env: Env,
  store: ConnectionStore,
  record: ConnectionRecord,
  current: RunningSync,
  transaction: (take: () => SyncStreamInput[]) => SyncStreamInput[],
): Promise<SyncInput & { streams: SyncStreamInput[] }> {
  const { tenantId, sourceId, destinationId } = record
  const [source, destination] = await Promise.all([
    sourceStub(env, tenantId, sourceId).get(),
    destinationStub(env, tenantId, destinationId).get(),
  ])
  const named = current.streams && new Set(current.streams)
  const chosen = record.streams.filter((stream) => named?.has(streamKey(stream)) ?? true)
  const streams = transaction(() => chosen.map((stream) => inputOf(store, current, stream)))
  return {
    v: 1,
    tenantId,
    connectionId: record.id,
    connectionName: record.name,
    syncId: current.syncId,
    trigger: current.trigger,
    source: { id: sourceId, type: source.type, connector: source.connector },
    destination: { id: destinationId, type: destination.type },
    streams,
    tables: knownTables(record.streams, (key) => store.stream(key).columns),
    namespace: record.namespace,
    prefix: record.prefix,
    normalization: record.normalization,
    ...(record.flattening && { flattening: record.flattening }),
    transfer: record.transfer,
    schemaChanges: record.schemaChanges,
    ...(addsStreams(record, current) && { addsStreams: true }),
    maxRejects: record.maxRejects,
    ...(await hashSalt(env, record)),
    acceptEmpty: current.acceptEmpty,
    limits: { ...DEFAULT_LIMITS, ...record.limits },
  }
}

function inputOf(
  store: ConnectionStore,
  { backfill, replay }: RunningSync,
  stream: StreamConfig,
): SyncStreamInput {
  if (backfill) return store.backfillInputOf(stream, backfill.range)
  return replay ? store.replayInputOf(stream, replay.syncId) : store.inputOf(stream)
}

/** A sync of chosen streams, or of a range, is no look at all there is. */
const addsStreams = (
  { schemaChanges }: ConnectionRecord,
  { streams, backfill }: RunningSync,
): boolean => schemaChanges === 'propagate_fully' && !streams && !backfill

async function hashSalt(
  env: Env,
  { tenantId, streams }: ConnectionRecord,
): Promise<{ hashSalt?: string }> {
  const isHashed = streams.some(({ mapping }) => mapping?.hash?.length)
  return isHashed ? { hashSalt: await tenantStub(env, tenantId).hashSalt() } : {}
}
