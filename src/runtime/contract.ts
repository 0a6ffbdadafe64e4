/**
 * The connector contract. A connector is a plain object that implements `Source` or `Destination`;
 * it reaches the world only through the `ConnectorContext` it is given.
 */
import type { Duplex } from 'node:stream'
import type {
  AirbyteCatalog,
  Batch,
  Cell,
  Column,
  ConfiguredStream,
  DestinationSyncMode,
  ErrorRecord,
  JsonObject,
  JsonSchema,
  JsonValue,
  LogLevel,
  PartitionDelta,
  ReadEvent,
  RowOp,
  SourceWarning,
  StreamDescriptor,
  StreamKey,
  StreamState,
  WireFormat,
} from '../protocol/index.ts'
import type { CallRates } from './call-window.ts'
import type { KeptConnections } from './kept-connections.ts'
import type { SourceLog, StagedChanges } from './source-log.ts'

/** What a connector is given; there is nothing else it may use to reach the outside. */
export interface ConnectorContext {
  http: HttpClient
  /** Opens a TCP connection through the egress policy. Rejects with EGRESS_REFUSED, HOST_UNREACHABLE or TIMEOUT. */
  connect(target: SocketTarget): Promise<ConnectorSocket>
  /** With `warning` the sync's receipt has it among its warnings. */
  log(level: LogLevel, message: string, warning?: SourceWarning, stream?: StreamKey): void
  /** Epoch milliseconds. */
  now(): number
  signal: AbortSignal
  budget: Budget
  /** The built-in warehouse bucket of this workspace; absent where the host has none. */
  warehouse?: ObjectStore
  /** The source's one owner; absent where this run is the only one: the command line, tests. */
  owner?: SourceOwner
  /** The source's log, read by its one reader; absent where the host has none. */
  changes?: StagedChanges
  /** Where connections are left for the tasks that follow in this run; absent: each ends its own. */
  kept?: KeptConnections
}

/** What there is once for a source, however many slices, checks and previews run it at a time. */
export interface SourceOwner {
  /**
   * The token that is kept under `key`, if it is valid and not the `stale` one. Otherwise `refresh`
   * gets a new one: one call at a time for the whole source, whose outcome everybody gets who waits
   * for it. The new token, and what it changes of the config, are kept before anyone sees it.
   */
  token(key: string, refresh: TokenRefresh, stale?: string): Promise<Token>
  /** Keeps this config, whole, in place of the one that the run was given. */
  saveConfig(config: JsonObject): Promise<void>
  /**
   * One of `limit` places that there are under `key` for the whole source, for so many milliseconds;
   * who holds it keeps it by asking again.
   *
   * @returns false when none is free
   */
  takeSeat(key: string, holder: string, limit: number, forMs: number): Promise<boolean>
  leaveSeat(key: string, holder: string): Promise<void>
  /**
   * Calls that may be made at the API, of those that there are under `key` for the whole source: at
   * least `least`, up to `most` if nobody else is likely to miss them, or none yet. Those of the last
   * lease that were not made may be given `back` with it.
   */
  takeCalls(key: string, rates: CallRates, wish: CallWish): Promise<CallLease>
  giveBackCalls(key: string, rates: CallRates, back: UnusedCalls): Promise<void>
  /** What the API says of its calls; the owner believes it where it is less than what it counts. */
  learnCalls(key: string, rates: CallRates, said: Partial<CallsLeft>): Promise<CallsLeft>
}

export interface CallWish {
  least: number
  most: number
  back?: UnusedCalls
}

/** Calls of a lease that were not made, with the `until` that it bore. */
export interface UnusedCalls {
  calls: number
  until: number
}

export interface CallsLeft {
  left: number
  /** Epoch milliseconds at which all of them are there again, where windows follow each other. */
  resetAt?: number
}

/** Calls to be made within `forMs`; with none, when to ask again. */
export interface CallLease extends CallsLeft {
  calls: number
  forMs: number
  waitMs: number
  /** The end by the owner's clock. */
  until: number
}

export interface Token {
  value: string
  /** Epoch milliseconds. */
  expiresAt: number
}

export type TokenRefresh = (current: TokenState) => Promise<RefreshedToken>

export interface TokenState {
  /** The source's config as it is now; absent: as this run knows it. */
  config?: JsonObject
  /** The token that was refused. */
  stale?: string
  /** A refresh was begun before, and nobody knows how it ended: its refresh token may be used up. */
  uncertain: boolean
}

