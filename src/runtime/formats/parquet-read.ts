import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  type SchemaElement,
} from 'hyparquet'
import type { Cell, Column } from '../../protocol/index.ts'
import { exactNumber } from './parquet-cells.ts'
import { dateText, timestampText, timeText } from './parquet-temporal.ts'

/** A row group of the file, as cells of the asked columns. */
export interface RowGroupCells {
  length: number
  columns: Cell[][]
}

/**
 * Reads the row groups of a Parquet file with every digit: values are taken in their physical form and converted here, by what the file says they are. A column that the file
 * lacks is all null.
 */
export async function* readParquet(
  file: AsyncBuffer,
  columns: Column[],
): AsyncGenerator<RowGroupCells> {
  const metadata = await parquetMetadataAsync(file)
  const elements = new Map(metadata.schema.slice(1).map((element) => [element.name, element]))
  const physical: FileMetaData = { ...metadata, schema: metadata.schema.map(withoutMeaning) }
  let rowStart = 0
  const spans = metadata.row_groups.map(({ num_rows }) => {
    const from = rowStart
    rowStart += Number(num_rows)
    return { from, to: rowStart }
  })
  for (const { from, to } of spans) {
    const cells = await readSpan(file, physical, columns, elements, from, to)
    yield { length: to - from, columns: cells }
  }
}

async function readSpan(
  file: AsyncBuffer,
  metadata: FileMetaData,
  columns: Column[],
  elements: Map<string, SchemaElement>,
  from: number,
  to: number,
): Promise<Cell[][]> {
  const cells = columns.map(() => new Array<Cell>(to - from).fill(null))
  const convert = columns.map(({ name, type }) => converterOf(elements.get(name), type))
  const present = columns.map(({ name }) => name).filter((name) => elements.has(name))
  await parquetRead({
    file,
    metadata,
    columns: present,
    rowStart: from,
    rowEnd: to,
    utf8: false,
    onChunk({ columnName, columnData, rowStart }) {
      const index = columns.findIndex(({ name }) => name === columnName)
      const into = cells[index]
      const one = convert[index]
      if (!into || !one) return
      for (let i = 0; i < columnData.length; i++) {
        const value: unknown = columnData[i]
        if (value !== null && value !== undefined && rowStart + i < to && rowStart + i >= from) {
          into[rowStart + i - from] = one(value)
        }
      }
    },
  })
  return cells
}

/** The element without its logical type, so that the library hands over what is stored. */
const withoutMeaning = (element: SchemaElement): SchemaElement => ({
  ...element,
  converted_type: undefined,
  logical_type: undefined,
})

const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

function converterOf(
  element: SchemaElement | undefined,
  type: Column['type'],
): (value: unknown) => Cell {
  const logical = element?.logical_type
  const text = (value: unknown) => decoder.decode(value as Uint8Array)
  switch (logical?.type) {
    case 'STRING':
    case 'JSON':
      return text
    case 'UUID':
      return (value) => uuidText(value as Uint8Array)
    case 'DATE':
      return (value) => dateText(Number(value))
    case 'TIME':
      return (value) => timeText(Number(value))
    case 'TIMESTAMP':
      return (value) => timestampText(BigInt(value as bigint), logical.isAdjustedToUTC)
    case 'DECIMAL': {
      const digits = (value: unknown) => decimalText(value as Uint8Array, logical.scale)
      if (type === 'integer') return (value) => safeInteger(BigInt(digits(value)))
      return (value) => widened(exactNumber(digits(value)), type)
    }
  }
  switch (element?.type) {
    case 'INT64':
      return (value) => widened(safeInteger(BigInt(value as bigint)), type)
    case 'BYTE_ARRAY':
      return (value) => base64(value as Uint8Array)
    default:
      return (value) => widened(value as Cell, type)
  }
}

/** A file has the types of its time: what was an integer may be in a column of decimals by now, or of text. */
function widened(cell: Cell, type: Column['type']): Cell {
  if (type === 'string') return cell === null ? null : String(cell)
  return type === 'number' && typeof cell === 'bigint' ? String(cell) : cell
}

/** An integer as a cell: a number where that is safe. */
export function safeInteger(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function uuidText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function decimalText(bytes: Uint8Array, scale: number): string {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  value = BigInt.asIntN(bytes.length * 8, value)
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  const point = digits.length - scale
  return (value < 0n ? '-' : '') + digits.slice(0, point) + (scale ? `.${digits.slice(point)}` : '')
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}
