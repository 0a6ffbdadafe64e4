import { daysFromIsoWeek, isLeap } from '../../calendar.ts'
import { daysOf, fixedZone, PyDatetime, UTC, type Zone } from './datetime.ts'
import { PythonError, typeError, valueError } from './errors.ts'
import { typeName, type Value } from './values.ts'

const DATE =
  /^(\d{4})(?:-(\d\d)-(\d\d)|(\d\d)(\d\d)|-(\d\d)|-?W(\d\d)(?:-?(\d))?|-?(\d{3}))?(?=$|[^\d])/

/**
 * An ISO 8601 date or date and time, read as `dateutil.parser.isoparse` reads it: any one character
 * may part the two, a missing zone leaves the result without one.
 * @throws PythonError TypeError when the value is no text, ValueError when the text is no such date
 */
export function isoparse(value: Value): PyDatetime {
  if (Array.isArray(value))
    throw new PythonError('AttributeError', `'${typeName(value)}' object is no text`)
  if (typeof value !== 'string') throw typeError(`isoparse takes text, not ${typeName(value)}`)
  const match = DATE.exec(value) ?? COMPACT.exec(value)
  if (!match) throw invalid(value)
  const days = daysOfMatch(match)
  const rest = value.slice(match[0].length)
  if (rest === '') return new PyDatetime(days, 0, 0)
  if (rest.length < 3) throw invalid(value)
  return withTime(days, rest.slice(1), value)
}

/** A compact date runs into the separator only when that is no digit; eight digits end a date too. */
const COMPACT = /^(\d{4})(?:()()(\d\d)(\d\d))/

function daysOfMatch(match: RegExpExecArray): number {
  const [, year = '', month, day, compactMonth, compactDay, onlyMonth, week, weekDay, ordinal] =
    match
  const y = Number(year)
  if (week) {
    const weekNumber = Number(week)
    const dayNumber = Number(weekDay ?? 1)
    if (weekNumber < 1 || weekNumber > 53 || dayNumber < 1 || dayNumber > 7)
      throw valueError(`Invalid ISO week ${match[0]}`)
    return daysFromIsoWeek(y, weekNumber, dayNumber)
  }
  if (ordinal) {
    if (Number(ordinal) < 1 || Number(ordinal) > (isLeap(y) ? 366 : 365))
      throw valueError(`Invalid ordinal day ${ordinal} for year ${year}`)
    return daysOf(y, 1, 1) + Number(ordinal) - 1
  }
  return daysOf(y, Number(month || compactMonth || onlyMonth || 1), Number(day || compactDay || 1))
}

const TIME =
  /^(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?|(\d\d)(?:(\d\d)(?:[.,](\d+))?)?)?([Zz]|[+-]\d\d(?::?\d\d)?)?$/

function withTime(days: number, time: string, value: string): PyDatetime {
  const match = TIME.exec(time)
  if (!match) throw invalid(value)
  const hour = Number(match[1])
  const minute = Number(match[2] ?? match[5] ?? 0)
  const second = Number(match[3] ?? match[6] ?? 0)
  const micros = Number((match[4] ?? match[7] ?? '').slice(0, 6).padEnd(6, '0'))
  const isMidnight = hour === 24 && minute + second + micros === 0
  if ((hour > 23 && !isMidnight) || minute > 59 || second > 59) throw invalid(value)
  return new PyDatetime(days, hour * 3600 + minute * 60 + second, micros, zoneOf(match[8]))
}

function zoneOf(text: string | undefined): Zone | undefined {
  if (text === undefined) return undefined
  if (text === 'Z' || text === 'z') return UTC
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(3).replace(':', '') || 0)
  if (hours > 23 || minutes > 59) throw valueError(`Invalid time zone offset ${text}`)
  return fixedZone((text.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60))
}

const invalid = (text: string) => valueError(`'${text}' is no ISO 8601 date`)
