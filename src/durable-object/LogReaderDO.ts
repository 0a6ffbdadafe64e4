import { DurableObject } from 'cloudflare:workers'
import {
  AirbyteError,
  type ErrorRecord,
  fromRecord,
  type StreamKey,
  streamKey,
} from '../protocol/index.ts'
import type { LogEnd, LogProgress, LogStream } from '../runtime/source-log.ts'
import { deletePrefix } from '../staging/delete-prefix.ts'
import { LogDrain } from './log-drain.ts'
import { LOG_MIGRATIONS, type LogRow, LogStore } from './log-store.ts'
import { migrate } from './migrations.ts'
import { stagingStore } from './platform.ts'
import type { LogOwner, LogReaderApi, LogReport } from './rpc.ts'
import { guarded } from './rpc-guard.ts'

/** A log is drained for so long after someone last asked for it. */
const HOLD_MS = 5 * 60_000
/** How often the alarm looks whether the log is being drained. */
const WATCH_MS = 10_000
/** How often somebody who waits has the server say how far it is. */
const ASK_MS = 150

/**
 * The one reader of a source's log. It drains the log into segments in R2 while a sync is at work, for
 * all streams at once, and keeps two positions: what is staged (that is what is acknowledged to the
 * database), and per stream what is loaded. A segment goes when all its streams have loaded it.
 */
