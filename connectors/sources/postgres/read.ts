import type pg from 'pg'
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
import { closePostgres } from '../../../src/runtime/postgres/client.ts'
import { mapPostgresError } from '../../../src/runtime/postgres/errors.ts'
import { letAllBeRead } from '../../../src/runtime/postgres/row-security.ts'
import { withCdcColumns } from './cdc/columns.ts'
import { cdcOf } from './cdc/config.ts'
import { freezeChanges } from './cdc/freeze.ts'
import { readChanges } from './cdc/read.ts'
import type { SourceConfig } from './config.ts'
import { freezeFullRefresh, readFullRefresh } from './full-refresh.ts'
import { freezeIncremental, readIncremental } from './incremental.ts'
import { openReader, placeOf, type StreamReader } from './reader.ts'
import type { Relation } from './relations.ts'
import { closing, connectSource } from './session.ts'
import { quote } from './sql.ts'

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

const freezeReads = async (
  ctx: ConnectorContext,
  config: SourceConfig,
  streams: ConfiguredStream[],
) =>
  closing(await connectSource(ctx, config), (client) =>
    freezeStreams(ctx, streams, {
      bound: async (configured) => {
        const reader = await openReader(ctx, client, config, configured, unordered(config))
        warnOfHiddenRows(reader)
        return configured.syncMode === 'incremental'
          ? freezeIncremental(reader)
          : freezeFullRefresh(reader)
      },
      failure: (error, configured) => mapPostgresError(error, placeOf(config, configured)),
    }),
  )

/** Who is meant to see some rows only gets those; who is not is told. */
function warnOfHiddenRows({ ctx, relation, key, config }: StreamReader): void {
  if (!relation.keepsRows) return
  const [place, role] = [
    `${quote(relation.schema)}.${quote(relation.name)}`,
    quote(config.username),
  ]
  ctx.log(
    'warn',
    `Row-level security keeps rows of ${key} from ${role}: what it does not let be read does not arrive. ${letAllBeRead(place, role)}`,
  )
}

/** A full refresh from a source with a log has the log's columns, and no place in it. */
const unordered = (config: SourceConfig) => (relation: Relation) =>
  cdcOf(config) ? withCdcColumns(relation, undefined) : relation

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
          ctx,
          client,
          config,
          configured,
          state.streams.get(streamKey(configured.stream)),
        ),
      failure: (error, configured) => mapPostgresError(error, placeOf(config, configured)),
    })
  } finally {
    await closePostgres(client)
  }
}

async function* readEvents(
  ctx: ConnectorContext,
  client: pg.Client,
  config: SourceConfig,
  configured: ConfiguredStream,
  saved: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  if (isFollowed(usesLog(config), configured)) {
    yield* readChanges({ ctx, client, config, configured }, saved)
    return
  }
  const reader = await openReader(ctx, client, config, configured, unordered(config))
  const incremental = configured.syncMode === 'incremental'
  const { rows } = reader.relation
  if (!incremental && !configured.range && rows !== null)
    yield { type: 'estimate', stream: reader.key, rows }
  yield* incremental ? readIncremental(reader, saved) : readFullRefresh(reader, saved)
}
