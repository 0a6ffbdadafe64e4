import {
  type AirbyteCatalog,
  type AirbyteStream,
  type ConfiguredStream,
  type ErrorRecord,
  type JsonObject,
  type JsonValue,
  type RecordBatch,
  type StreamState,
  streamKey,
  toAirbyteError,
} from '../../../protocol/index.ts'
import type { ConnectorContext, Source } from '../../../runtime/contract.ts'
import { parseExactJson } from '../../../runtime/exact-json.ts'
import { jsonTexts } from '../../../runtime/formats/jsonl.ts'
import { FAILURE_TYPES } from '../messages.ts'
import type { Outcome } from './case.ts'

/** A command's outcome, apart from its requests. */
export type Found = Omit<Outcome, 'requests_count'>

export interface Probe {
  source: Source
  ctx: ConnectorContext
  config: JsonObject
}

export async function probeCheck({ source, ctx, config }: Probe): Promise<Found> {
  const { ok, problem } = await source.check(ctx, config)
  return { check: ok, errors: problem ? [errorOf(problem)] : [] }
}

export async function probeDiscover({
  source,
  ctx,
  config,
}: Probe): Promise<{ found: Found; catalog: AirbyteCatalog }> {
  try {
    const catalog = await source.discover(ctx, config)
    return { catalog, found: { streams: catalog.streams.map(streamKey), errors: [] } }
  } catch (error) {
    const found = { streams: [], errors: [errorOf(toAirbyteError(error).toJSON())] }
    return { catalog: { streams: [] }, found }
  }
}

/** Reads a stream up to the state after so many records. */
export async function probeRead(
  { source, ctx, config }: Probe,
  stream: AirbyteStream,
  limit: number,
): Promise<Found & { count: number }> {
  const key = streamKey(stream)
  const records: JsonValue[] = []
  let count = 0
  let state: StreamState | undefined
  let status = 'STARTED'
  const errors: Outcome['errors'] = []
  // Nothing is asked for ahead of its turn: a case must not depend on when the read ends.
  const budget = { ...ctx.budget, exhausted: () => true }
  const streams = [configured(source, stream)]
  try {
    for await (const event of source.read({ ...ctx, budget }, config, streams, {
      streams: new Map(),
    })) {
      if (event.type === 'batch' && event.batch.kind === 'records') {
        count += event.batch.length
        records.push(...recordsOf(source, event.batch, limit - records.length))
      } else if (event.type === 'status') status = event.status.toUpperCase()
      else if (event.type === 'error') errors.push(errorOf(event.error))
      else if (event.type === 'state') {
        state = event.state
        if (count >= limit) break
      }
    }
  } catch (error) {
    status = 'INCOMPLETE'
    errors.push(errorOf(toAirbyteError(error).toJSON()))
  }
  return {
    ...{ count, records: { [key]: records }, statuses: { [key]: status }, errors },
    state: state ? { [key]: source.toAirbyteState?.(state) ?? state } : {},
  }
}

function configured(source: Source, stream: AirbyteStream): ConfiguredStream {
  const incremental = stream.supported_sync_modes.includes('incremental')
  return {
    stream,
    syncMode: incremental ? 'incremental' : 'full_refresh',
    destinationSyncMode: 'append',
    cursorField: stream.default_cursor_field ?? [],
    primaryKey: stream.source_defined_primary_key ?? [],
    ...{ generationId: 0, minimumGenerationId: 0, syncId: 0, format: 'records' },
    ...(source.capabilities.wholeRecords && { wholeRecords: true }),
  }
}

function recordsOf(source: Source, batch: RecordBatch, limit: number): JsonValue[] {
  const rows = { length: Math.min(batch.length, Math.max(0, limit)), columns: batch.columns }
  const texts = jsonTexts(batch.schema, rows, { nulls: !source.capabilities.wholeRecords })
  return texts.map((text) => parseExactJson(text) as JsonValue)
}

const errorOf = ({ kind, message }: ErrorRecord) => ({
  failure_type: FAILURE_TYPES[kind],
  contains: message,
})
