import type { Batch } from './batch.ts'
import type { StreamKey } from './catalog.ts'
import type { ErrorCode, ErrorRecord } from './errors.ts'
import type { JsonObject } from './json.ts'

/**
 * A stream's position. Opaque to everything but its source; versioned by the source. A list of many
 * partitions in it should be a `PartitionList`: what changed in it is kept, not the whole.
 */
export type StreamState = JsonObject

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** A source that asks for more, in milliseconds, is not waited for: the stream fails and says until when. */
export const LONGEST_WAIT_MS = 24 * 3600 * 1000

/** What the person who follows a sync has to know of its source: a log line that its receipt keeps. */
export type SourceWarning = 'CHANGES_NOT_IN_LOG' | 'ROWS_WITHOUT_CURSOR'

/** What a source emits while it reads. Every event but `control` names its stream. */
export type ReadEvent =
  | { type: 'batch'; batch: Batch }
  /**
   * All batches of this stream emitted so far are covered by this state. A chunk ends only here, and
   * it does where `keep` says that what the state knows cannot be asked for again: a job at the API.
   */
  | { type: 'state'; stream: StreamKey; state: StreamState; shared?: JsonObject; keep?: boolean }
  | {
      type: 'status'
      stream: StreamKey
      status: 'started' | 'running' | 'complete' | 'incomplete'
      rateLimitedUntil?: number
    }
  /**
   * Nothing can be read before `until`, epoch milliseconds. Follows a state: the consumer may stop
   * here and go on from it later, or pull again, whereupon the source waits. `code` is that of the
   * failure after which it is tried again, where there was one.
   */
  | { type: 'wait'; stream: StreamKey; until: number; reason: string; code?: ErrorCode }
  | {
      type: 'log'
      stream?: StreamKey
      level: LogLevel
      message: string
      /** The receipt has it among its warnings. */
      warning?: SourceWarning
    }
  | { type: 'estimate'; stream: StreamKey; rows?: number; bytes?: number }
  /** The source changed its own config (single-use refresh tokens, migrations). */
  | { type: 'control'; config: JsonObject }
  | { type: 'error'; stream: StreamKey; error: ErrorRecord }
