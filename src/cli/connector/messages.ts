/** The envelopes of the Airbyte protocol. Texts for people pass the scrubber; configs and rows do not. */
import {
  type AirbyteCatalog,
  type AirbyteError,
  type ErrorKind,
  type JsonObject,
  type LogLevel,
  parseStreamKey,
  type StreamDescriptor,
  type StreamKey,
} from '../../protocol/index.ts'
import type { CheckResult, Spec } from '../../runtime/contract.ts'
import { toAirbyteCatalog } from './catalog.ts'

export type StreamStatus = 'STARTED' | 'RUNNING' | 'COMPLETE' | 'INCOMPLETE'

export const FAILURE_TYPES: Record<ErrorKind, string> = {
  config: 'config_error',
  transient: 'transient_error',
  system: 'system_error',
}

export const specMessage = (spec: Spec) => ({
  type: 'SPEC',
  spec: {
    ...spec,
    ...(spec.supported_destination_sync_modes && {
      // Ours alone; in the protocol it is append_dedup with a new generation.
      supported_destination_sync_modes: spec.supported_destination_sync_modes.filter(
        (mode) => mode !== 'overwrite_dedup',
      ),
    }),
  },
})

export const statusMessage = ({ ok, problem }: CheckResult, scrub: Scrub) => ({
  type: 'CONNECTION_STATUS',
  connectionStatus: ok
    ? { status: 'SUCCEEDED' }
    : {
        status: 'FAILED',
        message: scrub([problem?.message, problem?.hint].filter(Boolean).join(' ')),
      },
})

export const catalogMessage = (catalog: AirbyteCatalog) => ({
  type: 'CATALOG',
  catalog: toAirbyteCatalog(catalog),
})

export const controlMessage = (config: JsonObject) => ({
  type: 'CONTROL',
  control: { type: 'CONNECTOR_CONFIG', emitted_at: Date.now(), connectorConfig: { config } },
})

export type Scrub = (text: string) => string

export const logMessage = (level: LogLevel, message: string, scrub: Scrub) => ({
  type: 'LOG',
  log: { level: level.toUpperCase(), message: scrub(message) },
})

/**
 * What ends a read in which streams failed. A config error, as the CDK has it: what can be done
 * about it was said of each stream.
 */
export const failedStreamsMessage = (streams: StreamKey[]) =>
  trace({
    type: 'ERROR',
    error: {
      message: `These streams were not read to their end: ${streams.join(', ')}.`,
      internal_message: 'The reason of each was said before.',
      failure_type: FAILURE_TYPES.config,
    },
  })

export const errorMessage = (error: AirbyteError, scrub: Scrub, stream?: StreamKey) =>
  trace({
    type: 'ERROR',
    error: {
      message: scrub(error.message),
      internal_message: scrub(`${error.code}: ${error.hint}`),
      ...(error.code === 'INTERNAL' && { stack_trace: scrub(stackOf(error)) }),
      failure_type: FAILURE_TYPES[error.kind],
      ...(stream !== undefined && { stream_descriptor: parseStreamKey(stream) }),
    },
  })

const stackOf = ({ cause, stack }: AirbyteError) =>
  (cause instanceof Error ? cause.stack : stack) ?? ''

export const streamStatusMessage = (
  stream: StreamKey,
  status: StreamStatus,
  rateLimitedUntil?: number,
) =>
  trace({
    type: 'STREAM_STATUS',
    stream_status: {
      stream_descriptor: parseStreamKey(stream),
      status,
      ...(rateLimitedUntil !== undefined && {
        reasons: [{ type: 'RATE_LIMITED', rate_limited: { quota_reset: rateLimitedUntil } }],
      }),
    },
  })

export const estimateMessage = (stream: StreamKey, rows?: number, bytes?: number) =>
  trace({
    type: 'ESTIMATE',
    estimate: {
      ...parseStreamKey(stream),
      type: 'STREAM',
      ...(rows !== undefined && { row_estimate: rows }),
      ...(bytes !== undefined && { byte_estimate: bytes }),
    },
  })

const trace = <T extends { type: string }>({ type, ...content }: T) => ({
  type: 'TRACE',
  trace: { type, emitted_at: Date.now(), ...content },
})

interface StreamStateEntry {
  stream_descriptor: StreamDescriptor
  stream_state: JsonObject
}

const entryOf = (stream: StreamKey, state: JsonObject): StreamStateEntry => ({
  stream_descriptor: parseStreamKey(stream),
  stream_state: state,
})

export const stateMessage = (stream: StreamKey, state: JsonObject, records: number) => ({
  type: 'STATE',
  state: {
    type: 'STREAM',
    stream: entryOf(stream, state),
    sourceStats: { recordCount: records },
  },
})

export const globalStateMessage = (
  shared: JsonObject,
  streams: Map<StreamKey, JsonObject>,
  records: number,
) => ({
  type: 'STATE',
  state: {
    type: 'GLOBAL',
    global: {
      shared_state: shared,
      stream_states: Array.from(streams, ([stream, state]) => entryOf(stream, state)),
    },
    sourceStats: { recordCount: records },
  },
})
