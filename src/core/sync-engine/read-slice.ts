import type { ChunkProof, Destination } from '../../runtime/contract.ts'
import { encodeFrames } from '../../staging/chunk-codec.ts'
import { faultPoint } from '../fault-points.ts'
import { checksummed } from './checksum.ts'
import type { OpenChunk } from './chunk-reader.ts'
import { syncOfFence } from './identity.ts'
import { loadDirectly } from './load-directly.ts'
import type { OpenLoader } from './loaders.ts'
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
  const { sync, claim, host, loaders } = slice
  const { stream } = claim
  const needsLoader = stream.transfer === 'direct' || claim.first
  const open = needsLoader ? await loaders.open(slice) : undefined
  const destination = open?.destination ?? (await host.openDestination(claim)).connector
  const start = open ? await resume(slice, open) : { state: claim.state, complete: false }
  await faultPoint('read.prepared')
  if (start.complete) return slice.done()
  const reached =
    open && stream.transfer === 'direct'
      ? await loadDirectly(slice, { destination, loader: open.loader }, start)
      : await stageChunks(slice, destination, start)
  if (!reached) return sync.release(claim.taskId, claim.fence)
  const { end, wait } = reached
  await sync.advanced(claim.taskId, claim.fence, end)
  await faultPoint('read.advanced')
  if (end.complete) await slice.done()
  else if (wait) await sync.wait(claim.taskId, claim.fence, wait)
  else await sync.release(claim.taskId, claim.fence)
}

/** Takes the fence at the destination and believes its ledger where it is ahead of what we know. */
async function resume(slice: ReadSlice, open: OpenLoader) {
  const { sync, claim } = slice
  const position = await open.loader.prepare(claim.fence)
  open.isPrepared = true
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
