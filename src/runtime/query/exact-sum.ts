/** Sums without loss of digits: the engine adds doubles. */
import { derivedAlias, type ExprNode, type SqlPrimitive, type Statement } from 'squirreling'
import type { Cell } from '../../protocol/index.ts'

/** Digits after the point that are kept; more only come of doubles near zero. */
const MOST_DIGITS = 400

/** Adds numbers, bigints and decimals in text; what is no number is left out, as the engine does. */
export class ExactSum {
  #units = 0n
  #scale = 0
  #count = 0
  /** Small integers, which most are, added without a bigint for each. */
  #small = 0

  add(value: unknown): void {
    if (value === null || value === undefined || !Number.isFinite(Number(value))) return
    this.#count += 1
    if (Number.isSafeInteger(value) && Number.isSafeInteger(this.#small + Number(value))) {
      this.#small += Number(value)
      return
    }
    const { units, scale } = typeof value === 'bigint' ? { units: value, scale: 0 } : parsed(value)
    if (scale > this.#scale) {
      this.#units *= 10n ** BigInt(scale - this.#scale)
      this.#scale = scale
    }
    this.#units += units * 10n ** BigInt(this.#scale - scale)
  }

  /** A number where a number says the same, else an integer or a decimal in text; null of nothing. */
  get value(): Cell {
    if (this.#count === 0) return null
    const units = this.#units + BigInt(this.#small) * 10n ** BigInt(this.#scale)
    const digits = (units < 0n ? -units : units).toString().padStart(this.#scale + 1, '0')
    const whole = digits.slice(0, digits.length - this.#scale)
    const fraction = digits.slice(digits.length - this.#scale).replace(/0+$/, '')
    const text = `${units < 0n ? '-' : ''}${whole}${fraction && `.${fraction}`}`
    const near = Number(text)
    if (fraction) return String(near) === text ? near : text
    return Number.isSafeInteger(near) ? near : BigInt(text)
  }
}

function parsed(value: unknown): { units: bigint; scale: number } {
  const number = typeof value === 'string' ? value.trim() : String(Number(value))
  const parts = /^([-+]?)(\d*)(?:\.(\d*))?(?:e([-+]?\d+))?$/i.exec(number)
  if (!parts) return parsed(Number(value))
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts
  const units = BigInt(`${whole}${fraction}` || '0') * (sign === '-' ? -1n : 1n)
  const scale = fraction.length - Number(exponent)
  if (scale > MOST_DIGITS)
    return { units: units / 10n ** BigInt(scale - MOST_DIGITS), scale: MOST_DIGITS }
  return scale < 0 ? { units: units * 10n ** BigInt(-scale), scale: 0 } : { units, scale }
}

/** A sum among the engine's values: compared as a double, shown with all of its digits. */
export class ExactValue {
  readonly cell: Cell
  constructor(cell: Cell) {
    this.cell = cell
  }
  valueOf(): number {
    return Number(this.cell)
  }
  toJSON(): string {
    return String(this.cell)
  }
}

const NAME = 'EXACT_SUM'

/** For the engine: the sum of a list, which `exactly` puts around what was summed. */
export const EXACT_FUNCTIONS = {
  [NAME]: {
    apply: (list: SqlPrimitive) => {
      const sum = new ExactSum()
      for (const value of Array.isArray(list) ? list : []) sum.add(value)
      return sum.value === null ? null : (new ExactValue(sum.value) as unknown as SqlPrimitive)
    },
    arguments: { min: 1, max: 1, signature: 'list' },
  },
}

/**
 * The statement with each `SUM(column)` that it answers taken exactly. Sums within other
 * expressions, in subqueries, HAVING and ORDER BY stay doubles.
 */
export function exactly(statement: Statement): Statement {
  if (statement.type === 'with') return { ...statement, query: exactly(statement.query) }
  if (statement.type !== 'select') return statement
  const columns = statement.columns.map((column) => {
    if (column.type !== 'derived' || summedColumn(column.expr) === null) return column
    const { expr, alias = derivedAlias(expr) } = column
    const list = { ...expr, funcName: 'ARRAY_AGG' } as ExprNode
    return { ...column, alias, expr: { ...expr, funcName: NAME, args: [list] } as ExprNode }
  })
  return { ...statement, columns }
}

/** The column whose values an expression adds up, and does nothing else; or null. */
export function summedColumn(node: unknown): string | null {
  const { type, funcName, args } = node as { type: string; funcName?: string; args?: ExprNode[] }
  const [of] = args ?? []
  const isSum = type === 'function' && funcName?.toUpperCase() === 'SUM'
  return isSum && of?.type === 'identifier' ? of.name : null
}
