import type { ConnectorContext } from '../contract.ts'
import type { Run } from './environment.ts'
import { ownerOfRun } from './owner-of-run.ts'
import { Answer } from './requester/answer.ts'

/** What a host may set for all reads of a source. */
export interface RunOptions {
  /** Lists are newest first; of the connector's metadata. @see ChangeOrder */
  newestFirst?: boolean
  /** The longest wait that is slept through, in milliseconds; default 30 000. None outlasts the budget. */
  longestSleepMs?: number
  /** Waits; default with timers. */
  sleep?(ms: number): Promise<void>
  /** Of the manifest's `max_concurrent_async_job_count`; default 1. */
  jobLimit?: number
}

const LONGEST_SLEEP_MS = 30_000
const CACHE_BYTES = 16 * 1024 * 1024

export function newRun(ctx: ConnectorContext, options: RunOptions): Run {
  let slept = 0
  const wait = options.sleep ?? ((ms: number) => sleep(ms, ctx.signal))
  const now = () => Math.max(slept, ctx.now())
  return {
    async sleep(ms) {
      const until = now() + ms
      await wait(ms)
      slept = Math.max(slept, until)
    },
    now,
    get longestSleepMs() {
      const left = Math.max(0, ctx.budget.deadline - ctx.now())
      return Math.min(options.longestSleepMs ?? LONGEST_SLEEP_MS, left)
    },
    jobLimit: options.jobLimit ?? 1,
    newestFirst: options.newestFirst ?? false,
    owner: ctx.owner ?? ownerOfRun(now),
    tokens: new Map(),
    shared: new Map(),
    cache: new AnswerCache(),
    configured: new Map(),
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const abort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal.addEventListener('abort', abort, { once: true })
  })
}

/** Keeps the newest answers, up to 16 MiB of bodies. */
class AnswerCache extends Map<string, unknown> {
  #bytes = 0

  override set(key: string, value: unknown): this {
    const size = value instanceof Answer ? value.bytes.length : 0
    if (size > CACHE_BYTES / 4) return this
    this.#bytes += size
    for (const [oldest, answer] of this) {
      if (this.#bytes <= CACHE_BYTES) break
      this.#bytes -= answer instanceof Answer ? answer.bytes.length : 0
      this.delete(oldest)
    }
    return super.set(key, value)
  }
}
