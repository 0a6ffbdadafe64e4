import { AirbyteError, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import type { StreamCursor } from '../cursor/index.ts'
import type { Slice } from '../environment.ts'
import type { RecordData } from '../records/types.ts'
import type { WalkSignal } from '../requester/signals.ts'
import type { Stream } from '../stream/build.ts'
import { PageSize, type PageSizeRules, pageSizeRules } from './page-size.ts'
import { type ResetRules, Resets, resetRules } from './resets.ts'
import { type SplitRules, splitRules } from './split.ts'

/** What a stream's manifest allows besides page after page. */
export interface WalkRules {
  stream: string
  resets: ResetRules
  size: PageSizeRules | undefined
  split: SplitRules | undefined
}

/** @throws VALIDATION_FAILED for rules that cannot work with the rest of the stream */
export function walkRules(stream: Stream): WalkRules {
  // Jobs are downloaded page after page.
  if (!stream.retriever.has('requester')) {
    const resets = { limit: undefined, atCursor: false }
    return { stream: stream.name, resets, size: undefined, split: undefined }
  }
  return {
    stream: stream.name,
    resets: resetRules(stream),
    size: pageSizeRules(stream),
    split: splitRules(stream),
  }
}

/** Part of a slice's interval, and how often the interval was halved to get it. */
interface Window {
  interval: JsonObject
  depth: number
}

const DEEPEST_SPLIT = 10

/**
 * The way through the pages of one slice: page after page, or as its answers ask, in smaller pages,
 * in halves of its interval, or once more from its start.
 */
export class SliceWalk {
  /** What is asked for; the same object until it changes. */
  slice: Slice
  token: JsonValue
  readonly #rules: WalkRules
  readonly #cursor: StreamCursor | undefined
  readonly #whole: Slice
  readonly #firstToken: JsonValue
  /** What is left to read; the last one is being read. */
  #windows: Window[]
  /** Where the window at hand was begun anew; null: at its start. */
  #from: JsonValue
  #resets: Resets
  #size: PageSize

  /** @param saved what `save` gave in an earlier invocation */
  constructor(
    rules: WalkRules,
    cursor: StreamCursor | undefined,
    whole: Slice,
    firstToken: JsonValue,
    saved?: JsonValue,
  ) {
    const kept = saved as Saved | undefined
    this.#rules = rules
    this.#cursor = cursor
    this.#whole = whole
    this.#firstToken = firstToken
    this.token = firstToken
    this.#windows = kept?.windows ?? [{ interval: whole.interval, depth: 0 }]
    this.#from = kept?.from ?? null
    this.#resets = new Resets(rules.resets, cursor, kept?.resets)
    this.#size = new PageSize(rules.size, rules.stream, kept?.size)
    this.slice = kept ? this.#sliceNow() : whole
  }

  /** Records to ask for at once, where it is not what the paginator says. */
  get pageSize(): number | undefined {
    return this.#size.current
  }

  /** Undefined as long as the walk is the ordinary one. */
  save(): JsonObject | undefined {
    const isWhole = this.#windows.length === 1 && this.#windows[0]?.depth === 0
    const saved: Saved = {
      ...(isWhole ? {} : { windows: this.#windows }),
      ...(this.#from === null ? {} : { from: this.#from }),
      ...this.#resets.save(),
      ...this.#size.save(),
    }
    return Object.keys(saved).length > 0 ? (structuredClone(saved) as JsonObject) : undefined
  }

  /**
   * Turns as a response asks.
   *
   * @returns milliseconds to wait before the next request
   * @throws when the way does not lead on
   */
  recover(signal: WalkSignal): number {
    switch (signal.detour) {
      case 'REDUCE_PAGE_SIZE':
        return this.#size.reduce(signal.said) * 1000
      case 'SPLIT_REQUEST_WINDOW':
        this.#split(signal.said)
        return 0
      default:
        this.#reset()
        return 0
    }
  }

  /** Some records of a page were read. */
  observe(records: RecordData[]): void {
    this.#resets.observe(records)
  }

  /** A page was read to its end; false: so is the slice. */
  advance(next: JsonValue): boolean {
    this.#size.succeeded()
    if (this.#resets.isDue) this.#reset()
    else if (next !== null) this.token = next
    else this.#nextWindow()
    return this.#windows.length > 0
  }

  #reset(): void {
    const now = this.slice.interval[this.#cursor?.startKey ?? ''] ?? null
    const from = this.#resets.begin(now, this.#rules.stream)
    this.token = this.#firstToken
    if (from === now) return
    this.#from = from
    this.slice = this.#sliceNow()
  }

  #nextWindow(): void {
    this.#windows.pop()
    if (this.#windows.length > 0) this.#begin()
  }

  /** The window at hand anew, with nothing known of it. */
  #begin(): void {
    this.token = this.#firstToken
    this.#from = null
    this.#resets = new Resets(this.#rules.resets, this.#cursor)
    this.#size = new PageSize(this.#rules.size, this.#rules.stream)
    this.slice = this.#sliceNow()
  }

  #split(said: string): void {
    const { split, stream } = this.#rules
    const { interval, depth } = this.#window()
    if (!split) {
      throw new AirbyteError(
        'SOURCE_MISCONFIGURED',
        `${stream}: an answer asks for a smaller window, and the retriever has no request_window_splitting.`,
        { stream },
      )
    }
    const halves = depth < DEEPEST_SPLIT ? this.#cursor?.split?.(interval, split.least) : undefined
    if (!halves) throw split.failure(stream, interval, said)
    this.#windows.pop()
    for (const half of halves.reverse()) this.#windows.push({ interval: half, depth: depth + 1 })
    this.#begin()
  }

  #window(): Window {
    return this.#windows.at(-1) as Window
  }

  #sliceNow(): Slice {
    const { interval } = this.#window()
    if (this.#from === null || !this.#cursor) return { ...this.#whole, interval }
    return { ...this.#whole, interval: { ...interval, [this.#cursor.startKey]: this.#from } }
  }
}

interface Saved {
  windows?: Window[]
  from?: JsonValue
  resets?: JsonObject
  size?: JsonObject
}
