import { isObject, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import type { Selection } from '../records/selector.ts'
import type { RecordData } from '../records/types.ts'
import type { Answer } from '../requester/answer.ts'

/** What a batch holds at most, in records and in pieces of a body, before the next one begins. */
const BATCH_RECORDS = 5000
const BATCH_PIECES = 32
const LONGEST_CLING_MS = 5 * 60_000

/** How much of a page has been handed on. */
export interface PageRest {
  /** Records that the response held so far, before filtering. */
  read: number
  /** The same after filtering. */
  count: number
  /** By what the server would tell another version of the same body. */
  version: string | null
}

/** A page whose records are handed on in batches, while its response may still come in. */
export class OpenPage implements PageRest {
  readonly answer: Answer
  readonly version: string | null
  read: number
  count: number
  lastRecord: RecordData | undefined
  readonly #selections: AsyncIterator<Selection>
  readonly #now: () => number
  readonly #openedAt: number
  /** When the first records came that were not had before. */
  #freshAt: number | undefined
  readonly #isResumed: boolean
  #ahead: Selection | undefined
  #pieces = 0

  /** @param select the page's records without the first so many, in batches */
  constructor(
    answer: Answer,
    progress: JsonValue,
    select: (skip: number) => AsyncIterable<Selection>,
    now: () => number,
  ) {
    this.answer = answer
    this.#now = now
    this.#openedAt = now()
    this.version = answer.headers.get('etag') ?? answer.headers.get('last-modified')
    const rest = restOf(progress)
    // Of another version nothing is known: it is read from its start.
    const done = rest?.version === this.version ? rest : undefined
    this.read = done?.read ?? 0
    this.#isResumed = this.read > 0
    this.count = done?.count ?? 0
    this.#selections = select(this.read)[Symbol.asyncIterator]()
  }

  /**
   * The next records; the last batch is empty only when the whole page is.
   *
   * @param onEnd called when all of the response has been read, before the last records are made of it
   */
  async next(onEnd?: () => Promise<void>): Promise<{ records: RecordData[]; isLast: boolean }> {
    const selections: Selection[] = []
    this.#pieces = 0
    let next = this.#ahead ?? (await this.#pull())
    for (let read = 0; next && read < BATCH_RECORDS && this.#pieces < BATCH_PIECES; ) {
      selections.push(next)
      read += next.extracted
      this.read += next.extracted
      next = await this.#pull()
    }
    this.#ahead = next
    if (!next) await onEnd?.()
    const [only, ...more] = selections
    const records = only?.records() ?? []
    for (const selection of more) for (const record of selection.records()) records.push(record)
    this.#freshAt ??= this.#now()
    this.count += records.length
    this.lastRecord = records.at(-1) ?? this.lastRecord
    return { records, isLast: next === undefined }
  }

  /**
   * Stopping here costs more than it has brought: whoever goes on has to find this place again, and
   * that took longer than what was read since. So the time for it doubles, up to some minutes.
   */
  get clings(): boolean {
    const now = this.#now()
    const fresh = now - (this.#freshAt ?? now)
    const search = (this.#freshAt ?? now) - this.#openedAt
    return this.#isResumed && fresh < search && now - this.#openedAt < LONGEST_CLING_MS
  }

  rest(): JsonObject {
    const { read, count, version } = this
    return { read, count, version }
  }

  async close(): Promise<void> {
    await this.#selections.return?.()
    await this.answer.close()
  }

  /** The next selection that has something in it. */
  async #pull(): Promise<Selection | undefined> {
    for (;;) {
      const { done, value } = await this.#selections.next()
      if (done) return undefined
      this.#pieces++
      if (value.extracted > 0) return value
    }
  }
}

function restOf(progress: JsonValue): PageRest | undefined {
  if (!isObject(progress) || typeof progress.read !== 'number') return undefined
  return progress as unknown as PageRest
}
