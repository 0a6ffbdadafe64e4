import {
  type Batch,
  type ReadEvent,
  rowsOf,
  type StreamKey,
  type StreamState,
} from '../../protocol/index.ts'
import { checkpoints, type Scanned } from './checkpoints.ts'
import { type CursorBound, type CursorState, parseCursor } from './cursor-state.ts'
import { asState, type KeyPosition } from './keyset.ts'

export interface CursorRead<B extends CursorBound, P extends KeyPosition> {
  stream: StreamKey
  table: { name: string; schema: string }
  cursorField: string
  saved: StreamState | undefined
  /** What this read does not go beyond. */
  upper(): Promise<B> | B
  checkpoint_rows?: number
  /**
   * Rows without a cursor value, up to the upper bound: all at the first run, then those that came
   * after the lower one. Where these cannot be told, all of them if they are merged, else none.
   */
  scanNulls(state: CursorState<B, P>, upper: B): AsyncIterable<{ batch: Batch }>
  /** Rows after the lower bound (empty: from the first one) or after `from`, up to the upper bound. */
  scanWindow(lower: Partial<B>, upper: B, from: P | undefined): AsyncIterable<Scanned>
  /** Where a read may go on after this batch; undefined: nowhere within it. */
  positionOf(scanned: Scanned): P | undefined
}

/**
 * Reads what came after the saved bound, up to the frozen one, rows without a cursor value first. A
 * window that was interrupted is finished with its own bounds before the next one begins: rows that its
 * upper bound had left for later are found then.
 */
export async function* readByCursor<B extends CursorBound, P extends KeyPosition>(
  read: CursorRead<B, P>,
): AsyncGenerator<ReadEvent> {
  let state = parseCursor<B, P>(read.saved, read.cursorField)
  const upper = await read.upper()
  if (state.window) {
    const interrupted = state.window
    yield* readWindow(read, state, interrupted.upper, interrupted.position)
    state = completed(state, interrupted.upper)
    yield stateEvent(read, state)
    if (JSON.stringify(interrupted.upper) === JSON.stringify(upper)) return
  }
  state = yield* readNulls(read, state, upper)
  yield* readWindow(read, state, upper)
  yield stateEvent(read, completed(state, upper))
}

/** Returns the state behind the rows without a cursor value. */
async function* readNulls<B extends CursorBound, P extends KeyPosition>(
  read: CursorRead<B, P>,
  state: CursorState<B, P>,
  upper: B,
): AsyncGenerator<ReadEvent, CursorState<B, P>> {
  let rows = 0
  for await (const { batch } of read.scanNulls(state, upper)) {
    rows += rowsOf(batch)
    yield { type: 'batch', batch }
  }
  const { nullCount } = upper
  const after = { ...state, nulls: true }
  // A state from before these were counted: what was left out by then is not known.
  if (nullCount !== undefined) after.nullsRead ??= state.nulls ? nullCount : rows
  if (nullCount !== undefined && nullCount > (after.nullsRead ?? 0)) {
    yield unreadNulls(read, nullCount, after.nullsRead ?? 0)
  }
  if (rows > 0) yield stateEvent(read, { ...after, window: { upper } })
  return after
}

function unreadNulls<B extends CursorBound, P extends KeyPosition>(
  { stream, cursorField }: CursorRead<B, P>,
  count: number,
  known: number,
): ReadEvent {
  const message = `In ${stream}, ${count} rows have no value in the cursor '${cursorField}'. Those of the first sync were read (${known}); what came later without one is not, since appending would double the others. Merge the stream by key, or take a cursor that is never null.`
  return { type: 'log', stream, level: 'warn', message, warning: 'ROWS_WITHOUT_CURSOR' }
}

async function* readWindow<B extends CursorBound, P extends KeyPosition>(
  read: CursorRead<B, P>,
  state: CursorState<B, P>,
  upper: B,
  from?: P,
): AsyncGenerator<ReadEvent> {
  if (upper.cursor === null) return
  const due = checkpoints(read)
  for await (const scanned of read.scanWindow(state, upper, from)) {
    yield { type: 'batch', batch: scanned.batch }
    const position = read.positionOf(scanned)
    if (!position || !due(scanned)) continue
    yield stateEvent(read, { ...state, window: { upper, position } })
  }
}

function completed<B extends CursorBound, P extends KeyPosition>(
  { cursor_field, nullsRead }: CursorState<B, P>,
  { nullCount: _, ...upper }: B,
): CursorState<B, P> {
  const known = nullsRead === undefined ? {} : { nullsRead }
  return { v: 1, type: 'cursor', cursor_field, ...upper, nulls: true, ...known } as CursorState<
    B,
    P
  >
}

/** With the fields of Airbyte's own cursor state, so that its tools read it. */
function stateEvent<B extends CursorBound, P extends KeyPosition>(
  { stream, table }: CursorRead<B, P>,
  state: CursorState<B, P>,
): ReadEvent {
  const airbyte = { stream_name: table.name, stream_namespace: table.schema }
  return { type: 'state', stream, state: { ...asState(state), ...airbyte } }
}
