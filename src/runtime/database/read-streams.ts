import {
  AirbyteError,
  type ConfiguredStream,
  type ReadEvent,
  streamKey,
} from '../../protocol/index.ts'
import type { ConnectorContext } from '../contract.ts'

export interface StreamReading {
  events(configured: ConfiguredStream): AsyncIterable<ReadEvent>
  /** What went wrong, as an error that names the stream. */
  failure(error: unknown, configured: ConfiguredStream): AirbyteError
}

/**
 * Reads the streams one after the other, each from `started` to `complete`. What is wrong with one
 * stream ends that stream with an `error` event; a transient failure (the connection, usually) or an
 * abort ends the read.
 */
export async function* readStreams(
  ctx: ConnectorContext,
  streams: ConfiguredStream[],
  reading: StreamReading,
): AsyncGenerator<ReadEvent> {
  for (const configured of streams) yield* readStream(ctx, configured, reading)
}

async function* readStream(
  ctx: ConnectorContext,
  configured: ConfiguredStream,
  reading: StreamReading,
): AsyncGenerator<ReadEvent> {
  const stream = streamKey(configured.stream)
  yield { type: 'status', stream, status: 'started' }
  try {
    let running = false
    for await (const event of reading.events(configured)) {
      if (event.type === 'batch' && !running) {
        running = true
        yield { type: 'status', stream, status: 'running' }
      }
      yield event
      if (ctx.signal.aborted)
        throw new AirbyteError('CANCELLED', 'The read was cancelled.', { stream })
    }
    yield { type: 'status', stream, status: 'complete' }
  } catch (error) {
    const known = reading.failure(error, configured)
    if (known.kind === 'transient' || ctx.signal.aborted) throw known
    yield { type: 'error', stream, error: known.toJSON() }
    yield { type: 'status', stream, status: 'incomplete' }
  }
}
