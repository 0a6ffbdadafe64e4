/** When a connection that follows its source's log syncs: as soon as there is something, but not in a rush. */

/** What is staged waits so long for more. */
const BATCH_MS = 1_000
/** From one start to the next, at least. */
const GAP_MS = 10_000
/** A source without changes is looked at so often: the sync proves that there are none. */
const IDLE_MS = 15 * 60_000
const LEAST_IDLE_MS = 60_000
/** After syncs that failed in a row. */
const BACKOFF_MS = [10_000, 20_000, 40_000, 80_000, 160_000, 300_000]
/** A person who cancels a sync has time to pause the connection. */
const CANCELLED_MS = 60_000

export interface EndedSync {
  startedAt: number
  endedAt: number
  status: string
  /** Syncs that failed in a row, this one among them. */
  failures: number
}

/** Of a source that has something staged for us, or not. A target of freshness is met at half its time. */
export function nextAfter(
  { startedAt, endedAt, status, failures }: EndedSync,
  staged: boolean,
  freshnessSeconds = 0,
): number {
  if (status === 'cancelled') return endedAt + CANCELLED_MS
  if (status !== 'succeeded') {
    return endedAt + (BACKOFF_MS[failures - 1] ?? (BACKOFF_MS.at(-1) as number))
  }
  if (staged) return nextStaged(startedAt, endedAt)
  return idleUntil(startedAt, freshnessSeconds)
}

/** When what was staged at `now` is loaded. */
export const nextStaged = (lastStartedAt: number, now: number): number =>
  Math.max(now + BATCH_MS, lastStartedAt + GAP_MS)

/** When a source that had nothing since is looked at again. */
export function idleUntil(since: number, freshnessSeconds = 0): number {
  const half = freshnessSeconds > 0 ? (freshnessSeconds * 1000) / 2 : IDLE_MS
  return since + Math.min(IDLE_MS, Math.max(LEAST_IDLE_MS, half))
}
