import type { JsonObject, JsonValue } from '../../../protocol/index.ts'
import type { Slice } from '../environment.ts'
import type { RequestOptions } from '../requester/options.ts'
import type { Partition, PartitionRouter } from './types.ts'

type Pulled =
  | { part: Partition; parents: JsonObject | undefined }
  | { error: unknown; part?: undefined }

/**
 * A router whose next partitions can be seen before it is their turn. What it says of its parents
 * stays true for the partition at hand.
 */
export class RouterAhead implements PartitionRouter {
  readonly #router: PartitionRouter
  readonly #from: JsonValue | undefined
  readonly #pulled: Pulled[] = []
  #iterator: AsyncIterator<Partition> | undefined
  #current: { parents: JsonObject | undefined } | undefined

  /** @param from where `partitions` will begin */
  constructor(router: PartitionRouter, from?: JsonValue) {
    this.#router = router
    this.#from = from
  }

  async *partitions(): AsyncGenerator<Partition> {
    try {
      for (;;) {
        const next = this.#pulled.shift() ?? (await this.#pull())
        if (!next) break
        if (!next.part) throw next.error
        this.#current = next
        yield next.part
      }
      this.#current = undefined
    } finally {
      await this.#iterator?.return?.()
    }
  }

  /** The next partitions, as far as they can be known; what is wrong comes out at its turn. */
  async peek(count: number): Promise<Partition[]> {
    while (this.#pulled.length < count) {
      const next = await this.#pull()
      if (!next) break
      this.#pulled.push(next)
      if (!next.part) break
    }
    return this.#pulled.slice(0, count).flatMap(({ part }) => part ?? [])
  }

  options(slice: Slice): RequestOptions {
    return this.#router.options(slice)
  }

  parentState(): JsonObject | undefined {
    return this.#current ? this.#current.parents : this.#router.parentState()
  }

  async #pull(): Promise<Pulled | undefined> {
    const last = this.#pulled.at(-1)
    if (last && !last.part) return undefined
    this.#iterator ??= this.#router.partitions(this.#from)[Symbol.asyncIterator]()
    try {
      const { done, value } = await this.#iterator.next()
      return done ? undefined : { part: value, parents: this.#router.parentState() }
    } catch (error) {
      return { error }
    }
  }
}
