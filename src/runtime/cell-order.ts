import type { Cell, Column } from '../protocol/index.ts'
import { expandDecimal, numberText } from './formats/decimal-text.ts'
import { timestampText, timestamptzText } from './formats/temporal-text.ts'

/**
 * Compares two cells of a column as a database would: null is the smallest, numbers go by value
 * with every digit, timestamps by their instant, texts by their characters.
 *
 * @returns negative, zero or positive, as for `sort`
 */
export function compareCells({ type }: Column, a: Cell, b: Cell): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null)
  if (a === b) return 0
  switch (type) {
    case 'integer':
    case 'number':
      return compareNumbers(a, b)
    case 'timestamp_with_timezone':
      return compareTexts(instant(String(a)), instant(String(b)))
    case 'timestamp_without_timezone':
      return compareTexts(
        timestampText(String(a)) ?? String(a),
        timestampText(String(b)) ?? String(b),
      )
    default:
      return compareTexts(String(a), String(b))
  }
}

/** Without its offset, so that a fraction ranks above none. */
const instant = (text: string) => timestamptzText(text)?.slice(0, -'+00'.length) ?? text

const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function compareNumbers(a: Cell, b: Cell): number {
  if (typeof a === 'number' && typeof b === 'number') return compareDoubles(a, b)
  const [left, right] = [scaled(a), scaled(b)]
  if (!left || !right) return compareDoubles(Number(a), Number(b))
  const scale = Math.max(left.scale, right.scale)
  const x = left.digits * 10n ** BigInt(scale - left.scale)
  const y = right.digits * 10n ** BigInt(scale - right.scale)
  return x < y ? -1 : x > y ? 1 : 0
}

/** NaN is above everything, as in PostgreSQL. */
function compareDoubles(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : 0
}

/** A decimal as an integer and its power of ten; undefined for what is not finite. */
function scaled(cell: Cell): { digits: bigint; scale: number } | undefined {
  if (typeof cell === 'bigint') return { digits: cell, scale: 0 }
  const plain = expandDecimal(typeof cell === 'number' ? numberText(cell) : String(cell))
  if (plain === undefined) return undefined
  const point = plain.indexOf('.')
  return {
    digits: BigInt(plain.replace('.', '')),
    scale: point < 0 ? 0 : plain.length - point - 1,
  }
}
