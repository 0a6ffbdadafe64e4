import type { CursorBound as AnyBound } from '../../../src/runtime/database/cursor-state.ts'

/** What a cursor column held at one moment. */
export interface CursorBound extends AnyBound {
  /** Which rows were there from `cursor` less `lookback` on: number, and two sums over their keys. */
  digest?: (string | null)[]
  /** Which rows have no cursor value, in the same way; of streams whose rows are merged. */
  nullRows?: (string | null)[]
}
