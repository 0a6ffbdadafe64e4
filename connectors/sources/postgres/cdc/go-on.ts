import type pg from 'pg'
import {
  type FollowedTable,
  nameOf,
  type PublishedTable,
  UNTOLD,
  untoldTables,
} from '../../../../src/cdc/postgres/index.ts'
import { type AirbyteError, type StreamKey, streamKey } from '../../../../src/protocol/index.ts'
import type { LogPlace, LogStream, PreparedLog } from '../../../../src/runtime/source-log.ts'
import { setupOf } from './setup.ts'

export interface Followed {
  /** New ones, and those whose changes since the last look are all in the log. */
  tables: PublishedTable[]
  /** What is remembered of those that cannot be gone on with: it holds until they are refreshed. */
  left: FollowedTable[]
  failed: PreparedLog['failed']
}

/**
 * Which of the tables can be gone on with from where the log was left.
 *
 * @param usable.unfit of which the log does not tell every change as they are now
 */
export async function goOn(
  client: pg.Client,
  kept: LogPlace | null,
  streams: LogStream[],
  { tables, unfit }: { tables: PublishedTable[]; unfit: ReadonlySet<StreamKey> },
): Promise<Followed> {
  if (!kept) return { tables, left: [], failed: [] }
  const setup = setupOf(kept)
  const goesOn = new Set(
    streams.filter((s) => s.loaded !== undefined).map((s) => streamKey(s.stream)),
  )
  const before = setup.tables.filter((table) => goesOn.has(nameOf(table)))
  const untold = await untoldTables(client, setup.publications, before)
  const usable = tables.filter((table) => !untold.has(nameOf(table)))
  const names = new Set(usable.map(nameOf))
  return {
    tables: usable,
    left: before
      .filter((table) => !names.has(nameOf(table)))
      .map((table) => (unfit.has(nameOf(table)) ? { ...table, incarnation: UNTOLD } : table)),
    failed: tables.flatMap((table) => {
      const error = untold.get(nameOf(table))
      return error ? failure(error, nameOf(table)) : []
    }),
  }
}

export const failure = (error: AirbyteError, stream: StreamKey) => ({
  stream,
  error: error.toJSON(),
})
