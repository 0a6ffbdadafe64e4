import {
  applyDeltas,
  joinState,
  type ReadEvent,
  type StreamState,
  toAirbyteError,
} from '../../protocol/index.ts'
import type { ChunkProof, Destination, Loader, RejectedRow } from '../../runtime/contract.ts'
import { encodeFrames } from '../../staging/chunk-codec.ts'
import { faultPoint } from '../fault-points.ts'
import { checksummed } from './checksum.ts'
import { ChunkPipeline } from './chunk-pipeline.ts'
import { ChunkReader, type OpenChunk } from './chunk-reader.ts'
import { chunkId, syncOfFence } from './identity.ts'
import { loadChunk } from './load-chunk.ts'
import { rejectsKey as rejectsKeyOf, saveRejects, stagedKey } from './objects.ts'
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
    await readChunks(slice, destination.connector, loader, start)
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

async function readChunks(
  slice: ReadSlice,
  destination: Destination,
  loader: Loader | undefined,
  start: ReadStart,
): Promise<void> {
  const { sync, claim, ctx } = slice
  let reader = await openReader(slice, start)
  let isolate = false
  let bytes = 0
  let rows = 0
  try {
    for (;;) {
      slice.check()
      const chunk = await reader.next()
      if (!chunk) break
      await faultPoint('read.chunk-started')
      try {
        const moved =
          claim.stream.transfer === 'direct' && loader
            ? await loadDirectly(slice, destination, loader, chunk, isolate)
            : await stage(slice, destination, chunk)
        if (!moved) return sync.release(claim.taskId, claim.fence)
        reader.settle()
        bytes += moved.bytes
        rows += moved.rows
        isolate = false
      } catch (error) {
        if (isolate || toAirbyteError(error).code !== 'VALUE_REJECTED') throw error
        // One value does not fit: the same chunk again, row by row, to find it.
        ctx.log('warn', `${toAirbyteError(error).message} Reading the chunk again to find the row.`)
        await reader.close()
        reader = await openReader(slice, { state: chunk.start, isNew: true })
        isolate = true
      }
      const { limits } = claim.input
      if (reader.wait) break
      if (ctx.budget.exhausted() || bytes >= limits.sliceBytes || rows >= limits.sliceRows) break
    }
    const end = reader.position()
    await sync.advanced(claim.taskId, claim.fence, end)
    await faultPoint('read.advanced')
    if (end.complete) await sync.done(claim.taskId, claim.fence)
    else if (reader.wait) await sync.wait(claim.taskId, claim.fence, reader.wait)
    else await sync.release(claim.taskId, claim.fence)
  } finally {
    await reader.close()
  }
}

interface ReadStart {
  state: StreamState | null
  /** What was reported since the claim may have changed its partitions. */
  isNew?: boolean
}

async function openReader(slice: ReadSlice, { state, isNew }: ReadStart): Promise<ChunkReader> {
  const { host, claim, ctx, sync } = slice
  const { connector, config } = await host.openSource(claim)
  const { key, configured } = claim.stream
  // The lookback reaches behind where this sync began, not behind every slice.
  const stream = claim.first ? configured : { ...configured, lookbackSeconds: undefined }
  // What this sync has read up to here is there already: a chunk is reported before the next begins.
  const hasLists = state && (isNew || claim.hasPartitions || claim.hasDeltas)
  const lists = hasLists ? applyDeltas(new Map(), await host.partitions(claim)) : new Map()
  const streams = new Map(state ? [[key, joinState({ header: state, lists })]] : [])
  const events = connector.read(ctx, config, [stream], { streams })
  return new ChunkReader(
    events,
    { header: state, lists },
    {
      stream: key,
      // After an attempt without progress every checkpoint ends a chunk, to keep what can be kept.
      chunkBytes: claim.attempts > 0 ? 0 : claim.input.limits.chunkBytes,
      exhausted: () => ctx.budget.exhausted(),
      async onEvent(event: ReadEvent) {
        if (event.type === 'control') await ctx.owner?.saveConfig(event.config)
        if (event.type === 'log') ctx.log(event.level, event.message)
        if (event.type === 'estimate' && event.rows !== undefined) {
          void sync.estimate(key, event.rows).catch(() => {})
        }
      },
    },
  )
}

async function loadDirectly(
  slice: ReadSlice,
  destination: Destination,
  loader: Loader,
  open: OpenChunk,
  isolateBadRows: boolean,
): Promise<ChunkProof | null> {
  const id = idOf(slice.claim, open.start)
  const wire = destination.capabilities.formats.includes('pg-copy-text')
  const pipeline = openPipeline(slice, destination, id, wire)
  const { body, end } = open
  return loadChunk(slice, loader, pipeline, { id, body, end, isolateBadRows })
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

function openPipeline(slice: ReadSlice, destination: Destination, id: string, wire: boolean) {
  const saveInto = (rejects: RejectedRow[]) =>
    saveRejects(slice, rejectsKeyOf(slice.claim, id), rejects)
  return new ChunkPipeline(slice.claim.stream, destination.capabilities, {
    ...{ chunk: id, wire },
    saveRejects: saveInto,
  })
}

const idOf = (claim: StreamClaim, start: StreamState | null) =>
  chunkId({
    connectionId: claim.input.connectionId,
    stream: claim.stream.key,
    generationId: claim.stream.plan.generationId,
    syncId: claim.input.syncId,
    start,
  })
