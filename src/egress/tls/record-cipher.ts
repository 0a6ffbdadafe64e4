import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM } from 'node:crypto'
import type { TrafficKeys } from './key-schedule.ts'
import type { Suite } from './suites.ts'

export const CONTENT = { changeCipherSpec: 20, alert: 21, handshake: 22, data: 23 } as const

export const HEADER_BYTES = 5
const TAG_BYTES = 16
/** Plaintext of a record, RFC 8446 section 5.1. */
export const MAX_PLAIN = 16_384
/** Ciphertext of a record, section 5.2. */
export const MAX_SEALED = MAX_PLAIN + 256

/** One direction of the record layer under one key, RFC 8446 section 5.2. */
export class RecordCipher {
  readonly #algorithm: Suite['cipher']
  readonly #key: Buffer
  readonly #iv: Buffer
  readonly #nonce = Buffer.alloc(12)
  #sequence = 0

  constructor(suite: Suite, { key, iv }: TrafficKeys) {
    this.#algorithm = suite.cipher
    this.#key = key
    this.#iv = iv
  }

  /** Records under this key so far. */
  get count(): number {
    return this.#sequence
  }

  /** Writes the record of up to `MAX_PLAIN` bytes into `out` at `at`, returns where it ends. */
  seal(type: number, plain: Uint8Array, out: Buffer, at: number): number {
    const length = plain.length + 1 + TAG_BYTES
    writeHeader(out, at, CONTENT.data, length)
    const header = out.subarray(at, at + HEADER_BYTES)
    const cipher: CipherGCM = createCipheriv(this.#algorithm, this.#key, this.#next(), TAG)
    cipher.setAAD(header)
    let end = at + HEADER_BYTES
    for (const part of [cipher.update(plain), cipher.update(Uint8Array.of(type)), cipher.final()]) {
      out.set(part, end)
      end += part.length
    }
    out.set(cipher.getAuthTag(), end)
    return end + TAG_BYTES
  }

  /** The content of a record and its type. Throws if it was tampered with. */
  open(header: Uint8Array, sealed: Buffer): { type: number; content: Buffer } {
    const tagAt = sealed.length - TAG_BYTES
    if (tagAt < 1) throw new Error('the server sent a malformed record')
    const cipher: DecipherGCM = createDecipheriv(this.#algorithm, this.#key, this.#next(), TAG)
    cipher.setAAD(header)
    cipher.setAuthTag(sealed.subarray(tagAt))
    const plain = cipher.update(sealed.subarray(0, tagAt))
    cipher.final()
    let end = plain.length - 1
    while (end >= 0 && plain[end] === 0) end--
    if (end < 0) throw new Error('the server sent a malformed record')
    return { type: plain[end] ?? 0, content: plain.subarray(0, end) }
  }

  /** Section 5.3: the sequence number, as 64 bits, over the end of the IV. */
  #next(): Buffer {
    const nonce = this.#nonce
    this.#iv.copy(nonce)
    const low = this.#sequence >>> 0
    const high = Math.floor(this.#sequence / 2 ** 32)
    nonce.writeUInt32BE((nonce.readUInt32BE(4) ^ high) >>> 0, 4)
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ low) >>> 0, 8)
    this.#sequence++
    return nonce
  }
}

const TAG = { authTagLength: TAG_BYTES }

/** Size of what `bytes` of application data become. */
export const sealedSize = (bytes: number) =>
  bytes + Math.ceil(bytes / MAX_PLAIN) * (HEADER_BYTES + 1 + TAG_BYTES)

export function plainRecord(type: number, content: Uint8Array): Buffer {
  const record = Buffer.alloc(HEADER_BYTES + content.length)
  writeHeader(record, 0, type, content.length)
  record.set(content, HEADER_BYTES)
  return record
}

function writeHeader(out: Buffer, at: number, type: number, length: number) {
  out[at] = type
  out.writeUInt16BE(0x0303, at + 1)
  out.writeUInt16BE(length, at + 3)
}
