import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'

/** One side of an ephemeral key agreement. */
export interface KeyShare {
  /** NamedGroup of RFC 8446, section 4.2.7. */
  group: number
  publicKey: Buffer
  /** Throws on a peer key that is no valid point. */
  agree(peer: Buffer): Buffer
}

/** A share of every group we know, so that no server needs to ask for another one. */
export const keyShares = (): KeyShare[] => [
  x25519(),
  ecdh(0x0017, 'prime256v1'),
  ecdh(0x0018, 'secp384r1'),
]

/** SubjectPublicKeyInfo of X25519 up to the 32 bytes of the key, RFC 8410. */
const X25519_SPKI = Buffer.from('302a300506032b656e032100', 'hex')

function x25519(): KeyShare {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return {
    group: 0x001d,
    publicKey: Buffer.from(spki.subarray(-32)),
    agree(peer) {
      if (peer.length !== 32) throw new Error('the server sent a malformed X25519 key')
      const key = Buffer.concat([X25519_SPKI, peer])
      const theirs = createPublicKey({ key, type: 'spki', format: 'der' })
      const secret = diffieHellman({ privateKey, publicKey: theirs })
      if (secret.every((byte) => byte === 0)) throw new Error('the server sent a weak X25519 key')
      return secret
    },
  }
}

function ecdh(group: number, curve: string): KeyShare {
  const own = createECDH(curve)
  const publicKey = own.generateKeys()
  return { group, publicKey, agree: (peer) => own.computeSecret(peer) }
}
