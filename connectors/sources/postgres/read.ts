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
import { readStreams } from '../../../src/runtime/database/read-streams.ts'
import { closePostgres, connectPostgres } from '../../../src/runtime/postgres/client.ts'
import { mapPostgresError } from '../../../src/runtime/postgres/errors.ts'
import type { SourceConfig } from './config.ts'
import { freezeFullRefresh, readFullRefresh } from './full-refresh.ts'
import { freezeIncremental, readIncremental } from './incremental.ts'
import { openReader } from './reader.ts'
import { quote } from './sql.ts'

/**
 * A session for reading. Key order must come from the key's index, not from sorting the rest of the
 * table for every statement; pages are read in their own order, so that reading again gives the same.
 */
export async function connectSource(
  ctx: ConnectorContext,
  config: SourceConfig,
): Promise<pg.Client> {
  const client = await connectPostgres(ctx, config, {
    applicationName: 'airbyte source',
    session: {
      default_transaction_read_only: 'on',
      synchronize_seqscans: 'off',
      enable_sort: 'off',
    },
  })
  // Settings that not every version has. The planner's price of a disabled sort would set off the JIT.
  await client.query("SELECT set_config(name, 'off', false) FROM pg_settings WHERE name IN ('jit')")
  return client
}

/** Upper bounds of these streams as of now. A stream that fails here fails with its reason in `read`. */
export async function freeze(
  ctx: ConnectorContext,
  config: SourceConfig,
  streams: ConfiguredStream[],
): Promise<Map<StreamKey, JsonValue>> {
  const client = await connectSource(ctx, config)
  const bounds = new Map<StreamKey, JsonValue>()
  try {
    for (const configured of streams) {
      const key = streamKey(configured.stream)
      try {
        const reader = await openReader(ctx, client, config, configured)
        const bound = await (configured.syncMode === 'incremental'
          ? freezeIncremental(reader)
          : freezeFullRefresh(reader))
        bounds.set(key, JSON.parse(JSON.stringify(bound)) as JsonValue)
      } catch (error) {
        const known = mapPostgresError(error, placeOf(config, configured))
        if (known.kind === 'transient') throw known
        ctx.log('warn', `${key}: ${known.message}`)
      }
    }
  } finally {
    await closePostgres(client)
  }
  return bounds
}

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
  const reader = await openReader(ctx, client, config, configured)
  const incremental = configured.syncMode === 'incremental'
  const { rows } = reader.relation
  if (!incremental && !configured.range && rows !== null)
    yield { type: 'estimate', stream: reader.key, rows }
  yield* incremental ? readIncremental(reader, saved) : readFullRefresh(reader, saved)
}

function placeOf(config: SourceConfig, { stream }: ConfiguredStream) {
  const { host, port, database, username } = config
  const table = [stream.namespace, stream.name].filter((part) => part !== undefined)
  return {
    host,
    port,
    database,
    username,
    stream: streamKey(stream),
    right: `SELECT ON ${table.map(quote).join('.')}`,
  }
}