export interface RefreshedToken extends Token {
  changes?: ConfigChange[]
}

/** A value that a source changes in its own config. */
export interface ConfigChange {
  path: string[]
  value: JsonValue
  /** Sealed, whatever the spec says of its place. */
  secret: boolean
}

/** `fetch` with the egress policy, retries and `Retry-After`; same shape as the platform's. */
export interface HttpClient {
  fetch(url: string | URL, init?: RequestInit & HttpOptions): Promise<Response>
}

export interface HttpOptions {
  /** Attempts in all for network errors, 429 and 5xx; default 5. 1 means no retry. */
  attempts?: number
  /** Response size cap in bytes; default 256 MiB. */
  maxBytes?: number
  /** Milliseconds until the response headers; default 60 000. */
  timeoutMs?: number
  /**
   * Goes on although the read was cancelled: what ends at the other side what was begun there, and what
   * must not be left half done.
   */
  afterCancel?: boolean
}

export interface SocketTarget {
  host: string
  port: number
  /** Milliseconds until connected; default 10 000. */
  timeoutMs?: number
}

/** A connected Node-style duplex with back-pressure. */
export interface ConnectorSocket extends Duplex {
  /** Upgrades to TLS in place; resolves with the encrypted socket to use from now on. Rejects with TLS_FAILED. */
  startTls(options: TlsOptions): Promise<ConnectorSocket>
  /** No-ops where the platform has none: drivers call them. */
  setNoDelay(on?: boolean): this
  setKeepAlive(on?: boolean, delay?: number): this
  setTimeout(ms: number): this
  ref(): this
  unref(): this
}

export interface TlsOptions {
  /** Name that the certificate must bear. */
  servername: string
  /** PEM of a private CA; absent: the platform's CAs. */
  ca?: string
  /** `full`: chain and name. `ca`: chain only. `none`: encryption only, chosen by the user's SSL mode. */
  verify: 'full' | 'ca' | 'none'
}

/** What a slice may still spend. Sources that poll or page look at it; the engine enforces it at checkpoints. */
export interface Budget {
  /** Epoch milliseconds by which the slice should have reached a checkpoint. */
  deadline: number
  exhausted(): boolean
}

/** A subset of R2's API with the same semantics; keys are relative to the workspace. */
export interface ObjectStore {
  get(key: string, range?: { offset: number; length: number }): Promise<StoredObject | null>
  head(key: string): Promise<ObjectInfo | null>
  /** `onlyIf.etag` writes only over that version, `onlyIf.absent` only where nothing is; resolves null if refused. */
  put(key: string, body: Uint8Array | string, onlyIf?: PutCondition): Promise<ObjectInfo | null>
  /** Streams an object of any size in multipart parts; nothing is visible before it resolves. */
  putStream(key: string, body: AsyncIterable<Uint8Array>): Promise<ObjectInfo>
  delete(keys: string[]): Promise<void>
  list(prefix: string, cursor?: string): Promise<{ objects: ObjectInfo[]; cursor?: string }>
}

export interface ObjectInfo {
  key: string
  size: number
  etag: string
  uploaded: number
}

export interface StoredObject extends ObjectInfo {
  body: ReadableStream<Uint8Array>
}

export type PutCondition = { etag: string } | { absent: true }

/** A connector's configuration form, as Airbyte's `spec` message. */
export interface Spec {
  connectionSpecification: JsonSchema
  documentationUrl?: string
  supported_destination_sync_modes?: DestinationSyncMode[]
  /** How to sign in by OAuth instead of entering secrets, as Airbyte's message of the same name. */
  advanced_auth?: JsonObject
}

/** How well a connector is proven; the catalog shows it. `none`: nobody here has tried it. */
export type Evidence = 'none' | 'fixtures' | 'docs' | 'openapi' | 'server' | `live(${string})`

export interface ConnectorInfo {
  /** Type name users give: `postgres`. */
  name: string
  title: string
  /** Airbyte's definition id where it has this connector, so that existing clients work. */
  definitionId: string
  version: string
  evidence: Evidence
  documentationUrl?: string
}

export interface CheckResult {
  ok: boolean
  /** What was found wrong, as an error's `toJSON()`. */
  problem?: ErrorRecord
}

