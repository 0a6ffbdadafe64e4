import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drain } from '../../cdc/drain.ts'
import { Bell, nextProgress } from '../../cdc/progress.ts'
import { readPart } from '../../cdc/segment.ts'
import {
  AirbyteError,
  type Batch,
  type JsonObject,
  type StreamKey,
  streamKey,
  toAirbyteError,
} from '../../protocol/index.ts'
import type { ConnectorContext } from '../../runtime/contract.ts'
import type {
  LogEnd,
  LogFeed,
  LogPart,
  LogPlace,
  LogProgress,
  LogStream,
  SourceLog,
  StagedChanges,
} from '../../runtime/source-log.ts'
import { fileStore } from '../../staging/file-store.ts'

/** What the shared state of a read says of its log. */
export interface SavedLog {
  log: string
  /** What is set up at the database is called after this. */
  name: string
  place: LogPlace
}

/**
 * A source's log, drained in this process into files of a directory for as long as one read takes. The
 * database may forget no more than what a state said that came back: whoever loses the states of a
 * read reads the same changes again.
 */
export class LocalLog implements StagedChanges {
  readonly #source: SourceLog
  readonly #ctx: ConnectorContext
  readonly #config: JsonObject
  readonly #directory = mkdtempSync(join(tmpdir(), 'airbyte-log-'))
  readonly #store = fileStore(this.#directory)
  readonly #parts = new Map<StreamKey, LogPart[]>()
  /** Positions in the order in which they were entered. */
  readonly #entered = new Map<string, number>()
  readonly #bell = new Bell()
  #saved: SavedLog
  #isNew: boolean
  #end: LogEnd
  #feed: LogFeed | undefined
  #draining: Promise<void> | undefined
  #problem: AirbyteError | undefined
  #closed = false

  constructor(
    source: SourceLog,
    ctx: ConnectorContext,
    config: JsonObject,
    saved: SavedLog | undefined,
  ) {
    this.#source = source
    this.#ctx = ctx
    this.#config = config
    this.#isNew = saved === undefined
    const name = `airbyte_${crypto.randomUUID().slice(-12)}`
    this.#saved = saved ?? { log: crypto.randomUUID(), name, place: { position: {}, setup: {} } }
    this.#end = { segment: 0, position: this.#saved.place.position }
  }

  async prepare(streams: LogStream[]) {
    const {
      place,
      continues,
      failed,
      warnings = [],
    } = await this.#source.prepare(this.#ctx, this.#config, streams, {
      name: this.#saved.name,
      kept: this.#isNew ? null : this.#saved.place,
      mayBeginAnew: streams.every(({ loaded }) => loaded === undefined),
    })
    const log = continues ? this.#saved.log : crypto.randomUUID()
    this.#saved = { ...this.#saved, log, place }
    this.#isNew = false
    this.#end = { segment: 0, position: place.position }
    this.#enter(place.position)
    const lost = new Set(failed.map(({ stream }) => stream))
    const usable = streams.filter(({ stream }) => !lost.has(streamKey(stream)))
    this.#draining = this.#drain(usable).catch((error: unknown) => {
      this.#problem = toAirbyteError(error)
      this.#bell.ring()
    })
    return { log, end: this.#end, failed, warnings }
  }

  async hold(): Promise<void> {}

  next(_log: string, stream: StreamKey, after: LogEnd, waitMs: number): Promise<LogProgress> {
    const look = () => ({
      parts: (this.#parts.get(stream) ?? []).filter(({ segment }) => segment > after.segment),
      end: this.#end,
    })
    const ask = async () => {
      if (this.#problem) throw this.#problem
      this.#feed?.ask()
    }
    return nextProgress({ look, ask, bell: this.#bell }, after, waitMs)
  }

  async unloaded(log: string, after: LogEnd, waitMs: number) {
    const { end } = await this.next(log, '', after, waitMs)
    return { streams: [...this.#parts.keys()], end }
  }

  read(part: LogPart): AsyncIterable<Batch> {
    return readPart(this.#store, part)
  }

  /** The log as the next read goes on from it, where the streams have read up to these positions. */
  saved(positions: JsonObject[]): SavedLog {
    const serial = (position: JsonObject) => this.#entered.get(JSON.stringify(position)) ?? 0
    const [first] = positions.toSorted((a, b) => serial(a) - serial(b))
    const { position, setup } = this.#saved.place
    return { ...this.#saved, place: { position: first ?? position, setup } }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#feed?.close()
    await this.#draining
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #drain(streams: LogStream[]): Promise<void> {
    const { place } = this.#saved
    const feed = await this.#source.open(this.#ctx, this.#config, place, streams)
    this.#feed = feed
    try {
      if (this.#closed) return
      await drain(feed, {
        goesOn: () => !this.#closed,
        // Only what the state that was given says is loaded.
        acknowledgeable: () => place.position,
        store: async (bytes) => {
          const key = `segments/${this.#end.segment + 1}`
          await this.#store.put(key, bytes)
          return key
        },
        enter: (position, segment) => {
          const next = this.#end.segment + (segment ? 1 : 0)
          this.#end = { segment: next, position }
          this.#enter(position)
          for (const { stream, ...part } of segment?.parts ?? []) {
            const known = this.#parts.get(stream) ?? []
            const entered = { ...part, ...this.#end, key: segment?.key ?? '' }
            this.#parts.set(stream, [...known, entered])
          }
          this.#bell.ring()
        },
      })
    } finally {
      await feed.close()
    }
  }

  #enter(position: JsonObject): void {
    this.#entered.set(JSON.stringify(position), this.#entered.size)
  }
}

/** What a shared state says of a log; undefined: there is none, and no stream may have followed one. */
export function savedLogOf(
  shared: JsonObject | undefined,
  streams: Iterable<JsonObject>,
): SavedLog | undefined {
  const { log, name, place } = shared ?? {}
  if (typeof log === 'string' && typeof name === 'string' && place)
    return shared as unknown as SavedLog
  if ([...streams].every((state) => state.type !== 'cdc')) return undefined
  throw new AirbyteError(
    'STATE_INVALID',
    'The state has streams of a log, and not the log itself.',
    {
      hint: 'Give the GLOBAL state message that the last read printed, or none.',
    },
  )
}
