import type { Batch } from '../../protocol/index.ts'
import type { ChunkEnd, ChunkProof, Loader, RejectedRow } from '../../runtime/contract.ts'
import { faultPoint } from '../fault-points.ts'
import type { ChunkPipeline } from './chunk-pipeline.ts'
import { rejectsKey, saveRejects } from './objects.ts'
import type { Slice } from './run-task.ts'
import type { StreamClaim } from './types.ts'

interface Loading {
  id: string
  /** As they come out of the pipeline. */
  batches: AsyncIterable<Batch>
  end: () => ChunkEnd
  isolateBadRows: boolean
  /** Rows that were rejected without being tried. */
  keptBack?: number
  /** As of `Chunk.turn`: that of its report too. */
  turn?: Promise<void>
}

/**
 * Takes a chunk out of its pipeline straight into the destination, and reports it. Null where the
 * destination had it already: then what is known of the stream's position has changed.
 */
export async function loadChunk(
  slice: Slice<StreamClaim>,
  loader: Loader,
  pipeline: ChunkPipeline,
  { id, batches, end, isolateBadRows, keptBack = 0, turn }: Loading,
): Promise<ChunkProof | null> {
  const { claim, sync } = slice
  const began = slice.host.now()
  const refused = rejectsOfLoad(slice, id)
  const proofNow = (): ChunkProof => {
    const proof = pipeline.proof()
    return {
      ...proof,
      rejected: proof.rejected + refused.count() + keptBack,
      rejectsKey: refused.key() ?? proof.rejectsKey,
    }
  }
  const result = await loader.load(
    {
      id,
      body: batches,
      keepRejects: refused.keep,
      end: () => ({ ...end(), proof: proofNow() }),
      isolateBadRows,
      turn,
    },
    claim.fence,
  )
  // A chunk that was there is told early.
  await turn
  await faultPoint('load.committed')
  if (result.duplicate) {
    const { end: known, rows } = result
    await sync.resumed(claim.taskId, claim.fence, {
      chunkId: id,
      end: known,
      rows,
      fence: claim.fence,
    })
    return null
  }
  if (!refused.isKept()) await refused.keep(result.rejects)
  const { proof: _, ...reached } = result.end
  const proof = proofNow()
  slice.ctx.log('debug', `loaded ${result.rows} rows in ${slice.host.now() - began} ms`)
  await sync.loaded(claim.taskId, claim.fence, {
    ...proof,
    id,
    end: reached,
    rows: result.rows,
    nulled: proof.nulled + (result.nulled ?? 0),
  })
  await faultPoint('load.reported')
  return pipeline.proof()
}

/** Keeps the rows that the destination refuses, before they can be forgotten. */
export function rejectsOfLoad(slice: Slice<StreamClaim>, id: string) {
  let key: string | undefined
  let count: number | undefined
  return {
    keep: async (rejects: RejectedRow[]) => {
      const place = rejectsKey(slice.claim, `${id}-load`)
      const isAgain = count !== undefined || slice.claim.attempts > 0
      // What an attempt that did not commit refused may have been taken by this one.
      if (rejects.length === 0 && isAgain) await slice.host.staging.delete([place])
      key = await saveRejects(slice, place, rejects)
      count = rejects.length
    },
    isKept: () => count !== undefined,
    count: () => count ?? 0,
    key: () => key,
  }
}
