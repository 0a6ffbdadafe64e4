import { fenceOf } from '../core/sync-engine/identity.ts'
import type { Claim, Lane, StreamClaim, Wait } from '../core/sync-engine/types.ts'
import {
  AirbyteError,
  type ErrorRecord,
  LONGEST_WAIT_MS,
  type LogLevel,
  type StreamKey,
} from '../protocol/index.ts'
import { overallStatus } from './sync-receipt.ts'
import type { SyncRow, TaskKind, TaskRow } from './sync-rows.ts'
import type { SyncStore } from './sync-store.ts'

/** Claims without progress after which a stream is given up. */
const MAX_ATTEMPTS = 3
/** Transient failures in a row after which a stream is given up, and the wait before each retry. */
const BACKOFF_MS = [2_000, 5_000, 15_000, 45_000, 120_000]
/**
 * Tasks of a sync that read at once, and that load at once. Each holds a connection to its database,
 * which has so many for everybody.
 */
const AT_ONCE = 32
/**
 * Wake-ups of a lane that nobody has answered yet. Where all consumers are at work more would only
 * stand before those of other syncs: who is at work takes up the next task by itself.
 */
const UNANSWERED = 12
const LANES: Record<Lane, TaskKind[]> = { read: ['plan', 'read'], load: ['load', 'finish'] }
/** Who looks at a sync that is tried again after so long is told why. */
const TOLD_MS = 5_000

export const taskId = (kind: TaskKind, key?: StreamKey) => (key ? `${kind}:${key}` : kind)

/**
 * The task table's rules: who may work on what, what follows from what. It changes rows and posts
 * wake-ups to the outbox; sending them is the object's business. Runs inside a transaction.
 */
export class SyncTasks {
  readonly #store: SyncStore
  readonly #leaseMs: number
  readonly #now: () => number

  constructor(store: SyncStore, leaseMs: number, now: () => number = () => Date.now()) {
    this.#store = store
    this.#leaseMs = leaseMs
    this.#now = now
  }

  /** Creates the task if need be and makes it ready to be claimed; `dispatch` has its wake-up sent. */
  wake(kind: TaskKind, key: StreamKey | null): void {
    const id = taskId(kind, key ?? undefined)
    this.#store.tasks.add(id, kind, key)
    const task = this.#store.tasks.get(id)
    // One that is ready waits for its moment, or for its turn, or has a wake-up on its way.
    if (task?.status === 'claimed' || task?.status === 'ready') return
    this.#store.tasks.update(id, { status: 'ready', woken_at: 0 })
  }

  /** Has wake-ups sent to as many as may work at once. */
  dispatch(): void {
    const now = this.#now()
    for (const lane of Object.values(LANES)) {
      let room = this.#roomIn(lane)
      for (const kind of lane) {
        if (room <= 0) break
        const next = this.#store.tasks.unsent(kind, now, room)
        for (const { id } of next) this.#send(id)
        room -= next.length
      }
    }
  }

