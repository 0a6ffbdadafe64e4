import { loads } from '../python/json.ts'
import type { Value } from '../python/values.ts'

/**
 * JSON text with every digit of its integers, and with `2.0` still a float. Texts without such a
 * number, nearly all, take the native parser, which is several times faster. `NaN` and `Infinity`,
 * which are no JSON but which some APIs write, are null.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string): Value {
  try {
    return parse(text)
  } catch (error) {
    if (!NON_FINITE.test(text)) throw error
    return parse(text.replace(TEXT_OR_NON_FINITE, (token) => (token[0] === '"' ? token : 'null')))
  }
}

const parse = (text: string): Value => (NEEDS_CARE.test(text) ? loads(text) : JSON.parse(text))

/** A number of 16 digits, with a fraction that ends in zero, with an exponent, or minus zero. */
const NEEDS_CARE = /(?:^|[:,[\s])-?(?:\d{16}|\d+\.\d*0(?!\d)|\d[\d.]*[eE])|(?:^|[:,[\s])-0(?![.\d])/
const NON_FINITE = /\b(?:NaN|Infinity)\b/
const TEXT_OR_NON_FINITE = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g
