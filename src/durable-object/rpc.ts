/**
 * What the Durable Objects offer each other and the operations: plain data in, plain data out.
 * Errors cross as `packError(...)`; callers use `toAirbyteError`.
 */

import type { FlattenOptions } from '../core/normalization/index.ts'
import type { RowBasis } from '../core/sync-engine/row-basis.ts'
import type {
  AirbyteCatalog,
  Column,
  DestinationSyncMode,
  ErrorCode,
  ErrorRecord,
  FieldRange,
  JsonObject,
  JsonSchema,
  LogLevel,
  SourceWarning,
  StreamDescriptor,
  StreamKey,
  StreamMapping,
  StreamState,
  SyncMode,
} from '../protocol/index.ts'
import type {
  ConnectorInfo,
  RefreshedToken,
  SourceOwner,
  Token,
  TokenRefresh,
} from '../runtime/contract.ts'
import type { LogStatus, StagedChanges } from '../runtime/source-log.ts'

/** One release of a connector of the workspace's own: the hash names exactly what runs. */
export interface ConnectorPin {
  connectorId: string
  /** SHA-256 of the manifest's text, in hex. */
  hash: string
  /** Version of the CDK that its author ran it with: it decides on the language. */
  ranWith?: string
  info: ConnectorInfo
}

/** A source or destination, without its secrets: secret fields show `**********`. */
export interface ActorRecord {
  id: string
  tenantId: string
  name: string
  /** Connector name, such as `postgres`. */
  type: string
  /** The release that runs, if the connector is the workspace's own. */
  connector?: ConnectorPin
  config: JsonObject
  status: 'awaiting_credentials' | 'active'
  /** Paths of secret fields that have no value yet. */
  missingSecrets: string[]
  createdAt: number
  updatedAt: number
}

/** Config that only code with a valid claim sees: with secrets. */
export interface ActorSecrets {
  type: string
  connector?: ConnectorPin
  config: JsonObject
  /** Which one it is of those that people have entered. */
  edition: number
  /** Every secret text in it, for the scrubber of the run. */
  secrets: string[]
}

export interface ActorCreate {
  tenantId: string
  id: string
  name: string
  type: string
  /** With secrets; validated by the caller against the spec. */
  config: JsonObject
  release?: ReleaseOfActor
}

/** A release with the form of its config, which the object keeps: it never reads a manifest. */
export interface ReleaseOfActor {
  pin: ConnectorPin
  spec: JsonSchema
}

interface ActorApi {
  create(input: ActorCreate): Promise<ActorRecord>
  get(): Promise<ActorRecord>
  /** Deep-merges `config`; secret fields given as `**********` or left out keep their value. */
  update(input: { name?: string; config?: JsonObject }): Promise<ActorRecord>
  /** Decrypts; for running the connector only. */
  open(): Promise<ActorSecrets>
  destroy(): Promise<void>
}

export interface SourceApi extends ActorApi {
  /** The last discovered catalog, with when it was read. */
  catalog(): Promise<{ catalog: AirbyteCatalog; discoveredAt: number } | null>
  saveCatalog(catalog: AirbyteCatalog): Promise<void>
  /** @see SourceOwner; `refresh` is called here and runs at the caller. */
  token(key: string, refresh: TokenRefresh, stale?: string): Promise<Token>
  /** What `refresh` brought when this object had gone before it could take it. */
  keepToken(key: string, fresh: RefreshedToken, given: JsonObject, edition: number): Promise<Token>
  takeSeat: SourceOwner['takeSeat']
  leaveSeat: SourceOwner['leaveSeat']
  takeCalls: SourceOwner['takeCalls']
  giveBackCalls: SourceOwner['giveBackCalls']
  learnCalls: SourceOwner['learnCalls']
  /** Keeps a config that the connector has changed, unless a person has entered another meanwhile. */
  saveConfig(config: JsonObject, edition: number): Promise<void>
  /**
   * Goes over to another release of its connector. What that one calls secret is sealed;
   * without `keepSecrets` all secrets are forgotten, as after a change of address.
   */
  adopt(release: ReleaseOfActor, keepSecrets: boolean): Promise<ActorRecord>
}

