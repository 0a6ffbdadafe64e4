/**
 * How a password is proven, by the name of the server's plugin. The password itself is sent only
 * over TLS, or sealed with the server's RSA key.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods.html
 */
import { Buffer } from 'node:buffer'
import { constants, createHash, publicEncrypt } from 'node:crypto'
import { AirbyteError } from '../../protocol/index.ts'

export interface Challenge {
  plugin: string
  /** 20 bytes. */
  nonce: Buffer
}

/** The first answer to a challenge. Rejects with AUTH_FAILED for a plugin that is not known here. */
export function answerTo({ plugin, nonce }: Challenge, password: string, secure: boolean): Buffer {
  switch (plugin) {
    case 'mysql_native_password':
      return password ? nativeScramble(password, nonce) : Buffer.alloc(0)
    case 'caching_sha2_password':
      return password ? sha2Scramble(password, nonce) : Buffer.alloc(0)
    case 'mysql_clear_password':
      if (secure) return Buffer.from(`${password}\0`)
      throw new AirbyteError('AUTH_FAILED', 'The server asks for the password in clear text.', {
        field: 'config.ssl_mode',
        hint: 'Choose an SSL mode that encrypts: "required" or a verifying one.',
      })
    default:
      throw new AirbyteError('AUTH_FAILED', `The user signs in by '${plugin}'.`, {
        field: 'config.username',
        hint: 'Use a user that is identified by mysql_native_password or caching_sha2_password.',
      })
  }
}

/** SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password))). */
function nativeScramble(password: string, nonce: Buffer): Buffer {
  const once = hash('sha1', password)
  return xor(once, hash('sha1', nonce, hash('sha1', once)))
}

/** SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce). */
function sha2Scramble(password: string, nonce: Buffer): Buffer {
  const once = hash('sha256', password)
  return xor(once, hash('sha256', hash('sha256', once), nonce))
}

/** For a `caching_sha2_password` server that has not cached the user, over a connection without TLS. */
export function sealedPassword(password: string, nonce: Buffer, publicKey: string): Buffer {
  const hidden = xor(Buffer.from(`${password}\0`), nonce)
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  // Named, since what workerd takes by itself is not what Node does.
  return publicEncrypt({ key: publicKey, padding, oaepHash: 'sha1' }, hidden)
}

function hash(algorithm: string, ...parts: (string | Buffer)[]): Buffer {
  const digest = createHash(algorithm)
  for (const part of parts) digest.update(part)
  return digest.digest()
}

const xor = (left: Buffer, right: Buffer): Buffer =>
  Buffer.from(left.map((byte, i) => byte ^ (right[i % right.length] as number)))
