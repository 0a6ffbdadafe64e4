import type { ReadEvent, StreamState } from '../../../src/protocol/index.ts'
import { checkpoints } from '../../../src/runtime/database/checkpoints.ts'
import { cursorColumn } from '../../../src/runtime/database/columns.ts'
import { asState } from '../../../src/runtime/database/keyset.ts'
import { cursorKeys, keysetOf, type StreamReader } from './reader.ts'
import type { RelationColumn } from './relations.ts'
import { scan } from './scan.ts'
import { boundOf, boundSql, columnSql, compareRow, type OrderKey, windowSql } from './sql.ts'
import {
  type CursorBound,
  type CursorState,
  lowerBound,
  type Position,
  parseCursor,
} from './state.ts'

export async function freezeIncremental(reader: StreamReader): Promise<CursorBound> {
  const lookback = reader.configured.lookbackSeconds ?? 0
  const sql = boundSql(reader.relation, cursorOf(reader), lookback)
  const { rows } = await reader.client.query(sql)
  return boundOf(rows[0], lookback)
}

/**
 * Reads what came after the saved bound, up to the frozen one. Rows without a cursor value are read
 * once, at the very first run. A window that was interrupted is finished with its own bounds before
 * the next one begins: rows that its upper bound had left for later are found then.
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
    yield* readNulls(reader, column)
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

async function* readNulls(reader: StreamReader, column: RelationColumn): AsyncGenerator<ReadEvent> {
  const where = [`${columnSql(column.name)} IS NULL`]
  for await (const { batch } of scan(reader, { where, keys: keysetOf(reader.relation) ?? [] })) {
    yield { type: 'batch', batch }
  }
}

async function* readWindow(
  reader: StreamReader,
  column: RelationColumn,
  state: CursorState,
  upper: CursorBound,
  from?: Position,
): AsyncGenerator<ReadEvent> {
  const keys = cursorKeys(reader.relation, column)
  const names = keys.map(({ name }) => name)
  const byAddress = names.includes('ctid')
  const { filenode } = reader.relation
  const due = checkpoints(reader.config)
  const where = [windowSql(column, lowerBound(state), upper), from && after(reader, keys, from)]
  for await (const scanned of scan(reader, { where, keys })) {
    yield { type: 'batch', batch: scanned.batch }
    // With the cursor alone, rows of equal cursor could lie on both sides: no position to resume from.
    if (keys.length === 1 && !reader.relation.key.includes(column.name)) continue
    if (!due(scanned)) continue
    const position: Position = {
      keys: names,
      values: scanned.position,
      ...(byAddress && filenode ? { filenode } : {}),
    }
    yield stateEvent(reader, { ...state, window: { upper, position } })
  }
}

/** Where the key changed or the table was rewritten meanwhile, rows of the last cursor value come again. */
function after({ relation }: StreamReader, keys: OrderKey[], from: Position): string {
  const sameKeys = from.keys.join('\0') === keys.map(({ name }) => name).join('\0')
  const sameAddresses = from.filenode === undefined || from.filenode === relation.filenode
  return sameKeys && sameAddresses
    ? compareRow(keys, '>', from.values)
    : compareRow(keys.slice(0, 1), '>=', from.values)
}

const cursorOf = ({ relation, configured }: StreamReader) =>
  cursorColumn(relation.columns, configured.cursorField)

const emptyState = (column: RelationColumn): CursorState => ({
  v: 1,
  type: 'cursor',
  cursor_field: [column.name],
})

function completed({ cursor_field }: CursorState, upper: CursorBound): CursorState {
  return { v: 1, type: 'cursor', cursor_field, ...upper, nulls: true }
}

/** With the fields of Airbyte's own cursor state, so that its tools read it. */
function stateEvent({ key, relation }: StreamReader, state: CursorState): ReadEvent {
  const airbyte = { stream_name: relation.name, stream_namespace: relation.schema }
  return { type: 'state', stream: key, state: { ...asState(state), ...airbyte } }
}
