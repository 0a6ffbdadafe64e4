import { AirbyteError, type StreamState } from '../../protocol/index.ts'

/** A cursor state in the form of Airbyte's own connector: the last value, and nothing of its ties. */
export interface ForeignCursor {
  v?: undefined
  cursor: string
}

/**
 * The saved state of a stream that follows `cursorField`: ours (`v: 1`), or Airbyte's. Throws
 * STATE_INVALID if it is of another mode, cursor or connector.
 */
export function savedCursor<S extends { v: 1; type: 'cursor' }>(
  state: StreamState | undefined,
  cursorField: string,
): S | ForeignCursor | undefined {
  if (!state) return undefined
  const [saved] = (state.cursor_field as string[] | undefined) ?? []
  if (saved !== cursorField) {
    throw stateInvalid(
      `It was made with cursor '${saved}', the stream is configured for '${cursorField}'.`,
    )
  }
  if (state.v === 1 && state.type === 'cursor') return state as unknown as S
  if (state.v === undefined && typeof state.cursor === 'string') return { cursor: state.cursor }
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
