import type { ChunkReport } from '../core/sync-engine/types.ts'
import { AirbyteError, type StreamKey } from '../protocol/index.ts'
import type { ChunkEnd } from '../runtime/contract.ts'
import type { StreamWait, SyncRecord, SyncSummary } from './rpc.ts'
import type { StreamRow, SyncRow } from './sync-rows.ts'
import type { SyncStore } from './sync-store.ts'
import type { SyncTasks } from './sync-tasks.ts'

/** A summary names no more streams that wait. */
const MAX_WAITING = 20
/** A record has no more streams than these. */
const MAX_SHOWN = 500

/** How far a sync has come: what reports change, and what a reader is shown. */
export class SyncProgress {
  readonly #store: SyncStore
  readonly #tasks: SyncTasks

  constructor(store: SyncStore, tasks: SyncTasks) {
    this.#store = store
    this.#tasks = tasks
  }

  sync(): SyncRow {
    const sync = this.#store.sync()
    if (!sync) throw new AirbyteError('NOT_FOUND', 'There is no such sync.')
    return sync
  }

  countLoaded(key: StreamKey, chunk: ChunkReport): void {
    const stream = this.#store.stream(key)
    if (this.#store.hasChunk(key, chunk.id, 'loaded')) return
    const { partitions: _, ...end } = chunk.end
    this.#store.saveChunk(key, 'loaded', { ...chunk, end })
    this.#store.updateStream(key, {
      rowsLoaded: stream.rowsLoaded + chunk.rows,
      bytes: stream.bytes + chunk.bytes,
      rejected: stream.rejected + chunk.rejected,
      dirty: true,
    })
  }

  countRead(key: StreamKey, chunk: ChunkReport): void {
    const { rowsRead } = this.#store.stream(key)
    this.#store.updateStream(key, { rowsRead: rowsRead + chunk.rows + chunk.rejected })
  }

  /** What a chunk changed of the stream's partitions is a delta of its own. */
  keepPartitions(key: StreamKey, chunk: string | null, { partitions, ...end }: ChunkEnd): ChunkEnd {
    if (partitions) this.#store.addDelta(key, chunk, partitions)
    return end
  }

  moveTo(key: StreamKey, { state, complete }: ChunkEnd): void {
    const loadedSeq = this.#store.lastDelta(key)
    const change = { readState: state, loadedState: state, readComplete: complete, dirty: true }
    this.#store.updateStream(key, { ...change, loadedSeq })
  }

  /** A staged chunk was loaded; after the last of them, what was read past it counts too. */
  moveLoaded(key: StreamKey, { state }: ChunkEnd, upTo: number): void {
    const isLast = this.#store.nextStaged(key) === null
    const loadedState = isLast ? this.#store.stream(key).readState : state
    const loadedSeq = isLast ? this.#store.lastDelta(key) : upTo
    this.#store.updateStream(key, { loadedState, loadedSeq, dirty: true })
  }

  /** The position moved past no rows: it counts as loaded once nothing staged stands before it. */
  moveStaged(key: StreamKey, { state, complete }: ChunkEnd): void {
    this.#store.updateStream(key, { readState: state, readComplete: complete })
    if (this.#store.nextStaged(key)) return
    const loadedSeq = this.#store.lastDelta(key)
    this.#store.updateStream(key, { loadedState: state, loadedSeq, dirty: true })
  }

  /** REJECTS_OVER_THRESHOLD when the stream has more than its connection allows. */
  refuseTooManyRejects(key: StreamKey | null): void {
    if (key === null) return
    const { rejected } = this.#store.stream(key)
    const { maxRejects } = this.sync().input
    if (rejected <= maxRejects) return
    const message = `${rejected} rows of ${key} were rejected; the connection allows ${maxRejects}.`
    throw new AirbyteError('REJECTS_OVER_THRESHOLD', message, { stream: key })
  }

  record(): SyncRecord {
    const sync = this.sync()
    const waiting = new Map(this.#waiting().map((wait) => [wait.stream, wait]))
    const shown = this.#store.streamsToShow(MAX_SHOWN)
    const streams = shown.map((row) => progress(row, waiting.get(row.key)))
    const streamCounts = this.#store.streamCounts()
    return { ...this.summary(), tenantId: sync.input.tenantId, streams, streamCounts }
  }

  summary(): SyncSummary {
    const sync = this.sync()
    const { input, status, startedAt, updatedAt, endedAt } = sync
    const { rows, bytes, withRejects, error } = this.#store.totals()
    return {
      syncId: input.syncId,
      connectionId: input.connectionId,
      ...{ status, startedAt, updatedAt },
      ...(endedAt ? { endedAt } : {}),
      ...{ rows, bytes },
      warnings: sync.warningCount ?? this.#store.countWarnings() + withRejects,
      ...(error ? { error } : {}),
      ...(sync.log ? { log: sync.log } : {}),
      ...this.#wait(),
    }
  }

  #wait(): Pick<SyncSummary, 'waiting' | 'waitingUntil'> {
    const waiting = this.waiting()
    if (waiting.length === 0) return {}
    const waitingUntil = this.#tasks.waitsUntil()
    return {
      waiting,
      ...(waitingUntil === undefined ? {} : { waitingUntil }),
    }
  }

  /** As many of the streams that wait as a summary names. */
  waiting(): StreamWait[] {
    return this.#waiting(MAX_WAITING).slice(0, MAX_WAITING)
  }

  /** The streams that a source or a destination lets wait; all of them while the plan waits. */
  #waiting(most = -1): StreamWait[] {
    return this.#store.tasks.waiting(Date.now()).flatMap((task) => {
      const { stream, not_before: until, wait_code: code } = task
      const reason = task.wait_reason ?? ''
      const keys = stream === null ? this.#store.streamKeys(most) : [stream]
      return keys.map((key) => ({ stream: key, until, reason, ...(code ? { code } : {}) }))
    })
  }
}

const progress = (row: StreamRow, wait: StreamWait | undefined) => ({
  stream: row.key,
  status: row.status,
  rowsRead: row.rowsRead,
  rowsLoaded: row.rowsLoaded,
  bytesRead: row.bytes,
  rejected: row.rejected,
  ...(row.estimatedRows === null ? {} : { estimatedRows: row.estimatedRows }),
  ...(row.error ? { error: row.error } : {}),
  ...(wait ? { waitingUntil: wait.until, waitReason: wait.reason } : {}),
})
