import { AirbyteError, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import { greatestOf, type StreamCursor } from '../cursor/index.ts'
import type { RecordData } from '../records/types.ts'
import type { Stream } from '../stream/build.ts'

/** When pages begin anew, and where. */
export interface ResetRules {
  /** After so many records. */
  limit: number | undefined
  /** At the greatest cursor value seen, not at the start. */
  atCursor: boolean
}

const ACTIONS = ['RESET', 'SPLIT_USING_CURSOR']

export function resetRules({ retriever, cursor }: Stream): ResetRules {
  const component = retriever.optionalChild('pagination_reset')
  if (!component) return { limit: undefined, atCursor: false }
  const action = component.text('action')
  if (!ACTIONS.includes(action)) {
    throw component.refuse(`'${action}' is not ${ACTIONS.join(' or ')}.`, 'action')
  }
  const limit = component.optionalChild('limits')?.get('number_of_records')
  if (component.has('limits') && retriever.child('record_selector').has('record_filter')) {
    throw component.refuse('A limit counts records, which a record_filter hides from it.', 'limits')
  }
  return {
    limit: typeof limit === 'number' ? limit : undefined,
    atCursor: action === 'SPLIT_USING_CURSOR' && cursor !== undefined,
  }
}

/** Counts the records of one run of pages, and how often it was begun at the same place. */
export class Resets {
  readonly #limit: number | undefined
  readonly #cursor: StreamCursor | undefined
  #records: number
  #same: number
  #greatest: unknown

  constructor(rules: ResetRules, cursor: StreamCursor | undefined, saved?: JsonObject) {
    const { records = 0, same = 0, greatest = null } = saved ?? {}
    this.#limit = rules.limit
    this.#cursor = rules.atCursor ? cursor : undefined
    this.#records = Number(records)
    this.#same = Number(same)
    this.#greatest = greatest === null ? undefined : this.#cursor?.load(greatest)
  }

  get isDue(): boolean {
    return this.#limit !== undefined && this.#records >= this.#limit
  }

  /** Nothing as long as it is as at the start. */
  save(): { resets?: JsonObject } {
    const greatest = this.#greatest === undefined ? null : this.#cursor?.save(this.#greatest)
    const records = this.#limit === undefined ? 0 : this.#records
    if (records === 0 && this.#same === 0 && greatest === null) return {}
    return { resets: { records, same: this.#same, greatest: greatest ?? null } }
  }

  observe(records: RecordData[]): void {
    this.#records += records.length
    if (this.#cursor) this.#greatest = greatestOf(records, this.#cursor, this.#greatest)
  }

  /**
   * Where pages begin anew.
   *
   * @param from where they began the last time
   * @throws REQUEST_REFUSED when that does not change any more
   */
  begin(from: JsonValue, stream: string): JsonValue {
    const next =
      this.#cursor && this.#greatest !== undefined ? this.#cursor.format(this.#greatest) : from
    this.#same = next === from ? this.#same + 1 : 0
    // Without a cursor a second attempt is a retry; with one it would give the same again.
    if (this.#same < (this.#cursor ? 1 : 2)) {
      this.#records = 0
      return next
    }
    throw new AirbyteError(
      'REQUEST_REFUSED',
      `${stream}: its pages were begun anew at the same place without an end.`,
      { stream },
    )
  }
}
