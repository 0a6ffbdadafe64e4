import type { Cell, RecordChange } from '../../protocol/index.ts'
import type { ColumnWriter } from './parquet-column.ts'
import { writeDecimal } from './parquet-decimal.ts'
import { daysOf, type Instant, readInstant, timeMicrosOf } from './parquet-temporal.ts'

/** Told of a cell that could not be stored as it is: `row` counts from the start of the batch. */
export type CellProblem = (row: number, change: RecordChange['change'], reason: string) => void

const UNFIT = 'DESTINATION_SERIALIZATION_ERROR'
const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)
const TWO_32 = 2 ** 32
/** Below this a loop over character codes beats a call into the encoder. */
const SHORT_TEXT = 48
const encoder = new TextEncoder()

/** Appends `cells[from…to)` to the writer's open page, in the PLAIN encoding of its type. */
export function appendCells(
  writer: ColumnWriter,
  cells: ArrayLike<Cell>,
  from: number,
  to: number,
  problem: CellProblem,
) {
  const append = APPEND[writer.type.kind]
  for (let row = from; row < to; row++) {
    const cell = cells[row]
    if (cell === null || cell === undefined) writer.mark(0)
    else if (append(writer, cell, row, problem)) writer.mark(1)
    else {
      writer.mark(0)
      problem(row, 'NULLED', UNFIT)
    }
  }
}

type Append = (
  writer: ColumnWriter,
  cell: NonNullable<Cell>,
  row: number,
  problem: CellProblem,
) => boolean

const APPEND: Record<ColumnWriter['type']['kind'], Append> = {
  text: appendText,
  json: appendText,
  binary: appendBinary,
  uuid: (writer, cell) => appendHex(writer, String(cell)),
  boolean: appendBoolean,
  int64: appendInteger,
  double: appendDouble,
  date: appendDate,
  time: appendTime,
  timestamp: appendTimestamp,
  decimal: appendDecimal,
}

function appendText(writer: ColumnWriter, cell: NonNullable<Cell>): boolean {
  const text = typeof cell === 'string' ? cell : String(cell)
  const { length } = text
  writer.room(4 + length * 3)
  const { page, size } = writer
  let at = size + 4
  if (length <= SHORT_TEXT) {
    let i = 0
    for (; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 127) break
      page[at++] = code
    }
    if (i < length) at = size + 4 + encoder.encodeInto(text, page.subarray(size + 4)).written
  } else {
    at += encoder.encodeInto(text, page.subarray(at)).written
  }
  writer.view.setUint32(size, at - size - 4, true)
  writer.size = at
  return true
}

function appendBinary(writer: ColumnWriter, cell: NonNullable<Cell>): boolean {
  let bytes: string
  try {
    bytes = atob(String(cell))
  } catch {
    return false
  }
  writer.room(4 + bytes.length)
  writer.view.setUint32(writer.size, bytes.length, true)
  for (let i = 0; i < bytes.length; i++) writer.page[writer.size + 4 + i] = bytes.charCodeAt(i)
  writer.size += 4 + bytes.length
  return true
}

/** A UUID's 32 hex digits, hyphens passed over. */
function appendHex(writer: ColumnWriter, text: string): boolean {
  const digits = text.replaceAll('-', '')
  if (!/^[0-9a-f]{32}$/i.test(digits)) return false
  writer.room(16)
  for (let i = 0; i < 32; i += 2) {
    writer.page[writer.size++] = Number.parseInt(digits.slice(i, i + 2), 16)
  }
  return true
}

function appendBoolean(writer: ColumnWriter, cell: NonNullable<Cell>): boolean {
  if (typeof cell !== 'boolean') return false
  writer.room(1)
  writer.page[writer.size++] = cell ? 1 : 0
  return true
}

