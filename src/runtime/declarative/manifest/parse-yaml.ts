import { parseDocument } from 'yaml'
import { AirbyteError, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import { valueCounter } from './limits.ts'
import { yamlData } from './yaml-pieces.ts'

/**
 * A manifest's text as data. YAML 1.1 as PyYAML reads it: `yes`, `no`, `on` and `off` are booleans.
 * A date without quotes becomes its ISO text, and integers beyond 2^53 keep their digits as text.
 *
 * @throws VALIDATION_FAILED with line and column
 */
export function parseYaml(text: string): JsonObject {
  const value = plain(yamlData(text, parsePiece), valueCounter())
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('The manifest is not an object.')
  }
  return value
}

/** @param firstLine of the piece within the whole text, from 0 */
function parsePiece(text: string, firstLine: number): unknown {
  const document = parseDocument(text, {
    version: '1.1',
    merge: true,
    intAsBigInt: true,
    uniqueKeys: false,
  })
  const [problem] = document.errors
  if (problem) {
    const at = problem.linePos?.[0]
    const where = at ? ` at line ${firstLine + at.line}, column ${at.col}` : ''
    throw invalid(`The manifest is not valid YAML${where}: ${headOf(problem.message)}`)
  }
  try {
    return document.toJS({ maxAliasCount: 1000 })
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error
    throw invalid('The aliases of the manifest multiply beyond all bounds.')
  }
}

/** A text as the YAML value it is, or the text where it is none. */
export function parseYamlValue(text: string): JsonValue {
  const document = parseDocument(text, { version: '1.1', intAsBigInt: true })
  return document.errors.length > 0
    ? text
    : plain(document.toJS({ maxAliasCount: 100 }), valueCounter())
}

const headOf = (message: string) => message.split(/ at line|\n/)[0] ?? message
const invalid = (message: string) =>
  new AirbyteError('VALIDATION_FAILED', message, { field: 'manifest' })

function plain(value: unknown, count: (depth: number) => void, depth = 0): JsonValue {
  count(depth)
  if (value === null || value === undefined) return null
  if (value instanceof Date) return dateText(value)
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  if (Array.isArray(value)) return value.map((item) => plain(item, count, depth + 1))
  if (typeof value === 'object') {
    const entries = Object.entries(value as object)
    return Object.fromEntries(entries.map(([key, item]) => [key, plain(item, count, depth + 1)]))
  }
  return value as JsonValue
}

/** As Python prints it: `2024-01-31`, or `2024-01-31 10:00:00+00:00` when it has a time. */
function dateText(date: Date): string {
  const [day, time = ''] = date.toISOString().split('T')
  return time.startsWith('00:00:00.000')
    ? (day as string)
    : `${day} ${time.replace(/\.?0*Z$/, '')}+00:00`
}
