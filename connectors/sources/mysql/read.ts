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
import { connectMysql, type MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { mapMysqlError } from '../../../src/runtime/mysql/errors.ts'
import type { SourceConfig } from './config.ts'
import { freezeFullRefresh, readFullRefresh } from './full-refresh.ts'
import { freezeIncremental, readIncremental } from './incremental.ts'
import { openReader } from './reader.ts'
import { qualified } from './sql.ts'

/** A session that can change nothing. */
export const connectSource = (ctx: ConnectorContext, config: SourceConfig) =>
  connectMysql(ctx, config, ['SET SESSION TRANSACTION READ ONLY'])

/** Runs with a session of its own. */
export async function withSource<T>(
  ctx: ConnectorContext,
  config: SourceConfig,
  use: (client: MysqlClient) => Promise<T>,
): Promise<T> {
  const client = await connectSource(ctx, config)
  try {
    return await use(client)
  } catch (error) {
    throw mapMysqlError(error, config)
  } finally {
    await client.close()
  }
}

/** Upper bounds of these streams as of now. A stream that fails here fails with its reason in `read`. */
export const freeze = (ctx: ConnectorContext, config: SourceConfig, streams: ConfiguredStream[]) =>
  withSource(ctx, config, async (client) => {
    const bounds = new Map<StreamKey, JsonValue>()
    for (const configured of streams) {
      const key = streamKey(configured.stream)
      try {
        const reader = await openReader(ctx, client, config, configured)
        const bound = await (configured.syncMode === 'incremental'
          ? freezeIncremental(reader)
          : freezeFullRefresh(reader))
        bounds.set(key, JSON.parse(JSON.stringify(bound)) as JsonValue)
      } catch (error) {
        const known = mapMysqlError(error, placeOf(config, configured))
        if (known.kind === 'transient') throw known
        ctx.log('warn', `${key}: ${known.message}`)
      }
    }
    return bounds
  })

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
      failure: (error, configured) => mapMysqlError(error, placeOf(config, configured)),
    })
  } finally {
    await client.close()
  }
}

async function* readEvents(
  ctx: ConnectorContext,
  client: MysqlClient,
  config: SourceConfig,
  configured: ConfiguredStream,
  saved: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  const reader = await openReader(ctx, client, config, configured)
  const incremental = configured.syncMode === 'incremental'
  const { rows } = reader.table
  if (!incremental && rows !== null) yield { type: 'estimate', stream: reader.key, rows }
  yield* incremental ? readIncremental(reader, saved) : readFullRefresh(reader, saved)
}

function placeOf(config: SourceConfig, { stream }: ConfiguredStream) {
  const { host, username, database } = config
  const right = `SELECT ON ${qualified({ schema: stream.namespace ?? database, name: stream.name })}`
  return { host, username, stream: streamKey(stream), right }
}
