import type { Batch, ReadEvent, StreamKey, StreamState } from '../../protocol/index.ts'
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
  /** Rows without a cursor value. */
  scanNulls(): AsyncIterable<{ batch: Batch }>
  /** Rows after the lower bound (empty: from the first one) or after `from`, up to the upper bound. */
  scanWindow(lower: Partial<B>, upper: B, from: P | undefined): AsyncIterable<Scanned>
  /** Where a read may go on after this batch; undefined: nowhere within it. */
  positionOf(scanned: Scanned): P | undefined
}

/**
 * Reads what came after the saved bound, up to the frozen one. Rows without a cursor value are read
 * once, at the very first run. A window that was interrupted is finished with its own bounds before
 * the next one begins: rows that its upper bound had left for later are found then.
 */
export async function* readByCursor<B extends CursorBound, P extends KeyPosition>(
  read: CursorRead<B, P>,
): AsyncGenerator<ReadEvent> {
  let state = parseCursor<B, P>(read.saved, read.cursorField)
  const upper = await read.upper()
  if (!state.nulls) {
    for await (const { batch } of read.scanNulls()) yield { type: 'batch', batch }
    state = { ...state, nulls: true }
    yield stateEvent(read, state)
  }
  if (state.window) {
    const interrupted = state.window
    yield* readWindow(read, state, interrupted.upper, interrupted.position)
    state = completed(state, interrupted.upper)
    yield stateEvent(read, state)
    if (JSON.stringify(interrupted.upper) === JSON.stringify(upper)) return
  }
  if (upper.cursor === null) return
  yield* readWindow(read, state, upper)
  yield stateEvent(read, completed(state, upper))
}

async function* readWindow<B extends CursorBound, P extends KeyPosition>(
  read: CursorRead<B, P>,
  state: CursorState<B, P>,
  upper: B,
  from?: P,
): AsyncGenerator<ReadEvent> {
  const due = checkpoints(read)
  for await (const scanned of read.scanWindow(state, upper, from)) {
    yield { type: 'batch', batch: scanned.batch }
    const position = read.positionOf(scanned)
    if (!position || !due(scanned)) continue
    yield stateEvent(read, { ...state, window: { upper, position } })
  }
}

function completed<B extends CursorBound, P extends KeyPosition>(
  { cursor_field }: CursorState<B, P>,
  upper: B,
): CursorState<B, P> {
  return { v: 1, type: 'cursor', cursor_field, ...upper, nulls: true }
}

/** With the fields of Airbyte's own cursor state, so that its tools read it. */
function stateEvent<B extends CursorBound, P extends KeyPosition>(
  { stream, table }: CursorRead<B, P>,
  state: CursorState<B, P>,
): ReadEvent {
  const airbyte = { stream_name: table.name, stream_namespace: table.schema }
  return { type: 'state', stream, state: { ...asState(state), ...airbyte } }
}
