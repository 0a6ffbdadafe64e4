import type { Buffer } from 'node:buffer'
import { PacketCursor } from '../../runtime/mysql/wire.ts'
import type { BinlogEvent } from './binlog-event.ts'

/** Types of columns in the binlog. */
export const FIELD = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  newdate: 14,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  datetime2: 18,
  time2: 19,
  vector: 242,
  json: 245,
  newdecimal: 246,
  enum: 247,
  set: 248,
  tinyBlob: 249,
  mediumBlob: 250,
  longBlob: 251,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const

/** A column as the log describes it. */
export interface LoggedColumn {
  /** Empty where the server does not log names. */
  name: string
  type: number
  /** Its length, precision or digits; what it means depends on the type. */
  meta: number
  unsigned: boolean
  /** Without a sign for each YEAR before it, as older servers write them, it had the other one. */
  mayHaveOtherSign?: boolean
  /** Of texts; 63 is no text but bytes. */
  collation?: number
  /** Of ENUM and SET. */
  labels?: Buffer[]
}

export interface TableMap {
  id: number
  schema: string
  name: string
  columns: LoggedColumn[]
}

/** Describes the table of the rows that follow. */
export function readTableMap({ bytes, start, end }: BinlogEvent): TableMap {
  const cursor = new PacketCursor(bytes, start, end)
  const id = cursor.uint(6)
  cursor.at += 2
  const schema = cursor.text()
  cursor.at += 1
  const name = cursor.text()
  cursor.at += 1
  const types = cursor.take(cursor.length() ?? 0)
  const metadata = new PacketCursor(cursor.take(cursor.length() ?? 0))
  const columns = Array.from(types, (type) => columnOf(type, metadata))
  // Whether a column may be null is no concern of ours.
  cursor.at += (columns.length + 7) >> 3
  while (cursor.left > 0) {
    const kind = cursor.uint(1)
    describe(columns, kind, new PacketCursor(cursor.take(cursor.length() ?? 0)))
  }
  return { id, schema, name, columns }
}

const ONE_BYTE = new Set<number>([
  ...[FIELD.float, FIELD.double, FIELD.blob, FIELD.geometry, FIELD.json],
  ...[FIELD.tinyBlob, FIELD.mediumBlob, FIELD.longBlob, FIELD.vector],
  ...[FIELD.timestamp2, FIELD.datetime2, FIELD.time2],
])
const TWO_BYTES = new Set<number>([FIELD.varchar, FIELD.varString, FIELD.bit])

function columnOf(type: number, metadata: PacketCursor): LoggedColumn {
  const column: LoggedColumn = { name: '', type, meta: 0, unsigned: false }
  if (ONE_BYTE.has(type)) return { ...column, meta: metadata.uint(1) }
  if (TWO_BYTES.has(type)) return { ...column, meta: metadata.uint(2) }
  if (type === FIELD.newdecimal) {
    const precision = metadata.uint(1)
    return { ...column, meta: precision * 256 + metadata.uint(1) }
  }
  if (type !== FIELD.string) return column
  // The real type, whose bits 4 and 5 hold the high bits of a CHAR's length, inverted.
  const real = metadata.uint(1)
  const length = metadata.uint(1)
  if (real === FIELD.enum || real === FIELD.set) return { ...column, type: real, meta: length }
  return { ...column, meta: length | (((real & 0x30) ^ 0x30) << 4) }
}

/** @see https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html */
const METADATA = {
  signedness: 1,
  defaultCollation: 2,
  collations: 3,
  names: 4,
  setLabels: 5,
  enumLabels: 6,
  labelDefaultCollation: 10,
  labelCollations: 11,
}

export const INTEGERS = new Set<number>([
  ...[FIELD.tiny, FIELD.short, FIELD.int24, FIELD.long, FIELD.longlong],
])
const NUMERIC = new Set<number>([
  ...INTEGERS,
  ...[FIELD.newdecimal, FIELD.float, FIELD.double, FIELD.year],
])
/** A vector counts among them, with the collation of bytes. */
const TEXTUAL = new Set<number>([
  ...[FIELD.varchar, FIELD.varString, FIELD.string, FIELD.vector],
  ...[FIELD.blob, FIELD.tinyBlob, FIELD.mediumBlob, FIELD.longBlob],
])
const LABELLED = new Set<number>([FIELD.enum, FIELD.set])

function describe(columns: LoggedColumn[], kind: number, cursor: PacketCursor): void {
  const of = (types: Set<number>) => columns.filter(({ type }) => types.has(type))
  switch (kind) {
    case METADATA.signedness:
      signs(of(NUMERIC), cursor)
      break
    case METADATA.defaultCollation:
      defaultCollations(of(TEXTUAL), cursor)
      break
    case METADATA.labelDefaultCollation:
      defaultCollations(of(LABELLED), cursor)
      break
    case METADATA.collations:
      collations(of(TEXTUAL), cursor)
      break
    case METADATA.labelCollations:
      collations(of(LABELLED), cursor)
      break
    case METADATA.names:
      for (const column of columns) column.name = cursor.text()
      break
    case METADATA.setLabels:
      labels(of(new Set([FIELD.set])), cursor)
      break
    case METADATA.enumLabels:
      labels(of(new Set([FIELD.enum])), cursor)
  }
}

/** A bit each. */
function signs(columns: LoggedColumn[], { bytes, at }: PacketCursor): void {
  const isUnsigned = (place: number) =>
    ((bytes[at + (place >> 3)] ?? 0) & (0x80 >> (place & 7))) !== 0
  let years = 0
  for (const [i, column] of columns.entries()) {
    column.unsigned = isUnsigned(i)
    if (column.type === FIELD.year) years++
    else if (column.unsigned !== isUnsigned(i - years)) column.mayHaveOtherSign = true
  }
}

/**
 * Whether a server of this version counts YEAR among the numbers whose signs it logs. MariaDB does, and
 * MySQL from 8.0.29 on as others report (9.7.4 was seen to, 8.0.15 not to); between, nobody knows.
 *
 * @param version as the log has it
 */
export function signsYears(version: string): boolean {
  const [, ...parts] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []
  const [major = 0, minor = 0, patch = 0] = parts.map(Number)
  return /mariadb/i.test(version) || major > 8 || (major === 8 && (minor > 0 || patch >= 29))
}

/** The most frequent one, then the columns that have another. */
function defaultCollations(columns: LoggedColumn[], cursor: PacketCursor): void {
  const common = cursor.length() ?? 0
  for (const column of columns) column.collation = common
  while (cursor.left > 0) {
    const column = columns[cursor.length() ?? 0]
    const collation = cursor.length() ?? 0
    if (column) column.collation = collation
  }
}

function collations(columns: LoggedColumn[], cursor: PacketCursor): void {
  for (const column of columns) column.collation = cursor.length() ?? 0
}

function labels(columns: LoggedColumn[], cursor: PacketCursor): void {
  for (const column of columns) {
    const count = cursor.length() ?? 0
    column.labels = Array.from({ length: count }, () => cursor.take(cursor.length() ?? 0))
  }
}
