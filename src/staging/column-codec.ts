import type { Cell } from '../protocol/index.ts'

/**
 * A column of cells as bytes: one byte for the form, then UTF-8 JSON, which the runtime writes and
 * reads faster than any code of ours could.
 *
 * - `plain`: a JSON array of the cells. JSON itself tells strings, numbers, booleans and nulls
 *   apart and keeps every double but the few below.
 * - `tagged`: a JSON array of strings, for columns with a bigint, `-0`, NaN, an infinity or
 *   undefined: a letter for the type, then its text.
 */
const PLAIN = 0
const TAGGED = 1

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encodeColumn(column: Cell[]): Uint8Array {
  const plain = isPlain(column)
  const text = JSON.stringify(plain ? column : Array.from(column, tagged))
  return encoder.encode(String.fromCharCode(plain ? PLAIN : TAGGED) + text)
}

export function decodeColumn(bytes: Uint8Array, rows: number): Cell[] {
  const cells = JSON.parse(decoder.decode(bytes.subarray(1))) as Cell[]
  if (cells.length !== rows) throw new RangeError(`a column has ${cells.length} of ${rows} cells`)
  if (bytes[0] === PLAIN) return cells
  if (bytes[0] === TAGGED) return (cells as string[]).map(untagged)
  throw new RangeError(`unknown column form ${bytes[0]}`)
}

function isPlain(column: Cell[]): boolean {
  for (let i = 0; i < column.length; i++) {
    const cell = column[i]
    if (typeof cell === 'number') {
      if (!Number.isFinite(cell) || Object.is(cell, -0)) return false
    } else if (typeof cell === 'bigint' || cell === undefined) return false
  }
  return true
}

function tagged(cell: Cell | undefined): string {
  switch (typeof cell) {
    case 'string':
      return `s${cell}`
    case 'bigint':
      return `i${cell}`
    case 'number':
      return Object.is(cell, -0) ? 'n-0' : `n${cell}`
    case 'boolean':
      return cell ? 't' : 'f'
    case 'undefined':
      return 'u'
    default:
      return '0'
  }
}

function untagged(text: string): Cell {
  const rest = text.slice(1)
  switch (text[0]) {
    case 's':
      return rest
    case 'i':
      return BigInt(rest)
    case 'n':
      return Number(rest)
    case 't':
      return true
    case 'f':
      return false
    case 'u':
      // Not a legal cell, but what came in comes out.
      return undefined as unknown as Cell
    default:
      return null
  }
}
