/** Airbyte types and the PostgreSQL types that hold them, as data. */
import type { AirbyteType, Column } from '../../../src/protocol/index.ts'

/** What a column without a PostgreSQL type of its own becomes. */
export const COLUMN_TYPES: Record<AirbyteType, string> = {
  string: 'text',
  binary: 'bytea',
  boolean: 'boolean',
  date: 'date',
  time_without_timezone: 'time without time zone',
  time_with_timezone: 'time with time zone',
  timestamp_without_timezone: 'timestamp without time zone',
  timestamp_with_timezone: 'timestamp with time zone',
  integer: 'bigint',
  number: 'numeric',
  object: 'jsonb',
  array: 'jsonb',
  unknown: 'jsonb',
}

/** Built-in types that any server has, by the names that `format_type` prints. */
const BUILT_IN = new Set([
  ...['smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric', 'money', 'oid'],
  ...['text', 'character varying', 'character', 'name', '"char"', 'uuid', 'bytea', 'boolean'],
  ...['date', 'time', 'timestamp', 'interval', 'json', 'jsonb', 'xml', 'inet', 'cidr', 'macaddr'],
  ...[
    'macaddr8',
    'bit',
    'bit varying',
    'point',
    'line',
    'lseg',
    'box',
    'path',
    'polygon',
    'circle',
  ],
  ...['tsvector', 'tsquery', 'jsonpath', 'pg_lsn', 'xid', 'xid8', 'int4range', 'int8range'],
  ...['numrange', 'tsrange', 'tstzrange', 'daterange', 'int4multirange', 'int8multirange'],
  ...['nummultirange', 'tsmultirange', 'tstzmultirange', 'datemultirange'],
])

const MODIFIERS = /\(\d+(?:,-?\d+)?\)/
const ZONE = / with(?:out)? time zone$/
const FIELDS = /^(interval) \w+(?: to \w+)?/

/**
 * The type of the column to create. A built-in PostgreSQL type is created as it is; enums, domains
 * and extension types, which this server may not have, are kept as the text that PostgreSQL prints.
 * @example
 * columnType({ name: 'price', type: 'number', native: { dialect: 'postgres', type: 'numeric(38,10)' } })
 * // 'numeric(38,10)'
 */
export function columnType(column: Column): string {
  if (column.native?.dialect !== 'postgres') return COLUMN_TYPES[column.type]
  const { type } = column.native
  const base = type
    .replace(/\[\]$/, '')
    .replace(MODIFIERS, '')
    .replace(ZONE, '')
    .replace(FIELDS, '$1')
  return BUILT_IN.has(base) ? type : 'text'
}

/**
 * Whether a column of type `existing` holds every value of type `wanted` and prints it the same,
 * so that a retype in the source needs no change here.
 */
export function holds(existing: string, wanted: string): boolean {
  if (existing === wanted) return true
  if (existing === 'text') return true
  const wantedBase = wanted.replace(MODIFIERS, '')
  if (existing === 'numeric') return ['numeric', ...INTEGERS].includes(wantedBase)
  if (existing === 'character varying') return wantedBase === existing || wanted === 'text'
  if (isLonger(existing, wanted)) return true
  return INTEGERS.includes(wanted) && INTEGERS.indexOf(existing) > INTEGERS.indexOf(wanted)
}

const SIZED = /^(numeric|character varying)\((\d+)(?:,(-?\d+))?\)$/

/** The same type for more digits or characters; another scale would print other digits. */
function isLonger(existing: string, wanted: string): boolean {
  const [own, other] = [SIZED.exec(existing), SIZED.exec(wanted)]
  if (!own || !other || own[1] !== other[1] || own[3] !== other[3]) return false
  return Number(own[2]) >= Number(other[2])
}

/**
 * Whether a column may be changed to `wanted` without any value of it becoming another. Numbers are
 * not made texts: whoever calculates with them must know.
 */
export const widens = (existing: string, wanted: string): boolean =>
  holds(wanted, existing) && (wanted !== 'text' || existing.startsWith('character varying'))

const INTEGERS = ['smallint', 'integer', 'bigint']

/** Types whose values have no order or no b-tree: they cannot be a key. */
export const UNINDEXABLE = new Set([
  'json',
  'xml',
  'point',
  'line',
  'lseg',
  'box',
  'path',
  'polygon',
])
