import type { CallOwner } from '../../call-leases.ts'
import type { CallRates } from '../../call-window.ts'
import type { CallLease, CallsLeft, UnusedCalls } from '../../contract.ts'

/** What these calls are counted under at the source's owner, and with what clock. */
export interface CallAccount {
  key: string
  rates: CallRates
  owner: CallOwner
  now(): number
}

/** A run that makes many calls asks for so many at once at most. */
const MOST_AT_ONCE = 64

/** Calls of one budget as one run makes them: leased from the source's owner, a few at a time. */
export class LeasedCalls {
  readonly #account: CallAccount
  #lease: CallLease | undefined
  /** When the lease ends by this run's clock. */
  #endsAt = 0
  #used = 0
  #block = 1
  #turn: Promise<unknown> = Promise.resolve()

  constructor(account: CallAccount) {
    this.#account = account
  }

  /** Milliseconds until so many calls may be made; 0: they are taken. */
  take(calls: number): Promise<number> {
    const turn = this.#turn.then(() => this.#take(calls))
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** What an answer says of the calls that are left. The owner hears it where it did not know. */
  async learn({ left, resetAt }: Partial<CallsLeft>): Promise<void> {
    const { key, rates, owner } = this.#account
    const lease = this.#lease
    if (!lease || !this.#isNews({ left, resetAt }, lease)) return
    lease.calls = Math.min(lease.calls, left ?? lease.calls)
    // Those that this run still has are taken already.
    const beyond = left === undefined ? {} : { left: left - this.#open() }
    const now = await owner.learnCalls(key, rates, {
      ...beyond,
      ...(resetAt === undefined ? {} : { resetAt }),
    })
    Object.assign(lease, now)
  }

  /** The others may have what this run does not use. */
  async close(): Promise<void> {
    const { key, rates, owner } = this.#account
    // A page that is asked for ahead may be taking a call now.
    await this.#turn
    const back = this.#unused()
    this.#lease = undefined
    if (back) await owner.giveBackCalls(key, rates, back)
  }

  async #take(calls: number): Promise<number> {
    const { key, rates, owner, now } = this.#account
    if (this.#open() < calls) {
      const back = this.#unused()
      const wanted = this.#nextBlock()
      this.#lease = undefined
      const wish = { least: calls, most: Math.max(calls, wanted), ...(back ? { back } : {}) }
      const lease = await owner.takeCalls(key, rates, wish)
      if (lease.calls === 0) return lease.waitMs
      this.#lease = lease
      this.#endsAt = now() + lease.forMs
      this.#used = 0
    }
    ;(this.#lease as CallLease).calls -= calls
    this.#used += calls
    return 0
  }

  /** Twice as many when they were all used, no more than were used when they were not. */
  #nextBlock(): number {
    if (this.#lease) {
      const wanted = this.#lease.calls === 0 ? this.#block * 2 : this.#used
      this.#block = Math.max(1, Math.min(wanted, MOST_AT_ONCE))
    }
    return this.#block
  }

  /** Calls that may be made without asking. */
  #open(): number {
    return this.#lease && this.#account.now() <= this.#endsAt ? this.#lease.calls : 0
  }

  #unused(): UnusedCalls | undefined {
    const { calls = 0, until = 0 } = this.#lease ?? {}
    return calls > 0 ? { calls, until } : undefined
  }

  #isNews({ left, resetAt }: Partial<CallsLeft>, lease: CallLease): boolean {
    if (this.#account.rates.window === 'moving') return left === 0 && resetAt === undefined
    // Whoever leases nothing beforehand is the only one, and asked without cost.
    if (lease.forMs === 0) return true
    const isLess = left !== undefined && left < lease.left + this.#open()
    const isOther = resetAt !== undefined && resetAt !== lease.resetAt
    return isLess || (isOther && resetAt > this.#account.now())
  }
}
