import type { CallRates, CallWindow } from './call-window.ts'
import type { CallLease, CallsLeft, CallWish, SourceOwner, UnusedCalls } from './contract.ts'

/** The calls that a source may make at its API, as its owner gives them out. */
export type CallOwner = Pick<SourceOwner, 'takeCalls' | 'learnCalls' | 'giveBackCalls'>

/** Where the windows are kept, by budget. */
export interface CallWindows {
  use<Result>(key: string, rates: CallRates, change: (window: CallWindow) => Result): Result
}

/** Of what is left one run gets so much at once, so that others find something too. */
const SHARE = 1 / 10

/**
 * Leases calls to those that make them: together they make no more than one of them alone would.
 * A lease counts as used at its end, because nobody knows when within it.
 */
export class CallLeases {
  readonly #windows: CallWindows
  readonly #now: () => number
  readonly #longestMs: number

  /** @param longestMs of a lease; 0: each call is asked for when it is made */
  constructor(windows: CallWindows, now: () => number, longestMs: number) {
    this.#windows = windows
    this.#now = now
    this.#longestMs = longestMs
  }

  take(key: string, rates: CallRates, { least, most, back }: CallWish): CallLease {
    return this.#windows.use(key, rates, (window) => {
      const now = this.#now()
      if (back) window.giveBack(back.calls, back.until)
      const end = window.endsAt(now) ?? Number.POSITIVE_INFINITY
      const until = Math.min(now + this.#lasts(rates), end)
      const forMs = until - now
      const share = Math.min(most, Math.floor(window.left(now) * SHARE))
      const calls = forMs > 0 ? Math.max(least, share) : least
      const waitMs = window.take(calls, now, until)
      return { ...{ calls: waitMs > 0 ? 0 : calls, waitMs, forMs, until }, ...leftOf(window, now) }
    })
  }

  giveBack(key: string, rates: CallRates, back: UnusedCalls): void {
    this.#windows.use(key, rates, (window) => window.giveBack(back.calls, back.until))
  }

  learn(key: string, rates: CallRates, { left, resetAt }: Partial<CallsLeft>): CallsLeft {
    return this.#windows.use(key, rates, (window) => {
      const now = this.#now()
      window.learn(left, resetAt, now)
      return leftOf(window, now)
    })
  }

  #lasts({ rates }: CallRates): number {
    const shortest = Math.min(...rates.map(({ interval }) => interval))
    return Math.min(this.#longestMs, Math.floor(shortest * SHARE))
  }
}

function leftOf(window: CallWindow, now: number): CallsLeft {
  const resetAt = window.endsAt(now)
  return { left: window.left(now), ...(resetAt === undefined ? {} : { resetAt }) }
}
