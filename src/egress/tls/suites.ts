/**
 * What this client offers, fastest first. RFC 8446, sections 4.2 and B.4. No ChaCha20: every server must
 * have AES-128-GCM (section 9.1), and workerd's node:crypto feeds that cipher in one piece only.
 */

export interface Suite {
  id: number
  cipher: 'aes-128-gcm' | 'aes-256-gcm'
  hash: 'sha256' | 'sha384'
  keyBytes: number
}

export const SUITES: readonly Suite[] = [
  { id: 0x1301, cipher: 'aes-128-gcm', hash: 'sha256', keyBytes: 16 },
  { id: 0x1302, cipher: 'aes-256-gcm', hash: 'sha384', keyBytes: 32 },
]

export interface SignatureScheme {
  id: number
  /** Digest; null where the algorithm brings its own. */
  hash: 'sha256' | 'sha384' | 'sha512' | null
  keyType: 'ec' | 'rsa' | 'rsa-pss' | 'ed25519'
  /** Of RSASSA-PSS: as long as the digest. */
  saltLength?: number
}

/** Schemes that may sign a handshake. */
export const SIGNATURE_SCHEMES: readonly SignatureScheme[] = [
  { id: 0x0403, hash: 'sha256', keyType: 'ec' },
  { id: 0x0503, hash: 'sha384', keyType: 'ec' },
  { id: 0x0603, hash: 'sha512', keyType: 'ec' },
  { id: 0x0807, hash: null, keyType: 'ed25519' },
  { id: 0x0804, hash: 'sha256', keyType: 'rsa', saltLength: 32 },
  { id: 0x0805, hash: 'sha384', keyType: 'rsa', saltLength: 48 },
  { id: 0x0806, hash: 'sha512', keyType: 'rsa', saltLength: 64 },
  { id: 0x0809, hash: 'sha256', keyType: 'rsa-pss', saltLength: 32 },
  { id: 0x080a, hash: 'sha384', keyType: 'rsa-pss', saltLength: 48 },
  { id: 0x080b, hash: 'sha512', keyType: 'rsa-pss', saltLength: 64 },
]

/** RSASSA-PKCS1-v1_5: offered for signatures in certificates; in a handshake TLS 1.3 forbids it. */
export const CERTIFICATE_ONLY_SCHEMES = [0x0401, 0x0501, 0x0601] as const
