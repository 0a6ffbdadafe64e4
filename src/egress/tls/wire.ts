/** The presentation language of RFC 8446, section 3: vectors that bear their length. */

/** `data` after its length in `lengthBytes` bytes. */
export function vector(lengthBytes: 1 | 2 | 3, ...data: Uint8Array[]): Buffer {
  const content = Buffer.concat(data)
  const length = Buffer.alloc(lengthBytes)
  length.writeUIntBE(content.length, 0, lengthBytes)
  return Buffer.concat([length, content])
}

export const uint16 = (...values: number[]) =>
  Buffer.from(values.flatMap((value) => [value >>> 8, value & 255]))

/** Reads a message from front to back; anything that is cut short or too long is an error. */
export class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at === this.#bytes.length
  }

  take(count: number): Buffer {
    const end = this.#at + count
    if (end > this.#bytes.length) throw new Error('the server sent a malformed message')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  uint(bytes: 1 | 2 | 3): number {
    return this.take(bytes).readUIntBE(0, bytes)
  }

  vector(lengthBytes: 1 | 2 | 3): Buffer {
    return this.take(this.uint(lengthBytes))
  }

  /** For the end of a message. */
  finish(): void {
    if (!this.done) throw new Error('the server sent a malformed message')
  }
}
