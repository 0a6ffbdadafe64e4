import {
  isObject,
  type JsonObject,
  type JsonValue,
  partitionKey,
  plainState,
} from '../../../protocol/index.ts'
import {
  type Bookmark,
  buildTracking,
  type CursorProgress,
  greatestOf,
  type StreamCursor,
} from '../cursor/index.ts'
import { migrateState } from '../cursor/migrations.ts'
import { missingClass } from '../custom/missing.ts'
import { type Slice, WHOLE_STREAM } from '../environment.ts'
import { RouterAhead } from '../partition/ahead.ts'
import { buildRouters, NO_PARTITIONS, type PartitionRouter } from '../partition/index.ts'
import { ParentWait, type Partition } from '../partition/types.ts'
import type { RecordData } from '../records/types.ts'
import { WalkSignal } from '../requester/signals.ts'
import { WaitUntil, waitOut } from '../wait.ts'
import { SliceWalk, type WalkRules, walkRules } from '../walk/index.ts'
import type { Stream } from './build.ts'
import type { Branch } from './delegate.ts'
import { SliceFailures } from './failures.ts'
import { readsLazily } from './lazy.ts'
import { buildRetriever, type Retriever } from './retriever.ts'
import { seesState } from './seen-state.ts'
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
  /** A page without records: nothing can be read before this. Asking for the next page waits. */
  wait?: WaitUntil
}

/** Where an unfinished read stands: the page to fetch next. */
interface Position {
  /** Epoch milliseconds at which the read began. */
  begun: number
  /** The cursor's ends as they were then. */
  ends: [string, string] | null
  router: JsonValue
  /** Absent while the read waits for a parent: it goes on with the partition at `router`. */
  partition: JsonObject
  extra: JsonObject
  /** The partition's progress when it was begun, which its intervals follow from, and now. */
  from: JsonValue
  progress: JsonValue
  /** Index of the interval. */
  interval: number
  token: JsonValue
  /** What its walk keeps besides the token. */
  walk?: JsonObject | undefined
  /** The greatest cursor value seen in the interval. */
  observed: JsonValue
  bookmark: JsonValue
  branch?: Branch
  /** It is a first read, in which children's first pages come with their parents. */
  lazy?: boolean
  /** What could not be read before. */
  failures?: JsonObject
  /** The state that the templates of the open slice see. */
  seen?: JsonObject | null
  /** What the page before this one kept for it, or a wait in its middle, or how much of it was read. */
  progressOfPage?: JsonValue
}

/**
 * Reads a stream page by page, partition by partition, interval by interval, from a saved state on.
 * The last page has no records and the state of the complete stream. A wait that is too long to
 * sleep through is a page of its own, so that the reader may go on in another invocation.
 *
 * @param goesOn with the other slices when one fails, where the stream has a cursor
 */
