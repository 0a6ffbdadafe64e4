/** The contract of a source whose changes come from one log for all its tables. */
import type {
  Batch,
  Column,
  ErrorRecord,
  JsonObject,
  StreamDescriptor,
  StreamKey,
  StreamState,
} from '../protocol/index.ts'
import type { ConnectorContext } from './contract.ts'

/** A stream whose changes are wanted from the log. */
export interface LogStream {
  stream: StreamDescriptor
  /** Top-level columns by which the destination tells rows apart; empty: rows are appended. */
  primaryKey: string[]
  /** The columns as they were discovered. */
  columns: Column[]
  /** Names of those that are wanted; absent: all. */
  selectedFields?: string[]
  /** The segment up to which the destination has the stream's changes; absent: it begins anew. */
  loaded?: number
}

/** Where a log stands: what reads on from it knows of it. Opaque to everybody but its source. */
export interface LogPlace {
  /** Everything up to here is staged, and may be forgotten by the database. */
  position: JsonObject
  /** What was set up at the database. */
  setup: JsonObject
  /** Where `acknowledgesLoaded`: the database may forget everything up to here, and no more. */
  loaded?: JsonObject
  /** Changes after the position are in no log, whatever the database has by now. */
  isLost?: boolean
}

/** What the database says of its log. */
export interface LogStatus {
  /** What the log is called there: the slot. */
  name: string
  /** As the database prints it. */
  position: string
  /** Bytes of log that the database keeps because this reader has not taken them yet. */
  retainedBytes: number
  /** Bytes that may be written until log that is needed is lost; absent: there is no such limit. */
  safeBytes?: number
}

/** What a log consists of, in order. */
export type LogEvent =
  | { type: 'batch'; batch: Batch }
  /** Every batch so far is covered by this position. */
  | { type: 'checkpoint'; position: JsonObject }

/** An open log. One reader; leaving the loop closes it. */
export interface LogFeed extends AsyncIterable<LogEvent> {
  /**
   * Everything up to here is durable: the database may forget it. Rejects with CDC_POSITION_LOST if what
   * was read may lack changes.
   */
  acknowledge(position: JsonObject): Promise<void>
  /** Has a checkpoint come soon, however quiet the database is. */
  ask(): void
  close(): Promise<void>
}

/**
 * How the changes of a database are read that has one log for all its tables. A source with a log has
 * one reader, which the host runs: it drains the log into segments, from which each stream reads.
 */
export interface SourceLog {
  /** Whether incremental streams of this config are read from the log. */
  isUsed(config: JsonObject): boolean
  /**
   * Whether the database may forget its log only once every stream has loaded it; by default what is
   * staged is enough.
   */
  acknowledgesLoaded?(config: JsonObject): boolean
  /**
   * Makes sure that the changes of these streams are in the log from now on, and that none was lost
   * since `kept`. Without it, or if all streams begin anew and the log is lost, the log begins anew.
   * Idempotent. What is wrong with one stream is in `failed`; what is wrong with the log rejects.
   *
   * @param options.name what to call what it sets up, unless the config names it
   * @param options.lose keeps that changes after `kept` are in no log, which cannot be seen later
   */
  prepare(
    ctx: ConnectorContext,
    config: JsonObject,
    streams: LogStream[],
    options: { name: string; kept: LogPlace | null; mayBeginAnew: boolean; lose?: () => void },
  ): Promise<PreparedLog>
  /** Opens the log where `place` says. */
  open(
    ctx: ConnectorContext,
    config: JsonObject,
    place: LogPlace,
    streams: LogStream[],
  ): Promise<LogFeed>
  status(ctx: ConnectorContext, config: JsonObject, place: LogPlace): Promise<LogStatus>
  /** Removes what `prepare` set up, and only that. */
  drop(ctx: ConnectorContext, config: JsonObject, place: LogPlace): Promise<void>
}

export interface PreparedLog {
  place: LogPlace
  /** The log goes on from `kept`. */
  continues: boolean
  failed: { stream: StreamKey; error: ErrorRecord }[]
  /** What the log will not tell of streams that it can be read for, for the person who follows them. */
  warnings?: LogWarning[]
}

export interface LogWarning {
  /** Absent: it concerns all. */
  stream?: StreamKey
  message: string
}

/** The log of a source as its reader has staged it. */
export interface StagedChanges {
  /** @see SourceLog.prepare; the reader then drains the log for as long as someone holds it. */
  prepare(streams: LogStream[]): Promise<{
    /** This log: positions of another one mean nothing in it. */
    log: string
    end: LogEnd
    failed: PreparedLog['failed']
    warnings?: LogWarning[]
  }>
  /** Has the reader go on draining for the next minutes. */
  hold(): Promise<void>
  /**
   * The stream's changes after `after`, some of them, and how far the log is staged. Where neither is
   * beyond what the caller knows, it waits until it is, `waitMs` at most. Rejects with CDC_POSITION_LOST
   * if `log` is gone, or with what stopped the reader.
   */
  next(log: string, stream: StreamKey, after: LogEnd, waitMs: number): Promise<LogProgress>
  /**
   * The streams of which something is staged that the destination did not have when the log was
   * prepared, and how far the log is staged: once that is beyond `after`, or after `waitMs`. It rejects
   * as `next` does.
   */
  unloaded(log: string, after: LogEnd, waitMs: number): Promise<UnloadedStreams>
  read(part: LogPart): AsyncIterable<Batch>
}

export interface UnloadedStreams {
  streams: StreamKey[]
  end: LogEnd
}

export interface LogProgress {
  parts: LogPart[]
  end: LogEnd
}

export interface LogEnd {
  /** The newest segment; 0 before the first. */
  segment: number
  position: JsonObject
}

/** One stream's changes in a segment. */
export interface LogPart extends LogEnd {
  key: string
  offset: number
  length: number
  rows: number
}

/** What every state of a stream that is read from a log says, whatever else is in it. */
export interface LogState {
  log: string
  /** The segment up to which the destination has the stream's changes. */
  segment: number
}

export function logStateOf(state: StreamState | null): LogState | undefined {
  const { log, segment } = state ?? {}
  return typeof log === 'string' && typeof segment === 'number' ? { log, segment } : undefined
}
