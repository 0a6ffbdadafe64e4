import { createHmac } from 'node:crypto'
import { fromBase64, toBase64 } from '../vault/bytes.ts'

const PREFIX = 'whsec_'

/** A new secret in the form of the Standard Webhooks specification. */
export function newSecret(): string {
  return PREFIX + toBase64(crypto.getRandomValues(new Uint8Array(32)))
}

/**
 * Headers by which a receiver knows who sent a body and that it is not an old one sent again:
 * HMAC-SHA256 over id, time and body, as the Standard Webhooks specification has it, for which
 * there are libraries in most languages.
 */
export function signedHeaders(
  secret: string,
  id: string,
  at: number,
  body: string,
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000))
  const bytes = fromBase64(secret.slice(PREFIX.length))
  const signed = createHmac('sha256', bytes).update(`${id}.${timestamp}.${body}`)
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signed.digest('base64')}`,
  }
}
