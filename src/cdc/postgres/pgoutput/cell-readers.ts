import { type Buffer, isUtf8 } from 'node:buffer'
import type { Cell, Column } from '../../../protocol/index.ts'
import { plainMoney } from '../../../runtime/formats/pg-array-text.ts'
import { parserOf } from '../../../runtime/formats/pg-cell-text.ts'

/**
 * Reads one value. `latin` is the same bytes as text, one character a byte, made once for many
 * messages: a slice of it costs no copy, and is the value wherever that is ASCII.
 */
export type CellReader = (bytes: Buffer, latin: string, start: number, end: number) => Cell

/**
 * The reader of a column's values, as PostgreSQL prints them with our session's settings.
 *
 * @param onUnreadable told of a text that is not UTF-8, whose cell is null
 */
export function cellReaderOf(
  column: Column,
  isMoney: boolean,
  onUnreadable: () => void,
): CellReader {
  if (column.type === 'boolean') return (bytes, _, start) => bytes[start] === LETTER_T
  const parse = parserOf(withElements(column, isMoney))
  if (isMoney && column.type !== 'array')
    return (_, latin, start, end) => parse(plainMoney(latin.slice(start, end)))
  if (column.type === 'integer') {
    return (bytes, latin, start, end) =>
      end - start <= SHORT_DIGITS ? shortInteger(bytes, start, end) : parse(latin.slice(start, end))
  }
  return (bytes, latin, start, end) => {
    const text = textOf(bytes, latin, start, end)
    if (text !== undefined) return parse(text)
    onUnreadable()
    return null
  }
}

/** Arrays of a database's own types: their elements are texts. */
function withElements(column: Column, isMoney: boolean): Column {
  if (column.type !== 'array' || column.native) return column
  return { ...column, native: { dialect: 'postgres', type: isMoney ? 'money[]' : 'text[]' } }
}

const LETTER_T = 0x74
const MINUS = 0x2d
const ZERO = 0x30
/** So many characters are below 2^53, with a sign or without. */
const SHORT_DIGITS = 15

function shortInteger(bytes: Buffer, start: number, end: number): number {
  const negative = bytes[start] === MINUS
  let value = 0
  for (let at = negative ? start + 1 : start; at < end; at++) {
    value = value * 10 + (bytes[at] as number) - ZERO
  }
  return negative ? -value : value
}

function textOf(bytes: Buffer, latin: string, start: number, end: number): string | undefined {
  let seen = 0
  for (let at = start; at < end; at++) seen |= bytes[at] as number
  if (seen < 0x80) return latin.slice(start, end)
  const text = bytes.toString('utf8', start, end)
  // What is not UTF-8 becomes U+FFFD, which may be a text's own, too.
  return text.includes('\uFFFD') && !isUtf8(bytes.subarray(start, end)) ? undefined : text
}
