import {
  type AirbyteError,
  type ConfiguredStream,
  type JsonValue,
  type StreamKey,
  streamKey,
} from '../../protocol/index.ts'
import type { ConnectorContext } from '../contract.ts'

export interface StreamFreezing {
  bound(configured: ConfiguredStream): Promise<object>
  /** What went wrong, as an error that names the stream. */
  failure(error: unknown, configured: ConfiguredStream): AirbyteError
}

/**
 * Upper bounds of these streams as of now. A stream that fails has none, and fails with its reason
 * when it is read; a transient failure (the connection, usually) is thrown.
 */
export async function freezeStreams(
  ctx: ConnectorContext,
  streams: ConfiguredStream[],
  { bound, failure }: StreamFreezing,
): Promise<Map<StreamKey, JsonValue>> {
  const bounds = new Map<StreamKey, JsonValue>()
  for (const configured of streams) {
    const key = streamKey(configured.stream)
    try {
      bounds.set(key, JSON.parse(JSON.stringify(await bound(configured))) as JsonValue)
    } catch (error) {
      const known = failure(error, configured)
      if (known.kind === 'transient') throw known
      ctx.log('warn', `${key}: ${known.message}`)
    }
  }
  return bounds
}
