import {
  type JsonObject,
  type JsonValue,
  partitionKey,
  plainState,
  type SyncMode,
} from '../../../protocol/index.ts'
import { type Bookmark, greatestOf, type StreamCursor } from '../cursor/index.ts'
import { migrateState } from '../cursor/migrations.ts'
import { missingClass } from '../custom/missing.ts'
import { type Slice, WHOLE_STREAM } from '../environment.ts'
import { RouterAhead } from '../partition/ahead.ts'
import type { PartitionRouter } from '../partition/index.ts'
import { ParentWait, type Partition } from '../partition/types.ts'
import type { RecordData } from '../records/types.ts'
import { WalkSignal } from '../requester/signals.ts'
import { WaitUntil, waitOut } from '../wait.ts'
import { SliceWalk } from '../walk/index.ts'
import type { Stream } from './build.ts'
import {
  intervalsOf,
  type OpenSlice,
  openReading,
  type Position,
  placeOf,
  progressOf,
  type Reading,
  stateAt,
} from './reading.ts'
import type { Retriever } from './retriever.ts'
import { type Ahead, NOTHING_AHEAD, slicesAfter } from './slices-ahead.ts'
import { NO_CURSOR, type SavedState } from './state.ts'

export interface ReadPage {
  slice: Slice
  records: RecordData[]
  /** Reading from this state gives this page first. */
  before: SavedState
  /** The state that this page completes. */
  after(): SavedState
  /** @see FetchedPage */
  clings?: boolean
  /** @see FetchedPage */
  keep?: boolean
  /** A page without records: nothing can be read before this. Asking for the next page waits. */
  wait?: WaitUntil
}

/**
 * Reads a stream page by page, partition by partition, interval by interval, from a saved state on.
 * The last page has no records and the state of the complete stream. A wait that is too long to
 * sleep through is a page of its own, so that the reader may go on in another invocation.
 *
 * @param mode to go on with the other slices when one fails; undefined: it ends the read
 */
export async function* readPages(
  stream: Stream,
  saved: SavedState,
  mode?: SyncMode,
): AsyncGenerator<ReadPage> {
  let state = saved
  for (;;) {
    try {
      for await (const page of readFrom(stream, state, mode)) {
        yield page
        if (!page.wait) state = page.after()
      }
      return
    } catch (error) {
      // A parent made it wait, or something that was asked before the first page.
      if (!(error instanceof WaitUntil)) throw error
      if (error instanceof WaitBetween) state = error.state
      const here = state
      yield { slice: WHOLE_STREAM, records: [], before: here, after: () => here, wait: error }
      await waitFor(stream, error)
    }
  }
}

/**
 * The same for those that cannot come back later: a check, a discovery, a child of the stream.
 *
 * @throws WaitUntil
 */
export async function* readPagesNow(stream: Stream, saved: SavedState): AsyncGenerator<ReadPage> {
  for await (const page of readPages(stream, saved)) {
    if (page.wait) throw page.wait
    yield page
  }
}

/**
 * The records of one slice, page by page, without a state.
 *
 * @throws WaitUntil
 */
export async function* readSliceNow(stream: Stream, slice: Slice): AsyncGenerator<RecordData[]> {
  const reading = await openReading(stream, {}, undefined, undefined)
  const part: Partition = { partition: slice.partition, extra: slice.extra, position: null }
  const place = { part, interval: slice.interval, index: 0, from: null, seen: slice.state }
  try {
    for await (const page of readSlice(stream, reading, place, undefined)) {
      if (page.wait) throw page.wait
      yield page.records
    }
  } finally {
    await reading.retriever.close()
  }
}

/** The read has to wait before its next partition. */
class WaitBetween extends WaitUntil {
  readonly state: SavedState

  constructor({ message, stream = '', until, failure }: WaitUntil, state: SavedState) {
    super(message, stream, until, null, failure)
    this.state = state
  }
}

const waitFor = ({ env }: Stream, wait: WaitUntil) => waitOut(wait, env.ctx.now(), env.run.sleep)

