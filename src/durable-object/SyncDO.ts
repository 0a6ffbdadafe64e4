import { DurableObject } from 'cloudflare:workers'
import { faultPoint } from '../core/fault-points.ts'
import { syncOfFence } from '../core/sync-engine/identity.ts'
import { rejectsPrefix, stagedPrefix } from '../core/sync-engine/objects.ts'
import type {
  AddedStreams,
  ChunkReport,
  Claim,
  Lane,
  PartitionPage,
  PlanReport,
  StagedChunk,
  SyncControl,
  SyncInput,
  SyncStreamInput,
  ToPlan,
  Wait,
} from '../core/sync-engine/types.ts'
import { laneOf } from '../core/sync-engine/types.ts'
import {
  type ErrorRecord,
  type LogLevel,
  mergeDeltas,
  type StreamKey,
  stableJson,
  streamKey,
  toAirbyteError,
} from '../protocol/index.ts'
import type { ChunkEnd, LedgerPosition } from '../runtime/contract.ts'
import { logStateOf } from '../runtime/source-log.ts'
import { deletePrefix } from '../staging/delete-prefix.ts'
import { migrate } from './migrations.ts'
import {
  connectionStub,
  logReaderStub,
  type StateCommit,
  stagingStore,
  tenantStub,
} from './platform.ts'
import { sendWakeUps, type WakeUp } from './queue.ts'
import type { NewLogLine, SyncApi, SyncRecord, SyncSummary, Warning } from './rpc.ts'
import { guarded } from './rpc-guard.ts'
import { pageOf, readArchive, writeArchive } from './sync-archive.ts'
import { SyncProgress } from './sync-progress.ts'
import { outcomeOf } from './sync-receipt.ts'
import { type StreamRow, SYNC_MIGRATIONS, type SyncRow, type TaskRow } from './sync-rows.ts'
import { MAX_LOG_LINES, SyncStore } from './sync-store.ts'
import { SyncTasks } from './sync-tasks.ts'
import type { Posted } from './task-store.ts'

const DEFAULT_LEASE_MS = 15_000
/** How often the alarm looks for expired leases while the sync runs. */
const SWEEP_MS = 5_000
/** A ready task that nobody claimed for so long is sent again: local queues forget on a kill. */
const STALE_MS = 30_000
const DAY_MS = 24 * 3600 * 1000
/** An ended sync's object stays for so long; with rejected rows, until they go. */
const KEEP_MS = 7 * DAY_MS
const KEEP_REJECTS_MS = 30 * DAY_MS
/** Of deltas, or of streams to plan, in one answer. */
const PAGE_BYTES = 4 * 1024 * 1024
/** Wake-ups that a queue takes at once. */
const WAKE_UPS = 100
/** Streams whose states are handed over at once. */
const STATES = 100
const LEVELS: LogLevel[] = ['debug', 'info', 'warn', 'error']

/**
 * One sync. Its task table is the truth about the work; a queue message is only a wake-up, which
 * this object alone sends, through an outbox, and sends again when nobody answered.
 */
