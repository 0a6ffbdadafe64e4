import type { AirbyteType } from '../../src/protocol/index.ts'
import { expandDecimal } from '../../src/runtime/formats/decimal-text.ts'

/**
 * One form for equal values, whoever printed them: `1.50` and `1.5`, `+00` and `Z`, keys of JSON
 * objects in any order. Every digit counts.
 */
export function canonical(type: AirbyteType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  switch (type) {
    case 'integer':
      return String(BigInt(value as string))
    case 'number':
      return decimal(String(value))
    case 'object':
    case 'array':
    case 'unknown':
      return stable(typeof value === 'string' ? exactParse(value) : value)
    case 'date':
      return String(value)
    case 'boolean':
    case 'string':
    case 'binary':
      return value
    default:
      return temporal(String(value))
  }
}

/** What a file format itself cannot say, stated by the setup that uses it. */
export interface Losses {
  /** The JSON value null and a missing value are one. */
  jsonNull?: true
  /** Numbers without a declared precision are doubles; the destination records the change. */
  decimals?: true
}

/** `canonical`, blind to what the format cannot hold. */
export const canonicalWith =
  ({ jsonNull, decimals }: Losses) =>
  (type: AirbyteType, value: unknown): unknown => {
    const form = canonical(type, value)
    if (jsonNull && type === 'unknown' && form === 'null') return null
    if (decimals && type === 'number' && form !== null) return Number(form)
    return form
  }

/** As `canonical`, for a value that stood in a raw row and was read by `exactParse`. */
export function canonicalParsed(type: AirbyteType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (type === 'object' || type === 'array' || type === 'unknown') return stable(value)
  const digits = (value as { $number?: string }).$number
  return canonical(type, digits ?? value)
}

/** JSON, with numbers that a double does not hold as `{ $number: digits }`. */
export function exactParse(text: string): unknown {
  const parse = JSON.parse as (
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ) => unknown
  return parse(text, (_key, value, { source }) => {
    if (typeof value !== 'number' || source === undefined) return value
    return decimal(String(value)) === decimal(source) ? value : { $number: decimal(source) }
  })
}

function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${stable(field)}`).join(',')}}`
}

function decimal(text: string): string {
  const expanded = expandDecimal(text) ?? text
  const trimmed = expanded.includes('.') ? expanded.replace(/\.?0+$/, '') : expanded
  return trimmed === '-0' ? '0' : trimmed
}

function temporal(text: string): string {
  return text
    .replace(' ', 'T')
    .replace(/(\.\d*?)0+(?=$|[Z+-])/, '$1')
    .replace(/\.(?=$|[Z+-])/, '')
    .replace(/[+-]00(:00)?$/, 'Z')
    .replace(/([+-]\d\d)$/, '$1:00')
}
