import type { JsonValue } from '../protocol/index.ts'

/** How many calls an API allows: in windows that follow each other, or in any span of time. */
export interface CallRates {
  window: 'fixed' | 'moving'
  /** Of a fixed window the first one counts. */
  rates: CallRate[]
}

export interface CallRate {
  limit: number
  /** Milliseconds. */
  interval: number
}

/** The calls of one budget, counted in one place. Moments are epoch milliseconds. */
export interface CallWindow {
  /**
   * Takes calls that are made between `now` and `until`. Milliseconds to wait before asking again;
   * 0: they are taken.
   */
  take(calls: number, now: number, until?: number): number
  /** Calls that were taken to be made `until` then, and were not. */
  giveBack(calls: number, until: number): void
  /** What the API says: how many calls are left, and when they are all there again. */
  learn(left: number | undefined, resetAt: number | undefined, now: number): void
  /** Calls that may be taken now. */
  left(now: number): number
  /** When the window that began ends, where windows follow each other. */
  endsAt(now: number): number | undefined
  /** When nothing of what was taken counts any more. */
  emptyAt(): number
  save(): JsonValue
}

/** @param saved what `save` gave */
export const callWindow = (rates: CallRates, saved?: JsonValue): CallWindow =>
  rates.window === 'fixed' ? fixedWindow(rates, saved) : movingWindow(rates, saved)

function fixedWindow({ rates: [rate] }: CallRates, saved?: JsonValue): CallWindow {
  const { limit, interval: period } = rate as CallRate
  const before = saved as { taken: number; endsAt: number | null } | undefined
  let taken = before?.taken ?? 0
  // The first call begins a window, until an answer says when the API's own ends.
  let endsAt = before?.endsAt ?? undefined
  const roll = (now: number): number => {
    if (endsAt !== undefined && now <= endsAt) return endsAt
    endsAt = endsAt === undefined || now - endsAt > period ? now + period : endsAt + period
    taken = 0
    return endsAt
  }
  return {
    take(calls, now) {
      const end = roll(now)
      if (taken + calls > limit) return end - now + 1
      taken += calls
      return 0
    },
    giveBack(calls, until) {
      // Of a window that has ended nothing is left to give back.
      const isThisOne = endsAt !== undefined && until <= endsAt && until > endsAt - period
      if (isThisOne) taken = Math.max(0, taken - calls)
    },
    learn(left, resetAt, now) {
      roll(now)
      // More than we count may be left to others: only less is believed.
      if (left !== undefined && limit - taken > left) taken = limit - left
      if (resetAt !== undefined) endsAt = resetAt
    },
    left(now) {
      roll(now)
      return limit - taken
    },
    endsAt: roll,
    emptyAt: () => endsAt ?? 0,
    save: () => ({ taken, endsAt: endsAt ?? null }),
  }
}

/** Calls that were made at one time, or are made until then. */
type Made = [at: number, calls: number]

/** More moments than this are told apart less exactly. */
const MOST_MOMENTS = 500
/** Into so many parts an interval is divided then: what it allows comes later by one of them. */
const PARTS = 200

function movingWindow({ rates }: CallRates, saved?: JsonValue): CallWindow {
  const longest = Math.max(...rates.map(({ interval }) => interval))
  const shortest = Math.min(...rates.map(({ interval }) => interval))
  let made: Made[] = Array.isArray(saved) ? (saved as Made[]) : []
  const since = (moment: number) =>
    made.reduce((sum, [at, calls]) => sum + (at >= moment ? calls : 0), 0)
  const add = (calls: number, at: number) => {
    const same = made.find((entry) => entry[0] === at)
    if (same) same[1] += calls
    else if (at > (made.at(-1)?.[0] ?? 0)) made.push([at, calls])
    else made = [...made, [at, calls] satisfies Made].sort(([a], [b]) => a - b)
  }
  const tidy = (now: number) => {
    made = made.filter(([at]) => at >= now - longest)
    if (made.length <= MOST_MOMENTS) return
    const moments = new Map<number, number>()
    for (const [at, calls] of made) {
      const part = (at < now - shortest ? longest : shortest) / PARTS
      const later = Math.ceil(at / part) * part
      moments.set(later, (moments.get(later) ?? 0) + calls)
    }
    made = [...moments].sort(([a], [b]) => a - b)
  }
  const left = (now: number) =>
    Math.min(...rates.map(({ limit, interval }) => limit - since(now - interval)))
  return {
    take(calls, now, until = now) {
      tidy(now)
      for (const { limit, interval } of rates) {
        const excess = since(now - interval) + calls - limit
        if (excess > 0) return freedAt(made, excess, now - interval) + interval - now + 1
      }
      add(calls, until)
      return 0
    },
    giveBack(calls, until) {
      // What was taken then may have been counted together with later calls since.
      const entry = made.find(([at]) => at >= until)
      if (entry) entry[1] = Math.max(0, entry[1] - calls)
    },
    learn(remaining, resetAt, now) {
      if (remaining !== 0 || resetAt !== undefined) return
      const free = left(now)
      if (free > 0) add(free, now)
    },
    left(now) {
      tidy(now)
      return left(now)
    },
    endsAt: () => undefined,
    emptyAt: () => (made.at(-1)?.[0] ?? 0) + longest,
    save: () => made,
  }
}

/** When so many of the calls since `moment` were made, the oldest first. */
function freedAt(made: Made[], calls: number, moment: number): number {
  let sum = 0
  for (const [at, count] of made) {
    if (at < moment) continue
    sum += count
    if (sum >= calls) return at
  }
  return made.at(-1)?.[0] ?? moment
}
