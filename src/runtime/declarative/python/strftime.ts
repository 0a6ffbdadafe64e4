import { civilFromDays, daysFromCivil, isoWeek, weekday } from '../../calendar.ts'
import { offsetText, type PyDate, PyDatetime } from './datetime.ts'
import { checkLength } from './errors.ts'

export const DAY_NAMES = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ')
export const MONTH_NAMES =
  'January February March April May June July August September October November December'.split(' ')

type Directive = (date: PyDate) => string | number

const civil = (date: PyDate) => civilFromDays(date.days)
const seconds = (date: PyDate) => (date instanceof PyDatetime ? date.seconds : 0)
const hour = (date: PyDate) => Math.floor(seconds(date) / 3600)
const hour12 = (date: PyDate) => hour(date) % 12 || 12
const minute = (date: PyDate) => Math.floor(seconds(date) / 60) % 60
const dayOfYear = (date: PyDate) => date.days - daysFromCivil(civil(date).year, 1, 1) + 1
const dayName = (date: PyDate) => DAY_NAMES[weekday(date.days)] ?? ''
const monthName = (date: PyDate) => MONTH_NAMES[civil(date).month - 1] ?? ''
const zone = (date: PyDate) => (date instanceof PyDatetime ? date.zone : undefined)
const meridiem = (date: PyDate) => (hour(date) < 12 ? 'AM' : 'PM')
/** Week of the year whose weeks begin on the given weekday (0 is Monday). */
const week = (date: PyDate, first: number) =>
  Math.floor((dayOfYear(date) + 6 - ((weekday(date.days) - first + 7) % 7)) / 7)

interface Field {
  value: Directive
  /** Digits it is padded to, and with what. */
  width?: number
  fill?: string
}

const number = (value: Directive, width = 2, fill = '0'): Field => ({ value, width, fill })
const composed = (format: string): Field => ({ value: (date) => strftime(date, format) })

/** The directives of glibc, whose `strftime` Python calls on Linux, and Python's own %f %z. */
const FIELDS: Record<string, Field> = {
  Y: { value: (date) => String(civil(date).year) },
  m: number((date) => civil(date).month),
  d: number((date) => civil(date).day),
  H: number(hour),
  I: number(hour12),
  M: number(minute),
  S: number((date) => seconds(date) % 60),
  y: number((date) => civil(date).year % 100),
  C: { value: (date) => String(Math.floor(civil(date).year / 100)) },
  j: number(dayOfYear, 3),
  e: number((date) => civil(date).day, 2, ' '),
  k: number(hour, 2, ' '),
  l: number(hour12, 2, ' '),
  w: number((date) => (weekday(date.days) + 1) % 7, 1),
  u: number((date) => weekday(date.days) + 1, 1),
  U: number((date) => week(date, 6)),
  W: number((date) => week(date, 0)),
  V: number((date) => isoWeek(date.days).week),
  g: number((date) => isoWeek(date.days).year % 100),
  G: { value: (date) => String(isoWeek(date.days).year) },
  a: { value: (date) => dayName(date).slice(0, 3) },
  A: { value: dayName },
  b: { value: (date) => monthName(date).slice(0, 3) },
  h: { value: (date) => monthName(date).slice(0, 3) },
  B: { value: monthName },
  p: { value: meridiem },
  P: { value: (date) => meridiem(date).toLowerCase() },
  s: { value: (date) => String(date.days * 86_400 + seconds(date)) },
  n: { value: () => '\n' },
  t: { value: () => '\t' },
  '%': { value: () => '%' },
  D: composed('%m/%d/%y'),
  F: composed('%Y-%m-%d'),
  R: composed('%H:%M'),
  T: composed('%H:%M:%S'),
  r: composed('%I:%M:%S %p'),
  X: composed('%H:%M:%S'),
  x: composed('%m/%d/%y'),
  c: composed('%a %b %e %H:%M:%S %Y'),
}

const DIRECTIVE = /%([fzZ])|%([_\-0^#]*)(\d*)[EO]?([a-zA-Z%])/g

/**
 * A date in Python's `strftime` format, as Python prints it on Linux in the C locale.
 * An unknown directive stays as it stands.
 */
export function strftime(date: PyDate, format: string): string {
  return format.replace(DIRECTIVE, (all, own, flags = '', width = '', letter = '') => {
    if (own === 'f') return String(date instanceof PyDatetime ? date.micros : 0).padStart(6, '0')
    if (own === 'z') return zone(date) ? offsetText(zone(date)?.offset ?? 0, '') : ''
    if (own === 'Z') return zone(date)?.name ?? ''
    const field = Object.hasOwn(FIELDS, letter) ? FIELDS[letter] : undefined
    return field ? padded(field, date, flags, width) : all
  })
}

function padded(field: Field, date: PyDate, flags: string, width: string): string {
  checkLength(Number(width))
  const text = String(field.value(date))
  const padFlag = flags.match(/[_\-0]/g)?.at(-1)
  const digits = width === '' ? (padFlag === '-' ? 0 : (field.width ?? 0)) : Number(width)
  const fill =
    padFlag === '_' ? ' ' : padFlag === '0' ? '0' : (field.fill ?? (/^\d/.test(text) ? '0' : ' '))
  const wide = text.padStart(digits, fill)
  return flags.includes('^') ? wide.toUpperCase() : wide
}
