import { loads } from '../python/json.ts'
import type { Value } from '../python/values.ts'

/**
 * JSON text with every digit of its integers, and with `2.0` still a float. `NaN` and `Infinity`,
 * which are no JSON but which some APIs write, are null.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string): Value {
  try {
    return loads(text)
  } catch (error) {
    if (!NON_FINITE.test(text)) throw error
    return loads(text.replace(TEXT_OR_NON_FINITE, (token) => (token[0] === '"' ? token : 'null')))
  }
}

const NON_FINITE = /\b(?:NaN|Infinity)\b/
const TEXT_OR_NON_FINITE = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g
