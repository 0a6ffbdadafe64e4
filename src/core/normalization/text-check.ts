import type { ValueLimits } from '../../runtime/contract.ts'
import { isJson } from '../../runtime/exact-json.ts'

type TextLimits = Pick<ValueLimits, 'nulInText' | 'textBytes'>

/** Whether a text can be written as UTF-8 without loss, within the destination's limits. */
export function textFits(text: string, { nulInText, textBytes }: TextLimits): boolean {
  if (!text.isWellFormed()) return false
  if (!nulInText && text.includes('\0')) return false
  return textBytes === undefined || utf8Fits(text, textBytes)
}

/**
 * Whether a text is JSON of the type, within the destination's limits.
 *
 * @param isSound it is known to be JSON of some type, without white space before it
 */
export function jsonFits(
  text: string,
  type: 'object' | 'array' | 'unknown',
  limits: TextLimits,
  isSound = false,
): boolean {
  const start = isSound ? text[0] : text.trimStart()[0]
  if (type === 'object' ? start !== '{' : type === 'array' && start !== '[') return false
  if (!textFits(text, limits) || !(isSound || isJson(text))) return false
  // PostgreSQL's jsonb, for which the limit exists, refuses both even when they are escaped.
  return limits.nulInText || !text.includes('\\u') || !hasUnstorableEscape(text)
}

function hasUnstorableEscape(json: string): boolean {
  const escapes = json.replaceAll('\\\\', '')
  return UNSTORABLE.test(escapes)
}

/** U+0000, a high surrogate that no low one follows, a low one that follows no high one. */
const UNSTORABLE =
  /\\u0000|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]/

/** A UTF-16 unit takes at most three bytes: most texts are decided by their length. */
function utf8Fits(text: string, bytes: number): boolean {
  if (text.length * 3 <= bytes) return true
  return text.length <= bytes && Buffer.byteLength(text) <= bytes
}
