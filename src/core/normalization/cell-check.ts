import type { Cell, Column } from '../../protocol/index.ts'
import type { ValueLimits } from '../../runtime/contract.ts'
import { declaredNumber } from '../../runtime/formats/declared-number.ts'
import {
  isArrayLiteral,
  jsonOfArray,
  nearestJsonOfArray,
} from '../../runtime/formats/pg-array-text.ts'
import { elementKindOf } from '../../runtime/formats/pg-cell-text.ts'
import { isSpan } from '../../runtime/formats/temporal-text.ts'
import { decimalCheck } from './decimal-check.ts'
import { nearestDouble, parquetNumberKind } from './parquet-number-check.ts'
import { isDate, isTime, isTimestamp } from './temporal-check.ts'
import { jsonFits, textFits } from './text-check.ts'

/** Airbyte's reasons for a value that a destination could not take. */
export type Misfit =
  | 'DESTINATION_FIELD_SIZE_LIMITATION'
  | 'DESTINATION_SERIALIZATION_ERROR'
  | 'DESTINATION_TYPECAST_ERROR'

export interface CellCheck {
  /** Whether a value that is not null can be stored as it is. Runs once for each cell. */
  fits(cell: Exclude<Cell, null>): boolean
  /** For one that does not fit: an equal value that may, and why not if that does not fit either. */
  convert(cell: Exclude<Cell, null>): Converted
}

export interface Converted {
  cell?: Exclude<Cell, null>
  reason: Misfit
  /** What the value was, where that is worth recording. */
  exactly?: string
  /** The cell is not equal, only the nearest there is. */
  truncated?: boolean
}

const TYPECAST = { reason: 'DESTINATION_TYPECAST_ERROR' } as const
const TOO_LARGE = { reason: 'DESTINATION_FIELD_SIZE_LIMITATION' } as const
const NOT_WRITABLE = { reason: 'DESTINATION_SERIALIZATION_ERROR' } as const

/**
 * How values of a column are judged. See the table at `Cell` for their forms.
 *
 * @param jsonIsSound cells of a JSON column are known to be JSON
 */
export function checkOf(column: Column, given: ValueLimits, jsonIsSound = false): CellCheck {
  const { type, native } = column
  const isNative = native !== undefined && native.dialect === given.native
  const limits: ValueLimits = isNative ? { ...given, ...UNBOUNDED } : given
  switch (type) {
    case 'string':
      return stringCheck(limits)
    case 'binary':
      return { fits: isBase64, convert: () => TYPECAST }
    case 'boolean':
      return { fits: (cell) => typeof cell === 'boolean', convert: toBoolean }
    case 'integer':
      return integerCheck(limits)
    case 'number':
      return numberCheck(column, limits)
    case 'date':
      return temporalCheck(limits, (text, years) => isDate(text, years))
    case 'time_without_timezone':
      return temporalCheck(limits, timeOf(column, isNative))
    case 'time_with_timezone':
      return temporalCheck(limits, (text) => isTime(text, true))
    case 'timestamp_without_timezone':
      return temporalCheck(limits, (text, years) => isTimestamp(text, years, false))
    case 'timestamp_with_timezone':
      return temporalCheck(limits, (text, years) => isTimestamp(text, years, true))
    case 'array':
      return arrayCheck(column, isNative, jsonCheck(type, limits, jsonIsSound))
    case 'object':
    case 'unknown':
      return jsonCheck(type, limits, jsonIsSound)
  }
}

/** Of PostgreSQL an array may come as it prints it, if JSON has no equal: elsewhere the nearest does. */
function arrayCheck(column: Column, isNative: boolean, json: CellCheck): CellCheck {
  const kind = elementKindOf(column)
  if (!kind) return json
  const isLiteral = (cell: Cell) => typeof cell === 'string' && isArrayLiteral(cell)
  return {
    fits: (cell) => (isLiteral(cell) ? isNative : json.fits(cell)),
    convert(cell) {
      if (!isLiteral(cell)) return json.convert(cell)
      const equal = jsonOfArray(String(cell), kind)
      if (equal !== undefined) return { cell: equal, ...TYPECAST }
      return { cell: nearestJsonOfArray(String(cell), kind), ...TYPECAST, truncated: true }
    },
  }
}

function stringCheck(limits: ValueLimits): CellCheck {
  return {
    fits: (cell) => typeof cell === 'string' && textFits(cell, limits),
    convert(cell) {
      if (typeof cell !== 'string') return { cell: String(cell), ...TYPECAST }
      return textFits(cell, { nulInText: limits.nulInText }) ? TOO_LARGE : NOT_WRITABLE
    },
  }
}

function jsonCheck(
  type: 'object' | 'array' | 'unknown',
  limits: ValueLimits,
  isSound: boolean,
): CellCheck {
  const isLostNull = (cell: Cell) => limits.jsonNull === false && isJsonNull(cell)
  return {
    fits: (cell) =>
      typeof cell === 'string' && jsonFits(cell, type, limits, isSound) && !isLostNull(cell),
    convert(cell) {
      if (isLostNull(cell)) return NOT_WRITABLE
      if (typeof cell !== 'string') {
        return type === 'unknown' ? { cell: String(cell), ...TYPECAST } : TYPECAST
      }
      if (!jsonFits(cell, type, { nulInText: true })) return TYPECAST
      return jsonFits(cell, type, { nulInText: limits.nulInText }) ? TOO_LARGE : NOT_WRITABLE
    },
  }
}

