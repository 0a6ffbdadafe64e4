/** Where the data path meets Cloudflare: what a connector and a slice are given in a Worker. */
import { connect } from 'cloudflare:sockets'
import { destinations, sources } from '../../connectors/index.ts'
import { ConnectorCache } from '../core/connector-cache.ts'
import { createDestinationRegistry } from '../core/destination-registry.ts'
import { createSourceRegistry } from '../core/source-registry.ts'
import type {
  AddedStreams,
  SyncControl,
  SyncInput,
  SyncOutcome,
  SyncStreamInput,
} from '../core/sync-engine/types.ts'
import { createEgress } from '../egress/index.ts'
import { dohResolver, platformResolver } from '../egress/resolvers.ts'
import { workerdEgressHost } from '../egress/workerd-host.ts'
import type { AirbyteStream, PartitionDelta, StreamKey, StreamState } from '../protocol/index.ts'
import type {
  Budget,
  ConnectorContext,
  ObjectStore,
  Source,
  SourceOwner,
} from '../runtime/contract.ts'
import { declarativeSource } from '../runtime/declarative/index.ts'
import type { KeptConnections } from '../runtime/kept-connections.ts'
import type { StagedChanges } from '../runtime/source-log.ts'
import { type Bucket, r2Store } from '../staging/r2-store.ts'
import { readManifest } from './manifest-store.ts'
import type {
  ActorRecord,
  ConnectionApi,
  DestinationApi,
  LoadedOfLog,
  LogReaderApi,
  SourceApi,
  SyncApi,
  SyncSummary,
  TenantApi,
} from './rpc.ts'

export const sourceRegistry = createSourceRegistry(sources)
export const destinationRegistry = createDestinationRegistry(destinations)

const DOH_URL = 'https://cloudflare-dns.com/dns-query'

export interface ContextOptions {
  signal: AbortSignal
  log: ConnectorContext['log']
  budget: Budget
  /** Of the source that runs. */
  owner?: SourceOwner
  /** Its log. */
  changes?: StagedChanges
  kept?: KeptConnections
}

/** A connector's context in a Worker, with the network and the warehouse of one workspace. */
export function connectorContext(
  env: Env,
  tenantId: string,
  { signal, log, budget, owner, changes, kept }: ContextOptions,
): ConnectorContext {
  const allowPrivate = env.ALLOW_PRIVATE_NETWORKS === 'on'
  const resolver = allowPrivate ? platformResolver : dohResolver(fetch, DOH_URL)
  return {
    ...createEgress(workerdEgressHost({ connect, resolver }), { allowPrivate }, signal),
    ...{ signal, log, budget, owner, changes, kept },
    now: () => Date.now(),
    warehouse: r2Store(env.WAREHOUSE as unknown as Bucket, `${tenantId}/`),
  }
}

/** A budget that ends after some milliseconds. */
export function budgetOf(ms: number): Budget {
  const deadline = Date.now() + ms
  return { deadline, exhausted: () => Date.now() >= deadline }
}

/** Chunks, rejects and logs of a workspace. */
export const stagingStore = (env: Env, tenantId: string): ObjectStore =>
  r2Store(env.STAGING as unknown as Bucket, `${tenantId}/`)

/** The text lies in R2, and what is parsed from it in the isolate, for a while. */
const ownSources = new ConnectorCache<Source>()

/**
 * The connector of a source: built in, or the workspace's own at the release it is pinned to.
 * @throws CONNECTOR_NOT_FOUND, CONNECTOR_DAMAGED
 */
export async function sourceOf(
  env: Env,
  tenantId: string,
  { type, connector: pin }: Pick<ActorRecord, 'type' | 'connector'>,
): Promise<Source> {
  if (!pin) return sourceRegistry.get(type)
  const key = [tenantId, pin.connectorId, pin.hash, pin.info.version, pin.ranWith].join('/')
  return ownSources.get(key, async () => {
    const text = await readManifest(stagingStore(env, tenantId), pin)
    const { info, ranWith } = pin
    return { connector: declarativeSource(text, info, { ranWith }), bytes: text.length }
  })
}

/** What the destination has of a stream. */
export interface StateCommit {
  key: StreamKey
  state: StreamState | null
  lastChunk: string | null
  partitions: PartitionDelta
  generationId: number
}

/** What a sync tells its connection, besides what operations may ask of it. */
export interface ConnectionOfSync extends ConnectionApi {
  /** Keeps what was loaded; false where this sync's state is not the connection's, as of a backfill. */
  commitStates(syncId: number, commits: StateCommit[]): Promise<boolean[]>
  /** What the committed state of a stream has in its lists of partitions, a page at a time. */
  partitions(key: StreamKey, after?: string): Promise<{ delta: PartitionDelta; next?: string }>
  /** What a sync found at the source; those that are new. */
  sawStreams(syncId: number, keys: StreamKey[]): Promise<StreamKey[]>
  /** Takes new streams into the connection, and into the sync that found them. */
  addStreams(syncId: number, found: AirbyteStream[]): Promise<AddedStreams>
  ended(summary: SyncSummary, outcome: SyncOutcome): Promise<void>
  /**
   * The reader of the source's log asks whether to go on between syncs. `staged`: it has something to
   * load, or an error that a sync should show.
   */
  following(staged: boolean): Promise<boolean>
  /** Up to where its streams are loaded now, in the middle of a sync too. */
  loadedOfLog(): Promise<LoadedOfLog[]>
}

export interface SyncOfConnection extends SyncApi, SyncControl {
  offer(streams: SyncStreamInput[], first: number): Promise<void>
  start(input: SyncInput): Promise<SyncSummary>
}

/** Stubs by workspace and id: an object's name holds the workspace, so ids cannot cross. */
const at = <T>(namespace: DurableObjectNamespace, tenantId: string, id: string | number) =>
  namespace.getByName(`${tenantId}:${id}`) as unknown as T

export const sourceStub = (env: Env, tenantId: string, id: string) =>
  at<SourceApi>(env.SOURCE, tenantId, id)
/** The one reader of a source's log. */
export const logReaderStub = (env: Env, tenantId: string, sourceId: string) =>
  at<LogReaderApi>(env.LOG_READER, tenantId, sourceId)
export const destinationStub = (env: Env, tenantId: string, id: string) =>
  at<DestinationApi>(env.DESTINATION, tenantId, id)
export const connectionStub = (env: Env, tenantId: string, id: string) =>
  at<ConnectionOfSync>(env.CONNECTION, tenantId, id)
export const syncStub = (env: Env, tenantId: string, syncId: number) =>
  at<SyncOfConnection>(env.SYNC, tenantId, syncId)
export const tenantStub = (env: Env, tenantId: string) =>
  env.TENANT_AGENT.getByName(tenantId) as unknown as TenantApi
