import { AirbyteError, type JsonObject } from '../protocol/index.ts'
import type { LogFeed } from '../runtime/source-log.ts'
import { type PartOfSegment, SegmentWriter } from './segment.ts'

/** Where a drained log goes. */
export interface DrainTarget {
  /** False once nobody wants the log any more, or there is no room for it. */
  goesOn(): boolean
  /** Keeps a segment's bytes; resolves with their key once they are durable. */
  store(bytes: Uint8Array): Promise<string>
  /** Enters the segment, if there is one, and the position, in one step. */
  enter(
    position: JsonObject,
    segment?: { key: string; bytes: number; parts: PartOfSegment[] },
  ): void
  /** What may be acknowledged once `entered` is entered: that, unless the config wants more. */
  acknowledgeable(entered: JsonObject): JsonObject
}

/**
 * Drains a log into segments until the target has enough. At most what the target has entered is
 * acknowledged. Memory is bounded by what comes between two checkpoints.
 */
export async function drain(feed: LogFeed, target: DrainTarget): Promise<void> {
  const writer = new SegmentWriter()
  for await (const event of feed) {
    if (event.type === 'batch') {
      writer.add(event.batch)
      continue
    }
    if (writer.isEmpty) await target.enter(event.position)
    else {
      const { bytes, parts } = await writer.take()
      const key = await target.store(bytes)
      await target.enter(event.position, { key, bytes: bytes.length, parts })
    }
    await feed.acknowledge(target.acknowledgeable(event.position))
    if (!target.goesOn()) return
  }
  if (!target.goesOn()) return
  throw new AirbyteError('CONNECTION_LOST', 'The database ended the log.')
}