export class LogReaderDO extends DurableObject<Env> implements LogReaderApi {
  readonly #store: LogStore
  readonly #drain: LogDrain
  #preparing: Promise<unknown> = Promise.resolve()

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    migrate(ctx.storage, LOG_MIGRATIONS)
    this.#store = new LogStore(ctx.storage)
    this.#drain = new LogDrain(env, this.#store, (work) => ctx.storage.transactionSync(work))
  }

  async prepare(owner: LogOwner, streams: LogStream[]) {
    return guarded(() => {
      const prepare = () => this.#drain.pausedFor(() => this.#prepare(owner, streams))
      const work = this.#preparing.then(prepare).then((prepared) => this.#begin(prepared))
      this.#preparing = work.catch(() => {})
      return work
    })
  }

  async hold(): Promise<void> {
    return guarded(() => this.#hold(this.#log()))
  }

  async next(id: string, stream: StreamKey, after: LogEnd, waitMs: number): Promise<LogProgress> {
    return guarded(async () => {
      const until = Date.now() + waitMs
      for (;;) {
        const log = this.#log()
        if (log.id !== id) throw logIsGone(stream)
        const parts = this.#store.partsAfter(stream, after.segment)
        const end = this.#store.end()
        const moved = JSON.stringify(end.position) !== JSON.stringify(after.position)
        const left = until - Date.now()
        if (parts.length > 0 || moved || left <= 0) return { parts, end }
        if (log.problem) throw this.#told(log, log.problem)
        await this.#hold(log)
        this.#drain.ask()
        await this.#drain.entered(Math.min(ASK_MS, left))
      }
    })
  }

  /** What the connection has of each stream; the log rests until the next sync, and others are dropped. */
  async rest(owner: LogOwner, loaded: { stream: StreamKey; log: string; segment: number }[]) {
    return guarded(async () => {
      const log = this.#store.log()
      if (!log || log.connectionId !== owner.connectionId) return
      this.ctx.storage.transactionSync(() => {
        const kept = new Set(loaded.map(({ stream }) => stream))
        for (const { stream } of this.#store.streams()) {
          if (!kept.has(stream)) this.#store.forgetStream(stream)
        }
        for (const { stream, log: id, segment } of loaded) {
          if (id === log.id) this.#store.setLoaded(stream, segment)
        }
        this.#store.save({ ...log, heldUntil: 0 })
      })
      await this.#drain.stop()
      await this.#prune(log)
    })
  }

  async report(): Promise<LogReport | null> {
    return guarded(async () => {
      const log = this.#store.log()
      if (!log) return null
      const stagedBytes = this.#store.stagedBytes()
      return { ...(await this.#drain.status(log)), stagedBytes }
    })
  }

  /** The connection is gone: so is what was set up at the database for it. */
  async release(owner: LogOwner): Promise<void> {
    return guarded(async () => {
      const log = this.#store.log()
      if (!log || log.connectionId !== owner.connectionId) return
      this.#store.save({ ...log, heldUntil: 0 })
      await this.#drain.stop()
      await this.#drain.drop(log)
      await deletePrefix(stagingStore(this.env, log.tenantId), prefixOf(log))
      await this.ctx.storage.deleteAlarm()
      await this.ctx.storage.deleteAll()
      migrate(this.ctx.storage, LOG_MIGRATIONS)
    })
  }

  override async alarm(): Promise<void> {
    const log = this.#store.log()
    if (!log) return
    if (log.heldUntil <= Date.now()) return this.#drain.stop()
    if (!log.problem) this.#drain.start()
    await this.ctx.storage.setAlarm(Date.now() + WATCH_MS)
  }

  async #prepare(owner: LogOwner, streams: LogStream[]) {
    const before = this.#store.log()
    if (before && before.connectionId !== owner.connectionId) throw isTaken()
    const known = this.#store.streams()
    const begun = new Set(
      streams.filter((s) => s.loaded === undefined).map((s) => streamKey(s.stream)),
    )
    const mayBeginAnew = known.every(({ stream }) => begun.has(stream))
    const wanted = new Map(known.map(({ stream, input }) => [stream, input]))
    for (const stream of streams) wanted.set(streamKey(stream.stream), stream)
    const { place, continues, failed } = await this.#drain.prepare(
      owner,
      [...wanted.values()],
      before?.place ?? null,
      mayBeginAnew,
    )
    const log: LogRow = {
      ...owner,
      id: continues && before ? before.id : crypto.randomUUID(),
      ...{ place, lastSegment: before?.lastSegment ?? 0, heldUntil: 0 },
    }
    this.ctx.storage.transactionSync(() => {
      if (!continues) this.#store.clear()
      this.#store.save(log)
      for (const stream of streams) {
        const { loaded = log.lastSegment, ...input } = stream
        this.#store.saveStream(streamKey(stream.stream), input, loaded)
      }
    })
    await this.#prune(log)
    return { log: log.id, end: this.#store.end(), failed }
  }

  async #begin<T>(prepared: T): Promise<T> {
    await this.#hold(this.#log())
    return prepared
  }

  /** What may pass is tried again when someone comes back, who waits in between. */
  #told({ problem: _told, ...log }: LogRow, problem: ErrorRecord): AirbyteError {
    if (problem.kind !== 'config') this.#store.save(log)
    return fromRecord(problem)
  }

  async #prune(log: LogRow): Promise<void> {
    const store = stagingStore(this.env, log.tenantId)
    const keys = this.ctx.storage.transactionSync(() => this.#store.prune())
    for (let at = 0; at < keys.length; at += 500) await store.delete(keys.slice(at, at + 500))
  }

  async #hold(log: LogRow): Promise<void> {
    const now = Date.now()
    if (log.heldUntil < now + HOLD_MS / 2) this.#store.save({ ...log, heldUntil: now + HOLD_MS })
    this.#drain.start()
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(now + WATCH_MS)
  }

  #log(): LogRow {
    const log = this.#store.log()
    if (log) return log
    throw new AirbyteError('CDC_POSITION_LOST', 'Nobody reads the log of this source any more.')
  }
}

/** Segments of a log. */
export const prefixOf = ({ sourceId }: LogRow) => `log/${sourceId}/`

const logIsGone = (stream: StreamKey) =>
  new AirbyteError('CDC_POSITION_LOST', `${stream} was followed in a log that is gone.`, { stream })

const isTaken = () =>
  new AirbyteError('CDC_SETUP_REQUIRED', 'The log of this source is read for another connection.', {
    field: 'sourceId',
    hint: 'Give this connection a source of its own, with a replication slot of its own, or delete the other connection.',
  })
