import {
  type AirbyteStream,
  type Batch,
  type BatchFormat,
  type ConfiguredStream,
  type JsonObject,
  type ReadEvent,
  type RecordBatch,
  type StreamKey,
  type StreamState,
  streamKey,
} from '../../src/protocol/index.ts'
import type { ConnectorContext, ReadState, Source } from '../../src/runtime/contract.ts'
import { decodeCopyText } from '../../src/runtime/formats/pg-copy-text.ts'
import { canonical } from './canonical.ts'

export interface Reading {
  source: Source
  config: JsonObject
  ctx: ConnectorContext
}

export function configure(
  stream: AirbyteStream,
  overrides: Partial<ConfiguredStream> = {},
): ConfiguredStream {
  return {
    stream,
    syncMode: 'full_refresh',
    destinationSyncMode: 'append',
    cursorField: stream.default_cursor_field ?? [],
    primaryKey: stream.source_defined_primary_key ?? [],
    generationId: 1,
    minimumGenerationId: 0,
    syncId: 1,
    format: 'records',
    ...overrides,
  }
}

/** Reads as the engine does: bounds frozen first, states as they come back from storage. */
export async function* readEvents(
  { source, config, ctx }: Reading,
  streams: ConfiguredStream[],
  states: Map<StreamKey, StreamState> = new Map(),
  shared?: JsonObject,
): AsyncGenerator<ReadEvent> {
  const state: ReadState = {
    streams: new Map([...states].map(([key, value]) => [key, stored(value)])),
    ...(shared ? { shared: stored(shared) } : {}),
  }
  const unbound = streams.filter(({ upperBound }) => upperBound === undefined)
  const bounds = (await source.freeze?.(ctx, config, unbound, state)) ?? new Map()
  const frozen = streams.map((configured) => ({
    ...configured,
    upperBound: configured.upperBound ?? bounds.get(streamKey(configured.stream)),
  }))
  yield* source.read(ctx, config, frozen, state)
}

const stored = <T extends JsonObject>(value: T): T => JSON.parse(JSON.stringify(value)) as T

export async function collect(events: AsyncIterable<ReadEvent>): Promise<ReadEvent[]> {
  const list: ReadEvent[] = []
  for await (const event of events) list.push(event)
  return list
}

/** Reads one stream to its end. */
export const readStream = (
  reading: Reading,
  configured: ConfiguredStream,
  state?: StreamState,
): Promise<ReadEvent[]> => {
  const states = state ? new Map([[streamKey(configured.stream), state]]) : undefined
  return collect(readEvents(reading, [configured], states))
}

export const batchesOf = (events: ReadEvent[]): Batch[] =>
  events.flatMap((event) => (event.type === 'batch' ? [event.batch] : []))

export const statesOf = (events: ReadEvent[]): StreamState[] =>
  events.flatMap((event) => (event.type === 'state' ? [event.state] : []))

/** Formats in which the suite can look into batches. */
export const readableFormats = (source: Source): BatchFormat[] =>
  source.capabilities.formats.includes('pg-copy-text') ? ['records', 'pg-copy-text'] : ['records']

export const asRecords = (batch: Batch): RecordBatch =>
  batch.kind === 'records' ? batch : decodeCopyText(batch.bytes, batch.schema, batch)

/** Rows as texts in one form, whatever form they came in. */
export function rowsOfEvents(events: ReadEvent[]): string[] {
  return batchesOf(events).flatMap((batch) => {
    const { schema, columns, length } = asRecords(batch)
    return Array.from({ length }, (_, row) =>
      JSON.stringify(schema.map(({ name, type }, c) => [name, canonical(type, columns[c]?.[row])])),
    )
  })
}
