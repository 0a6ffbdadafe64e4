import { drain } from '../cdc/drain.ts'
import { Bell } from '../cdc/progress.ts'
import { faultPoint } from '../core/fault-points.ts'
import { type AirbyteError, type ErrorRecord, toAirbyteError } from '../protocol/index.ts'
import type { ConnectorContext } from '../runtime/contract.ts'
import type { LogFeed, LogStatus, LogStream, SourceLog } from '../runtime/source-log.ts'
import { createScrubber } from '../vault/index.ts'
import type { LogRow, LogStore } from './log-store.ts'
import { budgetOf, connectorContext, sourceOf, sourceStub, stagingStore } from './platform.ts'
import type { LogOwner } from './rpc.ts'

/** Waits after failures in a row; after the last the reader stops and says why. */
const BACKOFF_MS = [500, 1_000, 2_000, 5_000, 10_000]
/** Staged and not loaded: beyond this the log is left at the database. `MAX_STAGED_LOG_BYTES` sets another. */
const MAX_STAGED_BYTES = 64 * 1024 ** 3
const FULL_MS = 5_000
const SETUP_MS = 30 * 60_000

/** What the drain tells its reader. */
export interface DrainEvents {
  /** Something was entered, or the drain gave up. */
  changed(): void
  /** There is no room for more until something is loaded. */
  full(): Promise<void>
}

/** Drains one log for as long as it is held, over lost connections. */
export class LogDrain {
  /** Segments may be stored that nobody will ever enter: a drain broke off, this one or one before it. */
  hasLeftovers = true
  readonly #env: Env
  readonly #store: LogStore
  readonly #transaction: <T>(work: () => T) => T
  readonly #events: DrainEvents
  readonly #maxBytes: number
  #running: Promise<void> | undefined
  /** Those that want the log for themselves. */
  #exclusive = 0
  #feed: LogFeed | undefined
  /** Rings when something was entered. */
  readonly entered = new Bell()
  #onlyLoaded = false

  constructor(
    env: Env,
    store: LogStore,
    transaction: <T>(work: () => T) => T,
    events: DrainEvents,
  ) {
    this.#env = env
    this.#store = store
    this.#transaction = transaction
    this.#events = events
    const given = Number((env as { MAX_STAGED_LOG_BYTES?: string }).MAX_STAGED_LOG_BYTES)
    this.#maxBytes = given || MAX_STAGED_BYTES
  }

