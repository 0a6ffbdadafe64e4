import type { JsonSchema, JsonValue } from '../../../protocol/index.ts'
import { AirbyteError } from '../../../protocol/index.ts'
import type { StreamCursor } from '../cursor/index.ts'
import type { Slice } from '../environment.ts'
import { isObject } from '../manifest/values.ts'
import { buildPaginator } from '../paginator/index.ts'
import type { PartitionRouter } from '../partition/types.ts'
import { buildSelector } from '../records/selector.ts'
import type { RecordData } from '../records/types.ts'
import { buildRequester } from '../requester/http-requester.ts'
import { WaitUntil } from '../wait.ts'
import type { Stream } from './build.ts'
import { OpenPage } from './open-page.ts'

export interface FetchedPage {
  records: RecordData[]
  /** Null after the last page. */
  next: JsonValue
  /** The page has more records: fetch the same token again, with this as progress. */
  rest?: JsonValue
}

/** Fetches single pages of a slice. */
export interface Retriever {
  initialToken: JsonValue
  /** @param progress what a `WaitUntil` or the `rest` of this very page kept; null at first */
  fetch(slice: Slice, token: JsonValue, progress: JsonValue): Promise<FetchedPage>
  /** Lets go of a page that was not read to its end. */
  close(): Promise<void>
}

export interface RetrieverParts {
  cursor: StreamCursor | undefined
  router: PartitionRouter
  /** Whether the cursor of the slice at hand still wants the record. */
  wanted(record: RecordData): boolean
  /** Only where records are normalised by it. */
  schema: JsonSchema | undefined
}

/** @see readPages */
export function buildRetriever(
  stream: Stream,
  { cursor, router, wanted, schema }: RetrieverParts,
): Retriever {
  const { retriever: component, env } = stream
  const decoder = component.optionalChild('decoder')
  const requester = buildRequester(component.child('requester'), env)
  const transformations = stream.component.children('transformations')
  const changesRecords = transformations.length > 0 || schema !== undefined
  const paginator = buildPaginator(component.optionalChild('paginator'), {
    ...{ env, decoder, changesRecords },
  })
  const selector = buildSelector(component.child('record_selector'), env, {
    transformations,
    decoder,
    wanted: cursor?.clientSide ? wanted : undefined,
    schema,
  })
  const slicesOnce = component.flag('ignore_stream_slicer_parameters_on_paginated_requests')
  const repetition = repetitionGuard(stream.name)

  async function openPage(slice: Slice, token: JsonValue, progress: JsonValue) {
    const isFirst = token === null
    const parts = [paginator.options(token)]
    if (isFirst || !slicesOnce) {
      parts.push(cursor?.options(slice.interval) ?? {}, router.options(slice))
    }
    const path = paginator.path(token)
    const page = { slice, token, path, parts, progress, streams: selector.streams }
    const answer = await requester.send(page).catch((error: unknown) => {
      throw error instanceof WaitUntil && isObject(progress) ? error.keeping(progress) : error
    })
    // An answer that failed and is ignored has no records and ends the pages.
    if (!answer?.ok) return undefined
    return new OpenPage(answer, progress, (skip) => selector.select(answer, slice, token, skip))
  }

  let open: { page: OpenPage; slice: Slice; token: JsonValue } | undefined
  async function close() {
    const left = open
    open = undefined
    await left?.page.close()
  }

  return {
    initialToken: paginator.initial,
    close,
    async fetch(slice, token, progress) {
      if (open?.slice !== slice || open.token !== token) {
        await close()
        const page = await openPage(slice, token, progress)
        if (!page) return { records: [], next: null }
        open = { page, slice, token }
      }
      const { page } = open
      const { records, isLast } = await page.next()
      const kept = cursor?.dataFeed ? records.filter(wanted) : records
      if (!isLast) return { records: kept, next: token, rest: page.rest() }
      open = undefined
      const { answer, count, read: extracted, lastRecord } = page
      const isPast = cursor?.dataFeed && lastRecord !== undefined && !wanted(lastRecord)
      const next = isPast
        ? null
        : await paginator.next({ answer, count, extracted, lastRecord }, token, slice)
      repetition(page, token, next)
      return { records: kept, next }
    },
  }
}

/**
 * Stops at an API that gives the same page for the same token for ever. The token alone proves
 * nothing: scroll APIs keep theirs.
 */
function repetitionGuard(stream: string) {
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
