import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { TrafficKeys } from './key-schedule.ts'
import type { Suite } from './suites.ts'

export const CONTENT = { changeCipherSpec: 20, alert: 21, handshake: 22, data: 23 } as const

export const HEADER_BYTES = 5
export const TAG_BYTES = 16
/** Plaintext of a record, RFC 8446 section 5.1. */
export const MAX_PLAIN = 16_384
/** Ciphertext of a record, section 5.2. */
export const MAX_SEALED = MAX_PLAIN + 256

export interface OpenedRecord {
  type: number
  content: Buffer
}

/** One direction of the record layer during the handshake, which goes step by step; section 5.2. */
export class RecordCipher {
  readonly #algorithm: Suite['cipher']
  readonly #key: Buffer
  readonly #iv: Buffer
  #sequence = 0

  constructor(suite: Suite, { key, iv }: TrafficKeys) {
    this.#algorithm = suite.cipher
    this.#key = key
    this.#iv = iv
  }

  /** The record of up to `MAX_PLAIN` bytes. */
  seal(type: number, plain: Uint8Array): Buffer {
    const header = recordHeader(plain.length + 1 + TAG_BYTES)
    const cipher = createCipheriv(this.#algorithm, this.#key, this.#nonce(), TAG)
    cipher.setAAD(header)
    const body = [cipher.update(plain), cipher.update(Uint8Array.of(type)), cipher.final()]
    return Buffer.concat([header, ...body, cipher.getAuthTag()])
  }

  /** Throws if the record was tampered with. */
  open(header: Uint8Array, sealed: Buffer): OpenedRecord {
    const tagAt = sealed.length - TAG_BYTES
    if (tagAt < 1) throw malformed()
    const cipher = createDecipheriv(this.#algorithm, this.#key, this.#nonce(), TAG)
    cipher.setAAD(header)
    cipher.setAuthTag(sealed.subarray(tagAt))
    const plain = cipher.update(sealed.subarray(0, tagAt))
    cipher.final()
    return contentOf(plain)
  }

  #nonce() {
    return nonceOf(this.#iv, this.#sequence++)
  }
}

const TAG = { authTagLength: TAG_BYTES }

/** Section 5.3: the sequence number, as 64 bits, over the end of the IV. */
export function nonceOf(iv: Buffer, sequence: number): Buffer<ArrayBuffer> {
  const nonce = Buffer.alloc(iv.length)
  nonce.set(iv)
  const high = Math.floor(sequence / 2 ** 32)
  nonce.writeUInt32BE((nonce.readUInt32BE(4) ^ high) >>> 0, 4)
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ (sequence >>> 0)) >>> 0, 8)
  return nonce
}

/** Content and type of a decrypted record: the type follows the content, then any zeros as padding. */
export function contentOf(plain: Buffer): OpenedRecord {
  let end = plain.length - 1
  while (end >= 0 && plain[end] === 0) end--
  if (end < 0 || end > MAX_PLAIN) throw malformed()
  return { type: plain[end] ?? 0, content: plain.subarray(0, end) }
}

/** Header of a record with `length` bytes of ciphertext (or, unencrypted, of content). */
export function recordHeader(length: number, type: number = CONTENT.data): Buffer<ArrayBuffer> {
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = type
  header.writeUInt16BE(0x0303, 1)
  header.writeUInt16BE(length, 3)
  return header
}

export const plainRecord = (type: number, content: Uint8Array) =>
  Buffer.concat([recordHeader(content.length, type), content])

const malformed = () => new Error('the server sent a malformed record')
