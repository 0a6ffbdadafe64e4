import type { JsonValue } from '../../../protocol/index.ts'
import type { Environment } from '../environment.ts'
import { WaitUntil } from '../wait.ts'

/** Between two polls that are slept between. */
const POLL_MS = 5_000
/** The age up to which a job is slept for: no invocation is held by one that runs long. */
const YOUNG_MS = 30_000
/** Between two polls of different invocations: longer, the longer the job runs. */
const LEAST_WAIT_MS = 15_000
const MOST_WAIT_MS = 60_000

interface Waiting {
  why: string
  /** Epoch milliseconds since when it is waited for. */
  since: number
  /** Milliseconds that it takes at least. */
  least?: number
  /** What another invocation needs to go on. */
  progress: JsonValue
}

/**
 * Sleeps until the next poll is due.
 *
 * @throws WaitUntil when that is for another invocation to make
 */
export async function pause(
  { ctx, run, stream }: Environment,
  { why, since, least = 0, progress }: Waiting,
): Promise<void> {
  const now = ctx.now()
  const delay = Math.max(POLL_MS, least)
  const age = now - since
  if (delay <= run.longestSleepMs && age + delay <= YOUNG_MS) return run.sleep(delay)
  const wait = Math.min(MOST_WAIT_MS, Math.max(LEAST_WAIT_MS, age / 6))
  throw new WaitUntil(`${stream}: ${why}.`, stream, now + Math.max(wait, least), progress)
}
