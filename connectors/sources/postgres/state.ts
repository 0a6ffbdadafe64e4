import { AirbyteError, type JsonObject, type StreamState } from '../../../src/protocol/index.ts'

/** What a cursor column held, and which transactions were done, at one moment. */
export interface CursorBound {
  /** Largest value, as text; null: the column had none. */
  cursor: string | null
  /** Seconds (or units) below `cursor` that are watched for late commits. */
  lookback: number
  /**
   * Every transaction below this id had ended. Rows within `lookback` of the cursor written by later
   * ones count as seen only if theirs is in `seen`. Absent where rows have no transaction id (views).
   */
  horizon?: string
  seen?: string[]
}

/** A stretch of rows being read in the order of `keys`; rows up to `position` are done. */
export interface Position {
  keys: string[]
  values: string[]
  /** Of the table when `keys` holds its row address. */
  filenode?: string
}

export type FullRefreshState =
  | { v: 1; type: 'full_refresh'; by: 'key'; position?: Position; done?: boolean }
  | {
      v: 1
      type: 'full_refresh'
      by: 'ctid'
      filenode: string | null
      block: number
      done?: boolean
    }
  | { v: 1; type: 'full_refresh'; by: 'whole'; done: boolean }

export interface CursorState {
  v: 1
  type: 'cursor'
  cursor_field: [string]
  /** Everything up to this bound is read; absent: nothing yet. */
  cursor?: string | null
  lookback?: number
  horizon?: string
  seen?: string[]
  /** True once the rows without a cursor value are read. */
  nulls?: boolean
  /** The window in progress. */
  window?: { upper: CursorBound; position: Position }
}

export type PostgresState = FullRefreshState | CursorState

/** The saved state of a stream. Throws STATE_INVALID if it is of another mode, cursor or connector. */
export function parseFullRefresh(state: StreamState | undefined): FullRefreshState | undefined {
  if (!state) return undefined
  if (state.v === 1 && state.type === 'full_refresh') return state as unknown as FullRefreshState
  throw invalid('It does not belong to a full refresh.')
}

/** Also takes Airbyte's own cursor state, whose last value is then read again: it has no horizon. */
export function parseCursor(
  state: StreamState | undefined,
  cursorField: string,
): CursorState | undefined {
  if (!state) return undefined
  const [saved] = (state.cursor_field as string[] | undefined) ?? []
  if (saved !== cursorField) {
    throw invalid(
      `It was made with cursor '${saved}', the stream is configured for '${cursorField}'.`,
    )
  }
  if (state.v === 1 && state.type === 'cursor') return state as unknown as CursorState
  if (state.v === undefined && typeof state.cursor === 'string') {
    return { v: 1, type: 'cursor', cursor_field: [cursorField], cursor: state.cursor, nulls: true }
  }
  throw invalid('It does not belong to a cursor.')
}

const invalid = (why: string) =>
  new AirbyteError('STATE_INVALID', `The saved state does not fit this stream. ${why}`)

/** The bound up to which a cursor state is complete. */
export function lowerBound(state: CursorState | undefined): CursorBound | undefined {
  if (state?.cursor === undefined || state.cursor === null) return undefined
  const { cursor, lookback = 0, horizon, seen } = state
  return { cursor, lookback, horizon, seen }
}

export const asState = (state: PostgresState): StreamState =>
  JSON.parse(JSON.stringify(state)) as JsonObject