/** A short look: most cells are no null. */
const isJsonNull = (cell: Cell) =>
  typeof cell === 'string' && cell.length < 20 && cell.trim() === 'null'

function toBoolean(cell: Cell): ReturnType<CellCheck['convert']> {
  if (cell === 'true') return { cell: true, ...TYPECAST }
  return cell === 'false' ? { cell: false, ...TYPECAST } : TYPECAST
}

function integerCheck({ integerBits }: ValueLimits): CellCheck {
  const top = integerBits === undefined ? undefined : 1n << BigInt(integerBits - 1)
  const holds = (value: bigint) => top === undefined || (value < top && value >= -top)
  const anySafe = holds(BigInt(Number.MAX_SAFE_INTEGER))
  return {
    fits(cell) {
      if (typeof cell === 'number') {
        return Number.isSafeInteger(cell) && (anySafe || holds(BigInt(cell)))
      }
      return typeof cell === 'bigint' && holds(cell)
    },
    convert(cell) {
      const value = integerOf(cell)
      if (value === undefined) return TYPECAST
      if (!holds(value)) return TOO_LARGE
      const number = Number(value)
      return { cell: Number.isSafeInteger(number) ? number : value, ...TYPECAST }
    },
  }
}

/** The integer that a cell is or writes, such as 1e21, `"42"` or `"42.0"`. */
function integerOf(cell: Cell): bigint | undefined {
  if (typeof cell === 'bigint') return cell
  if (typeof cell === 'number') return Number.isInteger(cell) ? BigInt(cell) : undefined
  if (typeof cell !== 'string' || cell.length > MAX_DIGITS) return undefined
  const match = /^([+-]?)(\d+)(\.0*)?$/.exec(cell)
  return match ? BigInt(`${match[1] === '-' ? '-' : ''}${match[2]}`) : undefined
}

/** Parsing digits is quadratic, and no destination's integers are longer. */
const MAX_DIGITS = 1000

function numberCheck(column: Column, limits: ValueLimits): CellCheck {
  const parquet = limits.numbers === 'parquet' ? parquetNumberKind(column) : undefined
  if (parquet === 'double') return DOUBLE_CHECK
  const nonFinite = limits.nonFinite && parquet !== 'decimal'
  const decimal = decimalCheck(column, limits.decimal)
  // In a column of decimals zero has no sign at all, and is printed without.
  const isFloat = typeof declaredNumber(column) === 'string'
  const losesSign = (cell: Cell) => isFloat && !limits.nonFinite && isNegativeZero(cell)
  return {
    fits(cell) {
      if (typeof cell === 'number') {
        if (!Number.isFinite(cell)) return nonFinite
        if (cell === 0) return !losesSign(cell)
      }
      if (typeof cell === 'string' && !DECIMAL.test(cell)) return nonFinite && NON_FINITE.has(cell)
      return typeof cell !== 'boolean' && !losesSign(cell) && (decimal?.holds(cell) ?? true)
    },
    convert(cell) {
      if (isNonFinite(cell)) return NOT_WRITABLE
      if (!isNumber(cell)) return TYPECAST
      if (losesSign(cell)) return { cell: 0, ...TYPECAST }
      return { ...TOO_LARGE, ...decimal?.nearest(cell) }
    },
  }
}

/** Each number as its nearest double. */
const DOUBLE_CHECK: CellCheck = {
  fits: (cell) => typeof cell === 'number',
  convert(cell) {
    if (!isNumber(cell) && !isNonFinite(cell)) return TYPECAST
    const nearest = nearestDouble(cell)
    return nearest.exactly === undefined
      ? { ...nearest, ...TYPECAST }
      : { ...nearest, ...NOT_WRITABLE, truncated: true }
  },
}

const isNegativeZero = (cell: Cell) => cell === '-0' || Object.is(cell, -0)
const isNonFinite = (cell: Cell) =>
  typeof cell === 'number' ? !Number.isFinite(cell) : NON_FINITE.has(String(cell))
const isNumber = (cell: Cell) =>
  typeof cell !== 'boolean' && (typeof cell !== 'string' || DECIMAL.test(cell))

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,5})?$/
const NON_FINITE = new Set(['NaN', 'Infinity', '-Infinity'])

function temporalCheck(
  limits: ValueLimits,
  fits: (text: string, years: readonly [number, number]) => boolean,
): CellCheck {
  const { years, infiniteTimes = limits.nonFinite } = limits
  return {
    fits: (cell) =>
      typeof cell === 'string' && (fits(cell, years) || (infiniteTimes && isInfinity(cell))),
    convert(cell) {
      if (typeof cell !== 'string') return TYPECAST
      return fits(cell, ANY_YEAR) || isInfinity(cell) ? TOO_LARGE : TYPECAST
    },
  }
}

/** MySQL's TIME is a span of up to 838 hours, of either sign: a time of day has 24. */
function timeOf({ native }: Column, isNative: boolean): (text: string) => boolean {
  if (native?.dialect !== 'mysql') return (text) => isTime(text, false)
  if (isNative) return isSpan
  return (text) => isTime(text, false) && text < '24'
}
const ANY_YEAR: [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
/** Of a column that has the source's own type. */
const UNBOUNDED = { years: ANY_YEAR, integerBits: undefined }
const isInfinity = (text: string) => text === 'infinity' || text === '-infinity'

const isBase64 = (cell: Cell) =>
  typeof cell === 'string' && cell.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(cell)
