/**
 * Rows in the text format of PostgreSQL's COPY: the wire format `pg-copy-text`.
 *
 * Cells are written in the very form in which PostgreSQL prints them (TimeZone UTC, DateStyle ISO,
 * bytea hex). These bytes are what a sync's row hash is computed on, and COPY TO of the destination
 * gives the same bytes back.
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
import { Buffer, isAscii } from 'node:buffer'
import {
  AirbyteError,
  type Cell,
  type Column,
  type RecordBatch,
  type RowOp,
} from '../../protocol/index.ts'
import { parserOf, printerOf } from './pg-cell-text.ts'

const encoder = new TextEncoder()
/** U+FEFF at the start of a value is part of it, not a byte order mark. */
const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })
const TAB = 0x09
const NEWLINE = 0x0a

/**
 * Whole rows, each ended by a newline, in the order of `columns` (default: the batch's schema).
 * A column that the batch lacks is NULL. A value that has no canonical form for its type is written
 * as it is, for the database to judge.
 *
 * @example
 * encodeCopyText({ ...batch, schema: [{ name: 'ok', type: 'boolean' }], columns: [[true]] }) // 't\n'
 */
export function encodeCopyText(batch: RecordBatch, columns: Column[] = batch.schema): Uint8Array {
  const cells = columns.map((column, at) => {
    // By place where the schema is asked for as it is: a record may have one name twice.
    if (columns === batch.schema) return batch.columns[at]
    const index = batch.schema.findIndex(({ name }) => name === column.name)
    return index < 0 ? undefined : batch.columns[index]
  })
  const printers = columns.map(printerOf)
  let text = ''
  for (let row = 0; row < batch.length; row++) {
    for (let c = 0; c < printers.length; c++) {
      const cell = cells[c]?.[row]
      if (c > 0) text += '\t'
      text += cell === null || cell === undefined ? '\\N' : (printers[c] as Printer)(cell)
    }
    text += '\n'
  }
  return encoder.encode(text)
}

type Printer = (cell: Exclude<Cell, null>) => string

/** What a decoded batch is a part of. */
export interface DecodeOptions {
  stream?: string
  extractedAt?: number
  op?: RowOp[]
}

/**
 * Rows of COPY text as columns of cells; the inverse of `encodeCopyText`. The bytes become one string,
 * of which the cells are slices, column by column: no object is made per row.
 */
export function decodeCopyText(
  bytes: Uint8Array,
  columns: Column[],
  { stream = '', extractedAt = 0, op }: DecodeOptions = {},
): RecordBatch {
  const common = { kind: 'records', stream, extractedAt, ...(op ? { op } : {}) } as const
  const text = textOf(bytes)
  if (columns.length === 0) {
    // Rows of a table without columns are empty lines.
    return { ...common, schema: [], length: text.length, columns: [] }
  }
  const { ends, rows } = fieldEnds(text, columns.length)
  const escaped = text.includes('\\')
  const cells = columns.map((column, c) =>
    decodeColumn(text, ends, c, columns.length, escaped, column),
  )
  return { ...common, schema: columns, length: rows, columns: cells }
}

function decodeColumn(
  text: string,
  ends: Int32Array,
  index: number,
  width: number,
  escaped: boolean,
  column: Column,
): Cell[] {
  const parse = parserOf(column)
  const cells: Cell[] = []
  for (let at = index; at < ends.length; at += width) {
    const slice = text.slice(at === 0 ? 0 : (ends[at - 1] as number) + 1, ends[at])
    const field = escaped && slice.includes('\\') ? unescapeField(slice) : slice
    cells.push(field === null ? null : parse(field))
  }
  return cells
}

/** Where each field ends, row after row. */
function fieldEnds(text: string, width: number): { ends: Int32Array; rows: number } {
  let ends = new Int32Array(width * 1024)
  let found = 0
  let rows = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code !== TAB && code !== NEWLINE) continue
    if (found === ends.length) ends = grown(ends)
    ends[found++] = at
    if (code === TAB) continue
    rows++
    if (found !== rows * width) throw wrongWidth(found - (rows - 1) * width, width)
  }
  // What follows the last newline is no row, and must not get lost.
  if (found !== rows * width || (text.length > 0 && !text.endsWith('\n'))) {
    throw wrongWidth(found - rows * width, width)
  }
  return { ends: ends.subarray(0, found), rows }
}

function grown(ends: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(ends.length * 2)
  larger.set(ends)
  return larger
}

/** ASCII, the usual case, needs no decoding. */
function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return isAscii(buffer) ? buffer.toString('latin1') : decoder.decode(bytes)
}

const wrongWidth = (found: number, expected: number) =>
  new AirbyteError('INTERNAL', `A row of COPY text has ${found} fields; ${expected} are expected.`)

/**
 * The byte range of each row, newline included: `[start, end)`. In COPY text a newline byte always
 * ends a row, since newlines in values are escaped.
 */
export function* splitRows(bytes: Uint8Array): Generator<[start: number, end: number]> {
  let start = 0
  while (start < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline < 0 ? bytes.length : newline + 1
    yield [start, end]
    start = end
  }
}

/**
 * The rows with one more field each, of ASCII that needs no escapes.
 *
 * @example
 * appendField(encoder.encode('1\n2\n'), ['u', 'd']) // '1\tu\n2\td\n'
 */
export function appendField(bytes: Uint8Array, fields: string[]): Uint8Array {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const added = fields.reduce((sum, field) => sum + field.length + 1, 0)
  const target = Buffer.allocUnsafeSlow(source.length + added)
  let from = 0
  let to = 0
  for (const field of fields) {
    const end = source.indexOf(NEWLINE, from)
    to += source.copy(target, to, from, end)
    target[to++] = TAB
    for (let at = 0; at < field.length; at++) target[to++] = field.charCodeAt(at)
    target[to++] = NEWLINE
    from = end + 1
  }
  return target
}

/** How many rows the bytes hold. */
export function countRows(bytes: Uint8Array): number {
  let rows = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) rows++
  return rows
}

/** The fields of one row as text without escapes; `null` for NULL. */
export function splitFields(bytes: Uint8Array, start: number, end: number): (string | null)[] {
  const last = bytes[end - 1] === NEWLINE ? end - 1 : end
  const fields: (string | null)[] = []
  for (let from = start; from <= last; ) {
    const tab = bytes.indexOf(TAB, from)
    const to = tab < 0 || tab > last ? last : tab
    fields.push(unescapeField(decoder.decode(bytes.subarray(from, to))))
    from = to + 1
  }
  return fields
}

const ESCAPES: Record<string, string> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

function unescapeField(text: string): string | null {
  if (!text.includes('\\')) return text
  if (text === '\\N') return null
  return text.replaceAll(/\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)/gs, (_, code: string) => {
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff)
    if (/^x./.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    return ESCAPES[code] ?? code
  })
}
