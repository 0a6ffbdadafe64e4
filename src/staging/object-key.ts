import { AirbyteError } from '../protocol/index.ts'

const LONGEST_KEY_BYTES = 1024

/**
 * The key itself, if it names one object below its store's prefix: relative, without empty, `.` or
 * `..` segments, control characters or backslashes, at most 1024 bytes (R2's limit).
 * Throws VALIDATION_FAILED otherwise: a key is never repaired, since two keys might become one.
 */
export function checkedKey(key: string): string {
  const problem = problemOf(key)
  if (problem) {
    throw new AirbyteError('VALIDATION_FAILED', `Object key ${JSON.stringify(key)} ${problem}.`, {
      field: 'key',
    })
  }
  return key
}

function problemOf(key: string): string | undefined {
  if (key === '') return 'is empty'
  if (key.startsWith('/')) return 'is absolute'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\\\u007f]/.test(key)) return 'has a control character or a backslash'
  if (key.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    return 'has an empty, "." or ".." segment'
  }
  if (new TextEncoder().encode(key).length > LONGEST_KEY_BYTES) return 'is longer than 1024 bytes'
}

/** The prefix itself, if it may be listed: empty, or the beginning of a valid key. */
export function checkedPrefix(prefix: string): string {
  if (prefix !== '') checkedKey(prefix.endsWith('/') ? `${prefix}x` : prefix)
  return prefix
}
