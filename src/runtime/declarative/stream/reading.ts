import {
  isObject,
  type JsonObject,
  type JsonValue,
  type SyncMode,
} from '../../../protocol/index.ts'
import {
  type Bookmark,
  buildTracking,
  type CursorProgress,
  type StreamCursor,
} from '../cursor/index.ts'
import { RouterAhead } from '../partition/ahead.ts'
import { buildRouters, NO_PARTITIONS, type PartitionRouter } from '../partition/index.ts'
import type { Partition } from '../partition/types.ts'
import { type WalkRules, walkRules } from '../walk/index.ts'
import type { Stream } from './build.ts'
import type { Branch } from './delegate.ts'
import { SliceFailures } from './failures.ts'
import { readsLazily } from './lazy.ts'
import { buildRetriever, type Retriever } from './retriever.ts'
import { seesState } from './seen-state.ts'
import { type Ahead, NOTHING_AHEAD } from './slices-ahead.ts'
import type { SavedState } from './state.ts'

/** Where an unfinished read stands: the page to fetch next. */
export interface Position {
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

/** What of a position is about its slice: how far it is read. */
export type OpenSlice = Omit<Position, 'begun' | 'ends' | 'router' | 'bookmark' | 'lazy'>

/** Where a slice stood, without what the router says again of its partition. */
export function placeOf(position: Partial<Position>): JsonObject {
  const { from, progress, interval, token, walk, observed, seen, progressOfPage } = position
  return JSON.parse(
    JSON.stringify({ from, progress, interval, token, walk, observed, seen, progressOfPage }),
  )
}

/** What the slices of a read share. */
export interface Reading {
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
  /** The page at hand. */
  open: Partial<Position>
}

export async function openReading(
  stream: Stream,
  airbyte: JsonObject,
  at: Position | undefined,
  mode: SyncMode | undefined,
): Promise<Reading> {
  const { env } = stream
  const failures = new SliceFailures(stream, mode, at?.failures)
  const tracking =
    stream.cursor &&
    buildTracking(stream.cursor, {
      ...{ env, routers: stream.routers, state: airbyte },
      ...{ ends: at?.ends, saved: at?.bookmark },
    })
  const cursor = tracking?.cursor
  // What failed may have parents from before the state.
  const plain = routerOf(stream, failures.again ? {} : airbyte, cursor !== undefined)
  const looksAhead =
    stream.retriever.type === 'AsyncRetriever' && env.run.jobLimit > 1 && !failures.again
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
    failures,
    progress: undefined,
    ahead: NOTHING_AHEAD,
    seesState: seesState(stream),
    isLazy: at ? at.lazy === true : readsLazily(stream, airbyte),
    kept: at?.progressOfPage ?? null,
    open: {},
  }
  return reading
}

/** The state of a read that stands at this position of its partitions. */
export function stateAt(
  { branch }: Stream,
  { begun, cursor, router, bookmark, failures, isLazy }: Reading,
  position: Partial<Position>,
): SavedState {
  return {
    v: 1,
    airbyte: bookmark ? bookmark.state(failures.parentState(router)) : {},
    at: {
      ...{ begun, ends: cursor?.ends ?? null, bookmark: bookmark?.serialize() ?? null },
      ...{ failures: failures.save(), ...position, branch },
      ...(isLazy ? { lazy: true } : {}),
    } as JsonObject,
  }
}

function routerOf(stream: Stream, airbyte: JsonObject, incremental: boolean): PartitionRouter {
  if (stream.routers.length === 0) return NO_PARTITIONS
  const parentState = isObject(airbyte.parent_state) ? airbyte.parent_state : undefined
  return buildRouters(stream.routers, { env: stream.env, parentState, incremental })
}

export function progressOf(
  part: Partition,
  cursor: StreamCursor | undefined,
  bookmark: Bookmark | undefined,
  resumed: OpenSlice | undefined,
): CursorProgress | undefined {
  const progress = bookmark?.begin(part.partition)
  // The bookmark has it from the state already; here it is exact.
  return cursor && resumed ? cursor.restore(resumed.progress) : progress
}

/** The intervals as they were when the partition was begun, so that an index finds its place again. */
export const intervalsOf = (cursor: StreamCursor, from: JsonValue): Iterable<JsonObject> =>
  cursor.restore(from).intervals()
