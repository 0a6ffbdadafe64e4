/**
 * Dates and times as Parquet counts them, from ISO text and back. Every parser answers NaN for text
 * that is not a plain value of its kind: infinities, years before 1 or beyond 9999, nonsense.
 */
import { daysFromCivil, daysInMonth } from '../calendar.ts'

const DAY_SECONDS = 86_400
const ZERO = 48

/** Days since 1970-01-01 of `YYYY-MM-DD`. */
export function daysOf(text: string): number {
  return text.length === 10 ? daysAt(text) : Number.NaN
}

/** Microseconds since midnight of `HH:MM:SS[.ffffff]`. */
export function timeMicrosOf(text: string): number {
  const seconds = secondsAt(text, 0)
  const end = fractionEnd(text, 8)
  return end === text.length ? seconds * 1e6 + fractionMicros(text, 8, end) : Number.NaN
}

/** The two halves of a timestamp: whole seconds since 1970, and microseconds within the second. */
export interface Instant {
  seconds: number
  micros: number
  /** Digits finer than a microsecond were there and not all zero. */
  finer: boolean
}

/**
 * Reads `YYYY-MM-DDTHH:MM:SS[.ffffff][Z or ±HH[:MM[:SS]]]` into `into`; false if it is something else.
 * Without `utc` the wall clock counts and an offset is passed over.
 */
export function readInstant(text: string, utc: boolean, into: Instant): boolean {
  const separator = text.charCodeAt(10)
  if (separator !== 84 && separator !== 32 && separator !== 116) return false
  const end = fractionEnd(text, 19)
  const offset = offsetSeconds(text, end)
  const seconds = daysAt(text) * DAY_SECONDS + secondsAt(text, 11) - (utc ? offset : 0)
  if (Number.isNaN(seconds) || Number.isNaN(offset)) return false
  into.seconds = seconds
  into.micros = fractionMicros(text, 19, end)
  into.finer = end > 26 && /[1-9]/.test(text.slice(26, end))
  return true
}

export function dateText(days: number): string {
  return new Date(days * DAY_SECONDS * 1000).toISOString().slice(0, -14)
}

export function timeText(micros: number): string {
  const seconds = Math.floor(micros / 1e6)
  const clock = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((n) => two(Math.floor(n)))
  return clock.join(':') + fractionText(micros % 1e6)
}

/** `YYYY-MM-DDTHH:MM:SS[.ffffff]`, with `Z` if UTC. Fractions lose their trailing zeros. */
export function timestampText(micros: bigint, utc: boolean): string {
  const fraction = Number(((micros % 1_000_000n) + 1_000_000n) % 1_000_000n)
  const millis = Number((micros - BigInt(fraction)) / 1000n)
  return new Date(millis).toISOString().slice(0, -5) + fractionText(fraction) + (utc ? 'Z' : '')
}

const two = (n: number) => String(n).padStart(2, '0')

const fractionText = (micros: number) =>
  micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`

/** The number that `count` digits from `at` make, or NaN. */
function digits(text: string, at: number, count: number): number {
  let value = 0
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

function daysAt(text: string): number {
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 2)
  const day = digits(text, 8, 2)
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1)) return Number.NaN
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return Number.NaN
  if (day > daysInMonth(year, month)) return Number.NaN
  return daysFromCivil(year, month, day)
}

/** Seconds of `HH:MM:SS` at `at`; 24:00:00 and the leap second 60 carry over. */
function secondsAt(text: string, at: number): number {
  const hours = digits(text, at, 2)
  const minutes = digits(text, at + 3, 2)
  const seconds = digits(text, at + 6, 2)
  if (text.charCodeAt(at + 2) !== 58 || text.charCodeAt(at + 5) !== 58) return Number.NaN
  if (!(hours <= 24 && minutes <= 59 && seconds <= 60)) return Number.NaN
  return hours * 3600 + minutes * 60 + seconds
}

/** Where a fraction that would begin at `at` ends. */
function fractionEnd(text: string, at: number): number {
  if (text.charCodeAt(at) !== 46) return at
  let end = at + 1
  while (text.charCodeAt(end) >= ZERO && text.charCodeAt(end) <= 57) end++
  return end
}

function fractionMicros(text: string, at: number, end: number): number {
  let micros = 0
  for (let i = 1; i <= 6; i++) {
    micros = micros * 10 + (at + i < end ? text.charCodeAt(at + i) - ZERO : 0)
  }
  return micros
}

/** Seconds east of UTC that the rest of the text says; none is 0. */
function offsetSeconds(text: string, at: number): number {
  if (at === text.length) return 0
  const sign = text.charCodeAt(at)
  if ((sign === 90 || sign === 122) && at + 1 === text.length) return 0
  const match = /^([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?$/.exec(text.slice(at))
  if (!match) return Number.NaN
  const seconds = Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0)
  return match[1] === '-' ? -seconds : seconds
}
