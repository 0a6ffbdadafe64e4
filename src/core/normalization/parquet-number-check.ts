import type { Cell, Column } from '../../protocol/index.ts'
import { exactNumber } from '../../runtime/formats/parquet-cells.ts'
import { parquetTypeOf } from '../../runtime/formats/parquet-types.ts'

/** How Parquet holds a column's numbers; undefined: as they are. */
export function parquetNumberKind(column: Column): 'decimal' | 'double' | undefined {
  const { kind } = parquetTypeOf(column)
  return kind === 'decimal' || kind === 'double' ? kind : undefined
}

/**
 * The nearest double of a number's text.
 *
 * @returns `exactly`: its digits, where the double is another number
 */
export function nearestDouble(cell: Exclude<Cell, null>): { cell: number; exactly?: string } {
  const text = String(cell)
  const value = Number(text)
  return typeof exactNumber(text) === 'number' ? { cell: value } : { cell: value, exactly: text }
}
