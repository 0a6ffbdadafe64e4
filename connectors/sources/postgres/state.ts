import type { CursorBound as AnyBound } from '../../../src/runtime/database/cursor-state.ts'
import type { ByKey, KeyPosition } from '../../../src/runtime/database/keyset.ts'

/** What a cursor column held, and which transactions were done, at one moment. */
export interface CursorBound extends AnyBound {
  /**
   * Every transaction below this id had ended. Rows within `lookback` of the cursor written by later
   * ones count as seen only if theirs is in `seen`. Absent where rows have no transaction id (views).
   */
  horizon?: string
  seen?: string[]
  /** The same of rows without a cursor value. */
  nullRows?: Moment
  /** Whose transaction ids these are; absent where the user may not know, and of views. */
  server?: string
}

/** Which transactions were done: all below the horizon, and of those from it on these. */
export interface Moment {
  horizon: string
  seen: string[]
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
      /** Whose file that is; absent where the user may not know. */
      server?: string
      block: number
      done?: boolean
    }
  | { v: 1; type: 'full_refresh'; by: 'whole'; done: boolean }

/** The bound up to which a cursor state is complete. */
export function lowerBound(state: Partial<CursorBound>): CursorBound | undefined {
  if (state.cursor === undefined || state.cursor === null) return undefined
  const { cursor, lookback = 0, horizon, seen } = state
  return { cursor, lookback, horizon, seen }
}