export class SyncDO extends DurableObject<Env> implements SyncApi, SyncControl {
  readonly #store: SyncStore
  readonly #tasks: SyncTasks
  readonly #progress: SyncProgress
  /** True until the first sweep after a restart, when earlier wake-ups may be lost. */
  #fresh = true

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    migrate(ctx.storage, SYNC_MIGRATIONS)
    this.#store = new SyncStore(ctx.storage)
    const lease = Number((env as { LEASE_MS?: string }).LEASE_MS) || DEFAULT_LEASE_MS
    this.#tasks = new SyncTasks(this.#store, lease)
    this.#progress = new SyncProgress(this.#store, this.#tasks)
  }

  /** Takes the streams of a sync that is about to begin, from the `first`th on. */
  async offer(streams: SyncStreamInput[], first: number): Promise<void> {
    return guarded(() => {
      if (this.#store.sync()) return
      this.ctx.storage.transactionSync(() => {
        if (first === 0) this.#store.dropStreams()
        streams.forEach((stream, i) => {
          this.#store.addStream(streamKey(stream.config), first + i, stream)
        })
      })
    })
  }

  /** Begins with what was offered; calling it again with the same input changes nothing. */
  async start(input: SyncInput): Promise<SyncSummary> {
    return guarded(async () => {
      if (!this.#store.sync()) {
        await this.#change(() => {
          const { tables = [], ...rest } = input
          const now = Date.now()
          this.#store.saveSync({
            input: rest,
            ...{ status: 'pending', startedAt: now, updatedAt: now, cancelled: false },
            ...{ claims: 0, reported: false },
          })
          this.#store.saveTables(tables)
          this.#tasks.wake('plan', null)
        })
      }
      return this.#progress.summary()
    })
  }

  async get(): Promise<SyncRecord> {
    return guarded(async () => {
      if (this.#store.sync()) return this.#progress.record()
      const { record } = await readArchive(this.env, this.ctx.id.name)
      return record
    })
  }

  async cancel(): Promise<SyncRecord> {
    return guarded(async () => {
      const sync = this.#progress.sync()
      if (!sync.endedAt) {
        await this.#change(() => {
          this.#store.saveSync({ ...sync, cancelled: true, updatedAt: Date.now() })
          this.#tasks.cancel()
        })
      }
      return this.get()
    })
  }

  async logs(options: { after?: number; limit: number; level?: LogLevel }) {
    return guarded(async () => {
      const { after = 0, limit } = options
      const levels = LEVELS.slice(LEVELS.indexOf(options.level ?? 'debug'))
      const lines = this.#store.sync()
        ? this.#store.logs(after, limit, levels)
        : pageOf((await readArchive(this.env, this.ctx.id.name)).logs, after, limit, levels)
      const last = lines.at(-1)
      return { lines, ...(last && lines.length === limit ? { next: last.seq } : {}) }
    })
  }

  /* What slices call */

  async claim(id: string): Promise<Claim | null> {
    return guarded(() => this.#change(() => this.#tasks.claim(id)))
  }

  async heartbeat(id: string, fence: number): Promise<{ cancelled: boolean }> {
    return guarded(() => {
      this.#tasks.held(id, fence)
      return { cancelled: this.#progress.sync().cancelled }
    })
  }

  /** What a plan is made from: pages of streams, the last with the tables that the connection has. */
  async toPlan(id: string, fence: number, after: number): Promise<ToPlan> {
    return guarded(() => {
      this.#tasks.held(id, fence)
      const { inputs: streams, next } = this.#store.inputs(after, PAGE_BYTES)
      return next === undefined ? { streams, tables: this.#store.tables() } : { streams, next }
    })
  }

  async planned(id: string, fence: number, plan: PlanReport) {
    return this.#report(id, fence, (task) => {
      const { streams, added, last } = plan
      if (added) this.#take(added)
      for (const planned of streams) this.#store.savePlanned(planned.key, planned)
      if (!last) return
      for (const { key, error } of last.failed) this.#tasks.failStream(key, error)
      for (const key of last.unchanged)
        this.#store.updateStream(key, { status: 'succeeded', readComplete: true })
      const keys = this.#store.plannedStreams()
      const others = last.unchanged.length
      const message = `reading ${keys.length} streams${others > 0 ? `; ${others} have no changes` : ''}`
      this.#store.addLog({ at: Date.now(), level: 'info', message })
      for (const key of keys) {
        this.#store.updateStream(key, { status: 'running' })
        this.#tasks.wake('read', key)
      }
      this.#tasks.done(task)
      this.#tasks.endIfOver()
    })
  }

  /** Streams that were not known when the sync began. */
  #take({ streams, warnings }: AddedStreams): void {
    const known = new Set(this.#store.streamKeys())
    for (const [i, input] of streams.entries()) {
      const key = streamKey(input.config)
      if (!known.has(key)) this.#store.addStream(key, known.size + i, input)
    }
    this.#store.addWarnings(warnings)
  }

  async resumed(id: string, fence: number, position: LedgerPosition) {
    return this.#report(id, fence, (task) => {
      const key = task.stream as StreamKey
      const { proof, ...given } = position.end
      const end = this.#progress.keepPartitions(key, position.chunkId, given)
      const sync = this.#progress.sync()
      const ofThisSync = syncOfFence(position.fence) === sync.input.syncId
      if (ofThisSync && proof && !this.#store.hasChunk(key, position.chunkId, 'loaded')) {
        const report = { ...proof, id: position.chunkId, end, rows: position.rows }
        this.#progress.countLoaded(key, report)
        this.#progress.countRead(key, report)
      }
      this.#progress.moveTo(key, { ...end, complete: ofThisSync && end.complete })
      this.#store.updateStream(key, { lastChunk: position.chunkId })
    })
  }

  async staged(id: string, fence: number, chunk: StagedChunk) {
    return this.#report(id, fence, (task) => {
      const key = task.stream as StreamKey
      const end = this.#progress.keepPartitions(key, chunk.id, chunk.end)
      if (!this.#store.hasChunk(key, chunk.id, 'loaded')) {
        const staged = { ...chunk, end, upTo: this.#store.lastDelta(key) }
        this.#store.saveChunk(key, 'staged', staged)
      }
      this.#progress.countRead(key, chunk)
      this.#store.updateStream(key, {
        readState: chunk.end.state,
        readComplete: chunk.end.complete,
      })
      this.#tasks.progressed(id)
      this.#tasks.wake('load', key)
    })
  }

  async nextStaged(id: string, fence: number): Promise<StagedChunk | null> {
    return guarded(() => {
      const key = this.#tasks.held(id, fence).stream as StreamKey
      const found = this.#store.nextStaged(key)
      if (!found) return null
      const { upTo: _, ...chunk } = found
      const deltas = this.#store.deltasOf(key, chunk.id)
      if (deltas.length === 0) return chunk
      return { ...chunk, end: { ...chunk.end, partitions: mergeDeltas(deltas) } }
    })
  }

  async partitions(id: string, fence: number, after: number): Promise<PartitionPage> {
    return guarded(() => {
      const key = this.#tasks.held(id, fence).stream as StreamKey
      const last = this.#store.lastDelta(key)
      const found = this.#store.deltas(key, after, last, PAGE_BYTES)
      const next = found.at(-1)?.seq
      return {
        deltas: found.map(({ delta }) => delta),
        ...(next !== undefined && next < last ? { next } : {}),
      }
    })
  }

  async loaded(id: string, fence: number, chunk: ChunkReport) {
    await this.#report(id, fence, (task) => {
      const key = task.stream as StreamKey
      const upTo = this.#store.nextStaged(key)?.upTo ?? 0
      this.#progress.countLoaded(key, chunk)
      if (task.kind === 'read') {
        this.#progress.countRead(key, chunk)
        this.#progress.moveTo(key, this.#progress.keepPartitions(key, chunk.id, chunk.end))
      } else this.#progress.moveLoaded(key, chunk.end, upTo)
      this.#store.updateStream(key, { lastChunk: chunk.id })
      this.#tasks.progressed(id)
    })
    await this.#commitStates()
    await guarded(() =>
      this.#progress.refuseTooManyRejects(this.#store.tasks.get(id)?.stream ?? null),
    )
  }

  async advanced(id: string, fence: number, end: ChunkEnd) {
    await this.#report(id, fence, (task) => {
      const key = task.stream as StreamKey
      const { readState } = this.#store.stream(key)
      const isSame = stableJson(readState) === stableJson(end.state) && !end.partitions
      if (isSame && !end.complete) return
      const moved = this.#progress.keepPartitions(key, null, end)
      const { planned } = this.#store.planOf(key)
      if (planned?.transfer === 'direct') this.#progress.moveTo(key, moved)
      else this.#progress.moveStaged(key, moved)
      this.#tasks.progressed(id)
    })
    await this.#commitStates()
  }

  async wait(id: string, fence: number, wait: Wait) {
    return this.#report(id, fence, () => {
      const task = this.#store.tasks.get(id)
      if (!task) return
      this.#tasks.wait(task, wait)
      this.#store.addLog({
        ...{ at: Date.now(), level: 'info', message: `waits: ${wait.reason}` },
        ...(task.stream === null ? {} : { stream: task.stream }),
      })
    })
  }

  async release(id: string, fence: number, delayMs?: number) {
    return this.#report(id, fence, () => {
      const task = this.#store.tasks.get(id)
      if (task) this.#tasks.release(task, delayMs)
    })
  }

  async done(id: string, fence: number, warnings: Warning[] = [], lane?: Lane) {
    return this.#report(id, fence, (task) => {
      this.#store.addWarnings(warnings)
      if (task.kind === 'read' && task.stream) {
        this.#store.updateStream(task.stream, { readComplete: true })
      }
      this.#tasks.done(task)
      const next = lane && this.#tasks.nextOf(lane, task.stream)
      return next ? this.#tasks.claim(next.id) : null
    })
  }

  async fail(id: string, fence: number, error: ErrorRecord) {
    return this.#report(id, fence, (task) => {
      if (error.code === 'CANCELLED') {
        this.#store.tasks.update(id, { status: 'failed' })
        this.#tasks.cancel()
      } else this.#tasks.fail(task, error)
    })
  }

  async log(lines: NewLogLine[]) {
    return guarded(() => {
      for (const { warning: code, ...line } of lines) {
        const { stream, message } = line
        const isNew = !code || this.#store.addWarning({ code, ...(stream && { stream }), message })
        if (isNew) this.#store.addLog(line)
      }
    })
  }

  async estimate(stream: StreamKey, rows: number) {
    return guarded(() => this.#store.updateStream(stream, { estimatedRows: Math.round(rows) }))
  }

  override async alarm(): Promise<void> {
    const sync = this.#store.sync()
    if (!sync) return
    if (sync.reported) return this.#expire(sync)
    await this.#change(() => {
      if (sync.cancelled) this.#tasks.cancel()
      else if (!sync.endedAt) this.#tasks.sweep(this.#fresh ? 0 : STALE_MS)
      this.#fresh = false
    })
    await this.#commitStates()
  }

  /** One transaction, then everything that must follow it. */
  async #change<T>(work: () => T): Promise<T> {
    const result = this.ctx.storage.transactionSync(() => {
      const done = work()
      const sync = this.#store.sync()
      if (sync && !sync.endedAt && !sync.cancelled) this.#tasks.dispatch()
      return done
    })
    await this.#follow()
    return result
  }

  /** A report by the holder of a claim. */
  async #report<T>(id: string, fence: number, work: (task: TaskRow) => T): Promise<T> {
    return guarded(() =>
      this.#change(() => {
        const result = work(this.#tasks.held(id, fence))
        this.#store.saveSync({ ...this.#progress.sync(), updatedAt: Date.now() })
        return result
      }),
    )
  }

  async #follow(): Promise<void> {
    const sync = this.#store.sync()
    if (!sync || sync.reported) return
    await this.#alarmBy(this.#nextAlarm(sync))
    await faultPoint('sync.outbox-written')
    await this.#sendOutbox(sync)
    // What fails here is done again by the alarm; the caller's report has been kept.
    if (sync.endedAt) await this.#end(sync).catch((error) => console.error('end of sync', error))
    else await this.#tellTenant(sync)
  }

  /** A sync that only waits sleeps until the first wait is over, once nothing is left to be told. */
  #nextAlarm(sync: SyncRow): number {
    const untold = this.#store.tasks.hasPosted() || this.#store.dirtyStreams(1).length > 0
    return sync.endedAt || untold ? Date.now() + SWEEP_MS : this.#tasks.nextDue(SWEEP_MS)
  }

  async #sendOutbox(sync: SyncRow): Promise<void> {
    for (;;) {
      const posted = this.#store.tasks.outbox(WAKE_UPS)
      if (posted.length === 0) return
      const wakeUps = posted.map((task) => this.#wakeUp(sync, task))
      try {
        await sendWakeUps(this.env, wakeUps)
      } catch (error) {
        return console.error('wake-ups not sent', error)
      }
      for (const { id } of posted) this.#store.tasks.unpost(id)
    }
  }

  /** Never later than what is set: a busy sync must not push its own sweep away. */
  async #alarmBy(due: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm()
    if (set === null || set > due) await this.ctx.storage.setAlarm(due)
  }

  #alarmIn(ms: number): Promise<void> {
    return this.ctx.storage.setAlarm(Date.now() + ms)
  }

  async #expire(sync: SyncRow): Promise<void> {
    // An alarm that fails is rung a few times more, and then never again.
    await this.#alarmIn(DAY_MS)
    const { connectionId, tenantId, syncId } = sync.input
    const store = stagingStore(this.env, tenantId)
    const rejects = rejectsPrefix(connectionId, syncId)
    const age = Date.now() - (sync.endedAt ?? 0)
    if (age < KEEP_MS) return this.#alarmIn(KEEP_MS - age)
    if (age < KEEP_REJECTS_MS && (await store.list(rejects)).objects.length > 0) {
      return this.#alarmIn(KEEP_REJECTS_MS - age)
    }
    await deletePrefix(store, rejects)
    await this.ctx.storage.deleteAlarm()
    await this.ctx.storage.deleteAll()
  }

  /** Streams of one sync spread over the shards too, so that they advance together. */
  #wakeUp(sync: SyncRow, { id, kind, ord }: Posted): WakeUp {
    const { tenantId, syncId } = sync.input
    const shard = { lane: laneOf(kind), number: syncId + ord }
    return { message: { v: 1 as const, tenantId, syncId, taskId: id }, shard }
  }

  /** Tells the connection and the tenant, removes what was staged; the alarm repeats it until it is done. */
  async #end(sync: SyncRow): Promise<void> {
    const { connectionId, tenantId, syncId } = sync.input
    await this.#commitStates()
    const [left] = this.#store.dirtyStreams(1)
    if (left) throw new Error(`the connection does not take the state of ${left.key}`)
    const log = sync.log ?? (await this.#reportLog(sync))
    if (log && !sync.log) this.#store.saveSync({ ...sync, log })
    const outcome = outcomeOf(this.#store, this.#progress.sync())
    const warningCount = outcome.receipt.warnings.length
    this.#store.saveSync({ ...this.#progress.sync(), warningCount })
    const connection = connectionStub(this.env, tenantId, connectionId)
    await connection.ended(this.#progress.summary(), outcome).catch(unlessDeleted)
    await tenantStub(this.env, tenantId).recordSync(this.#progress.summary())
    await faultPoint('sync.ended')
    const store = stagingStore(this.env, tenantId)
    const logs = this.#store.logs(0, MAX_LOG_LINES, LEVELS)
    await writeArchive(store, { record: this.#progress.record(), logs })
    await deletePrefix(store, stagedPrefix(syncId))
    this.#store.saveSync({ ...this.#progress.sync(), reported: true })
    await this.#alarmIn(KEEP_MS)
  }

  /** How the source's log stands, if a stream is read from it. A database that is gone is no reason to wait. */
  async #reportLog({ input: { tenantId, source } }: SyncRow) {
    const followed = this.#store.streams().some(({ loadedState }) => logStateOf(loadedState))
    if (!followed) return null
    const report = logReaderStub(this.env, tenantId, source.id).report()
    return report.catch((error) => {
      console.error('log not reported', String(error))
      return null
    })
  }

  #lastTold = 0
  #waitTold: string | undefined
  async #tellTenant(sync: SyncRow): Promise<void> {
    // While a sync waits nothing else would tell it.
    const wait = JSON.stringify(this.#progress.waiting())
    if (Date.now() - this.#lastTold < SWEEP_MS && wait === this.#waitTold) return
    this.#lastTold = Date.now()
    this.#waitTold = wait
    const tenant = tenantStub(this.env, sync.input.tenantId)
    await tenant.recordSync(this.#progress.summary()).catch(() => {})
  }

  #committing: Promise<void> = Promise.resolve()

  /** One after the other: of two states on their way the older might arrive last. */
  #commitStates(): Promise<void> {
    const turn = this.#committing.then(() => this.#commitAll())
    this.#committing = turn.catch(() => {})
    return turn
  }

  /** Hands loaded states to the connection; what fails stays dirty and the alarm tries again. */
  async #commitAll(): Promise<void> {
    const { tenantId, connectionId, syncId } = this.#progress.sync().input
    const connection = connectionStub(this.env, tenantId, connectionId)
    for (;;) {
      const dirty = this.#store.dirtyStreams(STATES)
      if (dirty.length === 0) return
      const states: StateCommit[] = []
      for (const row of dirty) {
        const state = this.#commitOf(row)
        states.push(state)
        // Lists of partitions may be long: they go alone.
        if (Object.keys(state.partitions).length > 0) break
      }
      const kept = await connection
        .commitStates(syncId, states)
        .catch((error) => unlessDeleted(error) ?? states.map(() => false))
        .catch(() => null)
      if (!kept) return
      for (const [i, { key, loadedState, loadedSeq, committedSeq }] of dirty.entries()) {
        if (i >= states.length) break
        this.#store.committed(key, loadedState, loadedSeq)
        if (kept[i] && loadedSeq > committedSeq) this.#store.handOver(key, loadedSeq)
      }
      await faultPoint('sync.state-committed')
    }
  }

  #commitOf({ key, loadedState, lastChunk, loadedSeq, committedSeq }: StreamRow): StateCommit {
    const { generationId } = this.#store.planOf(key).input
    const deltas = this.#store.deltas(key, committedSeq, loadedSeq).map(({ delta }) => delta)
    return { key, state: loadedState, lastChunk, partitions: mergeDeltas(deltas), generationId }
  }
}

/** A connection that was deleted in the middle needs to hear nothing more. */
function unlessDeleted(error: unknown): undefined {
  if (toAirbyteError(error).code !== 'NOT_FOUND') throw error
}