function appendInteger(writer: ColumnWriter, cell: NonNullable<Cell>): boolean {
  if (typeof cell === 'number') {
    if (!Number.isSafeInteger(cell)) return false
    writer.room(8)
    appendSafeInteger(writer, cell)
    writer.widen(cell)
    return true
  }
  const value = typeof cell === 'string' && /^-?\d+$/.test(cell) ? BigInt(cell) : cell
  if (typeof value !== 'bigint' || value > INT64_MAX || value < INT64_MIN) return false
  writer.room(8)
  writer.view.setBigInt64(writer.size, value, true)
  writer.size += 8
  writer.widen(value)
  return true
}

function appendSafeInteger(writer: ColumnWriter, value: number) {
  const high = Math.floor(value / TWO_32)
  writer.view.setUint32(writer.size, value - high * TWO_32, true)
  writer.view.setInt32(writer.size + 4, high, true)
  writer.size += 8
}

function appendDouble(
  writer: ColumnWriter,
  cell: NonNullable<Cell>,
  row: number,
  problem: CellProblem,
): boolean {
  if (typeof cell === 'boolean') return false
  const value = Number(cell)
  if (Number.isNaN(value) && cell !== 'NaN' && typeof cell !== 'number') return false
  if (typeof cell !== 'number' && !sameNumber(String(cell), value)) {
    problem(row, 'TRUNCATED', `${UNFIT}: exactly ${cell}`)
  }
  writer.room(8)
  writer.view.setFloat64(writer.size, value, true)
  writer.size += 8
  return true
}

/** Whether the shortest text of the double says the same number as the decimal text. */
function sameNumber(text: string, value: number): boolean {
  if (!Number.isFinite(value)) return !/\d/.test(text)
  return canonical(text) === canonical(String(value))
}

/** A decimal text as a cell: a number where a double holds it exactly as printed, else the text. */
export function exactNumber(text: string): number | string {
  const value = Number(text)
  return sameNumber(text, value) ? value : text
}

/** Significant digits and the power of ten of the last one. */
function canonical(text: string): string {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text)
  if (!match) return text
  const all = `${match[2]}${match[3]}`.replace(/^0+/, '')
  const digits = all.replace(/0+$/, '')
  if (digits === '') return '0'
  const power = Number(match[4] ?? 0) - (match[3]?.length ?? 0) + all.length - digits.length
  return `${match[1] === '-' ? '-' : ''}${digits}e${power}`
}

function appendDate(writer: ColumnWriter, cell: NonNullable<Cell>): boolean {
  const days = typeof cell === 'string' ? daysOf(cell) : Number.NaN
  if (Number.isNaN(days)) return false
  writer.room(4)
  writer.view.setInt32(writer.size, days, true)
  writer.size += 4
  return true
}

function appendTime(writer: ColumnWriter, cell: NonNullable<Cell>): boolean {
  const micros = typeof cell === 'string' ? timeMicrosOf(cell) : Number.NaN
  if (Number.isNaN(micros)) return false
  writer.room(8)
  appendSafeInteger(writer, micros)
  return true
}

const instant: Instant = { seconds: 0, micros: 0, finer: false }

function appendTimestamp(
  writer: ColumnWriter,
  cell: NonNullable<Cell>,
  row: number,
  problem: CellProblem,
): boolean {
  const utc = writer.type.kind === 'timestamp' && writer.type.utc
  if (typeof cell !== 'string' || !readInstant(cell, utc, instant)) return false
  if (instant.finer) problem(row, 'TRUNCATED', `${UNFIT}: exactly ${cell}`)
  writer.room(8)
  const micros = instant.seconds * 1e6 + instant.micros
  if (Number.isSafeInteger(micros)) appendSafeInteger(writer, micros)
  else {
    const exact = BigInt(instant.seconds) * 1_000_000n + BigInt(instant.micros)
    writer.view.setBigInt64(writer.size, exact, true)
    writer.size += 8
  }
  return true
}

function appendDecimal(writer: ColumnWriter, cell: NonNullable<Cell>): boolean {
  if (writer.type.kind !== 'decimal') return false
  const { width } = writer
  writer.room(width)
  if (!writeDecimal(cell, writer.type, writer.page, writer.size, width)) return false
  writer.size += width
  return true
}