async function* readFrom(
  stream: Stream,
  saved: SavedState,
  mode: SyncMode | undefined,
): AsyncGenerator<ReadPage> {
  if (saved.done) return
  const missing = missingClass(stream.component, stream.env)
  if (missing) throw missing
  const airbyte = migrateState(stream.component, stream.env, saved.airbyte)
  const at = saved.at as unknown as Position | undefined
  const reading = await openReading(stream, airbyte, at, mode)
  const { router, bookmark, begun, failures } = reading

  let isOver = false
  try {
    yield* readPartitions(stream, reading, at)
    const beyond = failures.goOnAt()
    if (beyond !== undefined) yield* readPartitions(stream, reading, { router: beyond })
    isOver = true
  } finally {
    await reading.retriever.close(isOver)
  }

  const parents = failures.parentState(router)
  const left = failures.saveForNext()
  bookmark?.end()
  if (!failures.outcome) {
    bookmark?.finish(Math.ceil((stream.env.ctx.now() - begun) / 1000), parents)
  }
  const final: SavedState = left
    ? stateAt(stream, reading, { failures: left })
    : { v: 1, airbyte: bookmark ? bookmark.state(parents) : NO_CURSOR }
  yield { slice: WHOLE_STREAM, records: [], before: final, after: () => final }
  if (failures.outcome) throw failures.outcome
}

async function* readPartitions(
  stream: Stream,
  reading: Reading,
  at: Partial<Position> | undefined,
): AsyncGenerator<ReadPage> {
  const { cursor, router, bookmark, failures, retriever } = reading
  let resumed = at?.partition ? (at as Position) : undefined
  const between = (position: JsonValue) =>
    stateAt(stream, reading, { router: position, progressOfPage: reading.kept })
  const stateNow = () => bookmark?.state(router.parentState()) ?? {}
  for await (const part of partitionsFrom(router, at, between)) {
    let open: OpenSlice | undefined = resumed
    if (!resumed && failures.again) {
      open = failedSlice(failures.placeOf(part), part, retriever)
      if (!open) continue
      reading.kept = open.progressOfPage ?? null
    }
    resumed = undefined
    let seen = reading.seesState ? (open?.seen ?? stateNow()) : undefined
    const progress = progressOf(part, cursor, bookmark, open)
    if (cursor && !progress) continue
    reading.progress = progress
    const from = open?.from ?? progress?.serialize() ?? null
    let index = 0
    for (const interval of cursor ? intervalsOf(cursor, from) : [{}]) {
      const place = { part, interval, index: index++, from, seen }
      reading.ahead = aheadOf(reading, place)
      if (open && place.index < open.interval) continue
      reading.open = {}
      try {
        yield* readSlice(stream, reading, place, open)
        failures.passed(part)
      } catch (error) {
        const failed = placeOf({ ...startOf(reading, place), ...open, ...reading.open })
        if (!failures.take(error, { part, interval, place: failed }, router)) return
        reading.kept = null
        // What is remembered of a partition is one place: what comes after it is read with it.
        if (failures.remembers) index = Number.MAX_SAFE_INTEGER
        yield passedBy(stateAt(stream, reading, startOf(reading, { ...place, index })))
        if (failures.remembers) break
      }
      open = undefined
      if (seen) seen = stateNow()
    }
    if (progress) bookmark?.complete(progress)
  }
}

/** A partition that failed before, as if its read went on. */
function failedSlice(
  place: JsonObject | undefined,
  { partition, extra }: Partition,
  { initialToken }: Retriever,
): OpenSlice | undefined {
  return place && ({ ...{ partition, extra, interval: 0, token: initialToken }, ...place } as never)
}

/** Nothing came, and the read goes on from here. */
const passedBy = (state: SavedState): ReadPage => ({
  ...{ slice: WHOLE_STREAM, records: [], before: state, after: () => state },
})

function aheadOf({ cursor, bookmark, router, seesState }: Reading, place: Place): Ahead {
  // A job that is created ahead of its turn would see the state of another slice.
  if (!(router instanceof RouterAhead) || seesState) return NOTHING_AHEAD
  const tracking = cursor && bookmark && { cursor, bookmark }
  const { part, index, from } = place
  const later = () => (cursor ? [...intervalsOf(cursor, from)].slice(index + 1) : [])
  return (count) => slicesAfter({ part, later }, router, tracking, count)
}

interface Place {
  part: Partition
  interval: JsonObject
  index: number
  from: JsonValue
  /** The state that templates see: that of before the slice. */
  seen: JsonObject | undefined
}