export interface SourceCapabilities {
  /** Wire formats it can produce besides record batches, cheapest first. */
  formats: WireFormat[]
  /** Dialect of its native types and of `pg-copy-text`-like formats. */
  dialect?: string
  /** Reading again from a state gives the same rows or an explicit difference: allows direct transfer. */
  rereadable: boolean
  /**
   * A full refresh can be narrowed to `ConfiguredStream.range`, which a backfill needs. A field or a
   * value that cannot be used fails the stream with VALIDATION_FAILED at `backfill.field`, `.from` or `.to`.
   * Absent: false.
   */
  ranges?: boolean
  /** Heeds `ConfiguredStream.wholeRecords`: its records are JSON before they are columns. Absent: false. */
  wholeRecords?: boolean
}

export interface ReadState {
  shared?: JsonObject
  streams: Map<StreamKey, StreamState>
}

export interface Source {
  info: ConnectorInfo
  capabilities: SourceCapabilities
  spec(): Spec
  check(ctx: ConnectorContext, config: JsonObject): Promise<CheckResult>
  discover(ctx: ConnectorContext, config: JsonObject): Promise<AirbyteCatalog>
  /** Why a stream that was configured is not in the catalog, if there is a better word than "gone". */
  whyMissing?(
    ctx: ConnectorContext,
    config: JsonObject,
    stream: StreamDescriptor,
  ): Promise<ErrorRecord>
  /**
   * A config of an older form as `spec()` describes it today; `read` reports it by a `control` event.
   * Absent: configs have one form.
   */
  migrateConfig?(config: JsonObject): JsonObject
  /**
   * A state in the format of Airbyte's own connector of this name, which takes it and whose states
   * this one takes. Absent: states are of our own form.
   */
  toAirbyteState?(state: StreamState): JsonObject
  /** How changes are read where the database has one log for all tables. Absent: it has none. */
  log?: SourceLog
  /**
   * Upper bounds to freeze before reading, per stream: the largest cursor value, key or log position
   * as it stands now. Absent or no entry: the stream has no bound.
   */
  freeze?(
    ctx: ConnectorContext,
    config: JsonObject,
    streams: ConfiguredStream[],
    state: ReadState,
  ): Promise<Map<StreamKey, JsonValue>>
  /**
   * Which of these streams, all with their bounds, have nothing between their states and those: they
   * are not read. It may wait some seconds to know. Absent: every stream is read.
   */
  unchanged?(
    ctx: ConnectorContext,
    config: JsonObject,
    streams: ConfiguredStream[],
    state: ReadState,
  ): Promise<Set<StreamKey>>
  /**
   * Emits batches, and after every few thousand rows (at most 16 MB) a state. Ends each stream with
   * `status: complete`. The consumer may stop (`return()`) at any event; resources are freed then.
   * Rows of one stream come in the same order when read again from the same state and upper bound.
   */
  read(
    ctx: ConnectorContext,
    config: JsonObject,
    streams: ConfiguredStream[],
    state: ReadState,
  ): AsyncIterable<ReadEvent>
}

export interface DestinationCapabilities {
  modes: DestinationSyncMode[]
  /** Wire formats it takes, best first. */
  formats: WireFormat[]
  dialect?: string
  /** Commits rows and ledger entry in one transaction. */
  ledger: boolean
  /** What it prefers where both are possible. */
  transfer: 'direct' | 'staged'
  verify: ('count' | 'hash')[]
  namespaces: boolean
  /** Takes batches of `StreamPlan.children` and keeps them with the rows that they belong to. Absent: false. */
  children?: boolean
  /**
   * Values that a change did not touch (`UNCHANGED`) stay as they are. `same key`: but those of a row
   * that moved to another key become null, so a source completes these itself. Absent: false.
   */
  keepsUnchanged?: boolean | 'same key'
  /** Its loaders take a chunk while the one before is loaded, and heed `Chunk.turn`. Absent: false. */
  overlaps?: boolean
  /** Values it can hold, applied to record batches before `load`. */
  limits: ValueLimits
}

/** What a column of the destination can hold. Values beyond become null with a recorded change. */
export interface ValueLimits {
  /** Largest magnitude of `integer`, in bits including sign; absent: any. */
  integerBits?: number
  /** Largest text value, in UTF-8 bytes; absent: any. */
  textBytes?: number
  /** False: U+0000 in text is not storable. */
  nulInText: boolean
  /** False: NaN, infinities and the sign of zero are not storable in `number`. */
  nonFinite: boolean
  /** What a `number` holds that declares no digits, or more than `digits` or `maxScale`; absent: any number. */
  decimal?: { digits: number; scale: number; maxScale: number }
  /**
   * `parquet`: a `number` is a finite decimal of the digits that it declares, else the nearest double.
   * Absent: any number.
   */
  numbers?: 'parquet'
  /** False: the JSON value null cannot be told from a missing value. Absent: it can. */
  jsonNull?: boolean
  /** Whether a date or timestamp can be infinite; absent: where numbers can. */
  infiniteTimes?: boolean
  /** Inclusive years for dates and timestamps. */
  years: [number, number]
  /**
   * The dialect whose own types it creates as they are: a column of one holds whatever the source's
   * does, also arrays that JSON cannot say, as PostgreSQL prints them, and MySQL's spans of time.
   */
  native?: string
}

