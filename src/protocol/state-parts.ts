import type { JsonObject, JsonValue } from './json.ts'
import { isPartitionState, PartitionList, type PartitionState } from './partition-list.ts'

/** The lists of partitions in a state, by the JSON pointer (RFC 6901) of their place. */
export type PartitionLists = Map<string, PartitionList>

/** What changed in a state's lists since an earlier one. Plain data: it is stored, and sent. */
export type PartitionDelta = { [pointer: string]: ListDelta }

export interface ListDelta {
  /** What the list held before is gone. */
  reset?: boolean
  set: [key: string, entry: PartitionState][]
}

/** A state with its lists apart: the header stays small, whatever the number of partitions. */
export interface StateParts {
  header: JsonObject
  lists: PartitionLists
}

/**
 * Takes the lists out of a state that its source made of them. `anyList` also takes plain arrays
 * that look like one: of a state that a person or another connector wrote.
 */
export function splitState(state: JsonObject, options: { anyList?: boolean } = {}): StateParts {
  const lists: PartitionLists = new Map()
  const take = (value: JsonValue | undefined, pointer: string): JsonValue | undefined => {
    const list = listOf(value, options.anyList ?? false)
    if (list) {
      lists.set(pointer, list)
      return undefined
    }
    if (Array.isArray(value)) {
      return value.map((item, index) => take(item, `${pointer}/${index}`) ?? null)
    }
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).flatMap(([key, item]) => {
      const kept = take(item, `${pointer}/${escaped(key)}`)
      return kept === undefined ? [] : [[key, kept] as const]
    })
    return Object.fromEntries(entries)
  }
  return { header: (take(state, '') ?? {}) as JsonObject, lists }
}

/** The state whole, its lists as `PartitionList`s. */
export function joinState({ header, lists }: StateParts): JsonObject {
  if (lists.size === 0) return header
  const state = structuredClone(header)
  for (const [pointer, list] of lists) {
    const path = pointer.split('/').slice(1).map(unescaped)
    const last = path.pop()
    let holder = state as Record<string, JsonValue>
    for (const key of path) {
      if (typeof holder[key] !== 'object' || holder[key] === null) holder[key] = {}
      holder = holder[key] as Record<string, JsonValue>
    }
    if (last !== undefined) holder[last] = list as unknown as JsonValue
  }
  return state
}

/** The state with its lists written out, as it is shown. */
export function plainState<Value extends JsonValue>(state: Value): Value {
  if (state instanceof PartitionList) return state.toJSON().map(asWritten) as unknown as Value
  if (Array.isArray(state)) return state.map(plainState) as Value
  if (typeof state !== 'object' || state === null) return state
  const entries = Object.entries(state).map(([key, item]) => [key, plainState(item as JsonValue)])
  return Object.fromEntries(entries) as Value
}

/** As Airbyte's CDK writes it. */
const asWritten = ({ partition, cursor }: PartitionState): PartitionState => ({ partition, cursor })

/** What is to be done to `older` to have `newer`; undefined: nothing. */
export function diffLists(
  older: PartitionLists,
  newer: PartitionLists,
): PartitionDelta | undefined {
  const delta: PartitionDelta = {}
  for (const pointer of older.keys()) {
    if (!newer.has(pointer)) delta[pointer] = { reset: true, set: [] }
  }
  for (const [pointer, list] of newer) {
    const before = older.get(pointer)
    const set = before && list.changesSince(before)
    if (!set) delta[pointer] = { reset: true, set: [...list.entries()].map(([k, v]) => [k, v]) }
    else if (set.length > 0) delta[pointer] = { set }
  }
  return Object.keys(delta).length > 0 ? delta : undefined
}

/** The lists after deltas, in their order. */
export function applyDeltas(lists: PartitionLists, deltas: Iterable<PartitionDelta>) {
  const all = new Map<string, Map<string, PartitionState>>()
  for (const [pointer, list] of lists) all.set(pointer, new Map(list.entries()))
  for (const delta of deltas) {
    for (const [pointer, { reset, set }] of Object.entries(delta)) {
      const entries = (!reset && all.get(pointer)) || new Map<string, PartitionState>()
      for (const [key, entry] of set) entries.set(key, entry)
      all.set(pointer, entries)
    }
  }
  const filled = [...all].filter(([, entries]) => entries.size > 0)
  return new Map(filled.map(([pointer, entries]) => [pointer, PartitionList.of(entries)]))
}

/** One delta that does what these do one after the other. */
export function mergeDeltas(deltas: Iterable<PartitionDelta>): PartitionDelta {
  const merged = new Map<string, { reset: boolean; set: Map<string, PartitionState> }>()
  for (const delta of deltas) {
    for (const [pointer, { reset = false, set }] of Object.entries(delta)) {
      const known = reset ? undefined : merged.get(pointer)
      const entry = known ?? { reset, set: new Map<string, PartitionState>() }
      for (const [key, state] of set) entry.set.set(key, state)
      merged.set(pointer, entry)
    }
  }
  return Object.fromEntries(
    Array.from(merged, ([pointer, { reset, set }]) => [
      pointer,
      { ...(reset ? { reset } : {}), set: [...set] },
    ]),
  )
}

function listOf(value: unknown, anyList: boolean): PartitionList | undefined {
  if (value instanceof PartitionList) return value
  if (!anyList || !Array.isArray(value) || value.length === 0) return undefined
  if (!value.every(isPartitionState)) return undefined
  return PartitionList.from(value)
}

const escaped = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')
const unescaped = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~')
