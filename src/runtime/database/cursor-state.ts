import { AirbyteError, type StreamState } from '../../protocol/index.ts'
import type { KeyPosition } from './keyset.ts'

/** What a cursor column held at one moment. Databases add what tells rows that were committed late. */
export interface CursorBound {
  /** Largest value, as text; null: the column had none. */
  cursor: string | null
  /** Seconds (or units) below `cursor` that are watched for late commits. */
  lookback: number
  /** How many rows have none, where a later run cannot tell which of them an earlier one has read. */
  nullCount?: number
}

/** Everything up to the bound is read; without one, nothing yet. */
export type CursorState<B extends CursorBound, P extends KeyPosition> = Partial<B> & {
  v: 1
  type: 'cursor'
  cursor_field: [string]
  /** True once the rows without a cursor value are read. */
  nulls?: boolean
  /** How many of them were read, where rows are appended and those that come later cannot be told. */
  nullsRead?: number
  /** The window in progress: its rows without a cursor value are read; without a position, no other. */
  window?: { upper: B; position?: P }
}

/**
 * The state of a stream that follows `cursorField`: ours (`v: 1`), a new one if none is saved, or
 * Airbyte's own, whose last value is then read again: it knows nothing of its ties. Throws
 * STATE_INVALID if it is of another mode, cursor or connector.
 */
export function parseCursor<B extends CursorBound, P extends KeyPosition>(
  state: StreamState | undefined,
  cursorField: string,
): CursorState<B, P> {
  const own = { v: 1, type: 'cursor', cursor_field: [cursorField] }
  if (!state) return own as CursorState<B, P>
  const [saved] = (state.cursor_field as string[] | undefined) ?? []
  if (saved !== cursorField) {
    throw stateInvalid(
      `It was made with cursor '${saved}', the stream is configured for '${cursorField}'.`,
    )
  }
  if (state.v === 1 && state.type === 'cursor') return state as unknown as CursorState<B, P>
  if (state.v === undefined && typeof state.cursor === 'string') {
    return { ...own, cursor: state.cursor, nulls: true } as unknown as CursorState<B, P>
  }
  throw stateInvalid('It does not belong to a cursor.')
}

/** The saved state of a full refresh. Throws STATE_INVALID if it is of another mode. */
export function savedFullRefresh<S>(state: StreamState | undefined): S | undefined {
  if (!state) return undefined
  if (state.v === 1 && state.type === 'full_refresh') return state as unknown as S
  throw stateInvalid('It does not belong to a full refresh.')
}

const stateInvalid = (why: string) =>
  new AirbyteError('STATE_INVALID', `The saved state does not fit this stream. ${why}`)
