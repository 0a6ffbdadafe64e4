import type { SchemaElement } from 'hyparquet'
import type { Column } from '../../protocol/index.ts'
import { declaredNumber } from './declared-number.ts'

/**
 * How a column is stored in Parquet, and which cells it can hold.
 *
 * | Airbyte type | Parquet | a cell that does not fit |
 * |---|---|---|
 * | string, time_with_timezone | UTF8 | |
 * | binary | BYTE_ARRAY | null, recorded |
 * | boolean | BOOLEAN | null, recorded |
 * | integer | INT64; `numeric(p,0)` beyond 18 digits: DECIMAL(p,0) | null, recorded |
 * | number, native `numeric(p,s)`, p ≤ 38, or `bigint unsigned` | DECIMAL(p,s) | null, recorded |
 * | number, native `numeric` without or beyond 38 digits | UTF8, all digits | |
 * | number, anything else | DOUBLE | nearest double, exact digits recorded |
 * | date | DATE | null, recorded |
 * | time_without_timezone | TIME, microseconds, local | null, recorded |
 * | timestamp_with_timezone | TIMESTAMP, microseconds, UTC | null, recorded |
 * | timestamp_without_timezone | TIMESTAMP, microseconds, local | null, recorded |
 * | object, array, unknown | JSON | |
 *
 * "Recorded" is an entry of `_airbyte_meta.changes`.
 */
export type ParquetType =
  | { kind: 'text' | 'json' | 'binary' | 'boolean' | 'int64' | 'double' | 'date' | 'time' | 'uuid' }
  | { kind: 'timestamp'; utc: boolean }
  | { kind: 'decimal'; precision: number; scale: number }

export function parquetTypeOf(column: Column): ParquetType {
  switch (column.type) {
    case 'binary':
    case 'boolean':
    case 'date':
      return { kind: column.type }
    case 'time_without_timezone':
      return { kind: 'time' }
    case 'timestamp_with_timezone':
      return { kind: 'timestamp', utc: true }
    case 'timestamp_without_timezone':
      return { kind: 'timestamp', utc: false }
    case 'integer':
      return integerType(column)
    case 'number':
      return numberType(column)
    case 'object':
    case 'array':
    case 'unknown':
      return { kind: 'json' }
    default:
      return { kind: 'text' }
  }
}

function integerType(column: Column): ParquetType {
  const native = exactNumeric(column)
  if (!native || native === 'unbounded' || native.scale !== 0) return { kind: 'int64' }
  return native.precision > 18 ? { kind: 'decimal', ...native } : { kind: 'int64' }
}

function numberType(column: Column): ParquetType {
  const native = exactNumeric(column)
  if (native === undefined) return { kind: 'double' }
  return native === 'unbounded' ? { kind: 'text' } : { kind: 'decimal', ...native }
}

/** Precision and scale of a native `numeric` or `decimal`; PostgreSQL also has scales outside 0…p. */
function exactNumeric(column: Column) {
  const declared = declaredNumber(column)
  if (typeof declared === 'object' && declared.digits <= MAX_PRECISION) {
    return { precision: declared.digits, scale: declared.scale }
  }
  return isDecimal(column) ? ('unbounded' as const) : undefined
}

const MAX_PRECISION = 38
const isDecimal = ({ native }: Column) => /^(?:numeric|decimal)\b/i.test(native?.type ?? '')

/** Bytes of two's complement that hold `precision` decimal digits. */
export const decimalBytes = (precision: number) => Math.ceil((precision * Math.log2(10) + 1) / 8)

/** The schema element of a nullable column. */
export function schemaElementOf(name: string, type: ParquetType): SchemaElement {
  const element = { name, repetition_type: 'OPTIONAL' } as const
  switch (type.kind) {
    case 'text':
      return {
        ...element,
        type: 'BYTE_ARRAY',
        converted_type: 'UTF8',
        logical_type: { type: 'STRING' },
      }
    case 'json':
      return {
        ...element,
        type: 'BYTE_ARRAY',
        converted_type: 'JSON',
        logical_type: { type: 'JSON' },
      }
    case 'binary':
      return { ...element, type: 'BYTE_ARRAY' }
    case 'boolean':
      return { ...element, type: 'BOOLEAN' }
    case 'int64':
      return { ...element, type: 'INT64' }
    case 'double':
      return { ...element, type: 'DOUBLE' }
    case 'date':
      return { ...element, type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } }
    case 'uuid':
      return {
        ...element,
        type: 'FIXED_LEN_BYTE_ARRAY',
        type_length: 16,
        logical_type: { type: 'UUID' },
      }
    case 'time':
      return {
        ...element,
        type: 'INT64',
        logical_type: { type: 'TIME', isAdjustedToUTC: false, unit: 'MICROS' },
      }
    case 'timestamp':
      return {
        ...element,
        type: 'INT64',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: type.utc, unit: 'MICROS' },
      }
    case 'decimal': {
      const { precision, scale } = type
      return {
        ...element,
        type: 'FIXED_LEN_BYTE_ARRAY',
        type_length: decimalBytes(precision),
        converted_type: 'DECIMAL',
        precision,
        scale,
        logical_type: { type: 'DECIMAL', precision, scale },
      }
    }
  }
}
