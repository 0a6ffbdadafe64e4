import type { JsonSchema, JsonValue } from '../../../protocol/index.ts'
import { asyncRetriever } from '../async/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import type { StreamCursor } from '../cursor/index.ts'
import { customPart } from '../custom/part.ts'
import type { Slice } from '../environment.ts'
import { buildPaginator } from '../paginator/index.ts'
import type { PartitionRouter } from '../partition/types.ts'
import { queryProperties } from '../properties/index.ts'
import { refuseUnionByOffset } from '../records/combined.ts'
import { buildSelector } from '../records/selector.ts'
import type { RecordData } from '../records/types.ts'
import { buildRequester } from '../requester/http-requester.ts'
import type { Stream } from './build.ts'
import { fetchPages, type PageParts } from './pages.ts'
import { fetchPropertyPages } from './property-pages.ts'
import type { Ahead } from './slices-ahead.ts'

export interface FetchedPage {
  records: RecordData[]
  /** Null after the last page. */
  next: JsonValue
  /** The page has more records: fetch the same token again, with this as progress. */
  rest?: JsonValue
  /** Whoever stops here has to find the place again for longer than what was read since took. */
  clings?: boolean
  /** What was done at the API must not be done twice: the position is kept before anything else. */
  keep?: boolean
  /** The progress that the next page is fetched with, also when it is of another slice. */
  kept?: JsonValue
}

/** Fetches single pages of a slice. */
export interface Retriever {
  initialToken: JsonValue
  /**
   * @param progress what a `WaitUntil`, or the page before this one, kept; null at first
   * @param size records to ask for, where it is not the paginator's page size
   */
  fetch(slice: Slice, token: JsonValue, progress: JsonValue, size?: number): Promise<FetchedPage>
  /**
   * Lets go of what was not read to its end.
   *
   * @param isOver all slices were read: nothing goes on from here
   */
  close(isOver?: boolean): Promise<void>
}

export interface RetrieverParts {
  cursor: StreamCursor | undefined
  router: PartitionRouter
  /** Whether the cursor of the slice at hand still wants the record. */
  wanted(record: RecordData): boolean
  /** Only where records are normalised by it. */
  schema: JsonSchema | undefined
  ahead: Ahead
}

export interface RetrieverContext extends RetrieverParts {
  stream: Stream
}

/** @see readPages */
export const buildRetriever = (stream: Stream, parts: RetrieverParts): Retriever =>
  build(RETRIEVERS, stream.retriever, { ...parts, stream })

const RETRIEVERS: Builders<Retriever, RetrieverContext> = {
  CustomRetriever(component, context) {
    const { env } = context.stream
    const stock = () => simpleRetriever(component.as('SimpleRetriever'), context)
    return customPart('retriever', component, env.custom, { env, stock })
  },
  SimpleRetriever: simpleRetriever,
  AsyncRetriever: asyncRetriever,
}

function simpleRetriever(
  component: Component,
  { stream, cursor, router, wanted, schema }: RetrieverContext,
): Retriever {
  const { env } = stream
  const decoder = component.optionalChild('decoder')
  refuseUnionByOffset(
    component.optionalChild('paginator'),
    component.child('record_selector').optionalChild('extractor'),
  )
  const transformations = stream.component.children('transformations')
  const properties = queryProperties(component.child('requester'), env)
  const changesRecords = transformations.length > 0 || schema !== undefined
  const slicesOnce = component.flag('ignore_stream_slicer_parameters_on_paginated_requests')
  const parts: PageParts = {
    stream: stream.name,
    now: () => env.ctx.now(),
    requester: buildRequester(component.child('requester'), env),
    paginator: buildPaginator(component.optionalChild('paginator'), {
      ...{ env, decoder, changesRecords },
    }),
    selector: buildSelector(component.child('record_selector'), env, {
      transformations,
      decoder,
      wanted: cursor?.clientSide ? wanted : undefined,
      schema,
    }),
    options: (slice, token) =>
      token === null || !slicesOnce
        ? [cursor?.options(slice.interval) ?? {}, router.options(slice)]
        : [],
    wanted: cursor?.dataFeed ? wanted : undefined,
    readsAhead: () => env.run.readsAhead === true && !env.ctx.budget.exhausted(),
  }
  return properties ? fetchPropertyPages(parts, properties) : fetchPages(parts)
}
