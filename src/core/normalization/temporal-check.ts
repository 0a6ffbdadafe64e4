/**
 * Dates and times as texts: well-formed, on the calendar, within years. No `Date`: it knows neither
 * microseconds nor year 0, and turns 30 February into 1 March.
 */

type Years = readonly [number, number]

/** `YYYY-MM-DD`, longer years, and ` BC` at the end as PostgreSQL prints it. */
export function isDate(text: string, years: Years): boolean {
  const bc = text.endsWith(' BC')
  return dateFits(text, bc ? text.length - 3 : text.length, bc, years)
}

/** `HH:MM:SS[.fraction]`; with a zone: `Z`, `±HH`, `±HH:MM` or `±HH:MM:SS`, or none for UTC. */
export function isTime(text: string, zone: boolean): boolean {
  return timeFits(text, 0, text.length, zone)
}

/** A date, `T` or a blank, and a time. */
export function isTimestamp(text: string, years: Years, zone: boolean): boolean {
  const bc = text.endsWith(' BC')
  const end = bc ? text.length - 3 : text.length
  // The year has at least four digits, so the separator is not before index 10.
  let at = 10
  while (at < end && text.charCodeAt(at) !== T && text.charCodeAt(at) !== BLANK) at++
  return dateFits(text, at, bc, years) && timeFits(text, at + 1, end, zone)
}

function dateFits(text: string, end: number, bc: boolean, [first, last]: Years): boolean {
  if (end < 10 || end > 13) return false
  const yearEnd = end - 6
  if (text.charCodeAt(yearEnd) !== DASH || text.charCodeAt(yearEnd + 3) !== DASH) return false
  const written = digits(text, 0, yearEnd)
  const month = digits(text, yearEnd + 1, yearEnd + 3)
  const day = digits(text, yearEnd + 4, end)
  if (written < 1 || month < 1 || month > 12 || day < 1) return false
  const year = bc ? 1 - written : written
  return day <= daysIn(year, month) && year >= first && year <= last
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function timeFits(text: string, start: number, end: number, zone: boolean): boolean {
  if (end - start < 8) return false
  if (text.charCodeAt(start + 2) !== COLON || text.charCodeAt(start + 5) !== COLON) return false
  const hour = digits(text, start, start + 2)
  const minute = digits(text, start + 3, start + 5)
  const second = digits(text, start + 6, start + 8)
  if (hour < 0 || minute < 0 || second < 0 || minute > 59 || second > 60) return false
  let at = start + 8
  if (text.charCodeAt(at) === POINT && at < end) {
    const fraction = ++at
    while (at < end && isDigit(text.charCodeAt(at))) at++
    if (at === fraction) return false
  }
  // Midnight at the end of a day is written 24:00:00.
  const endOfDay = hour === 24 && minute === 0 && second === 0
  if (hour > 23 && !endOfDay) return false
  return at === end || (zone && ZONE.test(text.slice(at, end)))
}

const ZONE = /^(?:Z|[+-](?:0\d|1[0-5])(?::?[0-5]\d(?::[0-5]\d)?)?)$/

/** The number written between two indexes; −1 if anything but digits is there. */
function digits(text: string, start: number, end: number): number {
  let value = 0
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    if (!isDigit(code)) return -1
    value = value * 10 + code - ZERO
  }
  return value
}

const ZERO = 48
const DASH = 45
const POINT = 46
const COLON = 58
const BLANK = 32
const T = 84
const isDigit = (code: number) => code >= ZERO && code <= 57
