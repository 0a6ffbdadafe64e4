import type { StreamState } from '../../../src/protocol/index.ts'
import { savedCursor } from '../../../src/runtime/database/cursor-state.ts'
import type { KeyPosition } from '../../../src/runtime/database/keyset.ts'

/** What a cursor column held at one moment. */
export interface CursorBound {
  /** Largest value, as text; null: the column had none. */
  cursor: string | null
  /** Seconds (or units) below `cursor` that are watched for late commits. */
  lookback: number
  /** Which rows were there from `cursor` less `lookback` on: number, and two sums over their keys. */
  digest?: (string | null)[]
}

export interface CursorState extends Partial<CursorBound> {
  v: 1
  type: 'cursor'
  cursor_field: [string]
  /** True once the rows without a cursor value are read. */
  nulls?: boolean
  /** The window in progress. */
  window?: { upper: CursorBound; position: KeyPosition }
}

/** Also takes Airbyte's own cursor state, whose last value is then read again: it has no digest. */
export function parseCursor(
  state: StreamState | undefined,
  cursorField: string,
): CursorState | undefined {
  const saved = savedCursor<CursorState>(state, cursorField)
  if (!saved || saved.v === 1) return saved
  return { v: 1, type: 'cursor', cursor_field: [cursorField], cursor: saved.cursor, nulls: true }
}
