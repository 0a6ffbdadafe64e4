import { qualified, quote, text } from '../../../src/runtime/mysql/sql.ts'
import type { SourceColumn, SourceTable } from './tables.ts'

/** A column's value from its text, as SQL that compares with the column in the order of its index. */
export function literal({ type }: SourceColumn, value: string): string {
  switch (type.kind) {
    case 'integer':
    case 'boolean':
    case 'number':
    case 'float':
    case 'double':
      // Numbers only: a state can be set by hand.
      return Number.isNaN(Number(value)) || value.trim() === '' ? text(value) : value
    case 'binary':
      return `x'${value.replaceAll(/[^0-9a-f]/gi, '')}'`
    default:
      return text(value)
  }
}

/** Reads a column such that the text of the result is a position: what `literal` takes. */
export const positionSql = ({ name, type }: SourceColumn) =>
  type.kind === 'binary' ? `LOWER(HEX(${quote(name)}))` : type.expression(quote(name))

/** Rows strictly after these values in the order of the keys. Spelt out: a row constructor uses no index. */
export function after(keys: SourceColumn[], values: string[]): string {
  const [first] = keys
  const value = (i: number) => literal(keys[i] as SourceColumn, values[i] ?? '')
  const terms = keys.map((key, i) => {
    const equal = keys.slice(0, i).map(({ name }, j) => `${quote(name)} = ${value(j)}`)
    return `(${[...equal, `${quote(key.name)} > ${value(i)}`].join(' AND ')})`
  })
  if (!first || terms.length === 1) return terms.join('')
  return `${quote(first.name)} >= ${value(0)} AND (${terms.join(' OR ')})`
}

/** Rows up to and including these values. */
export const upTo = (keys: SourceColumn[], values: string[]): string =>
  `NOT (${after(keys, values)}) AND ${quote(keys[0]?.name ?? '')} <= ${literal(keys[0] as SourceColumn, values[0] ?? '')}`

/** How many rows of a condition there are, and which, by their key (without one: by their values). */
export function digestSql(table: SourceTable, where: string): string {
  const named = table.key.length > 0 ? table.key : table.columns.map(({ name }) => name)
  const list = named.map((name) => `COALESCE(HEX(${quote(name)}), '-')`).join(', ')
  const hash = `CRC32(CONCAT_WS(',', ${list}))`
  return `SELECT COUNT(*), COALESCE(BIT_XOR(${hash}), 0), COALESCE(SUM(${hash}), 0)
    FROM ${qualified(table)} WHERE ${where}`
}

/** `value` less the lookback. */
export function below({ type }: SourceColumn, value: string, lookback: number): string {
  if (!(lookback > 0)) return value
  switch (type.cursor) {
    case 'timestamp':
      return `(CAST(${value} AS DATETIME(6)) - INTERVAL ${Number(lookback)} SECOND)`
    case 'date':
      return `(CAST(${value} AS DATE) - INTERVAL ${Math.ceil(lookback / 86_400)} DAY)`
    case 'number':
      return `(${value} - ${Number(lookback)})`
    default:
      return value
  }
}
