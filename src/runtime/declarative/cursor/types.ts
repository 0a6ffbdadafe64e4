import type { JsonObject, JsonValue } from '../../../protocol/index.ts'
import type { Timedelta } from '../python/timedelta.ts'
import type { RecordData } from '../records/types.ts'
import type { RequestOptions } from '../requester/options.ts'

/**
 * How a stream is read bit by bit: the fixed part, which all its partitions share. `Value` is what
 * its records are ordered by, a moment or a number.
 */
export interface StreamCursor<Value = unknown> {
  field: string
  /** Where the read begins and ends, to be kept for later invocations of it; null: nothing to keep. */
  ends: [string, string] | null
  /** Names of an interval's ends in the slice. */
  startKey: string
  endKey: string
  clientSide: boolean
  dataFeed: boolean
  global: boolean
  /** What an interval adds to a request. */
  options(interval: JsonObject): RequestOptions
  /** Undefined for a record that has none. */
  valueOf(record: RecordData): Value | undefined
  later(a: Value, b: Value): Value
  /** As requests and states write it. */
  format(value: Value): JsonValue
  /** Exact, unlike `format`. */
  save(value: Value): JsonValue
  load(saved: JsonValue): Value
  /** An interval in two halves; undefined when it is too small, or no larger than `least`. */
  split?(interval: JsonObject, least: Timedelta | undefined): [JsonObject, JsonObject] | undefined
  /** A partition with this state, in the CDK's format. */
  progress(state: JsonObject): CursorProgress<Value>
  /** @see CursorProgress.serialize */
  restore(saved: JsonValue): CursorProgress<Value>
}

/** What has been read of one partition. */
export interface CursorProgress<Value = unknown> {
  /** In the CDK's format. */
  state(): JsonObject
  serialize(): JsonObject
  /** The intervals that are left to read, in order. */
  intervals(): Iterable<JsonObject>
  /** Notes that an interval was read, and the greatest cursor value of its records. */
  close(interval: JsonObject, recent: Value | undefined): void
  /** Whether a value lies in what this read is after. */
  wants(value: Value): boolean
}

/** The greatest cursor value of records, or the one seen before them. */
export function greatestOf<Value>(
  records: RecordData[],
  cursor: StreamCursor<Value>,
  seen: Value | undefined,
): Value | undefined {
  let greatest = seen
  for (const record of records) {
    const value = cursor.valueOf(record)
    if (value === undefined) continue
    greatest = greatest === undefined ? value : cursor.later(greatest, value)
  }
  return greatest
}
