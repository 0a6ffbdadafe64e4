import {
  isObject,
  type JsonObject,
  type JsonValue,
  PartitionList,
  partitionKey,
} from '../../../protocol/index.ts'
import type { PyDatetime } from '../python/datetime.ts'
import type { DatetimeCursor } from './datetime-cursor.ts'
import { Progress } from './progress.ts'
import type { CursorProgress, StreamCursor } from './types.ts'

/** Keeps a stream's state in the CDK's format while the stream is read, partition by partition. */
export interface Bookmark<Value = unknown> {
  /** How far a partition is; undefined for one that this read has had already. */
  begin(partition: JsonObject): CursorProgress<Value> | undefined
  /** The same for one whose turn has not come. */
  peek(partition: JsonObject): CursorProgress<Value> | undefined
  /** A record's cursor value was seen. */
  observe(value: Value): void
  /** An interval of the partition was closed. */
  update(partition: JsonObject, progress: CursorProgress<Value>): void
  /** The partition is read to its end. */
  complete(progress: CursorProgress<Value>): void
  /** The read has come to its end, whether or not all slices of it could be read. */
  end(): void
  /** All of the stream is read. */
  finish(seconds: number, parentState: JsonObject | undefined): void
  state(parentState: JsonObject | undefined): JsonObject
  /** What a resumed read needs besides the state. */
  serialize(): JsonValue
}

/** A stream without partitions: one value. */
export function singleBookmark(cursor: StreamCursor, state: JsonObject): Bookmark {
  let current = state
  let isMoved = false
  return {
    begin: () => cursor.progress(state),
    peek: () => undefined,
    observe() {},
    update(_partition, progress) {
      current = progress.state()
      isMoved = true
    },
    complete() {},
    end() {
      if (!isMoved) current = cursor.progress(state).state()
    },
    finish() {},
    state: () => current,
    serialize: () => null,
  }
}

const SWITCH_TO_GLOBAL = 10_000

interface Saved {
  global: string | null
  synced: boolean
  /** Names the read over all its invocations. */
  read: string
}

/**
 * A value for each partition, and one for all that new partitions start from. Past 10,000
 * partitions only the latter is kept. The global value moves when the stream is complete.
 *
 * A partition that moved bears the read's name, so that one which its parent gives again is known in
 * a later invocation too. Of one that did not move only those rows come twice that come with every
 * read, its newest.
 */
export function partitionedBookmark(
  cursor: DatetimeCursor,
  initial: JsonObject,
  saved?: JsonValue,
): Bookmark<PyDatetime> {
  const { field } = cursor
  let known = PartitionList.from(initial.states)
  const begun = new Set<string>()
  // A first read that went past the limit has neither list nor value until it is complete.
  const isPartitioned = ['states', 'state', 'use_global_cursor'].some((name) => name in initial)
  // The states that were kept win over the manifest: a partition may be behind the others.
  let onlyGlobal = isPartitioned ? initial.use_global_cursor === true : cursor.global
  let global = globalOf(isPartitioned ? initial.state : initial)
  let lookback = isPartitioned ? Math.trunc(Number(initial.lookback_window ?? 0)) : 0
  const resumed = isObject(saved) ? (saved as unknown as Saved) : undefined
  let next = resumed?.global ?? global
  let synced = resumed?.synced ?? false
  const read = resumed?.read ?? crypto.randomUUID()
  let partitions = known.length

  /** A partition whose state stays what it was changes nothing: nothing is written then. */
  function keep(key: string, partition: JsonObject, state: JsonObject): void {
    const before = known.get(key)
    if (before && JSON.stringify(before.cursor) === JSON.stringify(state)) return
    known = known.with(key, { partition, cursor: state, read })
  }

  const hasHad = (key: string) => begun.has(key) || known.get(key)?.read === read

  function globalOf(state: JsonValue | undefined): string | undefined {
    if (!isObject(state) || state[field] === undefined) return undefined
    const value = cursor.parse(state[field])
    return value ? cursor.format(value) : undefined
  }

  const newFromStart = cursor.newPartitionsFromStart && known.length > 0
  const fromGlobal = () =>
    Progress.fromState(
      cursor,
      global === undefined ? {} : { [field]: global },
      global === undefined ? 0 : lookback,
    )

  function progressOf(key: string): Progress {
    const own = known.get(key)
    if (own) return Progress.fromState(cursor, own.cursor)
    return newFromStart && !onlyGlobal ? Progress.fromState(cursor, {}) : fromGlobal()
  }

  /** Values are compared as they are written, as the CDK does. */
  function raise(value: string): void {
    if (next === undefined || next < value) next = value
  }

  return {
    begin(partition) {
      const key = partitionKey(partition)
      if (hasHad(key)) return undefined
      begun.add(key)
      if (partitions > SWITCH_TO_GLOBAL) {
        onlyGlobal = true
        known = PartitionList.of([])
      }
      if (!known.get(key)) partitions++
      const progress = progressOf(key)
      if (!onlyGlobal) keep(key, partition, progress.state())
      return progress
    },
    peek(partition) {
      const key = partitionKey(partition)
      return hasHad(key) ? undefined : progressOf(key)
    },
    observe(value) {
      synced = true
      raise(cursor.format(value))
    },
    update(partition, progress) {
      if (!onlyGlobal) keep(partitionKey(partition), partition, progress.state())
    },
    complete(progress) {
      const value = progress.state()[field]
      if (!onlyGlobal && typeof value === 'string') raise(value)
    },
    end() {},
    finish(seconds) {
      if (!synced) return
      global = next
      lookback = seconds
    },
    state(parentState) {
      const state: JsonObject = { use_global_cursor: onlyGlobal }
      if (!onlyGlobal) state.states = known as unknown as JsonValue
      if (global !== undefined) state.state = { [field]: global }
      state.lookback_window = lookback
      const parents =
        parentState ?? (isObject(initial.parent_state) ? initial.parent_state : undefined)
      if (parents) state.parent_state = parents
      return state
    },
    serialize: () => ({ global: next ?? null, synced, read }),
  }
}
