import type { ChunkProof, Destination, Loader } from '../../runtime/contract.ts'
import { encodeFrames } from '../../staging/chunk-codec.ts'
import { faultPoint } from '../fault-points.ts'
import { checksummed } from './checksum.ts'
import type { OpenChunk } from './chunk-reader.ts'
import { syncOfFence } from './identity.ts'
import { loadDirectly } from './load-directly.ts'
import { stagedKey } from './objects.ts'
import {
  idOf,
  openPipeline,
  openReader,
  quotaOf,
  type Reached,
  type ReadStart,
} from './open-read.ts'
import type { Slice } from './run-task.ts'
import type { StreamClaim } from './types.ts'

type ReadSlice = Slice<StreamClaim>

/**
 * Reads one stream from where it stands until it is complete or the slice is spent. Direct: each
 * chunk goes straight into the destination. Staged: into R2, for the load task to pick up.
 */
export async function runReadSlice(slice: ReadSlice): Promise<void> {
  const { sync, claim, host, ctx } = slice
  const destination = await host.openDestination(claim)
  const { stream } = claim
  const needsLoader = stream.transfer === 'direct' || claim.first
  const loader = needsLoader
    ? await destination.connector.open(ctx, destination.config, stream.plan)
    : undefined
  try {
    const start = loader ? await resume(slice, loader) : { state: claim.state, complete: false }
    await faultPoint('read.prepared')
    if (start.complete) return sync.done(claim.taskId, claim.fence)
    const reached =
      loader && stream.transfer === 'direct'
        ? await loadDirectly(slice, { destination: destination.connector, loader }, start)
        : await stageChunks(slice, destination.connector, start)
    if (!reached) return sync.release(claim.taskId, claim.fence)
    const { end, wait } = reached
    await sync.advanced(claim.taskId, claim.fence, end)
    await faultPoint('read.advanced')
    if (end.complete) await sync.done(claim.taskId, claim.fence)
    else if (wait) await sync.wait(claim.taskId, claim.fence, wait)
    else await sync.release(claim.taskId, claim.fence)
  } finally {
    await loader?.close()
  }
}

/** Takes the fence at the destination and believes its ledger where it is ahead of what we know. */
async function resume(slice: ReadSlice, loader: Loader) {
  const { sync, claim } = slice
  const position = await loader.prepare(claim.fence)
  const known = { state: claim.state, complete: false }
  // Staged chunks run ahead of the ledger: after the first, the sync's own position is the truth.
  if (!position || (claim.stream.transfer === 'staged' && !claim.first)) return known
  const ofThisSync = syncOfFence(position.fence) === claim.input.syncId
  // What is known may be past its end: a position moves past no rows without an entry.
  if (position.chunkId === claim.lastChunk) {
    return { state: claim.state, complete: ofThisSync && position.end.complete }
  }
  await sync.resumed(claim.taskId, claim.fence, position)
  const complete = ofThisSync && position.end.complete
  return { state: position.end.state, complete, isNew: true }
}

/** Puts chunk after chunk into R2. */
async function stageChunks(
  slice: ReadSlice,
  destination: Destination,
  start: ReadStart,
): Promise<Reached> {
  const quota = quotaOf(slice)
  const reader = await openReader(slice, start)
  try {
    do {
      slice.check()
      const chunk = await reader.next()
      if (!chunk) break
      await faultPoint('read.chunk-started')
      quota.take(await stage(slice, destination, chunk))
      reader.settle()
    } while (!quota.isSpent())
    return { end: reader.position(), wait: reader.wait }
  } finally {
    await reader.close()
  }
}

async function stage(
  slice: ReadSlice,
  destination: Destination,
  open: OpenChunk,
): Promise<ChunkProof> {
  const { claim, sync, host } = slice
  const id = idOf(claim, open.start)
  const pipeline = openPipeline(slice, destination, id, true)
  const key = stagedKey(claim, id)
  const file = checksummed(encodeFrames(pipeline.run(open.body)))
  await host.staging.putStream(key, file.body)
  await faultPoint('read.chunk-staged')
  const proof = { ...pipeline.proof(), sha256: file.sha256() }
  await sync.staged(claim.taskId, claim.fence, { ...proof, id, end: open.end(), stagedKey: key })
  await faultPoint('read.stage-reported')
  return proof
}
