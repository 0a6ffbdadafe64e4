import { DurableObject } from 'cloudflare:workers'
import { idleUntil, nextAfter, nextStaged } from '../core/continuous.ts'
import { nextRun } from '../core/schedule.ts'
import { rejectsOf } from '../core/sync-engine/objects.ts'
import { rekeyedStreams } from '../core/sync-engine/rekeyed.ts'
import type { AddedStreams, SyncOutcome } from '../core/sync-engine/types.ts'
import { eventsOfSync } from '../notifications/events.ts'
import { notificationStub } from '../notifications/stub.ts'
import {
  AirbyteError,
  type AirbyteStream,
  applyDeltas,
  type ErrorRecord,
  joinState,
  type PartitionDelta,
  parseStreamKey,
  plainState,
  type StreamDescriptor,
  type StreamKey,
  type StreamState,
  streamKey,
} from '../protocol/index.ts'
import { exactJson, parseExactIntegers } from '../runtime/exact-json.ts'
import { logStateOf } from '../runtime/source-log.ts'
import { deletePrefix } from '../staging/delete-prefix.ts'
import { checkBackfill } from './backfill.ts'
import {
  besides,
  CONNECTION_MIGRATIONS,
  ConnectionStore,
  type PartitionPageOf,
  type RunningSync,
  restsOn,
  type StreamRow,
} from './connection-store.ts'
import { loadersOf } from './loaders.ts'
import { migrate } from './migrations.ts'
import { admitStreams } from './new-streams.ts'
import {
  type ConnectionOfSync,
  destinationStub,
  logReaderStub,
  type StateCommit,
  sourceOf,
  sourceStub,
  stagingStore,
  syncStub,
  tenantStub,
} from './platform.ts'
import { replayableStreams } from './replay.ts'
import type {
  Backfill,
  ConnectionConfig,
  ConnectionRecord,
  LoadedOfLog,
  Receipt,
  StreamPast,
  SyncSummary,
  VerifyResult,
} from './rpc.ts'
import { guarded } from './rpc-guard.ts'
import { syncInput } from './sync-input.ts'
import { verifyStreams } from './verify.ts'

/** Config failures in a row after which a connection pauses itself. */
const MAX_CONFIG_FAILURES = 5
/** When a start that was interrupted is taken up again, and when a full workspace is asked again. */
const RETRY_MS = 20_000
/** Partitions whose states are shown in one answer. */
const MAX_SHOWN = 10_000
/** And sent to a slice in one. */
const PARTITIONS_A_PAGE = 10_000
/** Given to a sync in one call. */
const STREAMS_A_CALL = 250
/** How long a deletion waits for the destination. */
const RELEASE_MS = 10_000
/** How long an end may take from the sync that says so until it is entered here. */
const ENTERED_MS = 10_000

/**
 * One connection: its configuration, the committed state of each stream, its schedule, and the one
 * sync that may run. Each sync gets a frozen plan and an object of its own.
 */
