import { AirbyteError, isObject, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import type { PyDatetime } from '../python/datetime.ts'
import { isoparse } from '../python/isoparse.ts'
import { Timedelta } from '../python/timedelta.ts'
import type { DatetimeCursor } from './datetime-cursor.ts'
import { compareInstants, earlier, later, minus, plus } from './instants.ts'
import type { CursorProgress } from './types.ts'

/** Time that has been read, with the greatest cursor value seen in it. */
interface Span {
  start: PyDatetime
  end: PyDatetime
  recent?: PyDatetime
}

/** What has been read of one partition, in the terms of its cursor. */
export class Progress implements CursorProgress<PyDatetime> {
  readonly #cursor: DatetimeCursor
  #spans: Span[]
  /** Where the read found the partition. */
  readonly #origin: PyDatetime
  /** The state's other fields, kept as they came. */
  readonly #rest: JsonObject

  private constructor(
    cursor: DatetimeCursor,
    spans: Span[],
    rest: JsonObject,
    origin?: PyDatetime,
  ) {
    const [first] = spans
    this.#origin = origin ?? first?.recent ?? first?.end ?? cursor.start
    this.#cursor = cursor
    this.#spans = spans
    this.#rest = rest
  }

  /** From a state of the CDK, `{cursor: value}` or a list of date ranges; an empty one starts anew. */
  static fromState(cursor: DatetimeCursor, state: JsonObject, lookbackSeconds = 0): Progress {
    if (state.state_type === 'date-range' && Array.isArray(state.slices)) {
      const spans = state.slices.filter(isObject).map((slice) => spanOf(cursor, slice))
      if (spans.length > 0) return new Progress(cursor, spans, {})
    }
    const value = state[cursor.field]
    let known = value === undefined || value === null ? undefined : parseState(cursor, value)
    if (known && lookbackSeconds > 0) {
      const earlierText = cursor.format(known.plus(new Timedelta(0, -lookbackSeconds)))
      known = parseState(cursor, earlierText)
    }
    const end = known ? later(known, cursor.start) : cursor.start
    return new Progress(cursor, [{ start: cursor.start, end, recent: end }], state)
  }

  static deserialize(cursor: DatetimeCursor, saved: JsonValue): Progress {
    const { spans, rest, origin } = saved as {
      spans: (string | null)[][]
      rest: JsonObject
      origin: string
    }
    return new Progress(
      cursor,
      spans.map(([start, end, recent]) => ({
        start: isoparse(start),
        end: isoparse(end),
        ...(recent ? { recent: isoparse(recent) } : {}),
      })),
      rest,
      isoparse(origin),
    )
  }

  /** Exact to the microsecond. */
  serialize(): JsonObject {
    const spans = this.#spans.map(({ start, end, recent }) => [
      start.isoformat(),
      end.isoformat(),
      recent?.isoformat() ?? null,
    ])
    return { spans, rest: this.#rest, origin: this.#origin.isoformat() }
  }

  /** The greatest cursor up to the first gap, or where it starts. */
  state(): JsonObject {
    const [first] = merged(this.#cursor, this.#spans)
    if (!first) return { ...this.#rest }
    const value = this.#cursor.format(first.recent ?? first.start)
    return { ...this.#rest, [this.#cursor.field]: value }
  }

  close(interval: JsonObject, recent: PyDatetime | undefined): void {
    const { startKey, endKey } = this.#cursor
    const start = parseState(this.#cursor, interval[startKey])
    const end = parseState(this.#cursor, interval[endKey])
    this.#spans = merged(this.#cursor, [
      ...this.#spans,
      { start, end, ...(recent ? { recent } : {}) },
    ])
  }

  wants(value: PyDatetime): boolean {
    const { start, end, lookback, lookbackBeyondStart } = this.#cursor
    const from = this.#origin
    const back = lookback ? minus(from, lookback) : from
    const lower = lookbackBeyondStart ? back : later(back, earlier(from, start))
    return compareInstants(lower, value) <= 0 && compareInstants(value, end) <= 0
  }

  *intervals(): Generator<JsonObject> {
    const { start, end, lookback, granularity } = this.#cursor
    const spans = merged(this.#cursor, this.#spans)
    const [first] = spans
    const last = spans.at(-1)
    if (!first || !last) return
    if (compareInstants(start, first.start) < 0) yield* this.#windows(start, first.start, false)
    for (const [index, span] of spans.slice(0, -1).entries()) {
      const from = granularity ? plus(span.end, granularity) : span.end
      yield* this.#windows(from, (spans[index + 1] as Span).start, false)
    }
    yield* this.#windows(lookback ? minus(last.end, lookback) : last.end, end, true)
  }

  *#windows(from: PyDatetime, upper: PyDatetime, upperIsEnd: boolean): Generator<JsonObject> {
    const { start, granularity, step, clamping, comparesStrictly, lookbackBeyondStart } =
      this.#cursor
    const order = compareInstants(from, upper)
    if (order > 0 || (order === 0 && !granularity)) return
    if (compareInstants(upper, start) < 0) return
    const lower = clamping.up(lookbackBeyondStart && upperIsEnd ? from : later(from, start))
    const left = compareInstants(lower, upper)
    if (left > 0 || (left === 0 && (comparesStrictly || !upperIsEnd))) return

    if (!step || compareInstants(plus(lower, step), upper) >= 0) {
      const top = upperIsEnd && granularity ? upper : clamping.up(upper)
      yield this.#interval(lower, granularity && !upperIsEnd ? minus(top, granularity) : top)
      return
    }
    for (let at = lower; ; ) {
      const next = earlier(plus(at, step), upper)
      const reached = compareInstants(next, upper) === 0
      const top = reached ? next : clamping.up(next)
      const isLast = reached || compareInstants(top, upper) === 0
      const bottom = clamping.up(at)
      if (compareInstants(bottom, top) >= 0) return
      const closes = granularity && (!upperIsEnd || !isLast)
      yield this.#interval(bottom, closes ? minus(top, granularity) : top)
      if (isLast) return
      at = top
    }
  }

  #interval(start: PyDatetime, end: PyDatetime): JsonObject {
    const { startKey, endKey, format } = this.#cursor
    return { [startKey]: format(start), [endKey]: format(end) }
  }
}

/** What merges intervals that follow each other: a millisecond unless the cursor says more. */
const unitOf = ({ granularity }: DatetimeCursor) => granularity ?? new Timedelta(0, 0, 1000)

function merged(cursor: DatetimeCursor, spans: Span[]): Span[] {
  const unit = unitOf(cursor)
  const sorted = [...spans].sort(
    (a, b) => compareInstants(a.start, b.start) || compareInstants(a.end, b.end),
  )
  const result: Span[] = []
  for (const span of sorted) {
    const last = result.at(-1)
    if (!last || compareInstants(plus(last.end, unit), span.start) < 0) {
      result.push({ ...span })
      continue
    }
    last.end = later(last.end, span.end)
    const recent =
      last.recent && span.recent ? later(span.recent, last.recent) : (span.recent ?? last.recent)
    if (recent) last.recent = recent
  }
  return result
}

function spanOf(cursor: DatetimeCursor, slice: JsonObject): Span {
  const recent = slice.most_recent_cursor_value
  return {
    start: parseState(cursor, slice.start),
    end: parseState(cursor, slice.end),
    ...(recent ? { recent: parseState(cursor, recent) } : {}),
  }
}

function parseState(cursor: DatetimeCursor, value: JsonValue | undefined): PyDatetime {
  const parsed = cursor.parse(value)
  if (parsed) return parsed
  throw new AirbyteError(
    'STATE_INVALID',
    `The state's '${cursor.field}', ${JSON.stringify(value)}, has none of the cursor's formats.`,
  )
}
