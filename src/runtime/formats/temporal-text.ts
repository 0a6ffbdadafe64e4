/**
 * Dates and times as PostgreSQL prints them with `DateStyle ISO` and `TimeZone UTC`.
 * Each function takes ISO 8601 in its usual dialects, or what PostgreSQL prints, and returns
 * undefined for anything else: the database then judges the text itself.
 */
import { civilFromDays, daysFromCivil, daysInMonth } from '../calendar.ts'

/**
 * A `timestamptz`: any offset becomes UTC; no offset means UTC.
 * @example
 * timestamptzText('2026-11-23T05:31:33.432000+02:00') // '2026-11-23 03:31:33.432+00'
 */
export function timestamptzText(text: string): string | undefined {
  const offsetAt = isPlain(text) ? utcOffsetAt(text) : -1
  if (offsetAt > 0)
    return `${text.slice(0, 10)} ${text.slice(11, 19)}${plainFraction(text, offsetAt)}+00`
  if (INFINITE.has(text)) return text
  const parsed = parse(text)
  return parsed && print(parsed.seconds - parsed.offset, parsed.micros, '+00')
}

/** A `timestamp`: an offset is dropped, as PostgreSQL does. */
export function timestampText(text: string): string | undefined {
  if (isPlain(text)) {
    const end = digitsEnd(text)
    if (end === text.length || utcOffsetAt(text) > 0)
      return `${text.slice(0, 10)} ${text.slice(11, 19)}${plainFraction(text, end)}`
  }
  if (INFINITE.has(text)) return text
  const parsed = parse(text)
  return parsed && print(parsed.seconds, parsed.micros, '')
}

/** A `date`; of a date and time only the date. */
export function dateText(text: string): string | undefined {
  if (text.length === 10 && text.charCodeAt(4) === DASH && text.charCodeAt(7) === DASH) return text
  if (INFINITE.has(text)) return text
  const match = DATE.exec(text)
  if (!match?.groups) return undefined
  const { year = '', month, day, era = '' } = match.groups
  return `${year.replace(/^0+(?=\d{4})/, '')}-${month}-${day}${era && ' BC'}`
}

/** A `time`; an offset is dropped. Also a span of more than a day, or below zero, as MySQL has it. */
export function timeText(text: string): string | undefined {
  const time = TIME.exec(text)
  return (time?.groups && clock(time.groups)) ?? spanText(text)
}

function spanText(text: string): string | undefined {
  const [, clock, fraction] = SPAN.exec(text) ?? []
  return clock && clock + fractionText(microseconds(fraction))
}

/** A `timetz`: keeps its own offset; none means UTC. */
export function timetzText(text: string): string | undefined {
  const time = TIME.exec(text)
  const printed = time?.groups && clock(time.groups)
  return printed && printed + offsetText(time?.groups?.offset ?? 'Z')
}

const DASH = 0x2d
const COLON = 0x3a
const INFINITE = new Set(['infinity', '-infinity'])
const OFFSET = '(?<offset>[Zz]|[+-]\\d{2}(?::?\\d{2}(?::?\\d{2})?)?)?'
const CLOCK = '(?<hour>\\d{2}):(?<minute>\\d{2})(?::(?<second>\\d{2})(?:[.,](?<fraction>\\d+))?)?'
const DATE = /^(?<year>\d{4,6})-(?<month>\d{2})-(?<day>\d{2})(?:[T ]\d.*?)?(?<era> BC)?$/
/** A span as MySQL prints one: `-838:59:59.000001`. */
export const isSpan = (text: string): boolean => SPAN.test(text)

const SPAN = /^(-?\d{2,3}:[0-5]\d:[0-5]\d)(?:\.(\d{1,6}))?$/
const TIME = new RegExp(`^${CLOCK} ?${OFFSET}$`)
const TIMESTAMP = new RegExp(
  `^(?<year>\\d{4,6})-(?<month>\\d{2})-(?<day>\\d{2})(?:[Tt ]${CLOCK} ?${OFFSET})?(?<era> BC)?$`,
)

/** `YYYY-MM-DD?HH:MM:SS…` with a four-digit year and a time of day that needs no carry. */
function isPlain(text: string): boolean {
  return (
    text.length >= 19 &&
    text.charCodeAt(4) === DASH &&
    text.charCodeAt(7) === DASH &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON &&
    text.charCodeAt(17) < 0x36 &&
    (text.charCodeAt(11) < 0x32 || text.charCodeAt(12) < 0x34) &&
    (text.length === 19 || digitsEnd(text) <= 26)
  )
}

