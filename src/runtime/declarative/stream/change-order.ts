import type { ConfiguredStream, JsonObject } from '../../../protocol/index.ts'
import { toJson } from '../python/json.ts'
import { isMapping } from '../python/mappings.ts'
import type { Value } from '../python/values.ts'
import { firstAt } from '../records/paths.ts'
import type { RecordData } from '../records/types.ts'

/** The oldest moment of the pages so far, and whose rows of that moment they had. */
interface Tail {
  moment: string | number
  keys: string[]
}

/**
 * Puts rows of a list that is newest first into the order of their changes. A destination that
 * merges by key takes the later of two rows with one cursor: a log of events, newest first, would
 * leave it with the first event of a second instead of the last.
 *
 * Each page is turned round, of a connector that says so or where the page itself shows it. What a further page still has of the moment at which the one before
 * it ended is older than what was given already, and left out for those keys.
 */
export class ChangeOrder {
  readonly #cursor: string[]
  readonly #keys: string[][]
  readonly #newestFirst: boolean
  #tail: Tail | undefined

  /** Undefined where no destination merges, and all rows count. */
  static of(
    configured: ConfiguredStream,
    newestFirst: boolean,
    saved?: JsonObject,
  ): ChangeOrder | undefined {
    const { cursorField, primaryKey, destinationSyncMode } = configured
    const merges = destinationSyncMode.endsWith('_dedup')
    if (!merges || cursorField.length === 0 || primaryKey.length === 0) return undefined
    const order = new ChangeOrder(cursorField, primaryKey, newestFirst)
    order.#tail = saved as Tail | undefined
    return order
  }

  private constructor(cursor: string[], keys: string[][], newestFirst: boolean) {
    this.#cursor = cursor
    this.#keys = keys
    this.#newestFirst = newestFirst
  }

  /** What has to be known when the read goes on in another invocation. */
  save(): { newestFirst?: JsonObject } {
    return this.#tail ? { newestFirst: { ...this.#tail } } : {}
  }

  arrange(records: RecordData[]): RecordData[] {
    if (records.length === 0) return records
    const moments = records.map((record) => this.#momentOf(record))
    if (moments.includes(undefined) || !(this.#newestFirst || falls(moments))) {
      this.#tail = undefined
      return records
    }
    const { moment, keys } = this.#tail ?? { moment: undefined, keys: [] }
    const superseded = new Set(keys)
    const kept = records.filter(
      (record, at) => moments[at] !== moment || !superseded.has(this.#keyOf(record)),
    )
    const last = moments.at(-1) as string | number
    const tied = records.filter((_, at) => moments[at] === last).map((row) => this.#keyOf(row))
    this.#tail = {
      moment: last,
      keys: [...new Set(last === moment ? [...keys, ...tied] : tied)],
    }
    return kept.reverse()
  }

  #momentOf(record: RecordData): Moment {
    const value = isMapping(record) ? toJson(firstAt(record, this.#cursor)) : undefined
    return typeof value === 'string' || typeof value === 'number' ? value : undefined
  }

  #keyOf(record: RecordData): string {
    return JSON.stringify(this.#keys.map((path) => toJson(firstAt(record, path) as Value) ?? null))
  }
}

type Moment = string | number | undefined

/** Never later than the one before, and earlier at least once. */
function falls(moments: Moment[]): boolean {
  const pairs = moments.slice(1).map((moment, at) => compare(moments[at], moment))
  return pairs.every((order) => order >= 0) && pairs.some((order) => order > 0)
}

function compare(a: Moment, b: Moment): number {
  if (a === undefined || b === undefined || typeof a !== typeof b) return Number.NaN
  return a < b ? -1 : a > b ? 1 : 0
}
