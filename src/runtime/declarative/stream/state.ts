import {
  AirbyteError,
  isObject,
  type JsonObject,
  plainState,
  type StreamState,
} from '../../../protocol/index.ts'

/** A stream's state as this runtime saves it. */
export interface SavedState {
  v: 1
  /** The state in the CDK's own format, complete for everything before the open slice. */
  airbyte: JsonObject
  /** Where an unfinished read stands. */
  at?: JsonObject
  /** The stream was read to its end. */
  done?: boolean
  /** @see ChangeOrder */
  newestFirst?: JsonObject
}

/** What the CDK writes for a stream without a cursor. */
export const NO_CURSOR: JsonObject = { __ab_no_cursor_state_message: true }

/** A state of Airbyte's, so that a connection can be moved here. */
export const fromAirbyteState = (airbyte: JsonObject): SavedState => ({ v: 1, airbyte })

/**
 * The state in the format of Airbyte's CDK. An unfinished slice is read again from its start there.
 *
 * @example
 * toAirbyteState(event.state) // { updated_at: '2026-01-01T00:00:00Z' }
 */
export function toAirbyteState(state: StreamState): JsonObject {
  return plainState(parseState(state).airbyte)
}

/**
 * A saved state, ours or the CDK's.
 *
 * @throws STATE_INVALID for one of a later version
 */
export function parseState(state: StreamState | undefined): SavedState {
  if (!state) return fromAirbyteState({})
  if (state.v === undefined || !isObject(state.airbyte)) return fromAirbyteState(state)
  if (state.v !== 1) {
    throw new AirbyteError('STATE_INVALID', `The state has version ${state.v}, which is not known.`)
  }
  return state as unknown as SavedState
}
