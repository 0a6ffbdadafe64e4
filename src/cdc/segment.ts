import { AirbyteError, type Batch, rowsOf, type StreamKey } from '../protocol/index.ts'
import type { ObjectStore } from '../runtime/contract.ts'
import type { LogPart } from '../runtime/source-log.ts'
import { concat } from '../staging/bytes.ts'
import { decodeFrames, encodeFrames } from '../staging/chunk-codec.ts'

/** Where one stream's changes are in a segment. */
export type PartOfSegment = Pick<LogPart, 'offset' | 'length' | 'rows'> & { stream: StreamKey }

/**
 * A stretch of the log for all streams, as it is kept: each stream's changes together, in their order,
 * as a staged chunk of its own, so that a stream is read without the others.
 */
export class SegmentWriter {
  readonly #batches = new Map<StreamKey, Batch[]>()

  get isEmpty(): boolean {
    return this.#batches.size === 0
  }

  add(batch: Batch): void {
    if (rowsOf(batch) === 0 && !(batch.kind === 'records' && batch.note)) return
    const before = this.#batches.get(batch.stream)
    if (before) before.push(batch)
    else this.#batches.set(batch.stream, [batch])
  }

  /** The bytes of everything added; the writer is empty then. */
  async take(): Promise<{ bytes: Uint8Array; parts: PartOfSegment[] }> {
    const pieces: Uint8Array[] = []
    const parts: PartOfSegment[] = []
    let offset = 0
    for (const [stream, batches] of this.#batches) {
      const start = offset
      for await (const frame of encodeFrames(each(batches))) {
        pieces.push(frame)
        offset += frame.length
      }
      const rows = batches.reduce((sum, batch) => sum + rowsOf(batch), 0)
      parts.push({ stream, offset: start, length: offset - start, rows })
    }
    this.#batches.clear()
    return { bytes: concat(pieces), parts }
  }
}

async function* each(batches: Batch[]) {
  yield* batches
}

/** One stream's changes out of a segment. Rejects with STAGED_CHUNK_CHANGED if it is not as it was written. */
export async function* readPart(store: ObjectStore, part: LogPart): AsyncGenerator<Batch> {
  const { key, offset, length } = part
  const object = await store.get(key, { offset, length })
  if (!object) {
    throw new AirbyteError('STAGED_CHUNK_CHANGED', `The segment ${key} of the log is gone.`)
  }
  yield* decodeFrames(object.body)
}