  #roomIn(lane: TaskKind[]): number {
    let [claimed, sent] = [0, 0]
    for (const kind of lane) {
      const counts = this.#store.tasks.atWork(kind)
      claimed += counts.claimed
      sent += counts.sent
    }
    return Math.min(UNANSWERED, AT_ONCE - claimed) - sent
  }

  #send(id: string): void {
    this.#store.tasks.update(id, { woken_at: this.#now() })
    this.#store.tasks.post(id)
  }

  /** A lease with a new fence, or null when there is nothing to do for this caller. */
  claim(id: string): Claim | null {
    const sync = this.#store.sync()
    const task = this.#store.tasks.get(id)
    if (sync?.cancelled && task && isLeftover(task)) {
      this.#store.tasks.update(id, { wait_reason: null, wait_code: null })
      return { ...(this.#describe(sync, task, task.fence) as StreamClaim), leftover: true }
    }
    if (!sync || !task || sync.endedAt || sync.cancelled || !this.#isClaimable(task)) return null
    if (task.attempts >= MAX_ATTEMPTS) {
      this.#giveUp(task, noProgress(task).toJSON())
      return null
    }
    const claims = sync.claims + 1
    this.#store.saveSync({ ...sync, status: 'running', claims, updatedAt: this.#now() })
    const fence = fenceOf(sync.input.syncId, claims)
    this.#store.tasks.update(id, {
      status: 'claimed',
      fence,
      lease_until: this.#now() + this.#leaseMs,
      attempts: task.attempts + 1,
      wait_reason: null,
      wait_code: null,
    })
    return this.#describe(sync, task, fence)
  }

  /**
   * What who has done a task of this stream goes on with: making the stream visible, or else what of
   * the lane has no wake-up yet, or has one that nobody came to answer.
   */
  nextOf(lane: Lane, done: StreamKey | null): TaskRow | undefined {
    const now = this.#now()
    const finish = done === null ? undefined : this.#store.tasks.get(taskId('finish', done))
    if (finish?.status === 'ready' && finish.woken_at === 0 && finish.not_before <= now)
      return finish
    const { tasks } = this.#store
    const unsent = LANES[lane].flatMap((kind) => tasks.unsent(kind, now, 1))
    return unsent[0] ?? LANES[lane].flatMap((kind) => tasks.unclaimed(kind, now))[0]
  }

  /** The task if this fence still holds it; extends its lease. */
  held(id: string, fence: number): TaskRow {
    const task = this.#store.tasks.get(id)
    if (task?.status !== 'claimed' || task.fence !== fence) {
      throw new AirbyteError('FENCE_LOST', `The claim ${fence} on ${id} was superseded.`)
    }
    this.#store.tasks.update(id, { lease_until: this.#now() + this.#leaseMs })
    return task
  }

  /** Rows or a position moved: the attempts start over. */
  progressed(id: string): void {
    this.#store.tasks.update(id, { attempts: 0, failures: 0 })
  }

  /** Hands the task over to another slice; with a delay when this one had no room to start. */
  release(task: TaskRow, delayMs: number | undefined): void {
    if (delayMs === undefined) {
      // Those that had no turn yet come first.
      this.#store.tasks.update(task.id, {
        ...{ status: 'ready', woken_at: 0 },
        not_before: this.#now(),
      })
      return
    }
    this.#store.tasks.update(task.id, {
      status: 'ready',
      not_before: this.#now() + delayMs,
      attempts: Math.max(0, task.attempts - 1),
      woken_at: 0,
    })
  }

  /** Nothing can be done before `until`: it costs no attempt, and nothing but the clock ends it. */
  wait(task: TaskRow, { until, reason, code }: Wait): void {
    if (until > this.#now() + LONGEST_WAIT_MS) {
      this.#giveUp(task, waitsTooLong(task, until, reason).toJSON())
      return
    }
    this.#store.tasks.update(task.id, {
      status: 'ready',
      not_before: until,
      attempts: Math.max(0, task.attempts - 1),
      woken_at: 0,
      wait_reason: reason,
      wait_code: code ?? null,
    })
  }

  /** What a finished task makes possible. */
  done(task: TaskRow): void {
    if (task.stream === null) {
      this.#store.tasks.update(task.id, { status: 'done' })
      return
    }
    const { readComplete, rowsLoaded } = this.#store.stream(task.stream)
    const staged = this.#store.nextStaged(task.stream) !== null
    if (task.kind === 'load') {
      this.#store.tasks.update(task.id, { status: 'idle', attempts: 0 })
      if (staged) this.wake('load', task.stream)
      else if (readComplete) this.wake('finish', task.stream)
      return
    }
    this.#store.tasks.update(task.id, { status: 'done' })
    if (task.kind === 'finish') {
      this.#store.updateStream(task.stream, { status: 'succeeded' })
      this.#log('info', task.stream, `complete: ${rowsLoaded} rows loaded`)
    } else if (!staged && this.#loadIsIdle(task.stream)) this.wake('finish', task.stream)
    this.endIfOver()
  }

  /** Retries what may pass, gives up what will not. */
  fail(task: TaskRow, error: ErrorRecord): void {
    const { kind, code, retryAt, message } = error
    if (kind === 'transient' && retryAt !== undefined && retryAt > this.#now()) {
      this.wait(task, { until: retryAt, reason: message, code })
      return
    }
    const failures = task.failures + 1
    const retry =
      (kind === 'transient' && failures <= BACKOFF_MS.length) ||
      ((kind === 'system' || this.#leavesStaged(task)) && failures < MAX_ATTEMPTS)
    if (!retry) {
      this.#giveUp(task, error)
      return
    }
    const delay = BACKOFF_MS[failures - 1] ?? 0
    const told = kind === 'transient' && delay >= TOLD_MS
    this.#store.tasks.update(task.id, {
      status: 'ready',
      attempts: Math.max(0, task.attempts - 1),
      failures,
      woken_at: 0,
      not_before: this.#now() + delay,
      ...(told ? { wait_reason: message, wait_code: code } : {}),
    })
  }

  /** What was read before it failed is still to be loaded: giving up now would drop it. */
  #leavesStaged({ kind, stream }: TaskRow): boolean {
    if (kind !== 'read' || stream === null) return false
    return this.#store.nextStaged(stream) !== null || !this.#loadIsIdle(stream)
  }

  /**
   * When the sweep has something to do: a wait or a lease ends; at the latest in `withinMs`, unless
   * all that is left to do waits: then nothing can be lost before the first wait ends.
   */
  nextDue(withinMs: number): number {
    const now = this.#now()
    const { lease, wait } = this.#store.tasks.moments(now)
    const dues = [...(lease === null ? [] : [lease + 1]), ...(wait === null ? [] : [wait])]
    const sweep = this.waitsUntil() === undefined ? [now + withinMs] : []
    return Math.max(now, Math.min(...sweep, ...dues))
  }

  /** When the first of the tasks goes on, if every one that is not over waits; epoch milliseconds. */
  waitsUntil(): number | undefined {
    const { wait, goesOn } = this.#store.tasks.moments(this.#now())
    return goesOn ? undefined : (wait ?? undefined)
  }

  /** Leases that ran out and ready tasks that nobody picked up become wake-ups again. */
  sweep(staleMs: number): void {
    const now = this.#now()
    for (const { id } of this.#store.tasks.expired(now)) {
      this.#store.tasks.update(id, { status: 'ready' })
      this.#send(id)
    }
    for (const { id } of this.#store.tasks.unanswered(now, now - staleMs)) this.#send(id)
  }

  /** Stops everything that nobody works on; claimed tasks learn of it by their heartbeat. */
  cancel(): void {
    for (const task of this.#store.tasks.all()) {
      const running = task.status === 'claimed' && task.lease_until >= this.#now()
      if (task.status === 'done' || running) continue
      this.#store.tasks.update(task.id, { status: 'failed' })
      // What it waited for may run on at the source.
      if (task.kind === 'read' && task.status === 'ready' && task.wait_reason) {
        this.#store.tasks.post(task.id)
      }
    }
    for (const stream of this.#store.streams()) {
      if (stream.status !== 'running' && stream.status !== 'pending') continue
      const tasks = this.#store.tasks.ofStream(stream.key)
      if (!tasks.some((task) => task.status === 'claimed')) {
        this.#store.updateStream(stream.key, { status: 'cancelled' })
      }
    }
    this.endIfOver()
  }

  failStream(key: StreamKey, error: ErrorRecord): void {
    for (const { id } of this.#store.tasks.ofStream(key)) {
      this.#store.tasks.update(id, { status: 'failed' })
    }
    const incomplete = error.code === 'EMPTY_OVERWRITE_HELD' || error.code === 'STREAM_INCOMPLETE'
    const status =
      error.code === 'CANCELLED' ? 'cancelled' : incomplete ? 'incomplete' : ('failed' as const)
    this.#store.updateStream(key, { status, error })
    this.#log('error', key, `${status}: ${error.code}: ${error.message} ${error.hint}`)
    this.endIfOver()
  }

  /** Ends the sync when no stream has anything left to do. */
  endIfOver(): void {
    const sync = this.#store.sync()
    if (!sync || sync.endedAt || this.#store.hasOpenStreams()) return
    const now = this.#now()
    const status = overallStatus(this.#store.streams(), sync.cancelled)
    this.#store.saveSync({ ...sync, status, endedAt: now, updatedAt: now })
  }

  #log(level: LogLevel, stream: StreamKey, message: string): void {
    this.#store.addLog({ at: this.#now(), level, stream, message })
  }

  #isClaimable(task: TaskRow): boolean {
    const now = this.#now()
    if (task.status === 'ready') return task.not_before <= now
    return task.status === 'claimed' && task.lease_until < now
  }

  #loadIsIdle(key: StreamKey): boolean {
    const load = this.#store.tasks.get(taskId('load', key))
    return !load || load.status === 'idle'
  }

  #giveUp(task: TaskRow, error: ErrorRecord): void {
    this.#store.tasks.update(task.id, { status: 'failed' })
    const lost = task.stream === null ? this.#store.streamKeys() : [task.stream]
    for (const key of lost) this.failStream(key, error)
  }

  #describe(sync: SyncRow, task: TaskRow, fence: number): Claim {
    const base = {
      ...{ v: 1 as const, taskId: task.id, fence },
      ...{ leaseMs: this.#leaseMs, attempts: task.attempts },
    }
    if (task.stream === null) return { ...base, kind: 'plan', input: sync.input }
    const stream = this.#store.stream(task.stream)
    const { planned, input } = this.#store.planOf(task.stream)
    if (!planned || task.kind === 'plan') throw new Error(`${task.id} has no plan`)
    return {
      ...base,
      kind: task.kind,
      input: sync.input,
      stream: planned,
      state: task.kind === 'read' ? stream.readState : stream.loadedState,
      hasPartitions: input.hasPartitions || stream.committedSeq > 0,
      hasDeltas: this.#store.lastDelta(stream.key) > stream.committedSeq,
      lastChunk: stream.lastChunk,
      first: !this.#store.hasChunks(stream.key),
      rowsInGeneration: input.generationRows + stream.rowsLoaded,
    }
  }
}

/** A read that was cancelled while it waited. */
const isLeftover = (task: TaskRow) =>
  task.kind === 'read' && task.status === 'failed' && task.wait_reason !== null

function waitsTooLong(task: TaskRow, until: number, reason: string): AirbyteError {
  const retryAt = Math.min(until, LATEST_DATE)
  const message = `${reason} A sync does not wait longer than a day; what was loaded is kept.`
  return new AirbyteError('RATE_LIMITED', message, {
    ...(task.stream === null ? {} : { stream: task.stream }),
    ...{ retryAt, hint: `Sync again after ${new Date(retryAt).toISOString()}.` },
  })
}

/** The last moment that a date can name. */
const LATEST_DATE = 8.64e15

const noProgress = (task: TaskRow) =>
  new AirbyteError(
    'NO_PROGRESS',
    `The ${task.kind} task was started ${MAX_ATTEMPTS} times without any progress.`,
    task.stream === null ? {} : { stream: task.stream },
  )
