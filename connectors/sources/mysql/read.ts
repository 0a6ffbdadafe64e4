import {
  type ConfiguredStream,
  type JsonValue,
  type ReadEvent,
  type StreamKey,
  type StreamState,
  streamKey,
} from '../../../src/protocol/index.ts'
import type { ConnectorContext, ReadState } from '../../../src/runtime/contract.ts'
import { freezeByRoad, isFollowed } from '../../../src/runtime/database/freeze-by-road.ts'
import { freezeStreams } from '../../../src/runtime/database/freeze-streams.ts'
import { readStreams } from '../../../src/runtime/database/read-streams.ts'
import { mapMysqlError } from '../../../src/runtime/mysql/errors.ts'
import { qualified } from '../../../src/runtime/mysql/sql.ts'
import { withCdcColumns } from './cdc/columns.ts'
import { cdcOf } from './cdc/config.ts'
import { freezeChanges, readChanges } from './cdc/read.ts'
import type { SourceConfig } from './config.ts'
import { freezeFullRefresh, readFullRefresh } from './full-refresh.ts'
import { freezeIncremental, readIncremental } from './incremental.ts'
import { openReader, type StreamInput } from './reader.ts'
import { connectSource, withSource } from './session.ts'
import type { SourceTable } from './tables.ts'

/** A full refresh from a source with a log has the log's columns, and no place in it. */
const unordered = (config: SourceConfig) => (table: SourceTable) =>
  cdcOf(config) ? withCdcColumns(table, undefined) : table

const usesLog = (config: SourceConfig) => cdcOf(config) !== undefined

/** Upper bounds of these streams as of now. A stream that fails here fails with its reason in `read`. */
export const freeze = (
  ctx: ConnectorContext,
  config: SourceConfig,
  streams: ConfiguredStream[],
  state: ReadState,
): Promise<Map<StreamKey, JsonValue>> =>
  freezeByRoad(streams, usesLog(config), {
    fromLog: (followed) => freezeChanges(ctx, config, followed, state),
    fromTables: (others) => freezeReads(ctx, config, others),
  })

const freezeReads = (ctx: ConnectorContext, config: SourceConfig, streams: ConfiguredStream[]) =>
  withSource(ctx, config, (client) =>
    freezeStreams(ctx, streams, {
      bound: async (configured) => {
        const reader = await openReader({ ctx, client, config, configured }, unordered(config))
        return configured.syncMode === 'incremental'
          ? freezeIncremental(reader)
          : freezeFullRefresh(reader)
      },
      failure: (error, configured) => mapMysqlError(error, placeOf(config, configured)),
    }),
  )

/** Reads the streams one after the other over one connection. */
export async function* read(
  ctx: ConnectorContext,
  config: SourceConfig,
  streams: ConfiguredStream[],
  state: ReadState,
): AsyncGenerator<ReadEvent> {
  const client = await connectSource(ctx, config)
  try {
    yield* readStreams(ctx, streams, {
      events: (configured) =>
        readEvents(
          { ctx, client, config, configured },
          state.streams.get(streamKey(configured.stream)),
        ),
      failure: (error, configured) => mapMysqlError(error, placeOf(config, configured)),
    })
  } finally {
    await client.close()
  }
}

async function* readEvents(
  input: StreamInput,
  saved: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  const { config, configured } = input
  if (isFollowed(usesLog(config), configured)) {
    yield* readChanges(input, saved)
    return
  }
  const reader = await openReader(input, unordered(config))
  const incremental = configured.syncMode === 'incremental'
  const { rows } = reader.table
  if (!incremental && !configured.range && rows !== null)
    yield { type: 'estimate', stream: reader.key, rows }
  yield* incremental ? readIncremental(reader, saved) : readFullRefresh(reader, saved)
}

function placeOf(config: SourceConfig, { stream }: ConfiguredStream) {
  const { host, username, database } = config
  const right = `SELECT ON ${qualified({ schema: stream.namespace ?? database, name: stream.name })}`
  return { host, username, stream: streamKey(stream), right }
}
