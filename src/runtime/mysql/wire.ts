import { Buffer } from 'node:buffer'

/**
 * Reads the fields of one packet from front to back.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_data_types.html
 */
export class PacketCursor {
  readonly bytes: Buffer
  at: number
  readonly end: number

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get left(): number {
    return this.end - this.at
  }

  /** Little-endian, up to six bytes. */
  uint(size: number): number {
    const value = this.bytes.readUIntLE(this.at, size)
    this.at += size
    return value
  }

  uint64(): bigint {
    const value = this.bytes.readBigUInt64LE(this.at)
    this.at += 8
    return value
  }

  /** A length-encoded integer; null for the mark of SQL NULL. */
  length(): number | null {
    const first = this.uint(1)
    switch (first) {
      case 0xfb:
        return null
      case 0xfc:
        return this.uint(2)
      case 0xfd:
        return this.uint(3)
      case 0xfe:
        return Number(this.uint64())
      default:
        return first
    }
  }

  take(size: number): Buffer {
    const taken = this.bytes.subarray(this.at, this.at + size)
    this.at += size
    return taken
  }

  /** A text with its length before it. */
  text(): string {
    return this.take(this.length() ?? 0).toString('utf8')
  }

  /** A text up to a zero byte, or to the end. */
  textToNul(): string {
    const nul = this.bytes.indexOf(0, this.at)
    const to = nul < 0 || nul > this.end ? this.end : nul
    const text = this.bytes.toString('utf8', this.at, to)
    this.at = Math.min(to + 1, this.end)
    return text
  }

  rest(): Buffer {
    return this.take(this.left)
  }
}

/** A payload of this length goes on in the next packet. */
export const FULL_PACKET = 0xffffff

/** A payload with its header; one that fills a packet is continued in the next, if only by nothing. */
export function framed(payload: Uint8Array, sequence: number): Buffer {
  const parts: Uint8Array[] = []
  for (let at = 0; at <= payload.length; at += FULL_PACKET) {
    const part = payload.subarray(at, at + FULL_PACKET)
    const header = Buffer.alloc(4)
    header.writeUIntLE(part.length, 0, 3)
    header[3] = (sequence + at / FULL_PACKET) & 0xff
    parts.push(header, part)
  }
  return Buffer.concat(parts)
}
