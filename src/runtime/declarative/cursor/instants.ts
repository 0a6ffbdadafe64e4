import { PyDatetime, UTC } from '../python/datetime.ts'
import { Duration } from '../python/duration.ts'
import type { Timedelta } from '../python/timedelta.ts'

/** A length of time, of days and microseconds or of months and years. */
export type Gap = Timedelta | Duration

/** The moment, microseconds exact; `undefined` gap leaves it. */
export function plus(moment: PyDatetime, gap: Gap): PyDatetime {
  return gap instanceof Duration ? (gap.from(moment, 1) as PyDatetime) : moment.plus(gap)
}

export function minus(moment: PyDatetime, gap: Gap): PyDatetime {
  return gap instanceof Duration ? (gap.from(moment, -1) as PyDatetime) : moment.plus(gap.negated())
}

/** Negative when `a` is earlier. A clock without a zone counts as UTC. */
export function compareInstants(a: PyDatetime, b: PyDatetime): number {
  return a.epochSeconds() - b.epochSeconds() || a.micros - b.micros
}

export const later = (a: PyDatetime, b: PyDatetime) => (compareInstants(a, b) >= 0 ? a : b)
export const earlier = (a: PyDatetime, b: PyDatetime) => (compareInstants(a, b) <= 0 ? a : b)

/** Epoch milliseconds as a moment in UTC. */
export function fromMillis(ms: number): PyDatetime {
  const seconds = Math.floor(ms / 1000)
  return PyDatetime.fromEpoch(seconds, Math.round((ms - seconds * 1000) * 1000), UTC)
}