export interface DestinationApi extends ActorApi {
  /** Claims target tables for a connection; throws TABLE_TAKEN naming the owner. Replaces its earlier claims. */
  claimTables(connectionId: string, connectionName: string, tables: string[]): Promise<void>
  /** Claims these besides, all or none. */
  addTables(connectionId: string, connectionName: string, tables: string[]): Promise<void>
  /** Throws TABLE_TAKEN as `claimTables` would, and claims nothing. */
  checkTables(connectionId: string, tables: string[]): Promise<void>
  releaseTables(connectionId: string): Promise<void>
}

/** For whom a source's log is read. */
export interface LogOwner {
  tenantId: string
  sourceId: string
  connectionId: string
}

/** The segment of a log up to which the destination has a stream. */
export interface LoadedOfLog {
  stream: StreamKey
  log: string
  segment: number
}

/** How a log stands, as the database and its reader see it. */
export interface LogReport extends LogStatus {
  /** Bytes of segments that some stream has not loaded yet. */
  stagedBytes: number
}

export interface LogReaderApi extends Pick<StagedChanges, 'hold' | 'next' | 'unloaded'> {
  prepare(
    owner: LogOwner,
    streams: Parameters<StagedChanges['prepare']>[0],
  ): ReturnType<StagedChanges['prepare']>
  /**
   * A sync is over: up to where each of the connection's streams is loaded. Nothing is drained until the
   * next, unless the log is followed: then the connection is told when there is something to load.
   * Answers whether there is already.
   */
  rest(owner: LogOwner, loaded: LoadedOfLog[], followed: boolean): Promise<boolean>
  /** The log is not followed between syncs any more. One that is at work goes on. */
  unfollow(owner: LogOwner): Promise<void>
  report(): Promise<LogReport | null>
  /** The connection is deleted: drops what was set up at the database for it. */
  release(owner: LogOwner): Promise<void>
}

export type Schedule =
  | { type: 'manual' }
  | { type: 'cron'; cron: string; timezone: string }
  | { type: 'interval'; seconds: number }
  /** Whenever the source's log has changes: it is read without a pause. */
  | { type: 'continuous' }

export interface StreamConfig extends StreamDescriptor {
  syncMode: SyncMode
  destinationSyncMode: DestinationSyncMode
  cursorField?: string[]
  primaryKey?: string[][]
  selectedFields?: string[]
  lookbackSeconds?: number
  /** Files that records stand for are stored too. */
  includeFiles?: boolean
  mapping?: StreamMapping
  /** Absent: the connection's. */
  normalization?: Normalization
}

/**
 * What becomes of a record: `raw` one JSON column, `basic` typed top-level columns, `flatten` objects
 * too, to their members, `nested` arrays besides, to tables of their elements.
 */
export type Normalization = 'raw' | 'basic' | 'flatten' | 'nested'

/** How much one slice may do before it hands over; a chunk ends at the first checkpoint past its size. */
export interface SliceLimits {
  sliceMs: number
  sliceBytes: number
  sliceRows: number
  chunkBytes: number
}

export interface ConnectionConfig {
  name: string
  sourceId: string
  destinationId: string
  streams: StreamConfig[]
  schedule: Schedule
  /** Destination namespace; absent: the source's. */
  namespace?: string
  prefix?: string
  normalization: Normalization
  /** How objects become columns under `flatten` and `nested`. */
  flattening?: Partial<FlattenOptions>
  transfer: 'auto' | 'direct' | 'staged'
  schemaChanges: 'ignore' | 'disable' | 'propagate_columns' | 'propagate_fully'
  /** Rejected rows per stream and sync beyond which the stream fails. Default 1000. */
  maxRejects: number
  /** Budgets of a slice, where the defaults do not suit. */
  limits?: Partial<SliceLimits>
  /** How old the rows may be before the connection counts as late. 0 or absent: no target. */
  freshnessSeconds?: number
}

/** What the last sync of a stream left, as the next one will find it. */
export interface StreamPast {
  generationId: number
  minimumGenerationId: number
  /** The columns that it saw. */
  knownColumns: Column[]
  /** How the rows have their key, whatever the next sync reads. */
  writtenKey?: NonNullable<RowBasis['key']>
  /** @see SyncStreamInput.basis */
  basis?: RowBasis
}