export async function* readPages(
  stream: Stream,
  saved: SavedState,
  goesOn = false,
): AsyncGenerator<ReadPage> {
  let state = saved
  for (;;) {
    try {
      for await (const page of readFrom(stream, state, goesOn)) {
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
  const reading = await openReading(stream, {}, undefined, false)
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
  goesOn: boolean,
): AsyncGenerator<ReadPage> {
  if (saved.done) return
  const missing = missingClass(stream.component, stream.env)
  if (missing) throw missing
  const airbyte = migrateState(stream.component, stream.env, saved.airbyte)
  const at = saved.at as unknown as Position | undefined
  const reading = await openReading(stream, airbyte, at, goesOn)
  const { router, bookmark, begun, failures } = reading

  let isOver = false
  try {
    yield* readPartitions(stream, reading, at)
    isOver = true
  } finally {
    await reading.retriever.close(isOver)
  }

  const parents = failures.parentState(router)
  bookmark?.end()
  if (!failures.first) {
    bookmark?.finish(Math.ceil((stream.env.ctx.now() - begun) / 1000), parents)
  }
  const final: SavedState = { v: 1, airbyte: bookmark ? bookmark.state(parents) : NO_CURSOR }
  yield { slice: WHOLE_STREAM, records: [], before: final, after: () => final }
  if (failures.first) throw failures.first
}

async function* readPartitions(
  stream: Stream,
  reading: Reading,
  at: Position | undefined,
): AsyncGenerator<ReadPage> {
  const { cursor, router, bookmark, failures } = reading
  let resumed = at?.partition ? at : undefined
  const between = (position: JsonValue) =>
    stateAt(stream, reading, { router: position, progressOfPage: reading.kept })
  const stateNow = () => bookmark?.state(router.parentState()) ?? {}
  for await (const part of partitionsFrom(router, at, between)) {
    let seen = reading.seesState ? (resumed?.seen ?? stateNow()) : undefined
    const progress = progressOf(part, cursor, bookmark, resumed)
    if (cursor && !progress) continue
    reading.progress = progress
    const from = resumed?.from ?? progress?.serialize() ?? null
    let index = 0
    for (const interval of cursor ? intervalsOf(cursor, from) : [{}]) {
      const place = { part, interval, index: index++, from, seen }
      reading.ahead = aheadOf(reading, place)
      if (resumed && place.index < resumed.interval) continue
      try {
        yield* readSlice(stream, reading, place, resumed)
        failures.passed()
      } catch (error) {
        failures.take(error, router)
        reading.kept = null
      }
      resumed = undefined
      if (seen) seen = stateNow()
    }
    resumed = undefined
    if (progress) bookmark?.complete(progress)
  }
}

function aheadOf({ cursor, bookmark, router, seesState }: Reading, place: Place): Ahead {
  // A job that is created ahead of its turn would see the state of another slice.
  if (!(router instanceof RouterAhead) || seesState) return NOTHING_AHEAD
  const tracking = cursor && bookmark && { cursor, bookmark }
  const { part, index, from } = place
  const later = () => (cursor ? [...intervalsOf(cursor, from)].slice(index + 1) : [])
  return (count) => slicesAfter({ part, later }, router, tracking, count)
}

/** What the slices of a read share. */
interface Reading {
  begun: number
  cursor: StreamCursor | undefined
  router: PartitionRouter
  bookmark: Bookmark | undefined
  retriever: Retriever
  rules: WalkRules
  failures: SliceFailures
  /** Of the partition at hand. */
  progress: CursorProgress | undefined
  /** The slices after the one at hand. */
  ahead: Ahead
  /** Whether templates see the state. */
  seesState: boolean
  /** Whether first pages come with the parents' records. */
  isLazy: boolean
  /** What the retriever is handed with its next page. */
  kept: JsonValue
}

async function openReading(
  stream: Stream,
  airbyte: JsonObject,
  at: Position | undefined,
  goesOn: boolean,
): Promise<Reading> {
  const { env } = stream
  const tracking =
    stream.cursor &&
    buildTracking(stream.cursor, {
      ...{ env, routers: stream.routers, state: airbyte },
      ...{ ends: at?.ends, saved: at?.bookmark },
    })
  const cursor = tracking?.cursor
  const plain = routerOf(stream, airbyte, cursor !== undefined)
  const looksAhead = stream.retriever.type === 'AsyncRetriever' && env.run.jobLimit > 1
  const router = looksAhead ? new RouterAhead(plain, at?.router) : plain
  const normalizes = stream.retriever.optionalChild('record_selector')?.get('schema_normalization')
  const retriever = buildRetriever(stream, {
    cursor,
    router,
    ahead: (count) => reading.ahead(count),
    schema: normalizes && normalizes !== 'None' ? await stream.schema() : undefined,
    wanted(record) {
      const value = cursor?.valueOf(record)
      return value === undefined || (reading.progress?.wants(value) ?? true)
    },
  })
  const reading: Reading = {
    begun: at?.begun ?? env.ctx.now(),
    cursor,
    router,
    bookmark: tracking?.bookmark,
    retriever,
    rules: walkRules(stream),
    failures: new SliceFailures(stream, goesOn, at?.failures),
    progress: undefined,
    ahead: NOTHING_AHEAD,
    seesState: seesState(stream),
    isLazy: at ? at.lazy === true : readsLazily(stream, airbyte),
    kept: at?.progressOfPage ?? null,
  }
  return reading
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
  { part, interval, index, from, seen }: Place,
  resumed: Position | undefined,
): AsyncGenerator<ReadPage> {
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
      ...{ router: part.position, partition: part.partition, extra: part.extra },
      ...{
        from,
        progress: progress?.serialize() ?? null,
        interval: index,
        ...(seen ? { seen } : {}),
      },
      ...{ token: walk.token, walk: walk.save(), observed: saveObserved(cursor, observed) },
      ...next,
    })

  for (;;) {
    const progressOfPage = reading.kept
    const before = stateWith({ progressOfPage })
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
      ...(goesOn
        ? {}
        : {
            ...{ interval: index + 1, token: retriever.initialToken },
            ...{ walk: undefined, observed: null, seen: null },
          }),
      ...(page.kept === undefined ? {} : { progressOfPage: page.kept }),
    }
    const after = () => stateWith(next)
    yield { slice, records: page.records, before, after, clings: page.clings }
    if (!goesOn) return
  }
}

/** The state of a read that stands at this position of its partitions. */
function stateAt(
  { branch }: Stream,
  { begun, cursor, router, bookmark, failures, isLazy }: Reading,
  position: Partial<Position>,
): SavedState {
  return {
    v: 1,
    airbyte: bookmark ? bookmark.state(failures.parentState(router)) : {},
    at: {
      ...{ begun, ends: cursor?.ends ?? null, bookmark: bookmark?.serialize() ?? null },
      ...{ ...position, branch, failures: failures.save() },
      ...(isLazy ? { lazy: true } : {}),
    } as JsonObject,
  }
}

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

function routerOf(stream: Stream, airbyte: JsonObject, incremental: boolean): PartitionRouter {
  if (stream.routers.length === 0) return NO_PARTITIONS
  const parentState = isObject(airbyte.parent_state) ? airbyte.parent_state : undefined
  return buildRouters(stream.routers, { env: stream.env, parentState, incremental })
}

/** The open partition first, as it was saved, then those after it. */
async function* partitionsFrom(
  router: PartitionRouter,
  at: Position | undefined,
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
  at: Position | undefined,
): AsyncGenerator<Partition> {
  if (!at?.partition) {
    yield* router.partitions(at?.router)
    return
  }
  const open: Partition = { partition: at.partition, extra: at.extra, position: at.router }
  const key = partitionKey(open.partition)
  yield open
  let first = true
  for await (const part of router.partitions(at.router)) {
    if (!first || partitionKey(part.partition) !== key) yield part
    first = false
  }
}

function progressOf(
  part: Partition,
  cursor: StreamCursor | undefined,
  bookmark: Bookmark | undefined,
  resumed: Position | undefined,
): CursorProgress | undefined {
  const progress = bookmark?.begin(part.partition)
  // The bookmark has it from the state already; here it is exact.
  return cursor && resumed ? cursor.restore(resumed.progress) : progress
}

/** The intervals as they were when the partition was begun, so that an index finds its place again. */
const intervalsOf = (cursor: StreamCursor, from: JsonValue): Iterable<JsonObject> =>
  cursor.restore(from).intervals()

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
