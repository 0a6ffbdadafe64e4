import { isObject, type JsonObject, type JsonValue, stableJson } from './json.ts'

/** How far one partition of a stream is read, as Airbyte's CDK writes it into a stream's state. */
export type PartitionState = {
  partition: JsonObject
  cursor: JsonObject
  /** The read that moved it last. Ours alone: nothing of it is shown or exported. */
  read?: string
}

/** Entries that a change of one of them copies. */
const LEAF = 128

type Leaf = readonly (readonly [key: string, entry: PartitionState])[]

/**
 * The states of a stream's partitions, by key, in the order in which they came. It never changes:
 * `with` gives another list that shares all but a leaf with this one. So a state may hold it as it
 * stands, and what changed between two states is found without looking at what did not.
 *
 * @example
 * const later = list.with(key, entry)
 * later.changesSince(list) // [[key, entry]]
 */
export class PartitionList {
  /** Where each key stands; shared by all lists that come of one another, and only added to. */
  readonly #index: Map<string, number>
  readonly #leaves: readonly Leaf[]
  readonly length: number

  private constructor(index: Map<string, number>, leaves: readonly Leaf[], length: number) {
    this.#index = index
    this.#leaves = leaves
    this.length = length
  }

  /** Of two entries with one key the later counts, in the place of the first. */
  static of(entries: Iterable<readonly [string, PartitionState]>): PartitionList {
    const unique = [...new Map(entries)]
    const leaves: Leaf[] = []
    for (let at = 0; at < unique.length; at += LEAF) leaves.push(unique.slice(at, at + LEAF))
    const index = new Map(unique.map(([key], at) => [key, at]))
    return new PartitionList(index, leaves, unique.length)
  }

  /** The partitions of a state, as it was kept or as the CDK writes them. */
  static from(states: unknown): PartitionList {
    if (states instanceof PartitionList) return states
    const entries = Array.isArray(states) ? states.filter(isPartitionState) : []
    return PartitionList.of(entries.map((entry) => [partitionKey(entry.partition), entry]))
  }

  get(key: string): PartitionState | undefined {
    const at = this.#placeOf(key)
    return at === undefined ? undefined : this.#leaves[Math.floor(at / LEAF)]?.[at % LEAF]?.[1]
  }

  with(key: string, entry: PartitionState): PartitionList {
    const known = this.#placeOf(key)
    if (known === undefined && this.#index.size > this.length) {
      // Another list has grown out of this one already: this is a branch of its own.
      return PartitionList.of([...this.entries(), [key, entry]])
    }
    const at = known ?? this.length
    const leaves = [...this.#leaves]
    const leaf = [...(leaves[Math.floor(at / LEAF)] ?? [])]
    leaf[at % LEAF] = [key, entry]
    leaves[Math.floor(at / LEAF)] = leaf
    if (known === undefined) this.#index.set(key, at)
    return new PartitionList(this.#index, leaves, Math.max(this.length, at + 1))
  }

  *entries(): Generator<readonly [string, PartitionState]> {
    for (const leaf of this.#leaves) yield* leaf
  }

  /** The entries that are not in `older` as they are here; undefined if this did not come of it. */
  changesSince(older: PartitionList): [string, PartitionState][] | undefined {
    if (older.#index !== this.#index || older.length > this.length) return undefined
    const changes: [string, PartitionState][] = []
    for (const [number, leaf] of this.#leaves.entries()) {
      const before = older.#leaves[number]
      if (before === leaf) continue
      for (const [at, pair] of leaf.entries()) {
        if (before?.[at]?.[1] !== pair[1]) changes.push([pair[0], pair[1]])
      }
    }
    return changes
  }

  toJSON(): PartitionState[] {
    return Array.from(this.entries(), ([, entry]) => entry)
  }

  #placeOf(key: string): number | undefined {
    const at = this.#index.get(key)
    return at !== undefined && at < this.length ? at : undefined
  }
}

/** A partition's identity: its JSON with sorted keys. */
export const partitionKey = (partition: JsonValue): string => stableJson(partition)

export const isPartitionState = (value: unknown): value is PartitionState =>
  isObject(value) && isObject(value.partition) && isObject(value.cursor)
