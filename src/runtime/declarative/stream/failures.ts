import {
  AirbyteError,
  type ErrorCode,
  type JsonObject,
  type JsonValue,
  PartitionList,
  partitionKey,
  type SyncMode,
  toAirbyteError,
} from '../../../protocol/index.ts'
import type { Partition, PartitionRouter } from '../partition/types.ts'
import type { Stream } from './build.ts'

/** What an API says of one thing, which says nothing of the next one. */
const OF_ONE_THING: ErrorCode[] = ['REQUEST_REFUSED', 'PERMISSION_DENIED', 'SOURCE_MISCONFIGURED']

/** So many other failures one after the other have one cause, and the next slice has it too. */
const MOST_IN_A_ROW = 10
/** Partitions that are remembered: as many as have states of their own. */
const MOST_REMEMBERED = 10_000
const MOST_NAMED = 5

/** Where a slice stood when it failed, as the position of a read says it. */
export type FailedPlace = JsonObject

/**
 * Keeps a read going when a slice of it fails: what can be read is read. The first failure is thrown
 * when the others are done.
 *
 * What is read incrementally keeps each partition's state, from which the next sync reads it. Of
 * anything else the partitions that failed are remembered: the next attempt reads them alone, from
 * where they stood, until none is left.
 */
export class SliceFailures {
  readonly #stream: Stream
  readonly #goesOn: boolean
  /** Whether partitions that fail have to be remembered. */
  readonly remembers: boolean
  #first: AirbyteError | undefined
  #row = 0
  #count: number
  #named: string[]
  #last: string | undefined
  /** The parents' states when the first slice failed: beyond them is what was not read. */
  #parents: JsonObject | undefined
  /** An attempt at what failed before. */
  #pass: number
  #again: boolean
  #partitions: PartitionList
  /** Where partitions begin that no attempt has come to. */
  #beyond: JsonValue | undefined

  /**
   * @param mode how the stream is read; undefined: it ends with its first slice that fails
   * @param saved what `save` gave in an earlier invocation
   */
  constructor(stream: Stream, mode: SyncMode | undefined, saved: JsonObject = {}) {
    this.#stream = stream
    this.#goesOn = mode !== undefined && (stream.cursor ?? stream.routers[0]) !== undefined
    this.remembers = this.#goesOn && (!stream.cursor || mode === 'full_refresh')
    this.#first = saved.error ? errorFrom(saved.error as JsonObject) : undefined
    this.#parents = saved.parents as JsonObject | undefined
    this.#count = Number(saved.count ?? 0)
    this.#named = (saved.named as string[] | undefined) ?? []
    this.#pass = Number(saved.pass ?? 1)
    this.#again = saved.again === true
    this.#partitions = PartitionList.from(saved.partitions)
    this.#beyond = saved.beyond
  }

  /** The read is one of the partitions that failed before. */
  get again(): boolean {
    return this.#again
  }

  /** Where a partition that failed before stood; undefined where it is not its turn. */
  placeOf({ partition }: Partition): FailedPlace | undefined {
    const place = this.#partitions.get(partitionKey(partition))?.cursor
    return place && place.pass === this.#pass - 1 ? place : undefined
  }