/** A stream as its destination sees it. */
export interface StreamPlan {
  connectionId: string
  syncId: number
  stream: StreamDescriptor
  /** Where it lands, after the connection's namespace and prefix. */
  target: { namespace?: string; table: string }
  columns: Column[]
  mode: DestinationSyncMode
  primaryKey: string[][]
  cursorField: string[]
  generationId: number
  minimumGenerationId: number
  /** `raw`: one JSON column. `basic`: typed top-level columns. */
  normalization: 'raw' | 'basic'
  /** Form in which chunks will arrive. */
  format: 'records' | WireFormat
  /**
   * A filter leaves rows out, and rows are merged: one that is deleted may never have been loaded, and
   * then leaves no row where deleted ones are kept.
   */
  filtered?: true
  /** Tables of the elements of arrays, each after the one it hangs on; for destinations that say `children`. */
  children?: ChildTable[]
}

/**
 * A table whose rows belong to rows of the stream: they come, are replaced and go with them. Batches
 * of it follow the rows that they belong to.
 */
export interface ChildTable {
  /** Where the array is in a record: `['items', 'discounts']`. */
  path: string[]
  /** Index of the table that has the array, or absent: the stream's own. */
  parent?: number
  /** Beside the stream's table. */
  table: string
  /** The column that has the number of elements, in the table that has the array. */
  count: string
  /** The first ones are those of `LINKS`. */
  columns: Column[]
}

export interface Destination {
  info: ConnectorInfo
  capabilities: DestinationCapabilities
  spec(): Spec
  /** Limits of its values that follow from the config, in place of those of its capabilities. Absent: none. */
  limits?(config: JsonObject): Partial<ValueLimits>
  /**
   * Where its tables are, if two destinations can mean the same place and the place itself cannot
   * refuse a second writer: equal texts, same tables. Takes the config without its secrets.
   */
  place?(config: JsonObject): string
  check(ctx: ConnectorContext, config: JsonObject): Promise<CheckResult>
  /**
   * What the first sync of this plan would find and change at the target, without changing anything.
   * Throws what `prepare` would refuse. Absent: there is nothing to see beforehand.
   */
  rehearse?(ctx: ConnectorContext, config: JsonObject, plan: StreamPlan): Promise<Rehearsal>
  /**
   * A table as readers see it now, for destinations that have no query engine of their own: ours
   * reads it. Null where there is no such table. Absent: it is asked in its own language.
   */
  table?(
    ctx: ConnectorContext,
    config: JsonObject,
    target: StreamPlan['target'],
  ): Promise<TableReader | null>
  /** Connects; idempotent, each call may be in another isolate. */
  open(ctx: ConnectorContext, config: JsonObject, plan: StreamPlan): Promise<Loader>
}

/** The target of a stream as it stands, and what preparing it would do. */
export interface Rehearsal {
  /** As one names it there: `public.orders`. */
  target: string
  /** Rows there now, as far as that is known without reading them; null: there is no such target. */
  targetRows?: number | null
  /** Columns that are there now, with the destination's own types. */
  existing: TargetColumn[]
  /** The stream's columns as they will be there, metadata columns left out. */
  columns: TargetColumn[]
  /** The tables of the plan's `children`, in their order. */
  children?: Pick<Rehearsal, 'target' | 'columns' | 'existing'>[]
  /** Statements that would run before the first row, in order. */
  statements: string[]
}

export interface TableReader {
  columns: Column[]
  /** Rows that reading gives; absent where only reading tells. */
  rows?: number
  /** The asked columns, in their order, a bounded part of the table at a time. */
  read(columns: string[]): AsyncIterable<{ length: number; columns: Cell[][] }>
}

export interface TargetColumn {
  name: string
  type: string
}

/** Ids of chunks of rejected rows that are loaded again. */
export const REPLAY_PREFIX = 'replay-'
export const isReplayId = (chunkId: string) => chunkId.startsWith(REPLAY_PREFIX)

