/** Airbyte types and the MySQL types that hold them, as data. */
import type { AirbyteType, Column } from '../../../src/protocol/index.ts'
import { declaredNumber } from '../../../src/runtime/formats/declared-number.ts'

/** Digits of numbers that declare none, and how many of them follow the point. */
export const DECIMAL = { digits: 65, scale: 25, maxScale: 30 }

/** JSON stays text: MySQL's own type keeps numbers as doubles, and MariaDB's check gives up at 32 levels. */
export const COLUMN_TYPES: Record<AirbyteType, string> = {
  string: 'longtext',
  binary: 'longblob',
  boolean: 'tinyint(1)',
  date: 'date',
  time_without_timezone: 'time(6)',
  time_with_timezone: 'varchar(32)',
  timestamp_without_timezone: 'datetime(6)',
  timestamp_with_timezone: 'datetime(6)',
  integer: 'bigint',
  number: `decimal(${DECIMAL.digits},${DECIMAL.scale})`,
  object: 'longtext',
  array: 'longtext',
  unknown: 'longtext',
}

/** Types of MySQL's own that are created as they are. */
const OWN =
  /^(?:(?:tinyint|smallint|mediumint|int|bigint)(?:\(\d+\))?(?: unsigned)?|year|bit\(\d+\))/

/** What PostgreSQL calls them. */
const FROM_POSTGRES: Record<string, string> = {
  smallint: 'smallint',
  integer: 'int',
  real: 'float',
  'double precision': 'double',
}

/** An index over texts has room for 3072 bytes. */
const KEY_BYTES = 3040

/**
 * The type of the column to create.
 *
 * @param keys of how many columns the key is that the column is a part of; 0: it is none
 * @example
 * columnType({ name: 'price', type: 'number', native: { dialect: 'postgres', type: 'numeric(38,10)' } }, 0)
 * // 'decimal(38,10)'
 */
export function columnType(column: Column, keys: number): string {
  const { type, native } = column
  if (keys > 0 && type === 'string') return `varchar(${Math.floor(KEY_BYTES / 4 / keys)})`
  if (native?.dialect === 'mysql') {
    const own = OWN.exec(native.type)?.[0]
    if (own && !(type === 'boolean')) return normalized(own)
  }
  if (type === 'binary' && keys > 0) return `varbinary(${Math.floor(KEY_BYTES / keys)})`
  if (type === 'number') return numberType(column)
  const known = native?.dialect === 'postgres' ? FROM_POSTGRES[native.type] : undefined
  return known ?? COLUMN_TYPES[type]
}

function numberType(column: Column): string {
  const declared = declaredNumber(column)
  if (declared === 'float' || declared === 'double') return declared
  if (!declared || declared.digits > DECIMAL.digits || declared.scale > DECIMAL.maxScale) {
    return COLUMN_TYPES.number
  }
  return `decimal(${declared.digits},${declared.scale})`
}

/** A type as it is compared: servers differ in whether they print the width of integers. */
export const normalized = (type: string): string =>
  type === 'tinyint(1)'
    ? type
    : type.replace(/^(tinyint|smallint|mediumint|int|bigint|year)\(\d+\)/, '$1')

const INTEGERS = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint']
const BIGINT_DIGITS = 20
const SIZED = /^(decimal|varchar|varbinary)\((\d+)(?:,(\d+))?\)$/

/**
 * Whether a column of type `existing` holds every value of type `wanted` and prints it the same,
 * so that a retype in the source needs no change here.
 */
export function holds(existing: string, wanted: string): boolean {
  if (existing === wanted || existing === 'longtext') return true
  if (wanted.startsWith('varbinary') && existing === 'longblob') return true
  const [own, other] = [SIZED.exec(existing), SIZED.exec(wanted)]
  if (own && other && own[1] === other[1] && own[3] === other[3]) {
    return Number(own[2]) >= Number(other[2])
  }
  if (own?.[1] === 'decimal' && Number(own[2]) - Number(own[3]) >= BIGINT_DIGITS) {
    return INTEGERS.includes(wanted.replace(' unsigned', ''))
  }
  const [from, to] = [existing, wanted].map((type) => type.replace(' unsigned', ''))
  const unsigned = existing.includes('unsigned')
  if (unsigned !== wanted.includes('unsigned') && (unsigned || from === to)) return false
  return (
    INTEGERS.indexOf(from as string) >= INTEGERS.indexOf(to as string) &&
    INTEGERS.includes(to as string)
  )
}

/** Whether a column may be changed to `wanted` without any value of it becoming another. */
export const widens = (existing: string, wanted: string): boolean =>
  holds(wanted, existing) && (wanted !== 'longtext' || existing.startsWith('varchar'))

/** JSON texts have no order: they cannot be a key. */
export const isOrdered = ({ type }: Column): boolean =>
  type !== 'object' && type !== 'array' && type !== 'unknown'

/** Types that an index needs the length of. */
export const UNBOUNDED = new Set([
  'longtext',
  'longblob',
  'text',
  'mediumtext',
  'blob',
  'mediumblob',
])

/** A number of no declared scale without the zeros that its column adds. */
export const trimmed = (number: string) =>
  `TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM ${number}))`

/** A text as a value of the column's type, to be compared with it. */
export function castTo(type: string, sql: string): string {
  if (/^(?:tiny|small|medium|big)?int|^year/.test(type)) {
    return `CAST(${sql} AS ${type.includes('unsigned') ? 'UNSIGNED' : 'SIGNED'})`
  }
  if (/^(?:decimal|date|time)/.test(type)) return `CAST(${sql} AS ${type})`
  return type === 'float' || type === 'double' ? `(${sql} + 0e0)` : sql
}