  /**
   * Notes a slice that failed.
   *
   * @returns false when no more can be remembered: the read ends before this partition
   * @throws the error itself, when the read cannot go on without the slice
   */
  take(
    error: unknown,
    { part, interval, place }: { part: Partition; interval: JsonObject; place: FailedPlace },
    router: PartitionRouter,
  ): boolean {
    const { ctx, name } = { ...this.#stream.env, name: this.#stream.name }
    const known = toAirbyteError(error)
    // A limit or a network concerns every slice; an answer may concern this one alone.
    const isPassing = known.kind === 'transient' && known.code !== 'UPSTREAM_ERROR'
    const isTooMany = !OF_ONE_THING.includes(known.code) && ++this.#row >= MOST_IN_A_ROW
    if (!this.#goesOn || isPassing || isTooMany || ctx.signal.aborted) throw error
    if (!this.#first) this.#parents = router.parentState()
    this.#first ??= known
    if (this.remembers && !this.#remember(part, place)) return false
    this.#note(part, interval)
    ctx.log('warn', `${name}: a part of it cannot be read, others are: ${known.message}`)
    return true
  }

  #remember({ partition, position }: Partition, place: FailedPlace): boolean {
    const key = partitionKey(partition)
    if (this.#partitions.length >= MOST_REMEMBERED && !this.#partitions.get(key)) {
      this.#beyond = position
      return false
    }
    const cursor = { ...place, pass: this.#pass }
    this.#partitions = this.#partitions.with(key, { partition, cursor })
    return true
  }

  #note({ partition }: Partition, interval: JsonObject): void {
    const { parent_slice: _, ...own } = partition
    const label = labelOf(Object.keys(own).length > 0 ? own : interval)
    // Intervals of one partition come one after the other.
    if (label === this.#last) return
    this.#last = label
    this.#count++
    if (this.#named.length < MOST_NAMED) this.#named.push(label)
  }

  /** A slice was read to its end. */
  passed({ partition }: Partition): void {
    this.#row = 0
    const key = partitionKey(partition)
    const known = this.#partitions.get(key)
    if (known) this.#partitions = this.#partitions.with(key, { ...known, cursor: { pass: 0 } })
  }

  /** After those that failed before: where partitions begin that no attempt has come to. */
  goOnAt(): JsonValue | undefined {
    const beyond = this.#again ? this.#beyond : undefined
    if (beyond === undefined) return undefined
    this.#again = false
    this.#beyond = undefined
    this.#partitions = this.#left()
    return beyond
  }

  /** How far the parents' children are all read. */
  parentState(router: PartitionRouter): JsonObject | undefined {
    return this.#first ? this.#parents : router.parentState()
  }

  /** What ends the stream when all that can be read is. */
  get outcome(): AirbyteError | undefined {
    if (!this.#first || this.#count === 0) return this.#first
    const { code, message, kind: _, ...details } = this.#first.toJSON()
    return new AirbyteError(code, `${this.#summary()} The first: ${message}`, details)
  }

  #summary(): string {
    const what = this.#stream.routers.length > 0 ? 'partition' : 'slice'
    const more = this.#count - this.#named.length
    const names = [...this.#named, ...(more > 0 ? [`${more} more`] : [])].join('; ')
    const others =
      this.#beyond === undefined ? 'the others were' : 'and the read ended before those after them'
    const count = `${this.#count} ${what}${this.#count === 1 ? '' : 's'}`
    return `${this.#stream.name}: ${count} could not be read (${names}), ${others}.`
  }

  save(): JsonObject | undefined {
    if (!this.#first && this.#pass === 1) return undefined
    const error = this.#first && (JSON.parse(JSON.stringify(this.#first)) as JsonObject)
    return {
      ...(error ? { error, count: this.#count, named: [...this.#named] } : {}),
      ...(this.#parents ? { parents: this.#parents } : {}),
      ...this.#saveMemory({ pass: this.#pass, again: this.#again }, this.#partitions),
    }
  }

  /** What the next attempt begins with, where it is to read what failed in this one. */
  saveForNext(): JsonObject | undefined {
    const left = this.#left()
    if (left.length === 0) return undefined
    return this.#saveMemory({ pass: this.#pass + 1, again: true }, left)
  }

  #saveMemory(standing: JsonObject, partitions: PartitionList): JsonObject {
    if (!this.remembers) return {}
    return {
      ...standing,
      ...(partitions.length > 0 ? { partitions: partitions as unknown as JsonValue } : {}),
      ...(this.#beyond === undefined ? {} : { beyond: this.#beyond }),
    }
  }

  /** Those that failed in this attempt. A partition that its parent has no more is forgotten. */
  #left(): PartitionList {
    const entries = [...this.#partitions.entries()]
    return PartitionList.of(entries.filter(([, { cursor }]) => cursor.pass === this.#pass))
  }
}

const LONGEST_LABEL = 120

function labelOf(values: JsonObject): string {
  const text = Object.entries(values)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
  return text.length > LONGEST_LABEL ? `${text.slice(0, LONGEST_LABEL)}…` : text
}

function errorFrom({ code, message, ...details }: JsonObject): AirbyteError {
  return new AirbyteError(code as AirbyteError['code'], String(message), details)
}
