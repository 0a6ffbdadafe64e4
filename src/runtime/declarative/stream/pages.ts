import { AirbyteError, isObject, type JsonValue } from '../../../protocol/index.ts'
import { turn } from '../../turns.ts'
import type { Slice } from '../environment.ts'
import type { Paginator } from '../paginator/index.ts'
import type { Selector } from '../records/selector.ts'
import type { RecordData } from '../records/types.ts'
import { Answer } from '../requester/answer.ts'
import type { Requester } from '../requester/http-requester.ts'
import type { RequestOptions } from '../requester/options.ts'
import { WaitUntil } from '../wait.ts'
import { OpenPage } from './open-page.ts'
import type { Retriever } from './retriever.ts'

/** What fetches the pages of a slice, and what is in them. */
export interface PageParts {
  stream: string
  /** Epoch milliseconds. */
  now(): number
  requester: Requester
  paginator: Paginator
  selector: Pick<Selector, 'streams' | 'select'>
  /** What is added to a page's request besides the paginator's. */
  options(slice: Slice, token: JsonValue): RequestOptions[]
  /** Data feed: pages end at the first record that is not wanted, and only wanted ones are handed on. */
  wanted?(record: RecordData): boolean
  /** Whether the next page is asked for while the reader still has this one. Absent: never. */
  readsAhead?(): boolean
}

/** Asks for page after page, and hands large ones on in batches. */
export function fetchPages(parts: PageParts): Retriever {
  const { stream, paginator, wanted } = parts
  const repetition = repetitionGuard(stream)
  const ahead = new PageAhead(parts)

  let open: { page: OpenPage; slice: Slice; token: JsonValue } | undefined
  async function close() {
    const left = open
    open = undefined
    ahead.drop()
    await left?.page.close()
  }

  return {
    initialToken: paginator.initial,
    close,
    async fetch(slice, token, progress, size) {
      if (open?.slice !== slice || open.token !== token) {
        const coming = progress === null ? ahead.take(slice, token, size) : undefined
        await close()
        const page = await (knownPage(parts, slice, token) ??
          coming ??
          openPage(parts, { slice, asked: slice, token, progress, size }))
        if (!page) return { records: [], next: null }
        open = { page, slice, token }
      }
      const { page } = open
      let found: { next: JsonValue } | undefined
      const askEarly = async () => {
        if (!paginator.early || wanted || !parts.readsAhead?.()) return
        const response = { answer: page.answer, extracted: page.read, size }
        found = { next: await paginator.early(response, token, slice) }
        repetition(page, token, found.next)
        if (found.next === null) return
        ahead.begin(slice, found.next, size)
        // What follows keeps this thread busy: only what has left it by then is under way meanwhile.
        await turn()
      }
      const batch = await page.next(askEarly).catch((error: unknown) => {
        throw error instanceof WaitUntil ? error.keeping(page.rest()) : error
      })
      const records = wanted ? batch.records.filter(wanted) : batch.records
      if (!batch.isLast) return { records, next: token, rest: page.rest(), clings: page.clings }
      open = undefined
      if (found) return { records, next: found.next }
      const { answer, count, read: extracted, lastRecord } = page
      const isPast = wanted && lastRecord !== undefined && !wanted(lastRecord)
      const next = isPast
        ? null
        : await paginator.next(
            { answer, count, extracted, lastRecord, records, size },
            token,
            slice,
          )
      repetition(page, token, next)
      if (next !== null && parts.readsAhead?.()) ahead.begin(slice, next, size)
      return { records, next }
    },
  }
}

/** The first page of a slice that came with something else. */
function knownPage(
  { paginator, selector, now }: PageParts,
  slice: Slice,
  token: JsonValue,
): OpenPage | undefined {
  if (slice.first === undefined || token !== paginator.initial) return undefined
  const answer = Answer.holding(slice.first)
  return new OpenPage(answer, null, (skip) => selector.select(answer, slice, token, skip), now)
}

/** The page after the one at hand. What goes wrong with it is thrown when its turn comes. */
class PageAhead {
  readonly #parts: PageParts
  #coming: (Pick<PageToOpen, 'slice' | 'token' | 'size'> & { page: OpeningPage }) | undefined

  constructor(parts: PageParts) {
    this.#parts = parts
  }

  begin(slice: Slice, token: JsonValue, size: number | undefined): void {
    const page = openPage(this.#parts, { slice, asked: slice, token, progress: null, size })
    page.catch(() => {})
    this.#coming = { slice, token, size, page }
  }

  take(slice: Slice, token: JsonValue, size: number | undefined): OpeningPage | undefined {
    const coming = this.#coming
    if (coming?.slice !== slice || coming.token !== token || coming.size !== size) return undefined
    this.#coming = undefined
    return coming.page
  }

  /** Nobody wants it any more, or not as it was asked for. */
  drop(): void {
    this.#coming?.page.then((page) => page?.close()).catch(() => {})
    this.#coming = undefined
  }
}

type OpeningPage = Promise<OpenPage | undefined>

interface PageToOpen {
  /** What its records are of. */
  slice: Slice
  /** What the request's templates see of it. */
  asked: Slice
  token: JsonValue
  progress: JsonValue
  size: number | undefined
}

/** Undefined for an answer that failed and is ignored: it has no records and ends the pages. */
export async function openPage(
  { requester, paginator, selector, options, now }: PageParts,
  { slice, asked, token, progress, size }: PageToOpen,
): Promise<OpenPage | undefined> {
  const answer = await requester
    .send({
      ...{ slice: asked, token, path: paginator.path(token), progress },
      parts: [paginator.options(token, size), ...options(slice, token)],
      streams: selector.streams,
    })
    .catch((error: unknown) => {
      throw error instanceof WaitUntil && isObject(progress) ? error.keeping(progress) : error
    })
  if (!answer?.ok) return undefined
  return new OpenPage(answer, progress, (skip) => selector.select(answer, slice, token, skip), now)
}

/**
 * Stops at an API that gives the same page for the same token for ever. The token alone proves
 * nothing: scroll APIs keep theirs.
 */
export function repetitionGuard(stream: string) {
  let previous: { token: string; body: Uint8Array } | undefined
  return (page: OpenPage, token: JsonValue, next: JsonValue): void => {
    if (next === null || JSON.stringify(token) !== JSON.stringify(next)) {
      previous = undefined
      return
    }
    const text = JSON.stringify(next)
    const body = page.answer.bytes // of one that is read piece by piece, its head
    if (previous?.token === text && sameBytes(previous.body, body)) {
      throw new AirbyteError(
        'UPSTREAM_ERROR',
        `${stream}: the API gives the same page again and again for the token ${text.slice(0, 100)}.`,
        { stream, hint: 'The pagination of the manifest needs a stop condition.' },
      )
    }
    previous = { token: text, body }
  }
}

const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0
