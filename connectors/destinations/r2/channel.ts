/** Hands items from one loop to another, one at a time. */
export class Channel<T> implements AsyncIterable<T> {
  #next: { item: T; done: () => void } | undefined
  #closed = false
  #wake = Promise.withResolvers<void>()

  /** Resolves when the other side is done with the item. */
  push(item: T): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#next = { item, done: resolve }
    this.#wake.resolve()
    return promise
  }

  close(): void {
    this.#closed = true
    this.#wake.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const next = this.#next
      if (next) {
        this.#next = undefined
        yield next.item
        next.done()
      } else if (this.#closed) return
      else {
        await this.#wake.promise
        this.#wake = Promise.withResolvers()
      }
    }
  }
}
