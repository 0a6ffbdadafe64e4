import { AirbyteError, type JsonObject, toAirbyteError } from '../../../protocol/index.ts'
import type { PartitionRouter } from '../partition/types.ts'
import type { Stream } from './build.ts'

/** So many slices that fail one after the other have one cause, and the next one has it too. */
const MOST_IN_A_ROW = 10

/**
 * Keeps an incremental read going when a slice of it fails: what can be read is read, and its state
 * kept. The first failure is thrown when the others are done.
 */
export class SliceFailures {
  readonly #stream: Stream
  readonly #goesOn: boolean
  #first: AirbyteError | undefined
  #row: number
  /** The parents' states when the first slice failed: beyond them is what was not read. */
  #parents: JsonObject | undefined

  /** @param saved what `save` gave in an earlier invocation */
  constructor(stream: Stream, goesOn: boolean, saved?: JsonObject) {
    this.#stream = stream
    this.#goesOn = goesOn && stream.cursor !== undefined
    this.#first = saved && errorFrom(saved.error as JsonObject)
    this.#row = Number(saved?.row ?? 0)
    this.#parents = saved?.parents as JsonObject | undefined
  }

  /** @throws the error itself, when the read cannot go on without the slice */
  take(error: unknown, router: PartitionRouter): void {
    const { ctx, name } = { ...this.#stream.env, name: this.#stream.name }
    const known = toAirbyteError(error)
    // A limit or a network concerns every slice; an answer may concern this one alone.
    const isPassing = known.kind === 'transient' && known.code !== 'UPSTREAM_ERROR'
    const isTooMany = ++this.#row >= MOST_IN_A_ROW
    if (!this.#goesOn || isPassing || isTooMany || ctx.signal.aborted) throw error
    if (!this.#first) this.#parents = router.parentState()
    this.#first ??= known
    ctx.log('warn', `${name}: a part of it cannot be read, others are: ${known.message}`)
  }

  passed(): void {
    this.#row = 0
  }

  /** How far the parents' children are all read. */
  parentState(router: PartitionRouter): JsonObject | undefined {
    return this.#first ? this.#parents : router.parentState()
  }

  get first(): AirbyteError | undefined {
    return this.#first
  }

  save(): JsonObject | undefined {
    if (!this.#first) return undefined
    const error = JSON.parse(JSON.stringify(this.#first)) as JsonObject
    return { error, row: this.#row, ...(this.#parents ? { parents: this.#parents } : {}) }
  }
}

function errorFrom({ code, message, ...details }: JsonObject): AirbyteError {
  return new AirbyteError(code as AirbyteError['code'], String(message), details)
}
