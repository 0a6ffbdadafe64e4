import { fromBase64, toBase64, utf8 } from '../vault/bytes.ts'

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
export async function signedHeaders(
  secret: string,
  id: string,
  at: number,
  body: string,
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(at / 1000))
  const bytes = fromBase64(secret.slice(PREFIX.length))
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', bytes, hmac, false, ['sign'])
  const signed = await crypto.subtle.sign('HMAC', key, utf8(`${id}.${timestamp}.${body}`))
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${toBase64(new Uint8Array(signed))}`,
  }
}