/** The pages of one interval of one partition. */
async function* readSlice(
  stream: Stream,
  reading: Reading,
  place: Place,
  resumed: OpenSlice | undefined,
): AsyncGenerator<ReadPage> {
  const { part, interval, index, seen } = place
  const { cursor, bookmark, retriever, progress } = reading
  const first = reading.isLazy ? part.first : undefined
  // Templates take a list of partitions apart: they get it as one.
  const state = seen && plainState(seen)
  const slice: Slice = { partition: part.partition, interval, extra: part.extra, state, first }
  const walk = new SliceWalk(reading.rules, cursor, slice, retriever.initialToken, resumed?.walk)
  if (resumed) walk.token = resumed.token
  let observed = resumed?.observed != null ? cursor?.load(resumed.observed) : undefined

  const stateWith = (next: Partial<Position>): SavedState =>
    stateAt(stream, reading, {
      ...startOf(reading, place),
      ...(seen ? { seen } : {}),
      ...{ token: walk.token, walk: walk.save(), observed: saveObserved(cursor, observed) },
      ...next,
    })

  for (;;) {
    const progressOfPage = reading.kept
    const before = stateWith({ progressOfPage })
    reading.open = before.at as Partial<Position>
    const page = await retriever
      .fetch(walk.slice, walk.token, progressOfPage, walk.pageSize)
      .catch((error: unknown) => pauseFor(error, walk, stream))
    if (page instanceof WaitUntil) {
      reading.kept = page.progress
      const after = stateWith({ progressOfPage: page.progress })
      yield { slice, records: [], before, after: () => after, wait: page }
      await waitFor(stream, page)
      continue
    }
    reading.kept = page?.rest ?? page?.kept ?? null
    if (!page) continue
    walk.observe(page.records)
    observed = observe(page.records, cursor, bookmark, observed)
    if (page.rest !== undefined) {
      const { rest } = page
      const after = () => stateWith({ progressOfPage: rest })
      yield { slice, records: page.records, before, after, clings: page.clings }
      continue
    }
    let goesOn: boolean
    try {
      goesOn = walk.advance(page.next)
    } catch (error) {
      yield { slice, records: page.records, before, after: () => before }
      throw error
    }
    if (!goesOn && progress) {
      progress.close(interval, observed)
      bookmark?.update(part.partition, progress)
    }
    const next = {
      ...(goesOn ? {} : { ...startOf(reading, { ...place, index: index + 1 }), ...CLOSED }),
      ...(page.kept === undefined ? {} : { progressOfPage: page.kept }),
    }
    const after = () => stateWith(next)
    yield { slice, records: page.records, before, after, clings: page.clings, keep: page.keep }
    if (!goesOn) return
  }
}

/** What an open slice has kept, after it. */
const CLOSED = { walk: undefined, seen: null }

/** The position of a slice that is not begun. */
const startOf = (
  { progress, retriever }: Reading,
  { part, from, index }: Place,
): Partial<Position> => ({
  ...{ router: part.position, partition: part.partition, extra: part.extra },
  ...{ from, progress: progress?.serialize() ?? null, interval: index },
  ...{ token: retriever.initialToken, observed: null },
})

/** A wait that an error stands for; undefined when it is over. Other errors are thrown. */
async function pauseFor(
  error: unknown,
  walk: SliceWalk,
  stream: Stream,
): Promise<WaitUntil | undefined> {
  if (error instanceof WaitUntil) return error
  if (!(error instanceof WalkSignal)) throw error
  const ms = walk.recover(error)
  const { ctx, run } = stream.env
  ctx.log('info', `${stream.name}: ${error.detour} ${error.said}`.trim())
  if (ms > run.longestSleepMs) {
    return new WaitUntil(`${stream.name}: the API is busy.`, stream.name, ctx.now() + ms)
  }
  if (ms > 0) await run.sleep(ms)
  return undefined
}

/** The open partition first, as it was saved, then those after it. */
async function* partitionsFrom(
  router: PartitionRouter,
  at: Partial<Position> | undefined,
  between: (position: JsonValue) => SavedState,
): AsyncGenerator<Partition> {
  try {
    yield* openFirst(router, at)
  } catch (error) {
    throw error instanceof ParentWait ? new WaitBetween(error, between(error.position)) : error
  }
}

async function* openFirst(
  router: PartitionRouter,
  at: Partial<Position> | undefined,
): AsyncGenerator<Partition> {
  if (!at?.partition) {
    yield* router.partitions(at?.router)
    return
  }
  const open: Partition = {
    partition: at.partition,
    extra: at.extra ?? {},
    position: at.router ?? null,
  }
  const key = partitionKey(open.partition)
  yield open
  let first = true
  for await (const part of router.partitions(at.router)) {
    if (!first || partitionKey(part.partition) !== key) yield part
    first = false
  }
}

function observe(
  records: RecordData[],
  cursor: StreamCursor | undefined,
  bookmark: Bookmark | undefined,
  observed: unknown,
): unknown {
  if (!cursor) return undefined
  const greatest = greatestOf(records, cursor, observed)
  if (greatest !== undefined && records.length > 0) bookmark?.observe(greatest)
  return greatest
}

const saveObserved = (cursor: StreamCursor | undefined, observed: unknown): JsonValue =>
  cursor && observed !== undefined ? cursor.save(observed) : null
