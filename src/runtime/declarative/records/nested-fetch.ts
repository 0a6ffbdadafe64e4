import type { JsonValue } from '../../../protocol/index.ts'
import { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { toJson } from '../python/json.ts'
import type { Value } from '../python/values.ts'
import { buildStream } from '../stream/build.ts'
import { readSliceNow } from '../stream/read-pages.ts'
import type { RecordData } from './types.ts'

/** All items of a list that a record holds only the beginning of. */
export type FetchItems = (parent: RecordData) => Promise<Value[]>

/** The component's `truncated_list_retriever`, whose templates see the record as `parent_record`. */
export function truncatedList(component: Component, env: Environment): FetchItems | undefined {
  const retriever = component.optionalChild('truncated_list_retriever')
  if (!retriever) return undefined
  for (const field of ['partition_router', 'pagination_reset']) {
    if (retriever.has(field)) throw retriever.refuse('A truncated_list_retriever has none.', field)
  }
  const fields = { type: 'DeclarativeStream', retriever: retriever.fields }
  return async (parent) => {
    const stream = buildStream(new Component(fields, component.path), env)
    const partition = { parent_record: toJson(parent) as JsonValue }
    const items: Value[] = []
    for await (const records of readSliceNow(stream, { partition, interval: {}, extra: {} })) {
      for (const record of records) items.push(record)
    }
    return items
  }
}
