import {
  AirbyteError,
  type JsonObject,
  type ReadEvent,
  type StreamKey,
  type StreamState,
} from '../../protocol/index.ts'
import type { Scanned } from './checkpoints.ts'

/** A stretch of rows being read in the order of `keys`; rows up to `position` are done. */
export interface KeyPosition {
  keys: string[]
  values: string[]
}

export interface ByKey {
  v: 1
  type: 'full_refresh'
  by: 'key'
  position?: KeyPosition
  done?: boolean
}

export interface KeysetRead {
  stream: StreamKey
  /** Names of the key's columns, in key order. */
  keys: string[]
  /** Largest key as it was frozen; null: the table was empty. */
  upper: string[] | null
  saved: ByKey | undefined
  /** Rows of one statement at most. */
  limit: number
  due(scanned: Scanned): boolean
  /** Rows after this position (absent: from the first one) and up to `upper`, in key order. */
  scan(position: string[] | undefined, limit: number): AsyncIterable<Scanned>
}

/**
 * A table by ranges of its key, statement after statement, so that none holds back the server's
 * clean-up of old row versions for long.
 */
export async function* readByKeyset({
  stream,
  keys,
  upper,
  saved,
  limit,
  due,
  scan,
}: KeysetRead): AsyncGenerator<ReadEvent> {
  if (saved?.position && saved.position.keys.join('\0') !== keys.join('\0')) {
    throw positionLost('its primary key changed')
  }
  let position = saved?.position?.values
  const stateEvent = (done?: true): ReadEvent => ({
    type: 'state',
    stream,
    state: asState({
      v: 1,
      type: 'full_refresh',
      by: 'key',
      ...(position ? { position: { keys, values: position } } : {}),
      ...(done ? { done } : {}),
    }),
  })
  for (let rows = limit; upper && rows === limit; ) {
    rows = 0
    for await (const scanned of scan(position, limit)) {
      yield { type: 'batch', batch: scanned.batch }
      rows += scanned.rows
      position = scanned.position
      if (due(scanned)) yield stateEvent()
    }
  }
  yield stateEvent(true)
}

/** Rows per statement: so many bytes of table, as its average row goes. */
export function rowsPerStatement(rowBytes: number | undefined, chunkBytes: number): number {
  const fitting = Math.floor(chunkBytes / (rowBytes || 200))
  return Math.min(Math.max(fitting, 1000), 1_000_000)
}

export const positionLost = (why: string) =>
  new AirbyteError('STATE_INVALID', `The full refresh cannot go on where it stopped: ${why}.`, {
    hint: 'Refresh the stream: it is read again from the start.',
  })

/** A state as JSON: fields that are undefined are not there. */
export const asState = (state: object): StreamState =>
  JSON.parse(JSON.stringify(state)) as JsonObject
