import { createHash, createHmac } from 'node:crypto'
import { PythonError, valueError } from './errors.ts'

const ALGORITHMS = new Set(['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'])
/** Python's names of the others that OpenSSL knows. */
const NAMES: Record<string, string> = {
  sha3_224: 'sha3-224',
  sha3_256: 'sha3-256',
  sha3_384: 'sha3-384',
  sha3_512: 'sha3-512',
}

/** A hexadecimal digest by the name that Python's hashlib gives the algorithm. */
export function hexDigest(text: string, name: string): string {
  const algorithm = ALGORITHMS.has(name) ? name : NAMES[name]
  if (!algorithm) throw new PythonError('AttributeError', `No hashing function named ${name}`)
  return createHash(algorithm).update(text, 'utf8').digest('hex')
}

/** HMAC as hexadecimal text; only SHA-256, as in the reference. */
export function hexHmac(text: string, key: string, name: string): string {
  if (name !== 'sha256')
    throw valueError(`Hash type '${name}' is not allowed. Allowed types: sha256`)
  return createHmac('sha256', key).update(text, 'utf8').digest('hex')
}
