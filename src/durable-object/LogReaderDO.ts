import { DurableObject } from 'cloudflare:workers'
import { nextProgress } from '../cdc/progress.ts'
import {
  AirbyteError,
  type ErrorRecord,
  fromRecord,
  type StreamKey,
  streamKey,
  toAirbyteError,
} from '../protocol/index.ts'
import type { LogEnd, LogProgress, LogStream, UnloadedStreams } from '../runtime/source-log.ts'
import { deletePrefix } from '../staging/delete-prefix.ts'
import { LogDrain } from './log-drain.ts'
import { LOG_MIGRATIONS, type LogRow, LogStore } from './log-store.ts'
import { migrate } from './migrations.ts'
import { connectionStub, stagingStore } from './platform.ts'
import type { LoadedOfLog, LogOwner, LogReaderApi, LogReport } from './rpc.ts'
import { guarded } from './rpc-guard.ts'

/** A log is drained for so long after someone last asked for it. */
const HOLD_MS = 5 * 60_000
/** How often the alarm looks whether the log is being drained. */
const WATCH_MS = 10_000
/** How often, and for how long, a database that is away is asked to remove what was set up there. */
const REMOVE_MS = 3600_000
const REMOVE_FOR_MS = 7 * 24 * 3600_000

/**
 * The one reader of a source's log. It drains the log into segments in R2 while a sync is at work, for
 * all streams at once, and keeps two positions: what is staged (that is what is acknowledged to the
 * database), and per stream what is loaded. A segment goes when all its streams have loaded it.
 */
