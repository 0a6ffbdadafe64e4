import { Buffer } from 'node:buffer'
import { connectionClosed } from './packet-reader.ts'

/** Bytes that come in pieces and are too many to hold: parts of them are taken, the others passed over. */
export class ByteStream {
  readonly #pieces: AsyncIterator<Uint8Array>
  #piece: Buffer = Buffer.alloc(0)
  #at = 0
  /** Bytes that were taken or passed over so far. */
  taken = 0

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
  }

  /** So many bytes. Rejects with CONNECTION_LOST where they end before. */
  async take(length: number): Promise<Buffer> {
    const taken: Buffer[] = []
    await this.#pass(length, (bytes) => taken.push(bytes))
    return taken.length === 1 ? (taken[0] as Buffer) : Buffer.concat(taken)
  }

  skip(length: number): Promise<void> {
    return this.#pass(length, () => {})
  }

  /** Passes over all that is left. */
  async end(): Promise<void> {
    for await (const _ of this.rest());
  }

  /** What is left, as it comes. */
  async *rest(): AsyncGenerator<Buffer> {
    while (!(await this.atEnd())) {
      const piece = this.#piece.subarray(this.#at)
      this.#at = this.#piece.length
      yield piece
    }
  }

  async atEnd(): Promise<boolean> {
    while (this.#at === this.#piece.length) {
      const { done, value } = await this.#pieces.next()
      if (done) return true
      this.#piece = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      this.#at = 0
    }
    return false
  }

  async #pass(length: number, see: (bytes: Buffer) => void): Promise<void> {
    for (let left = length; left > 0; ) {
      if (await this.atEnd()) throw connectionClosed()
      const end = Math.min(this.#piece.length, this.#at + left)
      see(this.#piece.subarray(this.#at, end))
      left -= end - this.#at
      this.taken += end - this.#at
      this.#at = end
    }
  }
}
