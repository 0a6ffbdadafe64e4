import {
  AirbyteError,
  type ConfiguredStream,
  type ReadEvent,
  type StreamKey,
  type StreamState,
  streamKey,
} from '../../../src/protocol/index.ts'
import type { ConnectorContext, ReadState } from '../../../src/runtime/contract.ts'
import { batchMaker } from './batch.ts'
import type { SampleConfig } from './config.ts'
import { dialedFailure, stopsOf, strikes, wait } from './dials.ts'
import { rowsInRange } from './range.ts'
import { type SampleStream, STREAMS } from './streams.ts'

/** Stream after stream, row after row, a state after every `records_per_slice` rows. */
export async function* read(
  ctx: ConnectorContext,
  config: SampleConfig,
  streams: ConfiguredStream[],
  state: ReadState,
): AsyncGenerator<ReadEvent> {
  for (const configured of streams) {
    const stream = STREAMS.find((s) => s.name === configured.stream.name)
    const key = streamKey(configured.stream)
    if (!stream) yield* unknownStream(key)
    else yield* readOrRefuse(ctx, config, configured, stream, state.streams.get(key))
  }
}

async function* readOrRefuse(
  ctx: ConnectorContext,
  config: SampleConfig,
  configured: ConfiguredStream,
  stream: SampleStream,
  state: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  const rows = rowsInRange(configured.range)
  if (rows instanceof AirbyteError) yield* refused(streamKey(configured.stream), rows)
  else yield* readStream(ctx, config, configured, stream, state, rows)
}

async function* readStream(
  ctx: ConnectorContext,
  config: SampleConfig,
  configured: ConfiguredStream,
  stream: SampleStream,
  state: StreamState | undefined,
  range: { from: number; to: number },
): AsyncGenerator<ReadEvent> {
  const key = streamKey(configured.stream)
  const make = batchMaker(key, stream, config.seed, configured.selectedFields)
  const end = Math.min(range.to, endOf(config, configured, stream))
  const begin = Math.max(range.from, startOf(configured, state))
  yield { type: 'status', stream: key, status: 'started' }
  yield { type: 'estimate', stream: key, rows: Math.max(0, end - begin) }
  if (begin < end) yield { type: 'status', stream: key, status: 'running' }

  const stops = stopsOf(config, stream.name)
  for (let from = begin; from < end; ) {
    ctx.signal.throwIfAborted()
    if (strikes(config, 'stall', config.stallAt, stream.name, from)) {
      await wait(config.stallAt?.ms ?? 0, ctx.signal)
    }
    if (strikes(config, 'fail', config.failAt, stream.name, from)) {
      const error = dialedFailure(config.failAt?.kind ?? 'transient', stream.name, from)
      if (config.failAt?.as !== 'event') throw error
      yield { type: 'error', stream: key, error: error.toJSON() }
      yield { type: 'status', stream: key, status: 'incomplete' }
      return
    }
    if (strikes(config, 'repeat', config.repeatAt, stream.name, from)) {
      yield { type: 'batch', batch: make(from, from + 1, ctx.now()) }
    }
    // Slices end at multiples of their size, wherever the read began: the same states come again.
    const sliceEnd = Math.min(end, from - (from % config.recordsPerSlice) + config.recordsPerSlice)
    const to = stops.find((stop) => stop > from && stop < sliceEnd) ?? sliceEnd
    yield { type: 'batch', batch: make(from, to, ctx.now()) }
    if (to === sliceEnd && to < end) yield { type: 'state', stream: key, state: stateAt(to, false) }
    if (config.rowsPerSecond) await wait((1000 * (to - from)) / config.rowsPerSecond, ctx.signal)
    from = to
  }
  yield { type: 'state', stream: key, state: stateAt(Math.max(begin, end), true) }
  if (!config.dropComplete) yield { type: 'status', stream: key, status: 'complete' }
}

/** `next` is the index of the first row not yet read; `complete` says that a read ended there. */
const stateAt = (next: number, complete: boolean): StreamState => ({ version: 1, next, complete })

function startOf(configured: ConfiguredStream, state: StreamState | undefined): number {
  if (state === undefined) return 0
  const { version, next, complete } = state
  if (version !== 1 || !Number.isInteger(next) || (next as number) < 0) {
    const message = 'The state of sample data is { version: 1, next: <row index>, complete }.'
    throw new AirbyteError('STATE_INVALID', message, { stream: streamKey(configured.stream) })
  }
  // Rows are one second apart. Only a finished read looks back: one that resumes has done so before.
  const lookback = complete === true ? (configured.lookbackSeconds ?? 0) : 0
  return Math.max(0, (next as number) - Math.ceil(lookback))
}

function endOf(config: SampleConfig, { upperBound }: ConfiguredStream, stream: SampleStream) {
  if (config.empty) return 0
  const rows = stream.rows(config.count)
  return typeof upperBound === 'number' ? Math.min(rows, upperBound) : rows
}

function* unknownStream(stream: StreamKey): Generator<ReadEvent> {
  const names = STREAMS.map(({ name }) => name)
  const message = `The sample data has no stream '${stream}', but ${names.join(', ')}.`
  yield* refused(
    stream,
    new AirbyteError('STREAM_NOT_FOUND', message, { stream, didYouMean: names }),
  )
}

function* refused(stream: StreamKey, error: AirbyteError): Generator<ReadEvent> {
  yield { type: 'error', stream, error: error.toJSON() }
  yield { type: 'status', stream, status: 'incomplete' }
}
