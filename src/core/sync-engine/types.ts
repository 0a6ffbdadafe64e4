/** What the engine's slices and the sync's object say to each other: plain data, versioned. */
import type {
  ConnectorPin,
  NewLogLine,
  Normalization,
  Receipt,
  SliceLimits,
  StreamConfig,
  SyncStatus,
  Warning,
} from '../../durable-object/rpc.ts'
import type {
  Column,
  ConfiguredStream,
  DestinationSyncMode,
  ErrorCode,
  ErrorRecord,
  FieldRange,
  PartitionDelta,
  StreamKey,
  StreamState,
} from '../../protocol/index.ts'
import type { ChunkEnd, ChunkProof, LedgerPosition, StreamPlan } from '../../runtime/contract.ts'
import type { FlattenOptions, PlannedMapping } from '../normalization/index.ts'
import type { ConnectionTable } from './connection-tables.ts'
import type { RowBasis } from './row-basis.ts'

export type { Normalization }

/** A wake-up on a queue: it names a task and says nothing about it. */
export interface TaskMessage {
  v: 1
  tenantId: string
  syncId: number
  taskId: string
}

export const DEFAULT_LIMITS: SliceLimits = {
  sliceMs: 30_000,
  sliceBytes: 1024 * 1024 * 1024,
  sliceRows: 10_000_000,
  chunkBytes: 64 * 1024 * 1024,
}

/** What a connection hands to a new sync: everything is frozen here. */
export interface SyncInput {
  v: 1
  tenantId: string
  connectionId: string
  connectionName: string
  syncId: number
  trigger: 'manual' | 'schedule'
  /** A connector of the workspace's own stays at this release until the sync ends. */
  source: { id: string; type: string; connector?: ConnectorPin }
  destination: { id: string; type: string }
  /** Tables of all the connection's streams that are known; absent: those of other streams are not. */
  tables?: ConnectionTable[]
  namespace?: string
  prefix?: string
  normalization: Normalization
  flattening?: Partial<FlattenOptions>
  transfer: 'auto' | 'direct' | 'staged'
  schemaChanges: 'ignore' | 'disable' | 'propagate_columns' | 'propagate_fully'
  /** Streams that are new at the source are taken in. */
  addsStreams?: boolean
  maxRejects: number
  /** Of hashed columns; only where there are any. */
  hashSalt?: string
  acceptEmpty: boolean
  limits: SliceLimits
}

export interface SyncStreamInput {
  config: StreamConfig
  /** A backfill: only these rows are read, as a full refresh into a generation of its own. */
  range?: FieldRange
  /** Nothing is read: rows that this older sync rejected are loaded again. */
  replay?: Replay
  /** Without its lists of partitions, which the connection keeps and gives out apart. */
  state: StreamState | null
  /** Whether the state has such lists. */
  hasPartitions: boolean
  /** The newest chunk that the destination had when the state was committed. */
  lastChunk: string | null
  generationId: number
  minimumGenerationId: number
  /** Rows that earlier, failed syncs already loaded into this generation. */
  generationRows: number
  generationHash: string
  /** Columns that the last sync saw; empty before the first. */
  knownColumns: Column[]
  /** Of rows that are there and are not read again. */
  basis?: RowBasis
  /** Of the plan by which the stream last succeeded, if nothing went wrong since. */
  settled?: string
  /** Rows of the last complete full refresh. */
  previousRows: number
  /** From when on (epoch milliseconds) finding no row is worth a warning; null: never. */
  quietAfter: number | null
}

/** What of a sync decides on the plan of a stream. */
export type PlanSettings = Pick<
  SyncInput,
  | 'connectionId'
  | 'syncId'
  | 'namespace'
  | 'prefix'
  | 'normalization'
  | 'flattening'
  | 'transfer'
  | 'schemaChanges'
  | 'hashSalt'
  | 'tables'
>
/** And what of the stream. */
export type StreamPlanSettings = Pick<
  SyncStreamInput,
  | 'config'
  | 'range'
  | 'replay'
  | 'state'
  | 'generationId'
  | 'minimumGenerationId'
  | 'generationRows'
  | 'knownColumns'
  | 'basis'
>

/** Streams that were new at the source. */
export interface AddedStreams {
  streams: SyncStreamInput[]
  warnings: Warning[]
}

/** Streams that a plan is to be made for: some of them, with where to ask for more, or the last. */
export interface ToPlan {
  streams: SyncStreamInput[]
  /** Tables of all the connection's streams that are known. With the last streams. */
  tables?: ConnectionTable[]
  next?: number
}

/** A plan, or a part of it. The last part, which begins the streams, says which cannot be planned. */
export interface PlanReport {
  streams: PlannedStream[]
  added?: AddedStreams
  last?: {
    failed: FailedStream[]
    /** Those that have nothing to read: they stay as they are, and have succeeded. */
    unchanged: StreamKey[]
  }
}

export interface Replay {
  syncId: number
}