export class ConnectionDO extends DurableObject<Env> implements ConnectionOfSync {
  readonly #store: ConnectionStore

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    migrate(ctx.storage, CONNECTION_MIGRATIONS)
    this.#store = new ConnectionStore(ctx.storage)
  }

  async create(input: ConnectionConfig & { id: string; tenantId: string }) {
    return guarded(async () => {
      const now = Date.now()
      this.#store.saveRecord({ ...input, status: 'active', createdAt: now, updatedAt: now })
      return this.#reschedule(now)
    })
  }

  async get(): Promise<ConnectionRecord> {
    return guarded(() => this.#record())
  }

  async update(input: Partial<ConnectionConfig>): Promise<ConnectionRecord> {
    return guarded(async () => {
      if (this.#rekeyed(input).length > 0) await this.#refuseWhileRunning()
      // The end of a sync that was waited for changes the record, and what has rows.
      const before = this.#record()
      const rekeyed = this.#rekeyed(input)
      this.#store.saveRecord({ ...before, ...input, updatedAt: Date.now() })
      for (const key of rekeyed) this.#store.openGeneration(key, null, true)
      if (!isFollowing(this.#record())) await this.#stopFollowing(before)
      return this.#reschedule(Date.now())
    })
  }

  /** Streams with rows that a change finds by their key no more. */
  #rekeyed({ streams = [] }: Partial<ConnectionConfig>): StreamKey[] {
    const written = (key: StreamKey) => this.#store.stream(key).basis?.key
    return rekeyedStreams(this.#record().streams, streams, written).filter(
      (key) => this.#store.stream(key).generation > 0,
    )
  }

  async pause(): Promise<ConnectionRecord> {
    return guarded(async () => {
      const before = this.#record()
      this.#store.saveRecord({ ...before, status: 'paused', updatedAt: Date.now() })
      await this.#stopFollowing(before)
      return this.#reschedule(Date.now())
    })
  }

  async resume(): Promise<ConnectionRecord> {
    return guarded(async () => {
      this.#store.setConfigFailures(0)
      const { pausedReason: _reason, ...record } = this.#record()
      this.#store.saveRecord({ ...record, status: 'active', updatedAt: Date.now() })
      return this.#reschedule(Date.now())
    })
  }

  async destroy(): Promise<void> {
    return guarded(async () => {
      const record = this.#store.record()
      if (record) {
        const current = this.#store.current()
        if (current)
          await this.#syncObject(record, current.syncId)
            .cancel()
            .catch(() => {})
        const { tenantId, destinationId, id } = record
        await this.#releaseTables(record).catch((error) =>
          console.error('tables not released', error),
        )
        await this.#logReader(record)
          .release(ownerOf(record))
          .catch((error) => console.error('log not released', error))
        await destinationStub(this.env, tenantId, destinationId).releaseTables(id)
        await this.#watch({ ...record, freshnessSeconds: record.freshnessSeconds && 0 })
        await deletePrefix(stagingStore(this.env, tenantId), rejectsOf(id))
      }
      await this.ctx.storage.deleteAlarm()
      await this.ctx.storage.deleteAll()
    })
  }

  async startSync(options: {
    streams?: StreamDescriptor[]
    acceptEmpty?: boolean
    trigger: 'manual' | 'schedule'
    backfill?: Backfill
    replay?: { syncId: number }
  }): Promise<SyncSummary> {
    return guarded(async () => {
      await this.#refuseWhileRunning()
      const record = this.#record()
      if (record.status === 'paused') throw paused(record)
      const backfill = options.backfill && (await this.#checked(record, options.backfill))
      const wanted = options.backfill ? [options.backfill.stream] : options.streams
      const named = wanted && this.#choose(record, wanted)
      const { replay } = options
      const chosen = replay ? await this.#replayable(record, replay.syncId, named) : named
      const tenant = tenantStub(this.env, record.tenantId)
      const slot = await tenant.beginSync(record.id)
      if (!slot)
        throw new AirbyteError('SYNC_SLOTS_FULL', 'All sync slots of this workspace are in use.')
      const again = this.#store.current()
      if (again) throw alreadyRunning(record, again.syncId)
      const { trigger, acceptEmpty = false } = options
      const asked = { trigger, acceptEmpty, streams: chosen, backfill, replay }
      const current: RunningSync = { ...slot, accepted: false, ...asked }
      this.ctx.storage.transactionSync(() => {
        for (const key of besides(current)) this.#store.stepGeneration(key)
        this.#store.setCurrent(current)
      })
      await this.ctx.storage.setAlarm(Date.now() + RETRY_MS)
      return this.#hand(record, current)
    })
  }

  async syncs({ limit, before }: { limit: number; before?: number }): Promise<SyncSummary[]> {
    return guarded(async () => {
      const ended = this.#store.syncs(limit, before ?? Number.MAX_SAFE_INTEGER)
      const current = this.#store.current()
      if (!current || (before !== undefined && current.syncId >= before)) return ended
      const record = this.#record()
      const running = await this.#syncObject(record, current.syncId)
        .get()
        .catch(() => null)
      return running ? [summaryOf(running), ...ended].slice(0, limit) : ended
    })
  }

  async receipt(syncId: number): Promise<Receipt | null> {
    return guarded(async () => {
      const { tenantId, id } = this.#record()
      const object = await stagingStore(this.env, tenantId).get(receiptKey(id, syncId))
      if (!object) return null
      return parseExactIntegers(await new Response(object.body).text()) as Receipt
    })
  }

  async state() {
    return guarded(() => {
      const rows = this.#store.streams().filter(({ state }) => state !== null)
      const count = rows.reduce((sum, { key }) => sum + this.#store.countPartitions(key), 0)
      if (count > MAX_SHOWN) throw tooManyPartitions(count)
      return rows.map((row) => shown(row, this.#store.partitions(row.key, MAX_SHOWN + 1).delta))
    })
  }

  async statePage({ stream, cursor }: { stream: StreamDescriptor; cursor?: string }) {
    return guarded(() => {
      const [key = ''] = this.#choose(this.#record(), [stream])
      const row = this.#store.stream(key)
      if (row.state === null) return { states: [] }
      const { delta, next } = this.#store.partitions(key, MAX_SHOWN, cursor)
      return { states: [shown(row, delta)], ...(next === undefined ? {} : { cursor: next }) }
    })
  }

  async partitions(key: StreamKey, after?: string): Promise<PartitionPageOf> {
    return guarded(() => this.#store.partitions(key, PARTITIONS_A_PAGE, after))
  }

  async setState(states: { stream: StreamDescriptor; state: StreamState | null }[]): Promise<void> {
    return guarded(async () => {
      await this.#refuseWhileRunning()
      this.#choose(
        this.#record(),
        states.map(({ stream }) => stream),
      )
      this.ctx.storage.transactionSync(() => {
        for (const { stream, state } of states) {
          this.#store.openGeneration(streamKey(stream), state, false)
        }
      })
    })
  }

  async refresh(options: { streams?: StreamDescriptor[]; remove: boolean }): Promise<void> {
    return guarded(async () => {
      await this.#refuseWhileRunning()
      const record = this.#record()
      const keys = this.#choose(record, options.streams ?? record.streams)
      this.ctx.storage.transactionSync(() => {
        for (const key of keys) this.#store.openGeneration(key, null, options.remove)
      })
      if (isFollowing(record)) await this.#reschedule(Date.now())
    })
  }

  async verify(options: { level: 'count' | 'hash' }): Promise<VerifyResult> {
    return guarded(async () => {
      const [last] = this.#store.syncs(1, Number.MAX_SAFE_INTEGER)
      const receipt = last && (await this.receipt(last.syncId))
      if (!receipt) {
        throw new AirbyteError('NOT_FOUND', 'No sync of this connection has ended yet.')
      }
      const rows = this.#store.streams()
      return verifyStreams(this.env, this.#record(), receipt, rows, options.level)
    })
  }

  async commitStates(syncId: number, commits: StateCommit[]): Promise<boolean[]> {
    return guarded(() => {
      const current = this.#store.current()
      const isOurs = current?.syncId === syncId && besides(current).length === 0
      return this.ctx.storage.transactionSync(() =>
        commits.map((commit) => isOurs && this.#commit(commit)),
      )
    })
  }

  /** False where the stream was refreshed meanwhile. */
  #commit({ key, state, lastChunk, partitions, generationId }: StateCommit): boolean {
    const row = this.#store.stream(key)
    if (row.generation !== generationId) return false
    this.#store.applyDelta(key, partitions)
    this.#store.saveStream({ ...row, state, lastChunk })
    return true
  }

  async ended(summary: SyncSummary, { receipt, streams }: SyncOutcome): Promise<void> {
    return guarded(async () => {
      const record = this.#record()
      if (this.#store.current()?.syncId !== summary.syncId) return
      const store = stagingStore(this.env, record.tenantId)
      await store.put(receiptKey(record.id, summary.syncId), exactJson(receipt) ?? '')
      const log = await this.#restLog(record, streams).catch((error) => {
        console.error('log not rested', error)
        return 'staged' as const
      })
      const current = this.#store.current()
      if (current?.syncId !== summary.syncId) return
      // Before the end is kept: if it cannot be told now, the sync reports its end again.
      const events = eventsOfSync(record, summary, receipt, record.lastSync?.status)
      if (events.length > 0) await notificationStub(this.env, record.tenantId).emit(events)
      if (this.#store.current()?.syncId !== summary.syncId) return
      const beside = besides(current)
      const isBeside = beside.length > 0
      this.ctx.storage.transactionSync(() => {
        const endedAt = summary.endedAt ?? Date.now()
        for (const key of beside) this.#store.stepGeneration(key)
        if (!isBeside) for (const outcome of streams) this.#store.keepOutcome(outcome, endedAt)
        this.#store.saveSync(summary)
        this.#store.setCurrent(undefined)
        const isFresh = summary.status === 'succeeded' && !isBeside && !current.streams
        const fresh = isFresh && { freshAsOf: summary.startedAt }
        this.#store.saveRecord({ ...this.#record(), lastSync: summary, ...fresh })
        // What was wrong with one of those says nothing about the syncs to come.
        if (!isBeside) this.#countFailures(summary)
        if (log === 'none' && summary.status === 'succeeded') this.#pauseWithoutLog()
      })
      const endedAt = summary.endedAt ?? Date.now()
      const staged = log === 'staged' || this.#record().updatedAt > summary.startedAt
      await this.#reschedule(endedAt, this.#dueAfter({ ...summary, endedAt }, staged))
    })
  }

  async following(staged: boolean): Promise<boolean> {
    return guarded(async () => {
      const record = this.#store.record()
      if (!record || !isFollowing(record)) return false
      const { lastSync, nextRunAt = Number.POSITIVE_INFINITY } = record
      // After a failure the wait that was set is kept, whatever is staged.
      const mayHurry = staged && !this.#store.current() && lastSync?.status === 'succeeded'
      const due = mayHurry ? nextStaged(lastSync.startedAt, Date.now()) : nextRunAt
      if (due < nextRunAt) {
        this.#store.saveRecord({ ...record, nextRunAt: due })
        await this.ctx.storage.setAlarm(due)
      }
      return true
    })
  }

  async loadedOfLog(): Promise<LoadedOfLog[]> {
    return guarded(() => this.#loadedOfLog(this.#record()))
  }

  /** What the streams were like at their last sync. */
  async known(): Promise<Record<StreamKey, StreamPast>> {
    const streams = this.#store.streams()
    return Object.fromEntries(
      streams.map((row) => [
        row.key,
        {
          generationId: row.generation,
          minimumGenerationId: row.minimumGeneration,
          knownColumns: row.columns,
          ...(row.basis?.key && { writtenKey: row.basis.key }),
          ...restsOn(row),
        },
      ]),
    )
  }

  async unseen(keys: StreamKey[]): Promise<StreamKey[]> {
    return guarded(() => this.#store.unseen(keys))
  }

  /** What a sync found at the source; those that are new. The first look finds nothing new. */
  async sawStreams(syncId: number, keys: StreamKey[]): Promise<StreamKey[]> {
    return guarded(() => {
      if (this.#store.current()?.syncId !== syncId) return []
      if (!this.#store.hasSeenAny()) this.#store.see(keys)
      const own = new Set(this.#record().streams.map(streamKey))
      return this.#store.unseen(keys).filter((key) => !own.has(key))
    })
  }

  /** Takes new streams into the connection, for the sync that found them and those to come. */
  async addStreams(syncId: number, found: AirbyteStream[]): Promise<AddedStreams> {
    return guarded(async () => {
      const { streams, warnings } = await admitStreams(this.env, this.#record(), found)
      if (this.#store.current()?.syncId !== syncId) return { streams: [], warnings: [] }
      const record = this.#record()
      const own = new Set(record.streams.map(streamKey))
      const added = streams.filter((stream) => !own.has(streamKey(stream)))
      const next = { ...record, streams: [...record.streams, ...added], updatedAt: Date.now() }
      const inputs = this.ctx.storage.transactionSync(() => {
        this.#store.saveRecord(next)
        this.#store.see(added.map(streamKey))
        return added.map((stream) => this.#store.inputOf(stream))
      })
      await tenantStub(this.env, record.tenantId).recordConnection(next)
      return { streams: inputs, warnings }
    })
  }

  override async alarm(): Promise<void> {
    const record = this.#store.record()
    if (!record) return
    const current = this.#store.current()
    try {
      if (current && !current.accepted) await this.#hand(record, current)
    } catch (error) {
      // An alarm that fails is rung a few times more, and then never again.
      console.error('sync not begun', String(error))
      await this.ctx.storage.setAlarm(Date.now() + RETRY_MS)
      return
    }
    const due = record.nextRunAt !== undefined && record.nextRunAt <= Date.now()
    if (!current && due && record.status === 'active') {
      try {
        await this.startSync({ trigger: 'schedule' })
      } catch (error) {
        console.error('scheduled sync did not start', String(error))
        await this.ctx.storage.setAlarm(Date.now() + RETRY_MS)
        return
      }
    }
    await this.#reschedule(Date.now())
  }

  /** Lets a later connection write the tables. A destination that is gone must not keep us alive. */
  async #releaseTables(record: ConnectionRecord): Promise<void> {
    const rows = this.#store.streams().filter(({ columns }) => columns.length > 0)
    for await (const { loader } of loadersOf(this.env, record, rows, RELEASE_MS)) {
      await loader.release?.()
    }
  }

  #loadedOfLog(record: ConnectionRecord, outcomes: SyncOutcome['streams'] = []): LoadedOfLog[] {
    const states = new Map(this.#store.streams().map(({ key, state }) => [key, state]))
    for (const { key, state } of outcomes) states.set(key, state)
    return record.streams.flatMap((stream) => {
      const key = streamKey(stream)
      const position = logStateOf(states.get(key) ?? null)
      return position ? [{ stream: key, ...position }] : []
    })
  }

  /**
   * Tells the reader of the source's log, if there is one, what this sync has brought home, and whether
   * to go on; it says whether something is staged already.
   */
  async #restLog(
    record: ConnectionRecord,
    outcomes: SyncOutcome['streams'],
  ): Promise<'none' | 'empty' | 'staged'> {
    const loaded = this.#loadedOfLog(record, outcomes)
    if (loaded.length === 0) return 'none'
    const followed = isFollowing(this.#record())
    const staged = await this.#logReader(record).rest(ownerOf(record), loaded, followed)
    return staged ? 'staged' : 'empty'
  }

  #logReader({ tenantId, sourceId }: ConnectionRecord) {
    return logReaderStub(this.env, tenantId, sourceId)
  }

  /** Gives the sync to its object. Repeated after a crash: the object takes it only once. */
  async #hand(record: ConnectionRecord, current: RunningSync): Promise<SyncSummary> {
    const sync = this.#syncObject(record, current.syncId)
    const { streams, ...input } = await syncInput(this.env, this.#store, record, current, (take) =>
      this.ctx.storage.transactionSync(take),
    )
    for (let at = 0; at < streams.length; at += STREAMS_A_CALL)
      await sync.offer(streams.slice(at, at + STREAMS_A_CALL), at)
    const summary = await sync.start(input)
    if (this.#store.current()?.syncId === current.syncId) {
      this.#store.setCurrent({ ...current, accepted: true })
    }
    return summary
  }

  /** The streams whose rejected rows can be loaded again. */
  async #replayable({ streams }: ConnectionRecord, syncId: number, named?: StreamKey[]) {
    const known = new Set(streams.map(streamKey))
    const receipt = await this.receipt(syncId)
    return replayableStreams(syncId, {
      streams: (receipt?.streams ?? []).filter(({ stream }) => known.has(stream)),
      named,
      openedAt: (key) => this.#store.stream(key).opened,
    })
  }

  /** Sets the alarm for the next run and tells the workspace's index. */
  async #reschedule(after: number, given?: number): Promise<ConnectionRecord> {
    const record = this.#record()
    const due = record.status === 'active' ? (given ?? this.#dueOf(record, after)) : null
    const next: ConnectionRecord = { ...record, nextRunAt: due ?? undefined }
    this.#store.saveRecord(next)
    if (due === null) await this.ctx.storage.deleteAlarm()
    else await this.ctx.storage.setAlarm(due)
    const tenant = tenantStub(this.env, record.tenantId)
    await tenant.recordConnection(next)
    await this.#watch(next)
    return next
  }

  #dueOf(record: ConnectionRecord, after: number): number | null {
    // The end of the sync that runs decides; if it is never told, this does.
    if (isFollowing(record) && this.#store.current()) return idleUntil(after)
    return nextRun(record.schedule, record.id, after)
  }

  #dueAfter(sync: SyncSummary & { endedAt: number }, staged: boolean): number | undefined {
    const record = this.#record()
    if (!isFollowing(record)) return undefined
    const before = this.#store.syncs(10, Number.MAX_SAFE_INTEGER)
    const found = before.findIndex(({ status }) => status === 'succeeded')
    const failures = found < 0 ? before.length : found
    return nextAfter({ ...sync, failures }, staged, record.freshnessSeconds)
  }

  async #stopFollowing(record: ConnectionRecord): Promise<void> {
    if (record.schedule.type !== 'continuous') return
    // The reader asks now and then whether it is wanted, so a call that fails is made good for.
    await this.#logReader(record)
      .unfollow(ownerOf(record))
      .catch((error) => console.error('log still followed', error))
  }

  /** Without a log there is nothing that would start the next sync. */
  #pauseWithoutLog(): void {
    const record = this.#record()
    if (!isFollowing(record)) return
    const message = 'No stream of the connection is read from a log, so none can be followed.'
    const pausedReason = new AirbyteError('SCHEDULE_INVALID', message, {
      field: 'schedule.continuous',
      hint: 'Give the source the update method Log (CDC) again, or the connection another schedule.',
    }).toJSON()
    this.#store.saveRecord({ ...record, status: 'paused', pausedReason })
  }

  /** Has the workspace told when the rows get older than the target; not while a person paused it. */
  async #watch(record: ConnectionRecord): Promise<void> {
    const { freshnessSeconds, freshAsOf, createdAt, status, pausedReason } = record
    if (freshnessSeconds === undefined) return
    const isWatched = freshnessSeconds > 0 && (status === 'active' || pausedReason !== undefined)
    const dueAt = isWatched ? (freshAsOf ?? createdAt) + freshnessSeconds * 1000 : null
    const { id, name, tenantId } = record
    await notificationStub(this.env, tenantId).watch({ id, name }, dueAt)
  }

  #countFailures({ status, error }: SyncSummary): void {
    const isConfig = status !== 'succeeded' && error?.kind === 'config'
    const failures = isConfig ? this.#store.configFailures() + 1 : 0
    this.#store.setConfigFailures(failures)
    const mustDecide = error?.code === 'SCHEMA_CHANGED'
    if (!error || (!mustDecide && failures < MAX_CONFIG_FAILURES)) return
    const pausedReason: ErrorRecord = error
    this.#store.saveRecord({ ...this.#record(), status: 'paused', pausedReason })
  }

  /** Keys of the named streams; STREAM_NOT_FOUND for one that the connection does not have. */
  #choose(record: ConnectionRecord, streams: StreamDescriptor[]): StreamKey[] {
    const known = new Set(record.streams.map(streamKey))
    return streams.map((stream) => {
      const key = streamKey(stream)
      if (known.has(key)) return key
      const message = `The connection '${record.name}' has no stream ${key}.`
      throw new AirbyteError('STREAM_NOT_FOUND', message, {
        field: 'streams',
        didYouMean: [...known].slice(0, 5),
      })
    })
  }

  async #checked(record: ConnectionRecord, { stream, ...range }: Backfill) {
    const [key = ''] = this.#choose(record, [stream])
    const source = await sourceStub(this.env, record.tenantId, record.sourceId).get()
    const { info, capabilities } = await sourceOf(this.env, record.tenantId, source)
    const config = record.streams.find((known) => streamKey(known) === key)
    const mode = config?.destinationSyncMode ?? 'append'
    checkBackfill(key, range, mode, { name: info.name, ranges: capabilities.ranges })
    return { key, range }
  }

  /** A sync says that it has ended a moment before its end is entered here: that moment is waited for. */
  async #refuseWhileRunning(): Promise<void> {
    const until = Date.now() + ENTERED_MS
    for (let current = this.#store.current(); current; current = this.#store.current()) {
      const { syncId } = current
      const sync = await this.#syncObject(this.#record(), syncId)
        .get()
        .catch(() => null)
      if (!sync?.endedAt || Date.now() > until) throw alreadyRunning(this.#record(), syncId)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  #syncObject({ tenantId }: ConnectionRecord, syncId: number) {
    return syncStub(this.env, tenantId, syncId)
  }

  #record(): ConnectionRecord {
    const record = this.#store.record()
    if (!record) throw new AirbyteError('NOT_FOUND', 'There is no such connection.')
    return record
  }
}

/** A stream's state with its lists, as it was given or as the source wrote it. */
function shown({ key, state }: StreamRow, delta: PartitionDelta) {
  const parts = { header: state ?? {}, lists: applyDeltas(new Map(), [delta]) }
  return { stream: parseStreamKey(key), state: plainState(joinState(parts)) }
}

const tooManyPartitions = (count: number) =>
  new AirbyteError('TOO_LARGE', `The states have ${count} partitions, too many for one answer.`, {
    hint: `Ask for one stream: its partitions come ${MAX_SHOWN} at a time, with a cursor.`,
  })

/** Syncs whenever the source's log has changes. */
const isFollowing = ({ status, schedule }: ConnectionRecord) =>
  status === 'active' && schedule.type === 'continuous'

const ownerOf = ({ tenantId, sourceId, id }: ConnectionRecord) => ({
  ...{ tenantId, sourceId },
  connectionId: id,
})

const receiptKey = (connectionId: string, syncId: number) =>
  `receipts/${connectionId}/${syncId}.json`

const alreadyRunning = ({ name }: ConnectionRecord, syncId: number) =>
  new AirbyteError('SYNC_RUNNING', `Sync ${syncId} of '${name}' is still running.`)

const paused = ({ name, pausedReason }: ConnectionRecord) => {
  const why = pausedReason ? ` after: ${pausedReason.message}` : ''
  return new AirbyteError('CONNECTION_PAUSED', `The connection '${name}' is paused${why}.`)
}

const summaryOf = ({
  syncId,
  connectionId,
  status,
  startedAt,
  updatedAt,
  ...rest
}: SyncSummary) => {
  const { endedAt, rows, bytes, warnings, error, waiting, waitingUntil } = rest
  return {
    syncId,
    connectionId,
    status,
    startedAt,
    updatedAt,
    endedAt,
    rows,
    bytes,
    warnings,
    error,
    waiting,
    waitingUntil,
  }
}
