/** Cells of each Airbyte type, and of PostgreSQL's own types, to and from COPY text fields. */
import { Buffer } from 'node:buffer'
import type { AirbyteType, Cell, Column } from '../../protocol/index.ts'
import { expandDecimal, numberText, withScale } from './decimal-text.ts'
import { float4Text, float8Text } from './float-text.ts'
import { jsonbText } from './jsonb-text.ts'
import { arrayLiteral, type ElementKind, jsonOfArray } from './pg-array-text.ts'
import { dateText, timestampText, timestamptzText, timeText, timetzText } from './temporal-text.ts'

type Value = Exclude<Cell, null>
/** Canonical text, without COPY's escapes; undefined: the value is not of this type. */
type Canonical = (value: Value) => string | undefined

/** Prints values of a column as COPY fields. */
export function printerOf(column: Column): (value: Value) => string {
  const canonical = canonicalOf(column)
  const printed = (value: Value) => canonical(value) ?? String(value)
  return FREE_OF_ESCAPES.has(canonical)
    ? (value) => canonical(value) ?? escapeField(String(value))
    : (value) => escapeField(printed(value))
}

/** Parses COPY fields (escapes already undone) of a column. */
export function parserOf(column: Column): (text: string) => Cell {
  const native = nativeOf(column)
  if (native?.array) return (text) => jsonOfArray(text, elementKind(native.base)) ?? text
  if (native?.base === 'double precision' || native?.base === 'real') return exactFloat
  return PARSERS[column.type]
}

const ESCAPED = /[\\\b\f\n\r\t\v]/
const ESCAPES: Record<string, string> = {
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

function escapeField(text: string): string {
  if (!ESCAPED.test(text)) return text
  return text.replaceAll(/[\\\b\f\n\r\t\v]/g, (char) => ESCAPES[char] as string)
}

const fromText = (print: (text: string) => string | undefined) => (value: Value) =>
  print(String(value))

const integer: Canonical = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value)
    ? String(value + 0)
    : typeof value === 'bigint'
      ? value.toString()
      : number(value)
const number: Canonical = (value) => {
  if (typeof value === 'number') return numberText(value)
  if (typeof value !== 'string') return String(value)
  return NON_FINITE.has(value) ? value : expandDecimal(value)
}
const NON_FINITE = new Set(['NaN', 'Infinity', '-Infinity'])
const boolean: Canonical = (value) => {
  if (typeof value === 'boolean') return value ? 't' : 'f'
  return value === 'true' ? 't' : value === 'false' ? 'f' : undefined
}
const text: Canonical = (value) => String(value)
const json: Canonical = (value) => jsonbText(String(value))
/** Base64 as `\x…`; the backslash is doubled by the escape. */
const binary: Canonical = (value) => `\\x${Buffer.from(String(value), 'base64').toString('hex')}`
const float8: Canonical = (value) => (isNumeric(value) ? float8Text(Number(value)) : undefined)
const float4: Canonical = (value) => (isNumeric(value) ? float4Text(Number(value)) : undefined)
const isNumeric = (value: Value) =>
  typeof value !== 'string' || NON_FINITE.has(value) || expandDecimal(value) !== undefined

const CANONICAL: Record<AirbyteType, Canonical> = {
  string: text,
  binary,
  boolean,
  date: fromText(dateText),
  time_without_timezone: fromText(timeText),
  time_with_timezone: fromText(timetzText),
  timestamp_without_timezone: fromText(timestampText),
  timestamp_with_timezone: fromText(timestamptzText),
  integer,
  number,
  object: json,
  array: json,
  unknown: json,
}

/** Their text never holds a character that COPY escapes. */
const FREE_OF_ESCAPES = new Set<Canonical>([
  boolean,
  integer,
  number,
  float8,
  float4,
  CANONICAL.date,
  CANONICAL.time_without_timezone,
  CANONICAL.time_with_timezone,
  CANONICAL.timestamp_without_timezone,
  CANONICAL.timestamp_with_timezone,
])

const JSON_TYPES = new Set<AirbyteType>(['object', 'array', 'unknown'])

function canonicalOf(column: Column): Canonical {
  const native = nativeOf(column)
  if (!native) return CANONICAL[column.type]
  if (native.array) return (value) => arrayLiteral(String(value), elementKind(native.base))
  if (native.base === 'double precision') return float8
  if (native.base === 'real') return float4
  if (native.base === 'numeric' && native.scale !== undefined) return scaled(native.scale)
  // `json` keeps its text; types that PostgreSQL alone knows come as it printed them.
  if (JSON_TYPES.has(column.type) && native.base !== 'jsonb') return text
  return CANONICAL[column.type]
}

