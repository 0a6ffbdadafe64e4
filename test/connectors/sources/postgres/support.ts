import pg from 'pg'
import { inject } from 'vitest'
import postgres from '../../../../connectors/sources/postgres/index.ts'
import { createNodeContext } from '../../../../src/egress/node-context.ts'
import {
  type AirbyteStream,
  type Batch,
  type Cell,
  type ConfiguredStream,
  type JsonObject,
  type JsonValue,
  type ReadEvent,
  rowsOf,
  type StreamState,
  streamKey,
} from '../../../../src/protocol/index.ts'

export const ctx = createNodeContext()

export interface TestDatabase {
  config: JsonObject
  sql(text: string): Promise<pg.QueryResult>
  close(): Promise<void>
}

/** An empty database of its own on the shared server, or on another one. */
export async function createDatabase(name: string, server?: string): Promise<TestDatabase> {
  const url = new URL(server ?? inject('pgUrl'))
  const admin = new pg.Client({ connectionString: url.href })
  await admin.connect()
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  await admin.query(`CREATE DATABASE ${name}`)
  await admin.end()
  const client = new pg.Client({
    connectionString: Object.assign(new URL(url), { pathname: `/${name}` }).href,
  })
  client.on('error', () => {})
  await client.connect()
  return {
    config: {
      host: url.hostname,
      port: Number(url.port),
      database: name,
      username: url.username,
      password: url.password,
      schemas: ['public'],
      ssl_mode: { mode: 'disable' },
    },
    sql: (text) => client.query(text),
    close: () => client.end(),
  }
}

export async function discover(config: JsonObject) {
  const { streams } = await postgres.discover(ctx, config)
  return new Map(streams.map((stream) => [streamKey(stream), stream]))
}

export function configure(
  stream: AirbyteStream | undefined,
  options: Partial<ConfiguredStream> = {},
): ConfiguredStream {
  if (!stream) throw new Error('the stream was not discovered')
  return {
    stream,
    syncMode: 'full_refresh',
    destinationSyncMode: 'append',
    cursorField: [],
    primaryKey: [],
    generationId: 1,
    minimumGenerationId: 0,
    syncId: 1,
    format: 'records',
    ...options,
  }
}

export interface ReadResult {
  events: ReadEvent[]
  batches: Batch[]
  /** Rows as `{ column: cell }`; only of the `records` format. */
  rows: Record<string, Cell>[]
  /** Rows as lines of COPY text; only of the encoded format. */
  lines: string[]
  states: { state: StreamState; rowsBefore: number }[]
  /** The last state. */
  state: StreamState | undefined
  statuses: string[]
}

/** Freezes and reads one stream as a sync does. */
export async function sync(
  config: JsonObject,
  configured: ConfiguredStream,
  state?: StreamState,
  upperBound?: JsonValue,
): Promise<ReadResult> {
  const key = streamKey(configured.stream)
  const saved = { streams: new Map(state ? [[key, state]] : []) }
  const bounds =
    upperBound === undefined
      ? await postgres.freeze?.(ctx, config, [configured], saved)
      : new Map([[key, upperBound]])
  const frozen = { ...configured, upperBound: bounds?.get(key) }
  return collect(postgres.read(ctx, config, [frozen], saved))
}

export async function freeze(config: JsonObject, configured: ConfiguredStream) {
  const bounds = await postgres.freeze?.(ctx, config, [configured], { streams: new Map() })
  return bounds?.get(streamKey(configured.stream))
}

export async function collect(events: AsyncIterable<ReadEvent>): Promise<ReadResult> {
  const result: ReadResult = {
    events: [],
    batches: [],
    rows: [],
    lines: [],
    states: [],
    state: undefined,
    statuses: [],
  }
  let rowsBefore = 0
  for await (const event of events) {
    result.events.push(event)
    if (event.type === 'status') result.statuses.push(event.status)
    if (event.type === 'state') {
      result.states.push({ state: event.state, rowsBefore })
      result.state = event.state
    }
    if (event.type !== 'batch') continue
    const { batch } = event
    result.batches.push(batch)
    rowsBefore += rowsOf(batch)
    if (batch.kind === 'records') result.rows.push(...rowObjects(batch))
    else result.lines.push(...new TextDecoder().decode(batch.bytes).split('\n').slice(0, -1))
  }
  return result
}

export const rowObjects = (batch: Extract<Batch, { kind: 'records' }>) =>
  Array.from({ length: batch.length }, (_, row) =>
    Object.fromEntries(batch.schema.map(({ name }, c) => [name, batch.columns[c]?.[row] ?? null])),
  )
