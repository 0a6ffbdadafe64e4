/** A chunk on its way into a table of a database that commits rows and ledger together. */
import { AirbyteError, type Batch, toAirbyteError } from '../../protocol/index.ts'
import type { Chunk, ChunkEnd, LedgerPosition, LoadResult } from '../contract.ts'
import type { Isolated } from './isolate.ts'

/** Thrown to roll back a chunk that the ledger has. */
class Duplicate extends Error {}

interface Attempt {
  /** Loads the chunk in a transaction; throws `Duplicate` where the ledger has it. */
  load(): Promise<LoadResult>
  /** The chunk's entry in the ledger. */
  entry(): Promise<LedgerPosition | null>
  /** Throws FENCE_LOST if a newer loader took over. */
  refuseLowerFence(): Promise<unknown>
}

/** Loads a chunk that may be there already, and tells a loader that was cut off by a newer one so. */
export async function loadOnce(chunk: Chunk, attempt: Attempt): Promise<LoadResult> {
  try {
    return await attempt.load()
  } catch (error) {
    if ((error as Error).cause instanceof Duplicate) return duplicateOf(chunk, attempt)
    if (toAirbyteError(error).code === 'CONNECTION_LOST')
      await attempt.refuseLowerFence().catch(preferFenceLost)
    throw error
  }
}

/** What of loading a chunk within a transaction is the database's. */
interface Fenced<Head> {
  /** The stream's head; throws FENCE_LOST if a newer loader took over. */
  head(): Promise<Head>
  entry(): Promise<LedgerPosition | null>
  fill(head: Head): Promise<Isolated>
  takeFence(): Promise<unknown>
  /** Enters the chunk in the ledger; false where it is. */
  record(entry: { chunkId: string; end: ChunkEnd; rows: number }): Promise<boolean>
}

/**
 * The chunk's rows and its entry in the ledger, to be committed together.
 *
 * @throws Duplicate, FENCE_LOST
 */
export async function loadFenced<Head>(
  chunk: Chunk,
  { head, entry, fill, takeFence, record }: Fenced<Head>,
): Promise<LoadResult> {
  // Refused early here, to spare the work; what decides is `takeFence` below.
  const known = await head()
  if (await entry()) throw new Duplicate()
  const { rows, rejects, nulled } = await fill(known)
  await chunk.turn
  await chunk.keepRejects?.(rejects)
  await takeFence()
  const end = chunk.end()
  if (!(await record({ chunkId: chunk.id, end, rows }))) throw new Duplicate()
  return { duplicate: false, rows, end, rejects, nulled }
}

/** A connection is also lost when a newer loader ended it: that is FENCE_LOST, not to be retried. */
function preferFenceLost(error: unknown): void {
  if (toAirbyteError(error).code === 'FENCE_LOST') throw error
}

async function duplicateOf(chunk: Chunk, attempt: Attempt): Promise<LoadResult> {
  const known = await attempt.entry()
  if (!known)
    throw new AirbyteError('CONFLICT', `Chunk ${chunk.id} left the ledger while it was read.`)
  return { duplicate: true, rows: known.rows, end: known.end, rejects: [] }
}

/** The first batch, and the body as if nobody had looked; null if it is empty. */
export async function peek(
  body: AsyncIterable<Batch>,
): Promise<{ batch: Batch; body: AsyncIterable<Batch> } | null> {
  const iterator = body[Symbol.asyncIterator]()
  const first = await iterator.next()
  if (first.done) return null
  const batch = first.value
  async function* all() {
    try {
      yield batch
      for (;;) {
        // What the reader throws stays its own error, whatever code it bears.
        const next = await iterator.next().catch((error) => {
          throw toAirbyteError(error)
        })
        if (next.done) return
        yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  }
  return { batch, body: all() }
}
