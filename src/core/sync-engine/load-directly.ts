import { type StreamState, toAirbyteError } from '../../protocol/index.ts'
import type { ChunkEnd, Destination, Loader } from '../../runtime/contract.ts'
import { faultPoint } from '../fault-points.ts'
import type { ChunkPipeline } from './chunk-pipeline.ts'
import type { ChunkReader } from './chunk-reader.ts'
import { loadChunk } from './load-chunk.ts'
import {
  idOf,
  openPipeline,
  openReader,
  quotaOf,
  type Reached,
  type ReadStart,
} from './open-read.ts'
import { type ReadAhead, readAhead } from './read-ahead.ts'
import type { Slice } from './run-task.ts'
import type { StreamClaim } from './types.ts'

/** What of a chunk may wait in memory for the one before it. */
const AHEAD_BYTES = 8 * 1024 * 1024

/** Where the rows go. */
interface Target {
  destination: Destination
  loader: Loader
}

/** A chunk that is being read and brought into the loader's form. */
interface ReadyChunk extends ReadAhead {
  id: string
  start: StreamState | null
  pipeline: ChunkPipeline
  /** Valid once the batches are exhausted. */
  end(): ChunkEnd
}

/**
 * Loads chunk after chunk straight into the destination. While one is merged and committed there, the
 * next is read and converted already; it is loaded after that only, so that they load in order.
 * Null where a chunk was there: then what is known of the stream's position has changed.
 */
export async function loadDirectly(
  slice: Slice<StreamClaim>,
  { destination, loader }: Target,
  start: ReadStart,
): Promise<Reached | null> {
  const quota = quotaOf(slice)
  let reader = await openReader(slice, start)
  let isolateBadRows = false
  let next: Promise<ReadyChunk | null> = readyChunk(slice, destination, reader)
  try {
    for (;;) {
      slice.check()
      const chunk = await next
      if (!chunk) return { end: reader.position(), wait: reader.wait }
      await faultPoint('read.chunk-started')
      next = follow(chunk)
      const { id, batches, pipeline, end } = chunk
      try {
        const loading = { id, batches, end, isolateBadRows }
        if (!(await loadChunk(slice, loader, pipeline, loading))) return null
        isolateBadRows = false
      } catch (error) {
        if (isolateBadRows || toAirbyteError(error).code !== 'VALUE_REJECTED') throw error
        // One value does not fit: the same chunk again, row by row, to find it.
        const { message } = toAirbyteError(error)
        slice.ctx.log('warn', `${message} Reading the chunk again to find the row.`)
        await close()
        reader = await openReader(slice, { state: chunk.start, isNew: true })
        isolateBadRows = true
        next = readyChunk(slice, destination, reader)
      }
    }
  } finally {
    await close()
  }

  /** The chunk after this one, from when this one is read to its end; null where the slice is spent. */
  function follow({ ended, pipeline }: ReadyChunk): Promise<ReadyChunk | null> {
    const source = reader
    const following = ended.then((isWhole) => {
      if (!isWhole) return null
      quota.take(pipeline.proof())
      return quota.isSpent() ? null : readyChunk(slice, destination, source)
    })
    // What goes wrong there is for later, or for nobody.
    following.catch(() => {})
    return following
  }

  async function close(): Promise<void> {
    void next.then((chunk) => chunk?.stop()).catch(() => {})
    await reader.close()
  }
}

/** The reader's next chunk, which begins to be read; null if there is none. */
async function readyChunk(
  slice: Slice<StreamClaim>,
  destination: Destination,
  reader: ChunkReader,
): Promise<ReadyChunk | null> {
  const chunk = await reader.next()
  if (!chunk) return null
  const { start, body } = chunk
  const id = idOf(slice.claim, start)
  const wire = destination.capabilities.formats.includes('pg-copy-text')
  const pipeline = openPipeline(slice, destination, id, wire)
  // The reader goes on to the next chunk from here, before this one is loaded.
  let end: ChunkEnd | undefined
  async function* whole() {
    yield* pipeline.run(body)
    end = chunk?.end()
    reader.settle()
  }
  const ahead = readAhead(whole(), AHEAD_BYTES)
  return { id, start, pipeline, ...ahead, end: () => end as ChunkEnd }
}
