import {
  AirbyteError,
  type JsonObject,
  type StreamKey,
  type StreamState,
} from '../../protocol/index.ts'

/** How far a stream is: first its rows as they are in the table, then its changes. */
export interface CdcState {
  v: 1
  type: 'cdc'
  /** The log that `segment` counts in. */
  log: string
  /** The segment up to which the changes are read. */
  segment: number
  /** Batches of the next segment that are read already. */
  skip?: number
  /** Where that is in the log; for people, and to tell whether a bound is reached. */
  position: JsonObject
  /** Place that rows of the snapshot bear. */
  since: string
  /** How far the snapshot is; absent: it is done. */
  snapshot?: { state?: StreamState }
  /** The stream is right from here on: the end of the log when the snapshot was done. */
  rightFrom?: string
}

/** What a sync froze of the log for a stream. */
export interface CdcBound {
  type: 'cdc'
  log: string
  /** The log as it is staged. */
  segment: number
  position: JsonObject
  /** The end of the log, as the database prints it. */
  end: string
  /** Place that rows of a snapshot bear which begins now. */
  since: string
  /** Of the snapshot, where there is one to read. */
  snapshot?: JsonObject
  /** Which table is followed, by its id; absent: it is known by its name alone. */
  table?: number
  /** Why the stream cannot be read. */
  error?: JsonObject
}

/** Throws STATE_INVALID or CDC_POSITION_LOST. */
export function parseCdcState(
  saved: StreamState | undefined,
  { log, segment, position, since }: CdcBound,
  stream: StreamKey,
): CdcState {
  if (!saved) return { v: 1, type: 'cdc', log, segment, position, since, snapshot: {} }
  if (saved.type !== 'cdc' || saved.v !== 1) {
    throw new AirbyteError('STATE_INVALID', `The saved state of ${stream} is not one of a log.`, {
      stream,
      hint: 'Refresh the stream: it is read again from the start, and followed in the log then.',
    })
  }
  const state = saved as unknown as CdcState
  if (state.log === log) return state
  throw new AirbyteError('CDC_POSITION_LOST', `${stream} was followed in a log that is gone.`, {
    stream,
    hint: 'The log began anew since. Refresh the stream: it is read again from the start.',
  })
}