/** A stream after planning: what is read, how it travels, where it lands. */
export interface PlannedStream {
  key: StreamKey
  configured: ConfiguredStream
  plan: StreamPlan
  transfer: 'direct' | 'staged'
  /** Source bytes go to the destination untouched: same dialect, no transform. */
  passThrough: boolean
  /** What the connection does to rows and columns; the plan's columns, key and cursor are those after it. */
  mapping?: PlannedMapping
  /** The columns as they are read, where objects among them are flattened into those of the plan. */
  flattened?: Column[]
  /** What is new in objects and arrays and is left out by the connection's policy, called by its path. */
  ignored?: Column[]
  stateBefore: StreamState | null
  generationRows: number
  replay?: Replay
  /** Of rows that come from now on; absent: nothing is known of it. */
  basis?: RowBasis
  /** Another plan has another, as far as it concerns what is at the destination. */
  fingerprint?: string
}

interface ClaimBase {
  v: 1
  taskId: string
  fence: number
  /** The claim is lost when the object hears nothing for so long. */
  leaseMs: number
  /** Claims of this task since it last made progress, from 0. */
  attempts: number
  input: SyncInput
}

export interface PlanClaim extends ClaimBase {
  kind: 'plan'
}

export interface StreamClaim extends ClaimBase {
  kind: 'read' | 'load' | 'finish'
  stream: PlannedStream
  /** Where reading stands: the last staged (read) or loaded (load) state. */
  state: StreamState | null
  /** Whether the connection's partitions belong to the state. */
  hasPartitions: boolean
  /** Whether the sync itself has changes of them that the connection does not have. */
  hasDeltas: boolean
  /** The newest loaded chunk that is known of: a ledger that ends with it is not ahead. */
  lastChunk: string | null
  /** The sync was cancelled while this read waited: what it began at the source is to be ended. */
  leftover?: true
  /** No chunk of this stream was staged or loaded in this sync yet. */
  first: boolean
  /** Rows loaded into the generation so far, by this sync and those it continues. */
  rowsInGeneration: number
}

export type Claim = PlanClaim | StreamClaim

/** Tasks that read, and tasks that load: each has a number of its own that may be at work at once. */
export type Lane = 'read' | 'load'

export const laneOf = (kind: Claim['kind']): Lane =>
  kind === 'plan' || kind === 'read' ? 'read' : 'load'

export interface ChunkReport extends ChunkProof {
  id: string
  end: ChunkEnd
  /** Where a staged chunk lies. */
  stagedKey?: string
}

export interface StagedChunk extends ChunkReport {
  stagedKey: string
}

/** What a slice may ask of the sync's object. A lower fence than the task's is answered with FENCE_LOST. */
export interface SyncControl {
  claim(taskId: string): Promise<Claim | null>
  heartbeat(taskId: string, fence: number): Promise<{ cancelled: boolean }>
  /** Streams from the `after`th on, until an answer is full. */
  toPlan(taskId: string, fence: number, after: number): Promise<ToPlan>
  planned(taskId: string, fence: number, plan: PlanReport): Promise<void>
  /** Where the destination's ledger stands; where it is ahead of the sync, an answer was lost. */
  resumed(taskId: string, fence: number, position: LedgerPosition): Promise<void>
  /** Records a chunk that is to be loaded. */
  staged(taskId: string, fence: number, chunk: StagedChunk): Promise<void>
  /** Changes of the stream's lists of partitions that the connection may not have yet, in order. */
  partitions(taskId: string, fence: number, after: number): Promise<PartitionPage>
  nextStaged(taskId: string, fence: number): Promise<StagedChunk | null>
  /** Records a chunk that is loaded; throws REJECTS_OVER_THRESHOLD when too many rows were rejected. */
  loaded(taskId: string, fence: number, chunk: ChunkReport): Promise<void>
  /** The position moved without rows. */
  advanced(taskId: string, fence: number, end: ChunkEnd): Promise<void>
  /** Ends the claim; the task goes on when the wait is over, and no slice is held until then. */
  wait(taskId: string, fence: number, wait: Wait): Promise<void>
  /** Ends the claim; the task goes on in another slice. */
  release(taskId: string, fence: number, delayMs?: number): Promise<void>
  /** Ends the task; with `lane` it claims what its holder may go on with, if there is anything. */
  done(taskId: string, fence: number, warnings?: Warning[], lane?: Lane): Promise<Claim | null>
  fail(taskId: string, fence: number, error: ErrorRecord): Promise<void>
  log(lines: NewLogLine[]): Promise<void>
  estimate(stream: StreamKey, rows: number): Promise<void>
}

export interface PartitionPage {
  deltas: PartitionDelta[]
  /** More follow after this. */
  next?: number
}

/** Nothing can be done before `until`, epoch milliseconds. */
export interface Wait {
  until: number
  reason: string
  /** Of the failure after which it is tried again; absent for limits and for jobs that run. */
  code?: ErrorCode
}

export interface FailedStream {
  key: StreamKey
  error: ErrorRecord
  mode: { sync: StreamConfig['syncMode']; destination: DestinationSyncMode }
  generationId: number
}

/** What the connection keeps of a stream when a sync ends. */
export interface StreamOutcome {
  key: StreamKey
  status: SyncStatus
  state: StreamState | null
  lastChunk: string | null
  generationId: number
  /** The generation is complete: the next full refresh opens a new one. */
  generationComplete: boolean
  rowsInGeneration: number
  /** Sum of the row hashes of the generation's rows. */
  rowHashInGeneration: string
  /** Absent: those that were known before. */
  columns?: Column[]
  /** Absent: as it was. */
  basis?: RowBasis
  /** @see SyncStreamInput.settled */
  settled: string | null
}

export interface SyncOutcome {
  receipt: Receipt
  streams: StreamOutcome[]
}