function scaled(scale: number): Canonical {
  return (value) => {
    const decimal = number(value)
    return decimal === undefined || NON_FINITE.has(decimal) ? decimal : withScale(decimal, scale)
  }
}

interface PostgresType {
  base: string
  scale?: number
  array: boolean
}

/** The column's own PostgreSQL type, taken apart. */
function nativeOf(column: Column): PostgresType | undefined {
  if (column.native?.dialect !== 'postgres') return undefined
  const array = column.native.type.endsWith('[]')
  const base = array ? column.native.type.slice(0, -2) : column.native.type
  const modifiers = /^numeric\(\d+(?:,(\d+))?\)$/.exec(base)
  if (modifiers) return { base: 'numeric', scale: Number(modifiers[1] ?? 0), array }
  return { base, array }
}

/** What the elements of an array column are; undefined: it is none of PostgreSQL. */
export function elementKindOf(column: Column): ElementKind | undefined {
  const native = nativeOf(column)
  return native?.array ? elementKind(native.base) : undefined
}

const OWN_KINDS = new Set<string>([
  'boolean',
  'json',
  'jsonb',
  'money',
  'box',
] satisfies ElementKind[])

function elementKind(base: string): ElementKind {
  if (OWN_KINDS.has(base)) return base as ElementKind
  if (base === 'real' || base === 'double precision') return 'float'
  return /^(?:numeric|smallint|integer|bigint)\b/.test(base) ? 'number' : 'string'
}

const same = (text: string): Cell => text
/** `2026-11-23 03:31:33+00` as ISO 8601 with `T` and `Z`; `BC` and `infinity` stay. */
const timestamp = (text: string): Cell => {
  const plain = text.charCodeAt(10) === SPACE
  if (plain && text.endsWith('+00')) return `${text.slice(0, 10)}T${text.slice(11, -3)}Z`
  if (plain && text.charCodeAt(text.length - 1) !== LETTER_C)
    return `${text.slice(0, 10)}T${text.slice(11)}`
  return text.replace(' ', 'T').replace(/\+00(?= BC$|$)/, 'Z')
}
const exactNumber = (text: string): Cell => {
  const value = Number(text)
  if (isShortDecimal(text)) return value
  return Number.isFinite(value) && numberText(value) === text ? value : text
}

/** The double is the value: which of its shortest texts was printed does not matter. */
const exactFloat = (text: string): Cell => {
  const value = Number(text)
  return Number.isFinite(value) && text !== '-0' ? value : text
}

/** At most 15 digits in the one form in which a double prints: it keeps them all, no need to compare. */
function isShortDecimal(text: string): boolean {
  const start = text.charCodeAt(0) === MINUS ? 1 : 0
  const { length } = text
  if (length - start > 16 || length === start) return false
  const startsWithZero = text.charCodeAt(start) === ZERO
  let point = -1
  for (let at = start; at < length; at++) {
    const code = text.charCodeAt(at)
    if (code === POINT && point < 0) point = at
    else if (code < ZERO || code > NINE) return false
  }
  if (point < 0) return !startsWithZero && length - start <= 15
  // No leading zeros but one, a digit on both sides, no trailing zero; a first decimal that is not
  // zero keeps clear of the exponents of tiny numbers.
  if (point === start || (startsWithZero && point !== start + 1)) return false
  return (
    text.charCodeAt(length - 1) > ZERO && !(startsWithZero && text.charCodeAt(point + 1) === ZERO)
  )
}

const SPACE = 0x20
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const LETTER_C = 0x43
const exactInteger = (text: string): Cell => {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : BigInt(text)
}

const PARSERS: Record<AirbyteType, (text: string) => Cell> = {
  string: same,
  binary: (text) => Buffer.from(text.slice(2), 'hex').toString('base64'),
  boolean: (text) => text === 't',
  date: same,
  time_without_timezone: same,
  time_with_timezone: (text) => text.replace(/([+-]\d\d)$/, '$1:00'),
  timestamp_without_timezone: timestamp,
  timestamp_with_timezone: timestamp,
  integer: exactInteger,
  number: exactNumber,
  object: same,
  array: same,
  unknown: same,
}
