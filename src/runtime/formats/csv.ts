import type { Cell, Column } from '../../protocol/index.ts'
import type { Rows } from './jsonl.ts'

const BLOCK_CHARACTERS = 128 * 1024
const encoder = new TextEncoder()

/** The header line. */
export const csvHeader = (columns: Column[]): Uint8Array =>
  encoder.encode(`${columns.map(({ name }) => quoted(name)).join(',')}\r\n`)

/**
 * Rows as RFC 4180: comma, CRLF, quotes doubled inside quotes. A null is nothing between commas; an
 * empty text is `""`. Numbers have every digit; booleans are `true` and `false`; JSON is its text.
 *
 * @example
 * [...csvBytes([{ name: 'a', type: 'string' }], { length: 2, columns: [['x,y', '']] })]
 * // "x,y"␍␊""␍␊
 */
export function* csvBytes(columns: Column[], rows: Rows): Generator<Uint8Array> {
  let block = ''
  for (let row = 0; row < rows.length; row++) {
    for (let c = 0; c < columns.length; c++) {
      const cell = rows.columns[c]?.[row]
      if (c > 0) block += ','
      if (cell !== null && cell !== undefined) block += field(cell)
    }
    block += '\r\n'
    if (block.length >= BLOCK_CHARACTERS) {
      yield encoder.encode(block)
      block = ''
    }
  }
  if (block !== '') yield encoder.encode(block)
}

const NEEDS_QUOTES = /[",\r\n]|^\s|\s$|^$/

function field(cell: NonNullable<Cell>): string {
  if (typeof cell !== 'string') return Object.is(cell, -0) ? '-0' : String(cell)
  return NEEDS_QUOTES.test(cell) ? quoted(cell) : cell
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

/** Records of RFC 4180 text; a field that is nothing, without quotes, is null. */
export async function* csvRecords(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<(string | null)[]> {
  const decoder = new TextDecoder()
  let record: (string | null)[] = []
  let text = ''
  let wasQuoted = false
  let inside = false
  let afterQuote = false
  const endField = () => {
    record.push(text === '' && !wasQuoted ? null : text)
    text = ''
    wasQuoted = afterQuote = false
  }
  for await (const bytes of source) {
    for (const character of decoder.decode(bytes, { stream: true })) {
      if (inside) {
        if (character === '"') {
          inside = false
          afterQuote = true
        } else text += character
      } else if (character === '"') {
        // A quote right after a closing one stands for itself.
        if (afterQuote) text += '"'
        inside = wasQuoted = true
        afterQuote = false
      } else if (character === ',') endField()
      else if (character === '\n') {
        endField()
        yield record
        record = []
      } else if (character !== '\r') text += character
    }
  }
  if (record.length > 0 || text !== '') {
    endField()
    yield record
  }
}