export interface ConnectionRecord extends ConnectionConfig {
  id: string
  tenantId: string
  status: 'active' | 'paused'
  /** Why the product paused it, if it did. */
  pausedReason?: ErrorRecord
  /** Epoch milliseconds of the next scheduled sync. */
  nextRunAt?: number
  createdAt: number
  updatedAt: number
  lastSync?: SyncSummary
  /** Start of the latest sync of all streams that succeeded: what changed before it is there. */
  freshAsOf?: number
}

export type SyncStatus = 'pending' | 'running' | 'succeeded' | 'incomplete' | 'failed' | 'cancelled'

export interface SyncSummary {
  syncId: number
  connectionId: string
  status: SyncStatus
  startedAt: number
  updatedAt: number
  endedAt?: number
  rows: number
  bytes: number
  warnings: number
  error?: ErrorRecord
  /** Of the log that it read, as the database saw it when the sync ended. */
  log?: LogReport
  /** Streams that may not go on yet: rate limits, jobs that run at the source. The first twenty. */
  waiting?: StreamWait[]
  /** Present when all that is left waits: nothing runs, and nothing is held, before this moment. */
  waitingUntil?: number
}

export interface StreamWait {
  stream: StreamKey
  /** Epoch milliseconds. */
  until: number
  reason: string
  /** Of the failure after which it is tried again then; absent for limits and for jobs that run. */
  code?: ErrorCode
}

export interface StreamProgress {
  stream: StreamKey
  status: SyncStatus
  rowsRead: number
  rowsLoaded: number
  bytesRead: number
  rejected: number
  estimatedRows?: number
  /** Not read before this moment, epoch milliseconds, for this reason. */
  waitingUntil?: number
  waitReason?: string
  error?: ErrorRecord
}

export interface SyncRecord extends SyncSummary {
  tenantId: string
  /** Up to 500; of more, those that went wrong, are at work or had rows come first. */
  streams: StreamProgress[]
  /** Of all streams. */
  streamCounts: Partial<Record<SyncStatus, number>>
}

/** The proof of a sync, per stream and in sum. Bytes are those handed to the loader. */
export interface Receipt {
  version: 1
  syncId: number
  connectionId: string
  status: SyncStatus
  startedAt: string
  endedAt: string
  warnings: Warning[]
  streams: StreamReceipt[]
  /** Of the log that streams were read from, as the database saw it when the sync ended. */
  log?: LogReport
}

export interface Warning {
  code:
    | 'EMPTY_FULL_REFRESH'
    | 'QUIET_STREAM'
    | 'FEWER_ROWS'
    | 'REJECTS'
    | 'UNKNOWN_FIELDS'
    | 'VALUES_NULLED'
    | 'VALUES_TRUNCATED'
    | 'SCHEMA_CHANGED'
    | 'BACKFILL_APPENDED'
    | 'LOG_RETAINED'
    | 'STREAM_ADDED'
    | 'STREAM_NOT_ADDED'
    | SourceWarning
  stream?: StreamKey
  message: string
}

export interface StreamReceipt {
  stream: StreamKey
  target: string
  status: SyncStatus
  mode: { sync: SyncMode; destination: DestinationSyncMode }
  /** The rows that a backfill read again. */
  range?: FieldRange
  /** The sync whose rejected rows were loaded again. */
  replay?: { syncId: number }
  transfer: 'direct' | 'staged'
  format: string
  generationId: number
  rowsRead: number
  rowsStaged: number
  rowsLoaded: number
  rowsRejected: number
  /** Left out by the connection's filter. */
  rowsFiltered: number
  bytes: number
  /** Values that did not fit and became null, or the nearest there is. Older receipts lack the second. */
  nulled: number
  truncated?: number
  stateBefore: StreamState | null
  stateAfter: StreamState | null
  /** Sum modulo 2^128 of the row hashes, 32 hex digits. */
  rowHash: string
  /** Rows of the generation so far, those of earlier syncs among them. Absent in older receipts. */
  generation?: { rows: number; rowHash: string }
  /** Rows that went to the tables of arrays under normalization `nested`. */
  children?: { table: string; rows: number }[]
  chunks: ChunkReceipt[]
  error?: ErrorRecord
}

export interface ChunkReceipt {
  id: string
  rows: number
  bytes: number
  sha256: string
}

