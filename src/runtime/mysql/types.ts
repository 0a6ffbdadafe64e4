import type { AirbyteType } from '../../protocol/index.ts'

/** How values of a type are written in the protocol and as cells. */
export type CellKind =
  | 'boolean'
  | 'bit'
  | 'integer'
  | 'number'
  | 'float'
  | 'double'
  | 'text'
  | 'json'
  | 'binary'
  | 'date'
  | 'time'
  | 'datetime'
  | 'timestamp'

interface TypeEntry {
  airbyte: AirbyteType
  kind: CellKind
  /** Usable in a keyset: its text reads back to the same value, and compares in the order of the index. */
  key?: true
  /** Useful as a cursor, and how a lookback in seconds is taken from it. */
  cursor?: 'plain' | 'number' | 'date' | 'timestamp'
}

const INTEGER: TypeEntry = { airbyte: 'integer', kind: 'integer', key: true, cursor: 'number' }
const TEXT: TypeEntry = { airbyte: 'string', kind: 'text', key: true, cursor: 'plain' }
const LONG_TEXT: TypeEntry = { airbyte: 'string', kind: 'text' }
const BINARY: TypeEntry = { airbyte: 'binary', kind: 'binary', key: true }
const LONG_BINARY: TypeEntry = { airbyte: 'binary', kind: 'binary' }

/**
 * By `information_schema.COLUMNS.DATA_TYPE`. Enums and sets are ordered by their number and compared by
 * their text, so they are no keys. Geometry is what the server stores: its reference system, then WKB.
 */
const TYPES: Record<string, TypeEntry> = {
  tinyint: INTEGER,
  smallint: INTEGER,
  mediumint: INTEGER,
  int: INTEGER,
  bigint: INTEGER,
  year: INTEGER,
  decimal: { airbyte: 'number', kind: 'number', key: true, cursor: 'number' },
  float: { airbyte: 'number', kind: 'float', key: true, cursor: 'number' },
  double: { airbyte: 'number', kind: 'double', key: true, cursor: 'number' },
  bit: LONG_BINARY,
  char: TEXT,
  varchar: TEXT,
  uuid: TEXT,
  inet4: TEXT,
  inet6: TEXT,
  tinytext: LONG_TEXT,
  text: LONG_TEXT,
  mediumtext: LONG_TEXT,
  longtext: LONG_TEXT,
  enum: LONG_TEXT,
  set: LONG_TEXT,
  json: { airbyte: 'unknown', kind: 'json' },
  binary: BINARY,
  varbinary: BINARY,
  tinyblob: LONG_BINARY,
  blob: LONG_BINARY,
  mediumblob: LONG_BINARY,
  longblob: LONG_BINARY,
  date: { airbyte: 'date', kind: 'date', key: true, cursor: 'date' },
  time: { airbyte: 'time_without_timezone', kind: 'time', key: true },
  datetime: {
    airbyte: 'timestamp_without_timezone',
    kind: 'datetime',
    key: true,
    cursor: 'timestamp',
  },
  timestamp: {
    airbyte: 'timestamp_with_timezone',
    kind: 'timestamp',
    key: true,
    cursor: 'timestamp',
  },
}

/** A column's type as the information schema has it. */
export interface CatalogType {
  /** `bigint`. */
  dataType: string
  /** `bigint(20) unsigned`. */
  columnType: string
  /** A text that the server keeps to JSON: MariaDB's JSON type. */
  checkedJson: boolean
  /** Whether a TINYINT(1) is a BOOLEAN; default: it is. */
  tinyInt1isBit?: boolean | undefined
}

export interface ResolvedType extends TypeEntry {
  /** SQL that reads the column, given its quoted name. */
  expression(column: string): string
}

const asIs = (column: string) => column

/**
 * How a column of this type is read and described. BOOLEAN is `tinyint(1)` and `bit(1)`, as for Airbyte,
 * the former unless the source is told otherwise.
 * An unsigned bigint goes beyond what an integer column of another system holds: it is a number.
 * The server prints a FLOAT with six digits only, so it is read as the double that it is.
 */
export function resolveType(type: CatalogType): ResolvedType {
  const entry = entryOf(type)
  return { ...entry, expression: entry.kind === 'float' ? (column) => `(${column} + 0e0)` : asIs }
}

function entryOf({ dataType, columnType, checkedJson, tinyInt1isBit }: CatalogType): TypeEntry {
  if (isTinyInt1(columnType) && tinyInt1isBit !== false)
    return { airbyte: 'boolean', kind: 'boolean', key: true }
  if (columnType === 'bit(1)') return { airbyte: 'boolean', kind: 'bit' }
  if (checkedJson) return TYPES.json as TypeEntry
  if (dataType === 'bigint' && columnType.includes('unsigned')) {
    return { ...INTEGER, airbyte: 'number', kind: 'number' }
  }
  // What is not listed (geometry, vector) is bytes to us.
  return TYPES[dataType] ?? LONG_BINARY
}

const isTinyInt1 = (columnType: string) => columnType.startsWith('tinyint(1)')
