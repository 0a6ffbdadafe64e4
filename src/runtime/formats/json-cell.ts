import type { Cell, Column } from '../../protocol/index.ts'
import { exactNumber } from './parquet-cells.ts'

/**
 * A JSON value, as text, as the cell of a column; every digit is kept. What is of another type comes
 * as what it is, for `coerceToLimits` to convert or to refuse.
 */
export function jsonCell({ type }: Column, text: string): Cell {
  if (text === 'null') return null
  if (type === 'object' || type === 'array' || type === 'unknown') return text
  if (text.startsWith('"')) return JSON.parse(text) as string
  if (type === 'string' || text.startsWith('{') || text.startsWith('[')) return text
  if (text === 'true' || text === 'false') return text === 'true'
  if (type === 'integer' && /^-?\d{1,1000}$/.test(text)) {
    const number = Number(text)
    return Number.isSafeInteger(number) ? number : BigInt(text)
  }
  return exactNumber(text)
}
