import type { ReadEvent, StreamState } from '../../../src/protocol/index.ts'
import { checkpoints } from '../../../src/runtime/database/checkpoints.ts'
import { cursorColumn } from '../../../src/runtime/database/columns.ts'
import { asState, type KeyPosition } from '../../../src/runtime/database/keyset.ts'
import { cursorKeys, keysetOf, type StreamReader } from './reader.ts'
import { scan } from './scan.ts'
import { after, below, digestSql, literal, positionSql, qualified, quote } from './sql.ts'
import { type CursorBound, type CursorState, parseCursor } from './state.ts'
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
  if (cursor === null) return { cursor, lookback }
  return { cursor, lookback, digest: await digest(reader, column, cursor, lookback) }
}

async function digest(
  { client, table }: StreamReader,
  column: SourceColumn,
  cursor: string,
  lookback: number,
): Promise<(string | null)[] | undefined> {
  const value = literal(column, cursor)
  const [row] = await client.query(digestSql(table, column, below(column, value, lookback), value))
  return row
}

/**
 * Reads what came after the saved bound, up to the frozen one. Rows without a cursor value are read
 * once, at the very first run. If other rows lie within the lookback of the saved bound than did when
 * it was taken, all that lie there come again: MySQL does not tell which transaction wrote a row.
 */
export async function* readIncremental(
  reader: StreamReader,
  saved: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  const column = cursorOf(reader)
  let state: CursorState = parseCursor(saved, column.name) ?? emptyState(column)
  const upper =
    (reader.configured.upperBound as CursorBound | undefined) ?? (await freezeIncremental(reader))

  if (!state.nulls) {
    const where = [`${quote(column.name)} IS NULL`]
    for await (const { batch } of scan(reader, { where, keys: keysetOf(reader.table) ?? [] })) {
      yield { type: 'batch', batch }
    }
    state = { ...state, nulls: true }
    yield stateEvent(reader, state)
  }
  if (state.window) {
    const interrupted = state.window
    yield* readWindow(reader, column, state, interrupted.upper, interrupted.position)
    state = completed(state, interrupted.upper)
    yield stateEvent(reader, state)
    if (JSON.stringify(interrupted.upper) === JSON.stringify(upper)) return
  }
  if (upper.cursor === null) return
  yield* readWindow(reader, column, state, upper)
  yield stateEvent(reader, completed(state, upper))
}

async function* readWindow(
  reader: StreamReader,
  column: SourceColumn,
  state: CursorState,
  upper: CursorBound,
  from?: KeyPosition,
): AsyncGenerator<ReadEvent> {
  if (upper.cursor === null) return
  const keys = cursorKeys(reader.table, column)
  const names = keys.map(({ name }) => name)
  const due = checkpoints(reader.config)
  const where = [
    from ? resumed(keys, from) : await lowerSql(reader, column, state),
    `${quote(column.name)} <= ${literal(column, upper.cursor)}`,
  ]
  for await (const scanned of scan(reader, { where, keys })) {
    yield { type: 'batch', batch: scanned.batch }
    // With the cursor alone, rows of equal cursor could lie on both sides: no position to resume from.
    if (keys.length === 1 && !reader.table.key.includes(column.name)) continue
    if (!due(scanned)) continue
    const position: KeyPosition = { keys: names, values: scanned.position }
    yield stateEvent(reader, { ...state, window: { upper, position } })
  }
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
  { cursor, lookback = 0, digest: known }: CursorState,
): Promise<string | undefined> {
  if (cursor === undefined || cursor === null) return undefined
  const c = quote(column.name)
  const value = literal(column, cursor)
  const now = known && (await digest(reader, column, cursor, lookback))
  return now && JSON.stringify(now) === JSON.stringify(known)
    ? `${c} > ${value}`
    : `${c} >= ${below(column, value, lookback)}`
}

const emptyState = (column: SourceColumn): CursorState => ({
  v: 1,
  type: 'cursor',
  cursor_field: [column.name],
})

function completed({ cursor_field }: CursorState, upper: CursorBound): CursorState {
  return { v: 1, type: 'cursor', cursor_field, ...upper, nulls: true }
}

/** With the fields of Airbyte's own cursor state, so that its tools read it. */
function stateEvent({ key, table }: StreamReader, state: CursorState): ReadEvent {
  const airbyte = { stream_name: table.name, stream_namespace: table.schema }
  return { type: 'state', stream: key, state: { ...asState(state), ...airbyte } }
}
