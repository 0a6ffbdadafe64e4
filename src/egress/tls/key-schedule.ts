import { createHash, createHmac } from 'node:crypto'
import type { Suite } from './suites.ts'

export interface TrafficKeys {
  key: Buffer
  iv: Buffer
}

type Hash = Suite['hash']

/** RFC 8446, section 7.1: from the shared secret to the secrets of both sides, without any PSK. */
export class KeySchedule {
  readonly #suite: Suite
  readonly #handshakeSecret: Buffer

  constructor(suite: Suite, sharedSecret: Uint8Array) {
    this.#suite = suite
    const { hash } = suite
    const zeros = Buffer.alloc(hashBytes(hash))
    const early = extract(hash, zeros, zeros)
    this.#handshakeSecret = extract(hash, derived(hash, early), sharedSecret)
  }

  /** `transcript`: ClientHello to ServerHello. */
  handshakeSecrets(transcript: Buffer) {
    return this.#pair(this.#handshakeSecret, 'hs', transcript)
  }

  /** `transcript`: ClientHello to the server's Finished. */
  applicationSecrets(transcript: Buffer) {
    const { hash } = this.#suite
    const zeros = Buffer.alloc(hashBytes(hash))
    const master = extract(hash, derived(hash, this.#handshakeSecret), zeros)
    return this.#pair(master, 'ap', transcript)
  }

  trafficKeys(secret: Buffer): TrafficKeys {
    const { hash, keyBytes } = this.#suite
    return {
      key: expandLabel(hash, secret, 'key', Buffer.alloc(0), keyBytes),
      iv: expandLabel(hash, secret, 'iv', Buffer.alloc(0), 12),
    }
  }

  /** Section 7.2: the next generation after a KeyUpdate. */
  nextSecret(secret: Buffer): Buffer {
    const { hash } = this.#suite
    return expandLabel(hash, secret, 'traffic upd', Buffer.alloc(0), hashBytes(hash))
  }

  /** `verify_data` of a Finished message, section 4.4.4. */
  finished(secret: Buffer, transcript: Buffer): Buffer {
    const { hash } = this.#suite
    const key = expandLabel(hash, secret, 'finished', Buffer.alloc(0), hashBytes(hash))
    return createHmac(hash, key).update(this.hashOf(transcript)).digest()
  }

  hashOf(transcript: Buffer): Buffer {
    return createHash(this.#suite.hash).update(transcript).digest()
  }

  #pair(secret: Buffer, phase: 'hs' | 'ap', transcript: Buffer) {
    const { hash } = this.#suite
    const digest = this.hashOf(transcript)
    const side = (label: string) => expandLabel(hash, secret, label, digest, hashBytes(hash))
    return { client: side(`c ${phase} traffic`), server: side(`s ${phase} traffic`) }
  }
}

const hashBytes = (hash: Hash) => (hash === 'sha384' ? 48 : 32)

const extract = (hash: Hash, salt: Uint8Array, input: Uint8Array): Buffer =>
  createHmac(hash, salt).update(input).digest()

const derived = (hash: Hash, secret: Buffer) =>
  expandLabel(hash, secret, 'derived', createHash(hash).digest(), hashBytes(hash))

/** HKDF-Expand-Label. Nothing here is longer than one block of the hash, so the first block is all of it. */
function expandLabel(hash: Hash, secret: Buffer, label: string, context: Buffer, bytes: number) {
  const name = Buffer.from(`tls13 ${label}`)
  const info = Buffer.concat([
    Buffer.from([bytes >>> 8, bytes & 255, name.length]),
    name,
    Buffer.from([context.length]),
    context,
    Buffer.from([1]),
  ])
  return createHmac(hash, secret).update(info).digest().subarray(0, bytes)
}
