/** Cells as MySQL reads them: as a field of LOAD DATA, and as a literal of INSERT. */
import { Buffer } from 'node:buffer'
import type { AirbyteType, Cell, Column } from '../../../src/protocol/index.ts'
import { expandDecimal, numberText } from '../../../src/runtime/formats/decimal-text.ts'
import { float8Text } from '../../../src/runtime/formats/float-text.ts'
import {
  dateText,
  timestampText,
  timestamptzText,
  timeText,
  timetzText,
} from '../../../src/runtime/formats/temporal-text.ts'
import type { TableColumn } from '../../../src/runtime/loading/layout.ts'
import { text } from '../../../src/runtime/mysql/sql.ts'

type Value = Exclude<Cell, null>
/** The value's text; undefined: it is none of this type, and goes as it is for the server to judge. */
type Print = (value: Value) => string | undefined

const decimal: Print = (value) =>
  typeof value === 'number' ? numberText(value) : expandDecimal(String(value))
const temporal =
  (print: (text: string) => string | undefined): Print =>
  (value) =>
    print(String(value))
const asText: Print = String

const PRINT: Record<AirbyteType, Print> = {
  string: asText,
  binary: (value) => Buffer.from(String(value), 'base64').toString('hex'),
  boolean: (value) =>
    value === true || value === 'true'
      ? '1'
      : value === false || value === 'false'
        ? '0'
        : undefined,
  date: temporal(dateText),
  time_without_timezone: temporal(timeText),
  time_with_timezone: temporal(timetzText),
  timestamp_without_timezone: temporal(timestampText),
  // In UTC: the column has no zone.
  timestamp_with_timezone: temporal((value) => timestamptzText(value)?.replace(/\+00$/, '')),
  integer: decimal,
  number: decimal,
  object: asText,
  array: asText,
  unknown: asText,
}

/** Their text never holds a character that is escaped. */
const PLAIN = new Set<AirbyteType>(['binary', 'boolean', 'integer', 'number'])

export interface Printers {
  /** A field of LOAD DATA. */
  field(value: Value): string
  /** A literal of INSERT. */
  literal(value: Value): string
  /** LOAD DATA gives the column's bytes as hexadecimal digits. */
  hex: boolean
}

export function printersOf({ column, type }: Pick<TableColumn, 'column' | 'type'>): Printers {
  const own = printOf(column, type)
  const print = (value: Value) => own(value) ?? String(value)
  const hex = column.type === 'binary'
  const plain = PLAIN.has(column.type)
  return {
    hex,
    field: plain ? print : (value) => escaped(print(value)),
    literal: hex ? (value) => `x'${print(value)}'` : (value) => text(print(value)),
  }
}

function printOf(column: Column, type: string): Print {
  // The double that it is: its own shortest text can be one beyond the largest FLOAT.
  if (type === 'float') return (value) => float8Text(Math.fround(Number(value)))
  if (type === 'double') return (value) => float8Text(Number(value))
  // A text of fewer digits would be of this century: 0 the year 2000.
  if (type === 'year') return (value) => String(value).padStart(4, '0')
  return PRINT[column.type]
}

const SPECIAL = /[\\\t\n\0]/
const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\0': '\\0' }

const escaped = (value: string) =>
  SPECIAL.test(value) ? value.replaceAll(/[\\\t\n\0]/g, (char) => ESCAPES[char] as string) : value
