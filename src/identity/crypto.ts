import { Buffer } from 'node:buffer'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** SHA-256 as 64 hex digits. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Random text of `bytes` bytes, base64url. */
export function randomText(bytes = 32): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(bytes)))
}

/** Compares in time that depends on the lengths only. */
export function equalSecrets(a: string, b: string): boolean {
  const left = encoder.encode(a)
  const right = encoder.encode(b)
  return left.length === right.length && crypto.subtle.timingSafeEqual(left, right)
}

/** Encrypts so that only a holder of `secret` can read; what is stored then tells a thief nothing. */
export async function sealWith(secret: string, text: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const key = await keyOf(secret)
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, encoder.encode(text))
  return `${toBase64Url(iv)}.${toBase64Url(new Uint8Array(sealed))}`
}

/** Undoes `sealWith`. Rejects when the secret is another. */
export async function openWith(secret: string, sealed: string): Promise<string> {
  const [iv = '', body = ''] = sealed.split('.')
  const key = await keyOf(secret)
  const algorithm = { name: 'AES-GCM', iv: fromBase64Url(iv) }
  return decoder.decode(await crypto.subtle.decrypt(algorithm, key, fromBase64Url(body)))
}

/** The time in epoch seconds. */
export const seconds = () => Math.floor(Date.now() / 1000)

async function keyOf(secret: string): Promise<CryptoKey> {
  const material = await crypto.subtle.digest('SHA-256', encoder.encode(`airbyte-seal:${secret}`))
  return crypto.subtle.importKey('raw', material, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'base64url'))
}
