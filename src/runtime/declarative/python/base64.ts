import { PythonError, valueError } from './errors.ts'
import { typeName, type Value } from './values.ts'

const encoder = new TextEncoder()

export function base64Encode(value: Value): string {
  if (typeof value !== 'string')
    throw new PythonError('AttributeError', `'${typeName(value)}' object has no attribute 'encode'`)
  let binary = ''
  for (const byte of encoder.encode(value)) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** As Python's `b64decode`: characters outside the alphabet are skipped, the padding must be right. */
export function base64Decode(value: Value): string {
  if (typeof value !== 'string')
    throw new PythonError('AttributeError', `'${typeName(value)}' object has no attribute 'encode'`)
  const kept = value.replace(/[^A-Za-z0-9+/=]/g, '')
  const end = kept.search(/=/)
  const data = end < 0 ? kept : kept.slice(0, end)
  const padding = end < 0 ? 0 : kept.length - end
  if (data.length % 4 === 1 || (data.length % 4 !== 0 && padding < 4 - (data.length % 4)))
    throw valueError('Incorrect padding')
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0))
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new PythonError('UnicodeError', 'the decoded bytes are no UTF-8 text')
  }
}