export class LogReaderDO extends DurableObject<Env> implements LogReaderApi {
  readonly #store: LogStore
  readonly #drain: LogDrain
  #preparing: Promise<unknown> = Promise.resolve()
  /** The connection knows that there is something to load; the alarm says it again. */
  #isTold = false

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    migrate(ctx.storage, LOG_MIGRATIONS)
    this.#store = new LogStore(ctx.storage)
    const transaction = <T>(work: () => T) => ctx.storage.transactionSync(work)
    this.#drain = new LogDrain(env, this.#store, transaction, {
      changed: () => this.#tell(),
      full: () => this.#makeRoom(),
    })
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
    const look = () => {
      if (this.#log().id !== id) throw logIsGone(stream)
      return { parts: this.#store.partsAfter(stream, after.segment), end: this.#store.end() }
    }
    return guarded(() => nextProgress({ look, ...this.#draining }, after, waitMs))
  }

  async unloaded(id: string, after: LogEnd, waitMs: number): Promise<UnloadedStreams> {
    const look = () => {
      if (this.#log().id !== id) throw logIsGone()
      return { parts: [], end: this.#store.end() }
    }
    return guarded(async () => {
      const { end } = await nextProgress({ look, ...this.#draining }, after, waitMs)
      return { streams: this.#store.unloadedStreams(), end }
    })
  }

  /** How one who waits has the log drained on. */
  get #draining() {
    return {
      bell: this.#drain.entered,
      ask: async () => {
        const log = this.#log()
        if (log.problem) throw this.#told(log, log.problem)
        await this.#hold(log)
        this.#drain.ask()
      },
    }
  }

  /** What the connection has of each stream; the log rests until the next sync, and others are dropped. */
  async rest(owner: LogOwner, loaded: LoadedOfLog[], followed: boolean): Promise<boolean> {
    return guarded(async () => {
      const log = this.#store.log()
      if (!log || log.connectionId !== owner.connectionId) return false
      this.ctx.storage.transactionSync(() => {
        const kept = new Set(loaded.map(({ stream }) => stream))
        for (const { stream } of this.#store.streams()) {
          if (!kept.has(stream)) this.#store.forgetStream(stream)
        }
        this.#store.keepLoaded(log.id, loaded)
        this.#store.save({ ...this.#log(), followed, heldUntil: followed ? log.heldUntil : 0 })
      })
      await this.#drain.letGo()
      if (followed) await this.#hold(this.#log())
      else await this.#drain.stop()
      await this.#prune(log)
      this.#isTold = this.#hasNews(this.#log())
      return this.#isTold
    })
  }

  async unfollow(owner: LogOwner): Promise<void> {
    return guarded(async () => {
      if (this.#store.log()?.connectionId === owner.connectionId) await this.#unfollow()
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
      const released = { ...log, followed: false, heldUntil: 0, releasedAt: Date.now() }
      this.#store.save(released)
      await this.ctx.storage.setAlarm(Date.now() + REMOVE_MS)
      await this.#drain.stop()
      await this.#drain.drop(log)
      await this.#erase(log)
    })
  }

  /** The database was away when its connection went. A source that is gone too leads nowhere. */
  async #remove(log: LogRow, releasedAt: number): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + REMOVE_MS)
    try {
      await this.#drain.drop(log)
    } catch (error) {
      const isGone = toAirbyteError(error).code === 'NOT_FOUND'
      console.error('log not removed', String(error))
      if (!isGone && Date.now() < releasedAt + REMOVE_FOR_MS) return
    }
    await this.#erase(log)
  }

  /** Another connection begins: whatever of the one that is gone cannot be removed now is left. */
  async #removeReleased(): Promise<void> {
    const log = this.#store.log()
    if (log?.releasedAt === undefined) return
    await this.#drain.drop(log).catch((error) => console.error('log not removed', String(error)))
    await this.#erase(log)
  }

  async #erase(log: LogRow): Promise<void> {
    await deletePrefix(stagingStore(this.env, log.tenantId), prefixOf(log))
    await this.ctx.storage.deleteAlarm()
    await this.ctx.storage.deleteAll()
    migrate(this.ctx.storage, LOG_MIGRATIONS)
  }

  override async alarm(): Promise<void> {
    const log = this.#store.log()
    if (!log) return
    if (log.releasedAt !== undefined) return this.#remove(log, log.releasedAt)
    await this.ctx.storage.setAlarm(Date.now() + WATCH_MS)
    if (log.followed) await this.#follow(log)
    const held = this.#store.log()
    if (!held || held.heldUntil <= Date.now()) {
      await this.ctx.storage.deleteAlarm()
      return this.#drain.stop()
    }
    if (!held.problem) this.#drain.start()
  }

  /** Says again what is staged, and asks before each hold whether anybody wants it. */
  async #follow(log: LogRow): Promise<void> {
    const news = this.#hasNews(log)
    this.#isTold = news
    const ends = log.heldUntil < Date.now() + HOLD_MS / 2
    if ((news || ends) && !(await this.#ask(news))) return this.#unfollow()
    const now = this.#store.log()
    if (now?.followed) await this.#hold(now)
  }

  /** A sync that is at work keeps its hold. */
  async #unfollow(): Promise<void> {
    const log = this.#store.log()
    if (!log?.followed) return
    this.#store.save({ ...log, followed: false, heldUntil: 0 })
    await this.#drain.stop()
  }

  /** Something was entered, or the reader gave up: the connection is told once. */
  #tell(): void {
    const log = this.#store.log()
    if (!log?.followed || this.#isTold || !this.#hasNews(log)) return
    this.#isTold = true
    this.ctx.waitUntil(this.#ask(true))
  }

  #hasNews = ({ problem }: LogRow): boolean => problem !== undefined || this.#store.hasUnloaded()

  /** Whether the connection wants the log followed. One that cannot be asked now is asked again. */
  async #ask(news: boolean): Promise<boolean> {
    const { tenantId, connectionId } = this.#log()
    const connection = connectionStub(this.env, tenantId, connectionId)
    return connection.following(news).catch((error) => {
      console.error('connection not told of its log', String(error))
      return true
    })
  }

  async #prepare(owner: LogOwner, asked: LogStream[]) {
    await this.#removeReleased()
    const before = this.#store.log()
    if (before && before.connectionId !== owner.connectionId) throw isTaken()
    const known = new Map(this.#store.streams().map((s) => [s.stream, s]))
    const isBegun = ({ loaded }: LogStream) => loaded === undefined
    const isLeft = (s: LogStream) => !isBegun(s) && !known.has(streamKey(s.stream))
    const streams = asked.filter((s) => !isLeft(s))
    const begun = new Set(streams.filter(isBegun).map((s) => streamKey(s.stream)))
    const mayBeginAnew = [...known.keys()].every((stream) => begun.has(stream))
    const wanted = new Map<StreamKey, LogStream>()
    for (const { stream, input, loaded } of known.values()) wanted.set(stream, { ...input, loaded })
    for (const stream of streams) wanted.set(streamKey(stream.stream), stream)
    const {
      place,
      continues,
      failed,
      warnings = [],
    } = await this.#drain.prepare(owner, [...wanted.values()], {
      kept: before?.place ?? null,
      mayBeginAnew,
      lose: () =>
        before && this.#store.save({ ...before, place: { ...before.place, isLost: true } }),
    })
    const log: LogRow = {
      ...owner,
      id: continues && before ? before.id : crypto.randomUUID(),
      ...{ place, lastSegment: before?.lastSegment ?? 0, heldUntil: 0 },
      loadedTo: continues ? before?.loadedTo : place.position,
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
    if (this.#drain.hasLeftovers || !continues) {
      await this.#sweep(log).catch((error) => console.error('log not swept', String(error)))
    }
    const left = asked.filter(isLeft).map(({ stream }) => wasLeft(streamKey(stream)))
    return { log: log.id, end: this.#store.end(), failed: [...failed, ...left], warnings }
  }

  /** Segments that are stored and that no row knows. Nothing is being stored meanwhile. */
  async #sweep(log: LogRow): Promise<void> {
    const store = stagingStore(this.env, log.tenantId)
    for (let cursor: string | undefined; ; ) {
      const page = await store.list(prefixOf(log), cursor)
      const left = page.objects.filter(({ key }) => !this.#store.hasSegment(key))
      if (left.length > 0) await store.delete(left.map(({ key }) => key))
      cursor = page.cursor
      if (!cursor) break
    }
    this.#drain.hasLeftovers = false
  }

  /** A sync that is at work has loaded something since; when it ends is too late if it waits for room. */
  async #makeRoom(): Promise<void> {
    const { tenantId, connectionId, id } = this.#log()
    const loaded = await connectionStub(this.env, tenantId, connectionId).loadedOfLog()
    this.ctx.storage.transactionSync(() => this.#store.keepLoaded(id, loaded))
    await this.#drain.letGo()
    await this.#prune(this.#log())
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

const logIsGone = (stream?: StreamKey) =>
  new AirbyteError(
    'CDC_POSITION_LOST',
    `${stream ?? 'A stream'} was followed in a log that is gone.`,
    stream === undefined ? {} : { stream },
  )

/** Its changes were passed over while nobody wanted them. */
const wasLeft = (stream: StreamKey) => {
  const message = `${stream} was not part of the connection for a time: its changes of then were not kept.`
  const hint = 'Refresh the stream: it is read from the start.'
  const error = new AirbyteError('CDC_POSITION_LOST', message, { stream, hint })
  return { stream, error: error.toJSON() as ErrorRecord }
}

const isTaken = () =>
  new AirbyteError('CDC_SETUP_REQUIRED', 'The log of this source is read for another connection.', {
    field: 'sourceId',
    hint: 'Give this connection a source of its own, with a replication slot of its own, or delete the other connection.',
  })
