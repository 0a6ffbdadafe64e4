import { Buffer } from 'node:buffer'
import {
  AirbyteError,
  type AirbyteType,
  type Cell,
  type Column,
  type Literal,
} from '../../protocol/index.ts'
import { expandDecimal, numberText } from '../../runtime/formats/decimal-text.ts'
import {
  timestampText,
  timestamptzText,
  timeText,
  timetzText,
} from '../../runtime/formats/temporal-text.ts'

/**
 * What a filter compares with, as a cell of the column.
 *
 * @throws VALIDATION_FAILED where no value of the column's type is meant: such a comparison would leave
 * out every row, or none
 *
 * @example
 * literalCell({ name: 'active', type: 'boolean' }, 1, 'mapping.filter') // true
 */
export function literalCell({ name, type }: Column, value: Literal, field: string): Cell {
  const cell = cellOf(type, value)
  if (cell !== undefined) return cell
  const message = `The filter compares '${name}' with ${JSON.stringify(value)}, which is no ${type}.`
  throw new AirbyteError('VALIDATION_FAILED', message, { field, hint: HINTS[type] })
}

const HINTS: Partial<Record<AirbyteType, string>> = {
  boolean: 'Give true or false.',
  integer: 'Give a number.',
  number: 'Give a number.',
  date: 'Give a date like 2026-01-31.',
  time_without_timezone: 'Give a time like 10:00:00.',
  time_with_timezone: 'Give a time like 10:00:00+02:00.',
  timestamp_without_timezone: 'Give a time like 2026-01-31T10:00:00.',
  timestamp_with_timezone: 'Give a time like 2026-01-31T10:00:00Z.',
  binary: 'Give its bytes as base64.',
}

const BOOLEANS: Record<string, boolean | undefined> = {
  true: true,
  false: false,
  1: true,
  0: false,
}

function cellOf(type: AirbyteType, value: Literal): Cell | undefined {
  const text = String(value)
  switch (type) {
    case 'boolean':
      return BOOLEANS[text.toLowerCase()]
    case 'integer':
    case 'number':
      return typeof value === 'boolean' ? undefined : numberCell(text)
    case 'date':
      // Midnight is the day itself.
      return timestampText(text)?.replace(/ 00:00:00(?!\.)/, '')
    case 'time_without_timezone':
      return timeText(text)
    case 'time_with_timezone':
      return timetzText(text)
    case 'timestamp_without_timezone':
      return timestampText(text)
    case 'timestamp_with_timezone':
      return timestamptzText(text)
    case 'binary':
      return Buffer.from(text, 'base64').toString('base64') === text ? text : undefined
    default:
      return text
  }
}

/** A double where it is the same: doubles are compared faster. */
function numberCell(text: string): Cell | undefined {
  const number = Number(text)
  const plain = expandDecimal(text)
  if (plain === undefined) return NON_FINITE.has(text) ? number : undefined
  return numberText(number) === plain ? number : plain
}

const NON_FINITE = new Set(['NaN', 'Infinity', '-Infinity'])
