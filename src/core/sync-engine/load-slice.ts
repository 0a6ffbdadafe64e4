import { AirbyteError, type Batch, toAirbyteError } from '../../protocol/index.ts'
import type { ChunkProof, Destination, Loader } from '../../runtime/contract.ts'
import { decodeFrames } from '../../staging/chunk-codec.ts'
import { faultPoint } from '../fault-points.ts'
import { checksummed } from './checksum.ts'
import { toLoaderForm } from './chunk-pipeline.ts'
import { rejectsOfLoad } from './load-chunk.ts'
import type { Slice } from './run-task.ts'
import type { StagedChunk, StreamClaim } from './types.ts'

/** Loads a stream's staged chunks in order until none is left or the slice is spent. */
export async function runLoadSlice(slice: Slice<StreamClaim>): Promise<void> {
  const { sync, claim, ctx } = slice
  const open = await slice.loaders.open(slice)
  const { destination, loader } = open
  await loader.prepare(claim.fence)
  open.isPrepared = true
  for (;;) {
    slice.check()
    const chunk = await sync.nextStaged(claim.taskId, claim.fence)
    if (!chunk) return slice.done()
    await loadStaged(slice, destination, loader, chunk)
    if (ctx.budget.exhausted()) return sync.release(claim.taskId, claim.fence)
  }
}

async function loadStaged(
  slice: Slice<StreamClaim>,
  destination: Destination,
  loader: Loader,
  chunk: StagedChunk,
): Promise<void> {
  const { sync, claim, ctx } = slice
  const { id, end, stagedKey: _, ...staged } = chunk
  await faultPoint('load.before-commit')
  const refused = rejectsOfLoad(slice, id)
  const proofNow = (): ChunkProof => ({
    ...staged,
    rejected: staged.rejected + refused.count(),
    rejectsKey: refused.key() ?? staged.rejectsKey,
  })
  const load = (isolateBadRows: boolean) =>
    loader.load(
      {
        id,
        body: toLoaderForm(readStaged(slice, chunk), destination.capabilities),
        end: () => ({ ...end, proof: proofNow() }),
        keepRejects: refused.keep,
        isolateBadRows,
      },
      claim.fence,
    )
  const result = await load(false).catch((error: unknown) => {
    if (toAirbyteError(error).code !== 'VALUE_REJECTED') throw error
    ctx.log('warn', `${toAirbyteError(error).message} Loading the chunk again to find the row.`)
    return load(true)
  })
  await faultPoint('load.committed')
  // What an attempt before this one had rejected is in the ledger, with the chunk.
  if (!result.duplicate && !refused.isKept()) await refused.keep(result.rejects)
  const proof = (result.duplicate ? result.end.proof : undefined) ?? proofNow()
  await sync.loaded(claim.taskId, claim.fence, {
    ...chunk,
    ...proof,
    rows: result.rows,
    nulled: proof.nulled + (result.nulled ?? 0),
  })
  await faultPoint('load.reported')
}

/** A staged chunk's batches; fails at the end if its bytes are not those that were staged. */
async function* readStaged(slice: Slice<StreamClaim>, chunk: StagedChunk): AsyncGenerator<Batch> {
  const object = await slice.host.staging.get(chunk.stagedKey)
  if (!object) {
    throw new AirbyteError('STAGED_CHUNK_CHANGED', `The staged chunk ${chunk.id} is gone.`)
  }
  const file = checksummed(object.body)
  yield* decodeFrames(file.body)
  if (file.sha256() !== chunk.sha256) {
    throw new AirbyteError('STAGED_CHUNK_CHANGED', `The staged chunk ${chunk.id} was altered.`)
  }
}
