import { createHash } from 'node:crypto'
import { type StreamKey, type StreamState, stableJson } from '../../protocol/index.ts'

/** Claims of one sync that a fence can count. */
const CLAIMS_PER_SYNC = 2 ** 20

/** Fences grow with every claim and across syncs, since sync numbers grow. */
export const fenceOf = (syncId: number, claim: number) => syncId * CLAIMS_PER_SYNC + claim

/** The sync that took a fence. */
export const syncOfFence = (fence: number) => Math.floor(fence / CLAIMS_PER_SYNC)

/** A chunk is named by where it starts, so reading it again finds the same ledger entry. */
export function chunkId(of: {
  connectionId: string
  stream: StreamKey
  generationId: number
  syncId: number
  start: StreamState | null
}): string {
  const identity = [of.connectionId, of.stream, of.generationId, of.syncId, stableJson(of.start)]
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32)
}
