import {
  openBinlog,
  positionFromJson,
  ServerCharsets,
  shapeOf,
} from '../../../../src/cdc/mysql/index.ts'
import { streamKey } from '../../../../src/protocol/index.ts'
import type { ConnectorContext } from '../../../../src/runtime/contract.ts'
import { connectMysql } from '../../../../src/runtime/mysql/client.ts'
import { mapMysqlError } from '../../../../src/runtime/mysql/errors.ts'
import type { LogFeed, LogPlace, LogStream } from '../../../../src/runtime/source-log.ts'
import type { SourceConfig } from '../config.ts'
import { withSource } from '../session.ts'
import { listTables } from '../tables.ts'

/** Opens the log where it was left. */
export async function openFeed(
  ctx: ConnectorContext,
  config: SourceConfig,
  place: LogPlace,
  streams: LogStream[],
): Promise<LogFeed> {
  const wanted = new Map(streams.map((stream) => [streamKey(stream.stream), stream]))
  const keyOf = (schema: string, name: string) => {
    const key = streamKey({ namespace: schema, name })
    return wanted.has(key) ? key : undefined
  }
  const charsets = await withSource(ctx, config, ServerCharsets.of)
  const client = await connectMysql(ctx, config)
  try {
    const feed = await openBinlog({
      client,
      position: positionFromJson(place.position),
      now: ctx.now,
      streamOf: keyOf,
      async columnsOf(schema, name) {
        const { primaryKey = [], selectedFields } = wanted.get(keyOf(schema, name) ?? '') ?? {}
        const [today] = await withSource(ctx, config, (session) =>
          listTables(session, config, schema, name),
        )
        const names = (today?.columns ?? []).map((column) => column.name)
        if (!selectedFields) return names
        return names.filter((column) => [...selectedFields, ...primaryKey].includes(column))
      },
      streamsIn: (schema) =>
        streams.flatMap(({ stream }) => (stream.namespace === schema ? [streamKey(stream)] : [])),
      async shapeOf(table) {
        const key = keyOf(table.schema, table.name)
        const found = key === undefined ? undefined : wanted.get(key)
        if (key === undefined || !found) return undefined
        const [today, decoders] = await withSource(ctx, config, async (session) => [
          (await listTables(session, config, table.schema, table.name))[0],
          await charsets.decodersFor(session, table),
        ])
        const { primaryKey, selectedFields: selected } = found
        const stream = { stream: key, key: primaryKey, selected }
        return shapeOf(table, stream, today?.columns ?? [], decoders)
      },
    })
    return mapped(feed, config)
  } catch (error) {
    await client.close()
    throw mapMysqlError(error, config)
  }
}

/** The feed, whose failures are what people can act on. */
const mapped = (feed: LogFeed, config: SourceConfig): LogFeed => ({
  acknowledge: feed.acknowledge,
  ask: feed.ask,
  close: feed.close,
  async *[Symbol.asyncIterator]() {
    try {
      yield* feed
    } catch (error) {
      throw mapMysqlError(error, config)
    }
  },
})
