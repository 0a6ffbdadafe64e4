import type { Column } from '../../protocol/index.ts'

export interface DeclaredDecimal {
  digits: number
  scale: number
}

/**
 * What a number's own type in its database says of its values; undefined where it says nothing. A
 * scale of less than zero, or of more than the digits, is not a decimal elsewhere: nothing is said.
 *
 * @example
 * declaredNumber({ name: 'price', type: 'number', native: { dialect: 'mysql', type: 'decimal(20,6)' } })
 * // { digits: 20, scale: 6 }
 */
export function declaredNumber({
  type,
  native,
}: Column): DeclaredDecimal | 'float' | 'double' | undefined {
  if (!native) return undefined
  if (/^(?:real|float)\b/.test(native.type)) return 'float'
  if (/^double\b/.test(native.type)) return 'double'
  // Unsigned: of a signed one the column is an integer.
  if (type === 'number' && /^bigint\b/.test(native.type)) return { digits: 20, scale: 0 }
  const decimal = /^(?:numeric|decimal)\((\d+)(?:,(-?\d+))?\)/.exec(native.type)
  if (!decimal) return undefined
  const [digits, scale] = [Number(decimal[1]), Number(decimal[2] ?? 0)]
  return scale >= 0 && scale <= digits ? { digits, scale } : undefined
}
