import { civilFromDays, daysFromCivil, daysFromIsoWeek, weekday } from '../../calendar.ts'
import { daysOf, fixedZone, PyDatetime, UTC, type Zone } from './datetime.ts'
import { typeError, valueError } from './errors.ts'
import { DAY_NAMES, MONTH_NAMES } from './strftime.ts'
import { typeName, type Value } from './values.ts'

const longestFirst = (names: string[]) => names.join('|')
const short = (names: string[]) => names.map((name) => name.slice(0, 3))

/** What each directive of `strptime` matches. */
const PATTERNS: Record<string, string> = {
  d: '3[0-1]|[1-2]\\d|0[1-9]|[1-9]| [1-9]',
  f: '[0-9]{1,6}',
  H: '2[0-3]|[0-1]\\d|\\d',
  I: '1[0-2]|0[1-9]|[1-9]',
  G: '\\d{4}',
  j: '36[0-6]|3[0-5]\\d|[1-2]\\d\\d|0[1-9]\\d|00[1-9]|[1-9]\\d|0[1-9]|[1-9]',
  m: '1[0-2]|0[1-9]|[1-9]',
  M: '[0-5]\\d|\\d',
  S: '6[0-1]|[0-5]\\d|\\d',
  U: '5[0-3]|[0-4]\\d|\\d',
  W: '5[0-3]|[0-4]\\d|\\d',
  w: '[0-6]',
  u: '[1-7]',
  V: '5[0-3]|0[1-9]|[1-4]\\d|\\d',
  y: '\\d\\d',
  Y: '\\d{4}',
  z: '[+-]\\d\\d:?[0-5]\\d(?::?[0-5]\\d(?:\\.\\d{1,6})?)?|Z',
  A: longestFirst(DAY_NAMES),
  a: longestFirst(short(DAY_NAMES)),
  B: longestFirst(MONTH_NAMES),
  b: longestFirst(short(MONTH_NAMES)),
  p: 'am|pm',
  Z: 'utc|gmt',
}
const COMPOSED: Record<string, string> = {
  c: '%a %b %d %H:%M:%S %Y',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
}

const compiled = new Map<string, RegExp>()

/**
 * Python's `datetime.strptime(text, format)`.
 * @throws PythonError ValueError when the text does not fit, or the format is malformed
 */
export function strptime(text: Value, format: Value): PyDatetime {
  if (typeof text !== 'string' || typeof format !== 'string')
    throw typeError(`strptime() arguments must be str, not ${typeName(text)}`)
  let regex = compiled.get(format)
  if (!regex) {
    regex = compileFormat(format)
    if (compiled.size > 500) compiled.clear()
    compiled.set(format, regex)
  }
  const match = regex.exec(text)
  const found = match && { ...match.groups }
  if (!found || found.z === 'z')
    throw valueError(`time data '${text}' does not match format '${format}'`)
  return build(found)
}

function compileFormat(format: string): RegExp {
  const seen = new Set<string>()
  const source = format
    .replace(/%([cxX])/g, (_all, letter: string) => COMPOSED[letter] ?? '')
    .replace(/\s+|%(.?)|[\\.^$*+?(){}[\]|/]/g, (part, letter?: string) => {
      if (part === '%' || part === '%\n') throw valueError(`stray % in format '${format}'`)
      if (!part.startsWith('%')) return /\s/.test(part) ? '\\s+' : `\\${part}`
      if (letter === '%') return '%'
      const pattern = PATTERNS[letter ?? '']
      if (!pattern || !letter)
        throw valueError(`'${letter}' is a bad directive in format '${format}'`)
      if (seen.has(letter)) throw valueError(`%${letter} stands twice in format '${format}'`)
      seen.add(letter)
      return `(?<${letter}>${pattern})`
    })
  return new RegExp(`^${source}$`, 'i')
}

type Found = Record<string, string | undefined>

function build(found: Found): PyDatetime {
  const second = Number(found.S ?? 0)
  if (second > 59) throw valueError('second must be in 0..59')
  const clock = hourOf(found) * 3600 + Number(found.M ?? 0) * 60 + second
  const { zone, micros } = zoneOf(found.z)
  const fraction = Number((found.f ?? '').padEnd(6, '0')) + micros
  return new PyDatetime(daysFound(found), clock, fraction, zone)
}

function hourOf(found: Found): number {
  if (found.H !== undefined) return Number(found.H)
  if (found.I === undefined) return 0
  const isPm = found.p?.toLowerCase() === 'pm'
  return (Number(found.I) % 12) + (isPm ? 12 : 0)
}

const indexOfName = (names: string[], name: string | undefined) =>
  name === undefined
    ? undefined
    : names.findIndex((other) => other.slice(0, name.length).toLowerCase() === name.toLowerCase())

function yearOf(found: Found): number | undefined {
  if (found.Y !== undefined) return Number(found.Y)
  if (found.y === undefined) return undefined
  return Number(found.y) + (Number(found.y) <= 68 ? 2000 : 1900)
}

function daysFound(found: Found): number {
  const year = yearOf(found)
  const named = indexOfName(MONTH_NAMES, found.B) ?? indexOfName(short(MONTH_NAMES), found.b)
  const month = found.m !== undefined ? Number(found.m) : named !== undefined ? named + 1 : 1
  const inWeek = weekdayOf(found)
  if (found.G !== undefined || found.V !== undefined) return isoWeekDays(found, inWeek)
  if (found.j !== undefined) return daysOf(year ?? 1900, 1, 1) + Number(found.j) - 1
  const week = found.U ?? found.W
  if (week !== undefined && inWeek !== undefined && year !== undefined)
    return weekDays(year, Number(week), inWeek, found.U !== undefined ? 6 : 0)
  const day = Number(found.d ?? 1)
  return daysOf(year ?? 1900, month, day)
}

/** 0 is Monday. */
function weekdayOf(found: Found): number | undefined {
  if (found.w !== undefined) return (Number(found.w) + 6) % 7
  if (found.u !== undefined) return Number(found.u) - 1
  return indexOfName(DAY_NAMES, found.A) ?? indexOfName(short(DAY_NAMES), found.a)
}

function isoWeekDays(found: Found, inWeek: number | undefined): number {
  if (found.G === undefined || found.V === undefined || inWeek === undefined)
    throw valueError('%G, %V and a weekday belong together')
  return daysFromIsoWeek(Number(found.G), Number(found.V), inWeek + 1)
}

function weekDays(year: number, week: number, inWeek: number, firstDay: number): number {
  const newYear = daysFromCivil(year, 1, 1)
  const offset = (7 - weekday(newYear) + firstDay) % 7
  const day = (inWeek - firstDay + 7) % 7
  const days =
    week === 0 ? newYear + day - ((7 - offset) % 7) : newYear + offset + 7 * (week - 1) + day
  const { year: actual } = civilFromDays(days)
  return actual < 1 ? daysOf(0, 1, 1) : days
}

function zoneOf(text: string | undefined): { zone: Zone | undefined; micros: number } {
  if (text === undefined) return { zone: undefined, micros: 0 }
  if (text === 'Z') return { zone: UTC, micros: 0 }
  const [, sign, hours, minutes, seconds = '0'] =
    /^([+-])(\d\d):?(\d\d)(?::?(\d\d))?/.exec(text) ?? []
  const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return { zone: fixedZone(sign === '-' ? -offset : offset), micros: 0 }
}
