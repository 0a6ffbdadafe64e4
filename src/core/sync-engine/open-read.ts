/** What reading a stream takes, whichever way its chunks go. */
import {
  applyDeltas,
  isDedup,
  joinState,
  type ReadEvent,
  type StreamState,
} from '../../protocol/index.ts'
import type { ChunkEnd, ChunkProof, Destination, RejectedRow } from '../../runtime/contract.ts'
import { ChunkPipeline } from './chunk-pipeline.ts'
import { ChunkReader } from './chunk-reader.ts'
import { chunkId } from './identity.ts'
import { rejectsKey, saveRejects } from './objects.ts'
import type { Slice } from './run-task.ts'
import type { StreamClaim, Wait } from './types.ts'

type ReadSlice = Slice<StreamClaim>

export interface ReadStart {
  state: StreamState | null
  /** What was reported since the claim may have changed its partitions. */
  isNew?: boolean
}

export async function openReader(
  slice: ReadSlice,
  { state, isNew }: ReadStart,
): Promise<ChunkReader> {
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
      chunkBytes: claim.attempts > 0 ? () => 0 : chunkBytesOf(claim),
      exhausted: () => ctx.budget.exhausted(),
      async onEvent(event: ReadEvent) {
        if (event.type === 'control') await ctx.owner?.saveConfig(event.config)
        if (event.type === 'log') {
          ctx.log(event.level, event.message, event.warning)
          // The rows that follow cover it: who goes on behind them does not read it again.
          if (event.warning) await slice.flushLog()
        }
        if (event.type === 'estimate' && event.rows !== undefined) {
          void sync.estimate(key, event.rows).catch(() => {})
        }
      },
    },
  )
}

/**
 * Merging takes as long as reading, and the next chunk is read meanwhile; nothing is meanwhile of the
 * last one. So a chunk is a sixteenth of what came before it: short where little is read, and where much
 * is, what each costs by itself does not show. Staged ones are merged by another task.
 */
const MERGED_CHUNK_BYTES = { least: 4 << 20, most: 16 << 20 }

function chunkBytesOf({ input, stream }: StreamClaim): (read: number) => number {
  const limit = input.limits.chunkBytes
  if (stream.transfer !== 'direct' || !isDedup(stream.plan.mode)) return () => limit
  const { least, most } = MERGED_CHUNK_BYTES
  return (read) => Math.min(limit, most, Math.max(least, read / 16))
}

/** How far a slice came. */
export interface Reached {
  end: ChunkEnd
  /** Why the source has nothing to read for a while. */
  wait?: Wait | undefined
}

/** Counts what a slice moves, until that is enough for one. */
export function quotaOf({ claim, ctx }: ReadSlice) {
  const { sliceBytes, sliceRows } = claim.input.limits
  let bytes = 0
  let rows = 0
  return {
    take(moved: ChunkProof) {
      bytes += moved.bytes
      rows += moved.rows
    },
    isSpent: () => ctx.budget.exhausted() || bytes >= sliceBytes || rows >= sliceRows,
  }
}

export function openPipeline(
  slice: ReadSlice,
  destination: Destination,
  id: string,
  wire: boolean,
) {
  const saveInto = (rejects: RejectedRow[]) =>
    saveRejects(slice, rejectsKey(slice.claim, id), rejects)
  return new ChunkPipeline(slice.claim.stream, destination.capabilities, {
    ...{ chunk: id, wire },
    saveRejects: saveInto,
  })
}

export const idOf = (claim: StreamClaim, start: StreamState | null) =>
  chunkId({
    connectionId: claim.input.connectionId,
    stream: claim.stream.key,
    generationId: claim.stream.plan.generationId,
    syncId: claim.input.syncId,
    start,
  })
