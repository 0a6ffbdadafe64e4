import { AirbyteError, type Column, type StreamKey } from '../../protocol/index.ts'
import { type CellKind, type ResolvedType, resolveType } from '../../runtime/mysql/types.ts'
import type { DecoderOf, DecodeText } from './charsets.ts'
import { FIELD, type LoggedColumn, type TableMap } from './table-map.ts'
import { type ReadValue, readerOf, type Span, spanOf } from './values.ts'

/** A column of the table as the catalog has it today. */
export interface KnownColumn {
  name: string
  dataType: string
  type: ResolvedType
  column: Column
}

/** A stream that is read from the log. */
export interface LoggedStream {
  stream: StreamKey
  /** Names by which rows are told apart; empty: an update is never a move. */
  key: string[]
  /** Names of the columns that are wanted; absent: all. */
  selected?: string[] | undefined
}

/** How the rows of one description of a table become columns of cells. */
export interface RowShape {
  stream: StreamKey
  /** The table's columns as the log describes them: how wide they are, what an ENUM's numbers mean. */
  logged: LoggedColumn[]
  /** Of the batches, in the order of the log. */
  columns: Column[]
  /** For each column of the log: how it lies, where it goes (-1: nowhere) and how it is read. */
  fields: { span: Span; target: number; read: ReadValue | undefined }[]
  /** Places in `columns` of the key. */
  key: number[]
}

const BINARY_COLLATION = 63

/**
 * Names and order come from the log itself, since the table may be another one by now. What the log
 * does not tell (that a TINYINT is a BOOLEAN, that a text is JSON) comes from the catalog, where a
 * column of this name is there and its type fits.
 *
 * Rejects with CDC_SETUP_REQUIRED where the server does not log names, and with TYPE_UNSUPPORTED.
 */
export function shapeOf(
  table: TableMap,
  { stream, key, selected }: LoggedStream,
  known: KnownColumn[],
  decoderOf: DecoderOf,
): RowShape {
  const shape: RowShape = { stream, logged: table.columns, columns: [], fields: [], key: [] }
  for (const logged of table.columns) {
    if (logged.name === '') throw nameless(stream)
    const span = spanOf(logged)
    if (!span) throw unsupported(stream, logged)
    if (selected && !selected.includes(logged.name) && !key.includes(logged.name)) {
      shape.fields.push({ span, target: -1, read: undefined })
      continue
    }
    const { column, read } = readColumn(stream, logged, known, decoderOf)
    shape.fields.push({ span, target: shape.columns.length, read })
    shape.columns.push(column)
  }
  shape.key = key.map((name) => shape.columns.findIndex((column) => column.name === name))
  return shape
}

function readColumn(
  stream: StreamKey,
  logged: LoggedColumn,
  known: KnownColumn[],
  decoderOf: DecoderOf,
): { column: Column; read: ReadValue } {
  const { collation } = logged
  const text = collation === undefined ? undefined : decoderOf(collation)
  const today = known.find(({ name }) => name === logged.name)
  const read = today && readerFor(logged, today.type.kind, today.dataType, text)
  if (today && read) return { column: today.column, read }
  const { airbyte, kind } = guess(logged)
  const own = readerFor(logged, kind, '', text)
  if (!own) throw unsupported(stream, logged)
  return { column: { name: logged.name, type: airbyte }, read: own }
}

/** A text is never taken for bytes, nor bytes for a text: another collation is another type. */
function readerFor(
  logged: LoggedColumn,
  kind: CellKind,
  dataType: string,
  text: DecodeText | undefined,
) {
  const isBytes = logged.collation === BINARY_COLLATION
  const foreign = logged.type === FIELD.string && isBytes && FOREIGN.has(dataType)
  if ((kind === 'text' || kind === 'json') && isBytes && !foreign) return undefined
  if (kind === 'binary' && logged.collation !== undefined && !isBytes) return undefined
  return readerOf(logged, kind, dataType, text)
}

/** Types that are texts to SQL and bytes to the log. */
const FOREIGN = new Set(['uuid', 'inet4', 'inet6'])

const DATA_TYPES: Record<number, string | undefined> = {
  [FIELD.tiny]: 'tinyint',
  [FIELD.short]: 'smallint',
  [FIELD.int24]: 'mediumint',
  [FIELD.long]: 'int',
  [FIELD.longlong]: 'bigint',
  [FIELD.year]: 'year',
  [FIELD.float]: 'float',
  [FIELD.double]: 'double',
  [FIELD.newdecimal]: 'decimal',
  [FIELD.date]: 'date',
  [FIELD.newdate]: 'date',
  [FIELD.time]: 'time',
  [FIELD.time2]: 'time',
  [FIELD.datetime]: 'datetime',
  [FIELD.datetime2]: 'datetime',
  [FIELD.timestamp]: 'timestamp',
  [FIELD.timestamp2]: 'timestamp',
  [FIELD.bit]: 'bit',
  [FIELD.enum]: 'enum',
  [FIELD.set]: 'set',
  [FIELD.json]: 'json',
  [FIELD.geometry]: 'geometry',
}

/** The type, as far as the log tells it. */
function guess({ type, unsigned, collation, meta }: LoggedColumn): ResolvedType {
  const isText = collation !== undefined && collation !== BINARY_COLLATION
  const dataType = DATA_TYPES[type] ?? (isText ? 'text' : 'blob')
  const bit = type === FIELD.bit && meta === 1
  const columnType = bit ? 'bit(1)' : unsigned ? `${dataType} unsigned` : dataType
  return resolveType({ dataType, columnType, checkedJson: false })
}

const nameless = (stream: StreamKey) =>
  new AirbyteError('CDC_SETUP_REQUIRED', `The binlog does not name the columns of ${stream}.`, {
    stream,
    hint: 'Run SET GLOBAL binlog_row_metadata = FULL, and set it in the server’s configuration; then refresh all streams of the connection.',
  })

const unsupported = (stream: StreamKey, { name, type }: LoggedColumn) =>
  new AirbyteError(
    'TYPE_UNSUPPORTED',
    `The column '${name}' of ${stream} has a type (${type}) or a character set that cannot be read from the binlog.`,
    { stream, field: name, hint: `Deselect the column '${name}', or the stream.` },
  )
