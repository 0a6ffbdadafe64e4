/** Takes lines and lengths from bytes that arrive in chunks of any size. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #held: Uint8Array = new Uint8Array(0)
  /** Bytes that have come, read or not. */
  received = 0

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Nothing has come that was not read. */
  get isEmpty(): boolean {
    return this.#held.length === 0
  }

  /** A line of ISO-8859-1 text without its end. Throws for a longer one, and for one that is cut. */
  async line(longest: number): Promise<string> {
    let before = ''
    for (;;) {
      const end = this.#held.indexOf(LINE_FEED)
      const part = end < 0 ? this.#held : this.#held.subarray(0, end)
      if (before.length + part.length > longest) throw new Error('a line is too long')
      before += asText(part)
      if (end >= 0) {
        this.#held = this.#held.subarray(end + 1)
        return before.endsWith('\r') ? before.slice(0, -1) : before
      }
      if (!(await this.#fill())) throw new Error('the connection ended within a line')
    }
  }

  /** So many bytes; true: the connection goes on. Throws when it ends before. */
  async *exactly(length: number): AsyncGenerator<Uint8Array, true> {
    for (let left = length; left > 0; ) {
      if (this.#held.length === 0 && !(await this.#fill())) {
        throw new Error(`the connection ended ${left} bytes early`)
      }
      const part = this.#held.subarray(0, left)
      this.#held = this.#held.subarray(part.length)
      left -= part.length
      yield part
    }
    return true
  }

  /** All until the connection ends; false: it has. */
  async *rest(): AsyncGenerator<Uint8Array, false> {
    if (this.#held.length > 0) yield this.#held
    while (await this.#fill()) yield this.#held
    return false
  }

  async #fill(): Promise<boolean> {
    const { done, value } = await this.#chunks.next()
    this.#held = done ? new Uint8Array(0) : value
    this.received += this.#held.length
    return !done
  }
}

const LINE_FEED = 0x0a

/** A character for each byte, as the Fetch standard reads headers; its 'latin1' is another code. */
function asText(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}
