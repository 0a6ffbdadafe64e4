import type { StreamState } from '../../../src/protocol/index.ts'
import { savedCursor } from '../../../src/runtime/database/cursor-state.ts'
import type { ByKey, KeyPosition } from '../../../src/runtime/database/keyset.ts'

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

/** Where a window stopped. */
export interface Position extends KeyPosition {
  /** Of the table when `keys` holds its row address. */
  filenode?: string
}

export type FullRefreshState =
  | ByKey
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

/** Also takes Airbyte's own cursor state, whose last value is then read again: it has no horizon. */
export function parseCursor(
  state: StreamState | undefined,
  cursorField: string,
): CursorState | undefined {
  const saved = savedCursor<CursorState>(state, cursorField)
  if (!saved || saved.v === 1) return saved
  return { v: 1, type: 'cursor', cursor_field: [cursorField], cursor: saved.cursor, nulls: true }
}

/** The bound up to which a cursor state is complete. */
export function lowerBound(state: CursorState | undefined): CursorBound | undefined {
  if (state?.cursor === undefined || state.cursor === null) return undefined
  const { cursor, lookback = 0, horizon, seen } = state
  return { cursor, lookback, horizon, seen }
}
