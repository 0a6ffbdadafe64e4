import { loads } from '../python/json.ts'
import type { Value } from '../python/values.ts'

/**
 * JSON text with every digit of its integers, and with `2.0` still a float. Texts without such a
 * number, nearly all, take the native parser, which is several times faster.
 *
 * @throws SyntaxError
 */
export const parseJson = (text: string): Value =>
  NEEDS_CARE.test(text) ? loads(text) : JSON.parse(text)

/** A number of 16 digits, with a fraction that ends in zero, with an exponent, or minus zero. */
const NEEDS_CARE = /(?:^|[:,[\s])-?(?:\d{16}|\d+\.\d*0(?!\d)|\d[\d.]*[eE])|(?:^|[:,[\s])-0(?![.\d])/
