import { isDedup, type ReadEvent, type StreamState } from '../../../src/protocol/index.ts'
import { cursorColumn } from '../../../src/runtime/database/columns.ts'
import type { KeyPosition } from '../../../src/runtime/database/keyset.ts'
import { readByCursor } from '../../../src/runtime/database/read-by-cursor.ts'
import { qualified, quote } from '../../../src/runtime/mysql/sql.ts'
import { cursorKeys, keysetOf, type StreamReader } from './reader.ts'
import { scan } from './scan.ts'
import { after, below, digestSql, literal, positionSql } from './sql.ts'
import type { CursorBound } from './state.ts'
import type { SourceColumn } from './tables.ts'

const cursorOf = ({ table, configured }: StreamReader) =>
  cursorColumn(table.columns, configured.cursorField)

/** The largest cursor value as it stands now, and which rows the next run has to know of. */
export async function freezeIncremental(reader: StreamReader): Promise<CursorBound> {
  const { client, table, configured } = reader
  const column = cursorOf(reader)
  const lookback = configured.lookbackSeconds ?? 0
  const c = quote(column.name)
  const [row] = await client.query(
    `SELECT ${positionSql(column)} FROM ${qualified(table)} WHERE ${c} IS NOT NULL ORDER BY ${c} DESC LIMIT 1`,
  )
  const cursor = row?.[0] ?? null
  const bound: CursorBound = { cursor, lookback, ...(await nullsOf(reader, column)) }
  if (cursor === null) return bound
  return { ...bound, digest: await digest(reader, column, cursor, lookback) }
}

/** Which rows have no cursor value, where that has a use: a number where they are not read again. */
async function nullsOf(
  reader: StreamReader,
  { name, required }: SourceColumn,
): Promise<Partial<CursorBound>> {
  const { client, table } = reader
  if (required) return {}
  const where = `${quote(name)} IS NULL`
  if (isMerged(reader)) {
    const [nullRows] = await client.query(digestSql(table, where))
    return nullRows ? { nullRows } : {}
  }
  const [row] = await client.query(`SELECT COUNT(*) FROM ${qualified(table)} WHERE ${where}`)
  return { nullCount: Number(row?.[0]) }
}

const isMerged = ({ configured }: StreamReader) => isDedup(configured.destinationSyncMode)

async function digest(
  { client, table }: StreamReader,
  column: SourceColumn,
  cursor: string,
  lookback: number,
): Promise<(string | null)[] | undefined> {
  const value = literal(column, cursor)
  const c = quote(column.name)
  const where = `${c} >= ${below(column, value, lookback)} AND ${c} <= ${value}`
  const [row] = await client.query(digestSql(table, where))
  return row
}

const isSame = (now: unknown, known: unknown) => JSON.stringify(now) === JSON.stringify(known)

/**
 * If other rows lie within the lookback of the saved bound than did when it was taken, all that lie
 * there come again: MySQL does not tell which transaction wrote a row.
 */
export function readIncremental(
  reader: StreamReader,
  saved: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  const { table, config, configured, key: stream } = reader
  const column = cursorOf(reader)
  const keys = cursorKeys(table, column)
  // With the cursor alone, rows of equal cursor could lie on both sides: no position to resume from.
  const isOrdered = keys.length > 1 || table.key.includes(column.name)
  return readByCursor<CursorBound, KeyPosition>({
    ...{ stream, table, saved, cursorField: column.name },
    checkpoint_rows: config.checkpoint_rows,
    upper: () => (configured.upperBound as CursorBound | undefined) ?? freezeIncremental(reader),
    async *scanNulls({ nulls, nullRows }, upper) {
      if (column.required || (nulls && !isMerged(reader))) return
      // All or none, as with the lookback.
      if (nulls && nullRows && isSame(upper.nullRows, nullRows)) return
      yield* scan(reader, { where: [`${quote(column.name)} IS NULL`], keys: keysetOf(table) ?? [] })
    },
    async *scanWindow(lower, { cursor }, from) {
      if (cursor === null) return
      const where = [
        from ? resumed(keys, from) : await lowerSql(reader, column, lower),
        `${quote(column.name)} <= ${literal(column, cursor)}`,
      ]
      yield* scan(reader, { where, keys })
    },
    positionOf: ({ position }) =>
      isOrdered ? { keys: keys.map(({ name }) => name), values: position } : undefined,
  })
}

/** Where the key changed meanwhile, rows of the last cursor value come again. */
function resumed(keys: SourceColumn[], from: KeyPosition): string {
  if (from.keys.join('\0') === keys.map(({ name }) => name).join('\0')) {
    return after(keys, from.values)
  }
  const [cursor] = keys as [SourceColumn]
  return `${quote(cursor.name)} >= ${literal(cursor, from.values[0] ?? '')}`
}

/** After the saved bound; from its lookback on, if the rows there are not those that were. */
async function lowerSql(
  reader: StreamReader,
  column: SourceColumn,
  { cursor, lookback = 0, digest: known }: Partial<CursorBound>,
): Promise<string | undefined> {
  if (cursor === undefined || cursor === null) return undefined
  const c = quote(column.name)
  const value = literal(column, cursor)
  const now = known && (await digest(reader, column, cursor, lookback))
  return now && isSame(now, known) ? `${c} > ${value}` : `${c} >= ${below(column, value, lookback)}`
}
