import type { JsonObject, JsonValue } from '../../../protocol/index.ts'
import { isObject } from '../manifest/values.ts'
import type { Selection } from '../records/selector.ts'
import type { RecordData } from '../records/types.ts'
import type { Answer } from '../requester/answer.ts'

/** What a batch holds at most, in records and in pieces of a body, before the next one begins. */
const BATCH_RECORDS = 5000
const BATCH_PIECES = 32

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
  #ahead: Selection | undefined
  #pieces = 0

  /** @param select the page's records without the first so many, in batches */
  constructor(
    answer: Answer,
    progress: JsonValue,
    select: (skip: number) => AsyncIterable<Selection>,
  ) {
    this.answer = answer
    this.version = answer.headers.get('etag') ?? answer.headers.get('last-modified')
    const rest = restOf(progress)
    // Of another version nothing is known: it is read from its start.
    const done = rest?.version === this.version ? rest : undefined
    this.read = done?.read ?? 0
    this.count = done?.count ?? 0
    this.#selections = select(this.read)[Symbol.asyncIterator]()
  }

  /** The next records; the last batch is empty only when the whole page is. */
  async next(): Promise<{ records: RecordData[]; isLast: boolean }> {
    let records: RecordData[] | undefined
    this.#pieces = 0
    let next = this.#ahead ?? (await this.#pull())
    for (let read = 0; next && read < BATCH_RECORDS && this.#pieces < BATCH_PIECES; ) {
      if (records) for (const record of next.records) records.push(record)
      else records = next.records
      read += next.extracted
      this.read += next.extracted
      next = await this.#pull()
    }
    this.#ahead = next
    this.count += records?.length ?? 0
    this.lastRecord = records?.at(-1) ?? this.lastRecord
    return { records: records ?? [], isLast: next === undefined }
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
