import {
  AirbyteError,
  isObject,
  type JsonObject,
  partitionKey,
  toAirbyteError,
} from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import { textTemplate } from '../interpolation.ts'
import { toSavedJson } from '../python/json.ts'
import { truthy } from '../python/values.ts'
import { firstAt } from '../records/paths.ts'
import type { RecordData } from '../records/types.ts'
import { overlay, requestOption } from '../requester/request-option.ts'
import { openStream } from '../stream/delegate.ts'
import { type ReadPage, readPages } from '../stream/read-pages.ts'
import { fromAirbyteState, type SavedState } from '../stream/state.ts'
import type { RouterContext } from './index.ts'
import { ParentWait, type Partition, type PartitionRouter } from './types.ts'

/** Where a read of the parents stands: a page of one of them, and the records of it that are done. */
interface Position {
  parent: number
  /** The parent's state before the page; reading from it gives the page again. */
  state: SavedState
  index: number
  /** The partition at `index`, in case the page has changed since. */
  key: string
}

/** A partition for each record of the parent streams. */
export function substreamRouter(component: Component, context: RouterContext): PartitionRouter {
  const parents = component
    .children('parent_stream_configs')
    .map((child) => parentOf(child, context))

  return {
    async *partitions(from) {
      const at = isObject(from) ? (from as unknown as Position) : undefined
      for (const [number, parent] of parents.entries()) {
        if (at && number < at.parent) continue
        const resumed = at?.parent === number ? at : undefined
        for await (const page of parent.pages(resumed?.state)) {
          if (page.wait) throw new ParentWait(page.wait, startOfPage(number, page.after()))
          const all = page.records.flatMap((record) => parent.partition(record, page) ?? [])
          const first = resumed?.state && isSame(page, resumed) ? startOf(all, resumed) : 0
          for (let index = first; index < all.length; index++) {
            const item = all[index] as Omit<Partition, 'position'>
            const key = partitionKey(item.partition)
            yield { ...item, position: { ...startOfPage(number, page.before), index, key } }
          }
        }
      }
    },
    options({ partition }) {
      return overlay(
        parents.map(({ field, inject }) => {
          const value = partition[field]
          return inject && truthy(value) ? inject(value) : {}
        }),
      )
    },
    parentState() {
      const tracked = parents.flatMap(({ name, state }) => {
        const known = state()
        return known ? [[name, known] as const] : []
      })
      const begun = tracked.filter(([, known]) => Object.keys(known).length > 0)
      return begun.length === 0 && tracked.length > 0 ? undefined : Object.fromEntries(begun)
    },
  }
}

/** Only its place: how far the parent's partitions are is in `parent_state`, if it is kept at all. */
function startOfPage(parent: number, { v, at }: SavedState): JsonObject {
  return { parent, state: { v, airbyte: {}, ...(at ? { at } : {}) }, index: 0, key: '' }
}

const isSame = (page: ReadPage, { state }: Position) =>
  JSON.stringify(page.before.at) === JSON.stringify(state.at)

/** Where to go on in a page that was fetched again; from its start when the partition has moved out. */
function startOf(all: { partition: JsonObject }[], { index, key }: Position): number {
  const same = all[index]
  if (same && partitionKey(same.partition) === key) return index
  return Math.max(
    0,
    all.findIndex(({ partition }) => partitionKey(partition) === key),
  )
}

function parentOf(component: Component, { env, parentState, incremental }: RouterContext) {
  const bound = { env, parameters: component.parameters }
  const stream = component.child('stream')
  const name = stream.optionalText('name') ?? stream.path
  const field = textTemplate(component.text('partition_field'), bound)()
  const keyPath = textTemplate(component.text('parent_key'), bound)().split('/').filter(Boolean)
  const extraPaths = component.list('extra_fields').map((path) => {
    if (!Array.isArray(path)) throw component.refuse('A path is a list.', 'extra_fields')
    return path.map((segment) => textTemplate(String(segment), bound)())
  })
  const pointer = component
    .list('lazy_read_pointer')
    .map((segment) => textTemplate(String(segment), bound)())
  if (pointer.some((segment) => segment.includes('*'))) {
    throw component.refuse('It leads to one place: no wildcards.', 'lazy_read_pointer')
  }
  const option = component.optionalChild('request_option')
  const tracks = incremental && component.flag('incremental_dependency')
  const known = tracks && isObject(parentState?.[name]) ? (parentState[name] as JsonObject) : {}
  let latest: JsonObject | undefined = tracks ? known : undefined

  return {
    name,
    field,
    inject: option && requestOption(option, env),
    state: () => latest,
    async *pages(from: SavedState | undefined) {
      const start = { ...from, ...fromAirbyteState(known) }
      const { stream: parent, saved } = openStream(stream, { ...env, stream: name }, start)
      try {
        for await (const page of readPages(parent, saved)) {
          yield page
          // The consumer came back: every partition of the page is done.
          if (tracks) latest = page.after().airbyte
        }
      } catch (error) {
        env.ctx.signal.throwIfAborted()
        throw failedParent(error, env.stream, name)
      }
    },
    partition(record: RecordData, page: ReadPage): Omit<Partition, 'position'> | undefined {
      const value = firstAt(record, keyPath)
      if (value === undefined || value === null) return undefined
      const extra = Object.fromEntries(
        extraPaths.map((path) => [path.join('.'), toSavedJson(firstAt(record, path) ?? null)]),
      )
      return {
        partition: {
          [field]: toSavedJson(value),
          parent_slice: page.slice.partition,
        },
        extra,
        ...(pointer.length > 0 ? { first: firstAt(record, pointer) ?? [] } : {}),
      }
    },
  }
}

/** A child's error that names the parent which it comes from. */
function failedParent(error: unknown, child: string, parent: string): AirbyteError {
  const { code, message, hint, field, retryAt } = toAirbyteError(error)
  const text = `${child}: its parent stream '${parent}' failed: ${message}`
  return new AirbyteError(code, text, { stream: child, hint, field, retryAt, cause: error })
}