/** Where the seconds and their fraction end. */
function digitsEnd(text: string): number {
  if (text.charCodeAt(19) !== 0x2e) return 19
  let at = 20
  while (isDigit(text.charCodeAt(at))) at++
  return at
}

const isDigit = (code: number) => code >= 0x30 && code <= 0x39

/** Where a zero offset begins, if the text ends in one; else -1. */
function utcOffsetAt(text: string): number {
  const end = digitsEnd(text)
  switch (text.slice(end)) {
    case 'Z':
    case '+00':
    case '+00:00':
    case '+0000':
      return end
    default:
      return -1
  }
}

function plainFraction(text: string, end: number): string {
  if (end <= 20) return ''
  let last = end
  while (text.charCodeAt(last - 1) === 0x30) last--
  return last === 20 ? '' : text.slice(19, last)
}

interface Parsed {
  /** Seconds since 1970 of the wall clock, before the offset is applied. */
  seconds: number
  micros: number
  /** Seconds east of UTC. */
  offset: number
}

function parse(text: string): Parsed | undefined {
  const groups = TIMESTAMP.exec(text)?.groups
  if (!groups) return undefined
  const year = groups.era ? 1 - Number(groups.year) : Number(groups.year)
  const month = Number(groups.month)
  const day = Number(groups.day)
  if (Number(groups.year) === 0 || month < 1 || month > 12) return undefined
  if (day < 1 || day > daysInMonth(year, month)) return undefined
  const clock = Number(groups.hour ?? 0) * 3600 + Number(groups.minute ?? 0) * 60
  const second = Number(groups.second ?? 0)
  if (clock + second > 86_400 || second > 60 || Number(groups.minute ?? 0) > 59) return undefined
  let micros = microseconds(groups.fraction)
  const carry = micros === 1_000_000 ? 1 : 0
  if (carry) micros = 0
  const seconds = daysFromCivil(year, month, day) * 86_400 + clock + second + carry
  return { seconds, micros, offset: offsetSeconds(groups.offset ?? 'Z') }
}

/** Rounded as PostgreSQL rounds: to the nearest, the double in between to the even one. */
function microseconds(fraction: string | undefined): number {
  if (!fraction) return 0
  if (fraction.length <= 6) return Number(fraction.padEnd(6, '0'))
  const value = Number(`0.${fraction}`) * 1e6
  const floor = Math.floor(value)
  const above = value - floor
  if (above !== 0.5) return above < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}

function print(seconds: number, micros: number, zone: string): string {
  const days = Math.floor(seconds / 86_400)
  const rest = seconds - days * 86_400
  const { year, month, day } = civilFromDays(days)
  const era = year <= 0 ? ' BC' : ''
  const shown = String(year <= 0 ? 1 - year : year).padStart(4, '0')
  const time = `${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`
  return `${shown}-${two(month)}-${two(day)} ${time}${fractionText(micros)}${zone}${era}`
}

function clock(groups: Record<string, string | undefined>): string | undefined {
  const { hour = '', minute = '', second = '00', fraction } = groups
  const micros = microseconds(fraction)
  // Leap seconds, 24:00 with more, and a fraction that carries: left to the database.
  if (Number(minute) > 59 || Number(second) > 59 || micros === 1_000_000) return undefined
  if (Number(hour) > 23 && !(hour === '24' && Number(minute + second) === 0 && micros === 0))
    return undefined
  return `${hour}:${minute}:${second}${fractionText(micros)}`
}

function fractionText(micros: number): string {
  if (micros === 0) return ''
  return `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`
}

function offsetText(offset: string): string {
  const seconds = offsetSeconds(offset)
  const size = Math.abs(seconds)
  const minutes = Math.floor(size / 60) % 60
  const rest = size % 60
  const tail = rest ? `:${two(minutes)}:${two(rest)}` : minutes ? `:${two(minutes)}` : ''
  return `${seconds < 0 ? '-' : '+'}${two(Math.floor(size / 3600))}${tail}`
}

function offsetSeconds(offset: string): number {
  if (offset === 'Z' || offset === 'z') return 0
  const digits = offset.slice(1).replaceAll(':', '').padEnd(6, '0')
  const [hours, minutes, seconds] = [0, 2, 4].map((at) => Number(digits.slice(at, at + 2)))
  const size = (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)
  return offset.startsWith('-') ? -size : size
}

const two = (value: number) => String(value).padStart(2, '0')