  start(): void {
    if (this.#exclusive > 0) return
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Works while nothing is drained; what was being staged is entered before. */
  async pausedFor<T>(work: () => Promise<T>): Promise<T> {
    this.#exclusive += 1
    try {
      await this.#feed?.close()
      this.entered.ring()
      await this.#running
      return await work()
    } finally {
      this.#exclusive -= 1
    }
  }

  /** Ends after what is being staged is entered. */
  stop(): Promise<void> {
    return this.pausedFor(async () => {})
  }

  ask(): void {
    this.#feed?.ask()
  }

  /** Something was loaded: a database that waits for that may forget it. */
  async letGo(): Promise<void> {
    const { loadedTo } = this.#store.log() ?? {}
    if (!this.#onlyLoaded || !loadedTo) return
    // What is wrong with the log the drain finds out by itself.
    await this.#feed?.acknowledge(loadedTo).catch(() => {})
  }

  prepare(
    owner: LogOwner,
    streams: LogStream[],
    options: Omit<Parameters<SourceLog['prepare']>[3], 'name'>,
  ): ReturnType<SourceLog['prepare']> {
    const name = `airbyte_${owner.sourceId.replaceAll('-', '').slice(-12)}`
    return this.#with(owner, ({ log, ctx, config }) =>
      log.prepare(ctx, config, streams, { name, ...options }),
    )
  }

  status(row: LogRow): Promise<LogStatus> {
    return this.#with(row, ({ log, ctx, config }) => log.status(ctx, config, row.place))
  }

  drop(row: LogRow): Promise<void> {
    return this.#with(row, ({ log, ctx, config }) => log.drop(ctx, config, row.place))
  }

  async #run(): Promise<void> {
    for (let failures = 0; this.#goesOn(); ) {
      const before = JSON.stringify(this.#store.end())
      try {
        if (!this.#hasRoom()) await this.#events.full()
        if (this.#hasRoom()) await this.#drainOnce()
        else await this.entered.heard(FULL_MS)
        failures = 0
      } catch (error) {
        const known = toAirbyteError(error)
        this.hasLeftovers = true
        if (!this.#goesOn()) return
        const moved = JSON.stringify(this.#store.end()) !== before
        failures = moved ? 1 : failures + 1
        const backoff = known.kind === 'config' ? undefined : BACKOFF_MS[failures - 1]
        if (backoff === undefined) return this.#give(known)
        await this.entered.heard(backoff)
      }
    }
  }

  async #drainOnce(): Promise<void> {
    const row = this.#store.log() as LogRow
    const streams = this.#store.streams().map(({ input }) => input)
    await this.#with(row, async ({ log, ctx, config }) => {
      const onlyLoaded = log.acknowledgesLoaded?.(config) ?? false
      const loaded = onlyLoaded && { loaded: row.loadedTo ?? row.place.position }
      const feed = await log.open(ctx, config, { ...row.place, ...loaded }, streams)
      this.#feed = feed
      this.#onlyLoaded = onlyLoaded
      try {
        if (!this.#goesOn()) return
        await drain(feed, {
          goesOn: () => this.#goesOn() && this.#hasRoom(),
          acknowledgeable: (entered) =>
            onlyLoaded ? (this.#store.log()?.loadedTo ?? row.place.position) : entered,
          store: async (bytes) => {
            const key = `log/${row.sourceId}/${row.id}/${crypto.randomUUID()}`
            await stagingStore(this.#env, row.tenantId).put(key, bytes)
            await faultPoint('log.stored')
            return key
          },
          enter: async (position, segment) => {
            this.#transaction(() => this.#store.enter(position, segment, Date.now()))
            this.entered.ring()
            this.#events.changed()
            await faultPoint('log.entered')
          },
        })
      } finally {
        this.#feed = undefined
        await feed.close()
      }
    })
  }

  #goesOn(): boolean {
    const log = this.#store.log()
    return this.#exclusive === 0 && log !== undefined && log.heldUntil > Date.now() && !log.problem
  }

  #give(error: AirbyteError): void {
    const log = this.#store.log()
    if (log) {
      const isLost = error.code === 'CDC_POSITION_LOST' && { isLost: true }
      const place = { ...log.place, ...isLost }
      this.#store.save({ ...log, place, problem: error.toJSON() as ErrorRecord })
    }
    this.entered.ring()
    this.#events.changed()
  }

  #hasRoom(): boolean {
    return this.#store.stagedBytes() <= this.#maxBytes
  }

  /** Runs the source's log with its config; no secret of that gets into an error. */
  async #with<T>(
    { tenantId, sourceId }: Pick<LogRow, 'tenantId' | 'sourceId'>,
    work: (opened: {
      log: SourceLog
      ctx: ConnectorContext
      config: Parameters<SourceLog['isUsed']>[0]
    }) => Promise<T>,
  ): Promise<T> {
    const { config, secrets, type, connector } = await sourceStub(
      this.#env,
      tenantId,
      sourceId,
    ).open()
    const scrub = createScrubber(new Set(secrets))
    const abort = new AbortController()
    try {
      const source = await sourceOf(this.#env, tenantId, { type, connector })
      if (!source.log) throw new Error(`${type} has no log`)
      const ctx = connectorContext(this.#env, tenantId, {
        signal: abort.signal,
        log: (level, message) => console.log('log reader', level, scrub(message)),
        budget: budgetOf(SETUP_MS),
      })
      return await work({ log: source.log, ctx, config })
    } catch (error) {
      const known = toAirbyteError(error)
      known.message = scrub(known.message)
      throw known
    }
  }
}
