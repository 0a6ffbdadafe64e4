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

/** A chunk on its way into the destination. */
interface Loading {
  chunk: ReadyChunk
  isolateBadRows: boolean
  /** False where the chunk was there. */
  done: Promise<boolean>
  /** The chunk before is loaded. */
  takeTurn(): void
  /** It is not wanted any more; resolves when nothing of it is left. */
  drop(): Promise<void>
}

/**
 * Loads chunk after chunk straight into the destination. While one is merged and committed there, the
 * next is read, converted and, where the destination can, sent already; it is merged after that only,
 * so that they load in order. Null where a chunk was there: then what is known of the stream's position
 * has changed.
 */
export async function loadDirectly(
  slice: Slice<StreamClaim>,
  { destination, loader }: Target,
  start: ReadStart,
): Promise<Reached | null> {
  const { overlaps = false } = destination.capabilities
  const quota = quotaOf(slice)
  let reader = await openReader(slice, start)
  let next: Promise<ReadyChunk | null> = readyChunk(slice, destination, reader)
  let following: Promise<Loading | null> | null = null
  let loading: Loading | null = null
  try {
    loading = await begin(false)
    while (loading) {
      loading.takeTurn()
      if (overlaps) following = quietly(begin(false))
      try {
        if (!(await loading.done)) return null
      } catch (error) {
        if (loading.isolateBadRows || toAirbyteError(error).code !== 'VALUE_REJECTED') throw error
        // One value does not fit: the same chunk again, row by row, to find it.
        const { message } = toAirbyteError(error)
        slice.ctx.log('warn', `${message} Reading the chunk again to find the row.`)
        const { start } = loading.chunk
        await close()
        reader = await openReader(slice, { state: start, isNew: true })
        next = readyChunk(slice, destination, reader)
        loading = await begin(true)
        continue
      }
      loading = await (following ?? begin(false))
      following = null
    }
    return { end: reader.position(), wait: reader.wait }
  } finally {
    await close()
  }

  /** Begins to load the next chunk; null if there is none. */
  async function begin(isolateBadRows: boolean): Promise<Loading | null> {
    slice.check()
    const chunk = await next
    if (!chunk) return null
    await faultPoint('read.chunk-started')
    next = follow(chunk)
    return load(slice, loader, chunk, isolateBadRows)
  }

  /** The chunk after this one, from when this one is read to its end; null where the slice is spent. */
  function follow({ ended, pipeline }: ReadyChunk): Promise<ReadyChunk | null> {
    const source = reader
    return quietly(
      ended.then((isWhole) => {
        if (!isWhole) return null
        quota.take(pipeline.proof())
        return quota.isSpent() ? null : readyChunk(slice, destination, source)
      }),
    )
  }

  async function close(): Promise<void> {
    const dropped = following?.then((loading) => loading?.drop()).catch(() => {})
    following = null
    void next.then((chunk) => chunk?.stop()).catch(() => {})
    await reader.close()
    await dropped
  }
}

/** What goes wrong there is for later, or for nobody. */
function quietly<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {})
  return work
}

function load(
  slice: Slice<StreamClaim>,
  loader: Loader,
  chunk: ReadyChunk,
  isolateBadRows: boolean,
): Loading {
  const { id, batches, pipeline, end } = chunk
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const turn = quietly(promise)
  const loaded = loadChunk(slice, loader, pipeline, { id, batches, end, isolateBadRows, turn })
  const done = quietly(loaded.then((proof) => proof !== null))
  return {
    ...{ chunk, isolateBadRows, done },
    takeTurn: resolve,
    async drop() {
      reject(new Error('the chunk before was not loaded'))
      chunk.stop()
      await done.catch(() => {})
    },
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
