import type { JsonSchema, JsonValue } from '../../../protocol/index.ts'
import { AirbyteError } from '../../../protocol/index.ts'
import type { DatetimeCursor } from '../cursor/datetime-cursor.ts'
import type { Slice } from '../environment.ts'
import { buildPaginator } from '../paginator/index.ts'
import type { PartitionRouter } from '../partition/types.ts'
import { buildSelector } from '../records/selector.ts'
import type { RecordData } from '../records/types.ts'
import type { Answer } from '../requester/answer.ts'
import { buildRequester } from '../requester/http-requester.ts'
import type { Stream } from './build.ts'

export interface FetchedPage {
  records: RecordData[]
  /** Null after the last page. */
  next: JsonValue
}

/** Fetches single pages of a slice. */
export interface Retriever {
  initialToken: JsonValue
  /** @param progress what a `WaitUntil` of this very page kept; null at first */
  fetch(slice: Slice, token: JsonValue, progress: JsonValue): Promise<FetchedPage>
}

export interface RetrieverParts {
  cursor: DatetimeCursor | undefined
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
  const paginator = buildPaginator(component.optionalChild('paginator'), { env, decoder })
  const selector = buildSelector(component.child('record_selector'), env, {
    transformations: stream.component.children('transformations'),
    decoder,
    wanted: cursor?.clientSide ? wanted : undefined,
    schema,
  })
  const slicesOnce = component.flag('ignore_stream_slicer_parameters_on_paginated_requests')
  const repetition = repetitionGuard(stream.name)

  return {
    initialToken: paginator.initial,
    async fetch(slice, token, progress) {
      const isFirst = token === null
      const parts = [paginator.options(token)]
      if (isFirst || !slicesOnce) {
        parts.push(cursor?.options(slice.interval) ?? {}, router.options(slice))
      }
      const path = paginator.path(token)
      const answer = await requester.send({ slice, token, path, parts, progress })
      // An answer that failed and is ignored has no records and ends the pages.
      if (!answer?.ok) return { records: [], next: null }
      const { records, extracted } = await selector.select(answer, slice, token)
      const lastRecord = records.at(-1)
      const isPast = cursor?.dataFeed && lastRecord !== undefined && !wanted(lastRecord)
      const page = { answer, count: records.length, extracted, lastRecord }
      const next = isPast ? null : await paginator.next(page, token, slice)
      repetition(answer, token, next)
      return { records: cursor?.dataFeed ? records.filter(wanted) : records, next }
    },
  }
}

/**
 * Stops at an API that gives the same page for the same token for ever. The token alone proves
 * nothing: scroll APIs keep theirs.
 */
function repetitionGuard(stream: string) {
  let previous: { token: string; body: Uint8Array } | undefined
  return (answer: Answer, token: JsonValue, next: JsonValue): void => {
    if (next === null || JSON.stringify(token) !== JSON.stringify(next)) {
      previous = undefined
      return
    }
    const text = JSON.stringify(next)
    if (previous?.token === text && sameBytes(previous.body, answer.bytes)) {
      throw new AirbyteError(
        'UPSTREAM_ERROR',
        `${stream}: the API gives the same page again and again for the token ${text.slice(0, 100)}.`,
        { stream, hint: 'The pagination of the manifest needs a stop condition.' },
      )
    }
    previous = { token: text, body: answer.bytes }
  }
}

const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0
