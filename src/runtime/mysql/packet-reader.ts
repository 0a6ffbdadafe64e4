import { Buffer } from 'node:buffer'
import { AirbyteError } from '../../protocol/index.ts'
import type { ConnectorSocket } from '../contract.ts'
import { FULL_PACKET, PacketCursor } from './wire.ts'

const HEADER = 4
/** What is held as a whole; rows and events beyond one packet are not. */
const MAX_PAYLOAD = 32 << 20

/**
 * Takes packets off a socket as they come. Nothing is copied but what lies across two reads, and the
 * socket is read only when a packet is asked for, so that back-pressure reaches the server.
 */
export class PacketReader {
  readonly #socket: ConnectorSocket
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0
  /** The current packet's payload is `bytes[start..end)`. Valid until the next `next()` or `fill()`. */
  bytes: Buffer = this.#buffer
  start = 0
  end = 0
  /** Of the current packet. */
  sequence = 0

  constructor(socket: ConnectorSocket) {
    this.#socket = socket
  }

  /** Moves to the next packet that is here in full; false: `fill()` first. */
  tryNext(): boolean {
    const buffer = this.#buffer
    const at = this.#at
    if (at + HEADER > buffer.length) return false
    const length = buffer.readUIntLE(at, 3)
    if (length === FULL_PACKET) return this.#tryJoined()
    const end = at + HEADER + length
    if (end > buffer.length) return false
    this.bytes = buffer
    this.sequence = buffer[at + 3] as number
    this.start = at + HEADER
    this.end = end
    this.#at = end
    return true
  }

  /** A payload comes that is spread over several packets: `pieces` has it without holding it. */
  get isSpread(): boolean {
    const at = this.#at
    return at + HEADER <= this.#buffer.length && this.#buffer.readUIntLE(at, 3) === FULL_PACKET
  }

  /** The next payload as it comes; it has to be taken to its end. */
  async *pieces(): AsyncGenerator<Buffer> {
    for (let length = FULL_PACKET; length === FULL_PACKET; ) {
      while (this.#at + HEADER > this.#buffer.length) await this.fill()
      length = this.#buffer.readUIntLE(this.#at, 3)
      this.#at += HEADER
      for (let left = length; left > 0; ) {
        if (this.#at === this.#buffer.length) {
          this.#buffer = await this.#chunk()
          this.#at = 0
        }
        const end = Math.min(this.#buffer.length, this.#at + left)
        const piece = this.#buffer.subarray(this.#at, end)
        left -= piece.length
        this.#at = end
        yield piece
      }
    }
  }

  async next(): Promise<PacketCursor> {
    while (!this.tryNext()) await this.fill()
    return this.cursor()
  }

  cursor(): PacketCursor {
    return new PacketCursor(this.bytes, this.start, this.end)
  }

  /** Waits for more bytes: at least those that the packet lacks that has begun. Rejects with CONNECTION_LOST. */
  async fill(): Promise<void> {
    const rest = this.#buffer.subarray(this.#at)
    const parts = rest.length > 0 ? [rest] : []
    let have = rest.length
    const needed = this.#needed(rest)
    do {
      const chunk = await this.#chunk()
      parts.push(chunk)
      have += chunk.length
    } while (have < needed)
    this.#buffer = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    this.#at = 0
  }

  #needed(rest: Buffer): number {
    let at = 0
    while (at + HEADER <= rest.length) {
      const length = rest.readUIntLE(at, 3)
      at += HEADER + length
      if (at > MAX_PAYLOAD) throw tooLarge()
      if (length < FULL_PACKET) return at
    }
    return at + HEADER
  }

  /** A payload that is spread over several packets, joined. */
  #tryJoined(): boolean {
    const parts: Buffer[] = []
    let at = this.#at
    let sequence = 0
    for (let length = FULL_PACKET; length === FULL_PACKET; ) {
      if (at + HEADER > this.#buffer.length) return false
      length = this.#buffer.readUIntLE(at, 3)
      sequence = this.#buffer[at + 3] as number
      const end = at + HEADER + length
      if (end > this.#buffer.length) return false
      parts.push(this.#buffer.subarray(at + HEADER, end))
      at = end
    }
    this.#at = at
    this.bytes = Buffer.concat(parts)
    this.sequence = sequence
    this.start = 0
    this.end = this.bytes.length
    return true
  }

  async #chunk(): Promise<Buffer> {
    const socket = this.#socket
    for (;;) {
      const chunk = socket.read() as Buffer | null
      if (chunk) return chunk
      if (socket.errored) throw socket.errored
      if (socket.destroyed || socket.readableEnded) throw connectionClosed()
      await new Promise<void>((resolve) => {
        const events = ['readable', 'end', 'error', 'close']
        const done = () => {
          for (const event of events) socket.off(event, done)
          resolve()
        }
        for (const event of events) socket.on(event, done)
      })
    }
  }
}

export const connectionClosed = () =>
  new AirbyteError('CONNECTION_LOST', 'The server closed the connection.')

const tooLarge = () =>
  new AirbyteError('TOO_LARGE', `A row is larger than ${MAX_PAYLOAD >> 20} MiB.`, {
    hint: 'Deselect the column that holds the large values, or the stream.',
  })
