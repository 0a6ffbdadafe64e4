import type { ConnectorContext, Token } from '../contract.ts'
import { isAnswerLost } from '../lost-answer.ts'
import type { Run } from './environment.ts'
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
  return {
    sleep: options.sleep ?? ((ms) => sleep(ms, ctx.signal)),
    get longestSleepMs() {
      const left = Math.max(0, ctx.budget.deadline - ctx.now())
      return Math.min(options.longestSleepMs ?? LONGEST_SLEEP_MS, left)
    },
    jobLimit: options.jobLimit ?? 1,
    newestFirst: options.newestFirst ?? false,
    owner: ctx.owner ?? ownerOfRun(),
    tokens: new Map(),
    shared: new Map(),
    cache: new AnswerCache(),
    configured: new Map(),
  }
}

/** Where nobody else runs the source it is enough that one refresh is under way at a time. */
function ownerOfRun(): Run['owner'] {
  const flights = new Map<string, Promise<Token>>()
  const uncertain = new Set<string>()
  const seats = new Map<string, Set<string>>()
  return {
    async takeSeat(key, holder, limit) {
      const holders = seats.get(key) ?? new Set()
      if (!holders.has(holder) && holders.size >= limit) return false
      seats.set(key, holders.add(holder))
      return true
    },
    async leaveSeat(key, holder) {
      seats.get(key)?.delete(holder)
    },
    token(key, refresh, stale) {
      const known = flights.get(key)
      if (known) return known
      const state = { uncertain: uncertain.has(key), ...(stale === undefined ? {} : { stale }) }
      const flight = refresh(state)
        .then(
          (token) => {
            uncertain.delete(key)
            return token
          },
          (error: unknown) => {
            if (isAnswerLost(error)) uncertain.add(key)
            throw error
          },
        )
        .finally(() => flights.delete(key))
      flights.set(key, flight)
      return flight
    },
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
