import { createECDH } from 'node:crypto'

/** One side of an ephemeral key agreement. */
export interface KeyShare {
  /** NamedGroup of RFC 8446, section 4.2.7. */
  group: number
  publicKey: Buffer
  /** Throws on a peer key that is no point of the curve. */
  agree(peer: Buffer): Buffer
}

/**
 * A share of every group we know, so that no server needs to ask for another one. P-256 is the one that
 * every TLS 1.3 server must have (section 9.1); workerd's node:crypto cannot agree on an X25519 key that
 * was imported.
 */
export const keyShares = (): KeyShare[] => [ecdh(0x0017, 'prime256v1'), ecdh(0x0018, 'secp384r1')]

function ecdh(group: number, curve: string): KeyShare {
  const own = createECDH(curve)
  const publicKey = own.generateKeys()
  return { group, publicKey, agree: (peer) => own.computeSecret(peer) }
}