export interface LogLine {
  seq: number
  at: number
  level: LogLevel
  stream?: StreamKey
  message: string
}

/** A line that is written; with `warning` the receipt has it among its warnings. */
export type NewLogLine = Omit<LogLine, 'seq'> & { warning?: SourceWarning }

/** Rows of one stream to read again; at least one end is given. */
export interface Backfill extends FieldRange {
  stream: StreamDescriptor
}

export interface ConnectionApi {
  create(input: ConnectionConfig & { id: string; tenantId: string }): Promise<ConnectionRecord>
  get(): Promise<ConnectionRecord>
  /** What the streams were like at their last sync. */
  known(): Promise<Record<StreamKey, StreamPast>>
  /** Of these streams of the source those that came since the connection first looked for new ones. */
  unseen(keys: StreamKey[]): Promise<StreamKey[]>
  update(input: Partial<ConnectionConfig>): Promise<ConnectionRecord>
  pause(): Promise<ConnectionRecord>
  resume(): Promise<ConnectionRecord>
  destroy(): Promise<void>
  /**
   * Starts a sync under this number, or throws SYNC_RUNNING; `acceptEmpty` lets held overwrites through.
   * A backfill reads one range of one stream again and leaves the stream's position as it is; it
   * throws MODE_UNSUPPORTED where rows are overwritten and UNSUPPORTED where the source has no ranges.
   * A replay loads the rows again that an older sync rejected, of `streams` or of all that had some; it
   * throws NOT_FOUND where there are none, and CONFLICT where a stream was read anew since.
   */
  startSync(options: {
    streams?: StreamDescriptor[]
    acceptEmpty?: boolean
    trigger: 'manual' | 'schedule'
    backfill?: Backfill
    replay?: { syncId: number }
  }): Promise<SyncSummary>
  /** Newest first. */
  syncs(options: { limit: number; before?: number }): Promise<SyncSummary[]>
  receipt(syncId: number): Promise<Receipt | null>
  /** Whole; throws TOO_LARGE where there are more partitions than fit into an answer. */
  state(): Promise<{ stream: StreamDescriptor; state: StreamState }[]>
  /** Of one stream, its partitions a page at a time: the same state with others of them. */
  statePage(options: { stream: StreamDescriptor; cursor?: string }): Promise<{
    states: { stream: StreamDescriptor; state: StreamState }[]
    cursor?: string
  }>
  setState(states: { stream: StreamDescriptor; state: StreamState | null }[]): Promise<void>
  /** Erases state and opens a new generation; `remove` drops older rows when it completes. */
  refresh(options: { streams?: StreamDescriptor[]; remove: boolean }): Promise<void>
  verify(options: { level: 'count' | 'hash' }): Promise<VerifyResult>
}

export interface VerifyResult {
  level: 'count' | 'hash'
  ok: boolean
  streams: {
    stream: StreamKey
    ok: boolean
    expectedRows?: number
    foundRows: number | null
    expectedHash?: string
    foundHash?: string
    /** Why nothing could be compared, if so, and which rows of the source were not read. */
    note?: string
    /** Tables of arrays, compared with what the rows say of their number. */
    children?: ChildVerified[]
  }[]
}

export interface ChildVerified {
  table: string
  ok: boolean
  expectedRows: number
  foundRows: number
}

export interface SyncApi {
  get(): Promise<SyncRecord>
  cancel(): Promise<SyncRecord>
  logs(options: { after?: number; limit: number; level?: LogLevel }): Promise<{
    lines: LogLine[]
    next?: number
  }>
}

/** What the entity objects ask of their tenant's agent. The rest of the agent's surface is its own. */
export interface TenantApi {
  /** Next sync number of the workspace, and a lease on a concurrency slot; null: no slot free, ask again later. */
  beginSync(connectionId: string): Promise<{ syncId: number } | null>
  /** Keeps the index row of a sync true; a final status frees its slot. */
  recordSync(summary: SyncSummary): Promise<void>
  /** Keeps the index row of a connection true (status, schedule, next run). */
  recordConnection(record: ConnectionRecord): Promise<void>
  /** The salt of hashed columns, made when it is first asked for; it never changes. */
  hashSalt(): Promise<string>
}
