import type { Cell, Column } from '../../protocol/index.ts'
import type { ValueLimits } from '../../runtime/contract.ts'
import { expandDecimal, numberText, withScale } from '../../runtime/formats/decimal-text.ts'
import { declaredNumber } from '../../runtime/formats/declared-number.ts'

type Decimal = NonNullable<ValueLimits['decimal']>

export interface DecimalCheck {
  holds(cell: Exclude<Cell, null>): boolean
  /** The nearest number that is held, and whether it is another one; undefined: there is none, or the cell is no number. */
  nearest(cell: Exclude<Cell, null>): { cell: string; truncated: boolean } | undefined
}

/** How a number is kept that declares no digits of its own, or more than there are; undefined: as it is. */
export function decimalCheck(column: Column, limit: Decimal | undefined): DecimalCheck | undefined {
  if (!limit) return undefined
  const declared = declaredNumber(column)
  if (declared === 'float' || declared === 'double') return undefined
  if (declared && declared.digits <= limit.digits && declared.scale <= limit.maxScale)
    return undefined
  const { scale } = limit
  const whole = limit.digits - scale
  const wholeFits = (text: string) => wholeDigits(text) <= whole
  return {
    holds(cell) {
      if (typeof cell === 'number' && isOrdinary(cell)) return true
      const text = plain(cell)
      return (
        text !== undefined && text === String(cell) && wholeFits(text) && fraction(text) <= scale
      )
    },
    nearest(cell) {
      const text = plain(cell)
      if (text === undefined) return undefined
      const truncated = fraction(text) > scale
      const kept = truncated ? trimmed(withScale(text, scale)) : text
      return wholeFits(kept) ? { cell: kept, truncated } : undefined
    },
  }
}

/** A double's 17 digits reach no further than this. */
const isOrdinary = (value: number) =>
  value === 0 || (Math.abs(value) >= 1e-8 && Math.abs(value) < 1e21)

/** Without an exponent, and without the zeros at the end that a column of fixed scale adds or drops. */
function plain(cell: Exclude<Cell, null>): string | undefined {
  if (typeof cell === 'number' && !Number.isFinite(cell)) return undefined
  const text = typeof cell === 'number' ? numberText(cell) : expandDecimal(String(cell))
  return text === undefined ? undefined : trimmed(text)
}

const trimmed = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

function wholeDigits(text: string): number {
  const point = text.indexOf('.')
  const end = point < 0 ? text.length : point
  return text.startsWith('-') ? end - 1 : end
}

const fraction = (text: string) => (text.includes('.') ? text.length - text.indexOf('.') - 1 : 0)