/**
 * A span of one stream between two checkpoints. `body` is read once, in order, with back-pressure;
 * `end()` is valid only after it is exhausted.
 */
export interface Chunk {
  /**
   * Hash of connection, stream, generation and start state; or, for rows that come from no source any
   * more, an `isReplayId`, which the ledger knows in whatever generation it was loaded.
   */
  id: string
  body: AsyncIterable<Batch>
  end(): ChunkEnd
  /**
   * Keeps rows that the destination refused. To be awaited before the commit, and before `end()`: a
   * chunk that is in the ledger is not loaded again to find them. Absent: they come with the result.
   */
  keepRejects?(rejects: RejectedRow[]): Promise<void>
  /** The chunk failed with VALUE_REJECTED before: load it in parts and reject the rows that do not fit. */
  isolateBadRows?: boolean
  /**
   * Resolves when the chunk before is committed, and rejects when this one is not wanted any more. Its
   * rows may be sent before; what they change, and the ledger, has to wait. Given to loaders of
   * destinations that say `overlaps`, for two chunks at a time. Absent: it is this chunk's turn.
   */
  turn?: Promise<void>
}

export interface ChunkEnd {
  /** The state that this chunk's rows complete, without its lists of partitions. */
  state: StreamState
  /** What changed in those lists since the chunk before. */
  partitions?: PartitionDelta
  /** Shared state, for sources that have one. */
  shared?: JsonObject
  /** True when the stream is complete with this chunk. */
  complete: boolean
  /** What the chunk amounted to; the ledger keeps it, so that a lost answer loses no proof. */
  proof?: ChunkProof
}

/** What the receipt says of one chunk. */
export interface ChunkProof {
  rows: number
  /** Of the rows' canonical COPY text. */
  bytes: number
  sha256: string
  rowHash: string
  /** Values that became null because they did not fit, here or at the source. */
  nulled: number
  /** Values that became the nearest there is. */
  truncated?: number
  /** Rows that the connection's filter left out. */
  filtered?: number
  rejected: number
  /** Object that holds the rejected rows. */
  rejectsKey?: string
  /** Rows for each of the plan's `children`. */
  childRows?: number[]
  /** Fields that the source sent and the catalog does not know; they were left out. */
  unknownFields?: string[]
}

export interface LoadResult {
  /** True: the ledger already had this chunk and nothing was written; `end` is the ledger's. */
  duplicate: boolean
  /** Of the chunk, whoever loaded it. */
  rows: number
  end: ChunkEnd
  rejects: RejectedRow[]
  /** Values that the destination refused and that became null. */
  nulled?: number
}

export interface RejectedRow {
  reason: string
  field?: string
  /** The row as JSON text of `{column: value}`. */
  row: string
  /** What the log said of it; absent: `u` or `i`. */
  op?: RowOp
  /** Fields whose null means what the row had before. */
  unchanged?: string[]
  /** Fields whose value does not stand in `row`: the connection hashes them. */
  masked?: string[]
}

/** The newest ledger entry of the plan's generation: the position that the destination has. */
export interface LedgerPosition {
  chunkId: string
  end: ChunkEnd
  rows: number
  fence: number
}

/**
 * Writes one stream. Every method is idempotent and refuses a fence lower than the last one seen
 * with FENCE_LOST. Fences grow with every claim, across syncs.
 */
export interface Loader {
  /** Creates or evolves tables, takes the fence, and returns where the destination stands. */
  prepare(fence: number): Promise<LedgerPosition | null>
  /** Rows, ledger entry and fence check in one transaction where `capabilities.ledger`. */
  load(chunk: Chunk, fence: number): Promise<LoadResult>
  /** Rows a reader of the target sees now; null if the target does not exist yet. */
  count(): Promise<number | null>
  /**
   * Makes the generation the visible one (overwrite modes) and drops older ones. The fence may be a
   * higher one than that of `prepare`.
   */
  finish(fence: number): Promise<void>
  /** Drops what an unfinished generation left behind. */
  abort(fence: number): Promise<void>
  /** The connection was deleted: its table keeps its rows and belongs to nobody. */
  release?(): Promise<void>
  /**
   * Reads the target back for `verify`, as batches of the plan's columns, only rows of `generationId`
   * when given; with `child` the table of that index in the plan's `children`.
   */
  readBack?(generationId?: number, child?: number): AsyncIterable<Batch>
  close(): Promise<void>
}
