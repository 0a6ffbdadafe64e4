import type { TrafficKeys } from './key-schedule.ts'
import { contentOf, nonceOf, type OpenedRecord, recordHeader, TAG_BYTES } from './record-cipher.ts'

/**
 * One direction of the record layer for application data, by Web Crypto: in workerd it is five times as
 * fast as node:crypto, and many records can be under way at once. Sequence numbers are taken in the order
 * of the calls.
 */
export class BulkCipher {
  readonly #key: Promise<CryptoKey>
  readonly #iv: Buffer
  #sequence = 0

  constructor({ key, iv }: TrafficKeys) {
    this.#key = crypto.subtle.importKey('raw', Uint8Array.from(key), 'AES-GCM', false, [
      'encrypt',
      'decrypt',
    ])
    this.#key.catch(() => {})
    this.#iv = iv
  }

  /** Records under this key so far. */
  get count(): number {
    return this.#sequence
  }

  /** The record of up to `MAX_PLAIN` bytes, as header and body. */
  async seal(type: number, plain: Uint8Array): Promise<[header: Buffer, body: Buffer]> {
    const iv = nonceOf(this.#iv, this.#sequence++)
    const header = recordHeader(plain.length + 1 + TAG_BYTES)
    const typed = new Uint8Array(plain.length + 1)
    typed.set(plain)
    typed[plain.length] = type
    const algorithm = { name: 'AES-GCM', iv, additionalData: header }
    const body = await crypto.subtle.encrypt(algorithm, await this.#key, typed)
    return [header, Buffer.from(body)]
  }

  /** Rejects if the record was tampered with. */
  async open(header: Uint8Array, sealed: Uint8Array): Promise<OpenedRecord> {
    const iv = nonceOf(this.#iv, this.#sequence++)
    const algorithm = { name: 'AES-GCM', iv, additionalData: header as Uint8Array<ArrayBuffer> }
    const body = sealed as Uint8Array<ArrayBuffer>
    return contentOf(Buffer.from(await crypto.subtle.decrypt(algorithm, await this.#key, body)))
  }
}
