import type { JsonObject } from '../../../protocol/index.ts'
import type { Stream } from './build.ts'

/**
 * Whether the first page of a stream's children is what their parent's record has of them: at a
 * first read, of a stream with one router over such parents.
 *
 * @throws VALIDATION_FAILED where the parent's record cannot stand for a page
 */
export function readsLazily({ retriever, cursor }: Stream, state: JsonObject): boolean {
  if (retriever.type !== 'SimpleRetriever' || Array.isArray(retriever.get('partition_router'))) {
    return false
  }
  const router = retriever.optionalChild('partition_router')
  if (router?.type !== 'SubstreamPartitionRouter' || Object.keys(state).length > 0) return false
  const isLazy = router
    .children('parent_stream_configs')
    .some((parent) => parent.list('lazy_read_pointer').length > 0)
  if (!isLazy) return false
  if (cursor && cursor.type !== 'DatetimeBasedCursor') {
    throw cursor.refuse('Children that come with their parent have a DatetimeBasedCursor or none.')
  }
  if (cursor?.has('step') || cursor?.has('cursor_granularity')) {
    throw cursor.refuse('Children that come with their parent are one interval.', 'step')
  }
  const decoder = retriever.optionalChild('decoder')
  if (decoder && decoder.type !== 'JsonDecoder') {
    throw decoder.refuse('Children that come with their parent are JSON.')
  }
  return true
}
