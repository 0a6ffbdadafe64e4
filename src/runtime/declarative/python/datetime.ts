import { civilFromDays, daysFromCivil, daysInMonth, isoWeek, weekday } from '../../calendar.ts'
import { PythonError, typeError, valueError } from './errors.ts'
import { strftime } from './strftime.ts'
import { Timedelta } from './timedelta.ts'
import { float, type Kwargs, PyFunction, PyObject, Tuple, type Value } from './values.ts'

const MIN_DAYS = daysFromCivil(1, 1, 1)
const MAX_DAYS = daysFromCivil(9999, 12, 31)
const pad = (value: number, width = 2) => String(value).padStart(width, '0')

function checkedDays(days: number): number {
  if (!(days >= MIN_DAYS && days <= MAX_DAYS))
    throw new PythonError('OverflowError', 'date value out of range')
  return days
}

/** Days of a date, checked as Python's constructor checks it. */
export function daysOf(year: number, month: number, day: number): number {
  if (!(year >= 1 && year <= 9999)) throw valueError(`year ${year} is out of range`)
  if (!(month >= 1 && month <= 12)) throw valueError('month must be in 1..12')
  if (!(day >= 1 && day <= daysInMonth(year, month)))
    throw valueError('day is out of range for month')
  return daysFromCivil(year, month, day)
}

/** Python's `date`. */
export class PyDate extends PyObject {
  override readonly typeName: string = 'datetime.date'
  /** Since 1970-01-01. */
  readonly days: number

  constructor(days: number) {
    super()
    this.days = checkedDays(days)
  }

  isoformat(): string {
    const { year, month, day } = civilFromDays(this.days)
    return `${pad(year, 4)}-${pad(month)}-${pad(day)}`
  }

  override str(): string {
    return this.isoformat()
  }

  override repr(): string {
    const { year, month, day } = civilFromDays(this.days)
    return `datetime.date(${year}, ${month}, ${day})`
  }

  plus(delta: Timedelta): PyDate {
    return new PyDate(this.days + delta.days)
  }

  replace(kwargs: Kwargs): PyDate {
    return new PyDate(this.replacedDays(kwargs))
  }

  protected replacedDays(kwargs: Kwargs): number {
    const { year, month, day } = { ...civilFromDays(this.days), ...kwargs }
    return daysOf(Number(year), Number(month), Number(day))
  }

  override attribute(name: string): Value {
    if (name === 'year' || name === 'month' || name === 'day') return civilFromDays(this.days)[name]
    const method = DATE_METHODS[name]
    return method && new PyFunction(name, (args, kwargs) => method(this, args, kwargs))
  }

  override equals(other: Value): boolean {
    return other instanceof PyDate && !(other instanceof PyDatetime) && other.days === this.days
  }

  override compareTo(other: Value): number | undefined {
    if (!(other instanceof PyDate) || other instanceof PyDatetime) return undefined
    return this.days - other.days
  }

  override hashKey(): string {
    return `D${this.days}`
  }
}

type Method = (self: PyDate, args: readonly Value[], kwargs: Kwargs) => Value

const DATE_METHODS: Record<string, Method> = {
  isoformat: (self) => self.isoformat(),
  strftime: (self, args, kwargs) => strftime(self, formatOf(args, kwargs)),
  replace: (self, args, kwargs) =>
    self.replace(withPositions(args, kwargs, ['year', 'month', 'day'])),
  weekday: (self) => weekday(self.days),
  isoweekday: (self) => weekday(self.days) + 1,
  toordinal: (self) => self.days + 719_163,
  isocalendar: (self) => {
    const { year, week, day } = isoWeek(self.days)
    return Tuple.of<Value>(year, week, day)
  },
}

function formatOf(args: readonly Value[], kwargs: Kwargs): string {
  const format = args[0] ?? kwargs.format
  if (typeof format !== 'string') throw typeError('strftime() argument 1 must be str')
  return format
}

function withPositions(args: readonly Value[], kwargs: Kwargs, names: string[]): Kwargs {
  return { ...Object.fromEntries(args.map((value, index) => [names[index], value])), ...kwargs }
}

/** A fixed offset from UTC, in seconds, with the name that `%Z` prints. */
export interface Zone {
  offset: number
  name: string
  repr: string
}

export const UTC: Zone = { offset: 0, name: 'UTC', repr: 'datetime.timezone.utc' }
/** UTC as the CDK's macros attach it; it only prints differently inside a list. */
export const PYTZ_UTC: Zone = { offset: 0, name: 'UTC', repr: '<UTC>' }

/** Python's `datetime`: wall clock with an optional zone. */
export class PyDatetime extends PyDate {
  override readonly typeName: string = 'datetime.datetime'
  /** Of the wall clock's day. */
  readonly seconds: number
  readonly micros: number
  readonly zone: Zone | undefined

  constructor(days: number, seconds: number, micros: number, zone?: Zone) {
    super(days + Math.floor(seconds / 86_400))
    this.seconds = seconds - Math.floor(seconds / 86_400) * 86_400
    this.micros = micros
    this.zone = zone
  }

  /** From epoch milliseconds or seconds and microseconds. */
  static fromEpoch(seconds: number, micros = 0, zone: Zone = UTC): PyDatetime {
    return new PyDatetime(0, seconds + zone.offset, micros, zone)
  }

  /** Whole seconds since the epoch, a naive clock taken for UTC. */
  epochSeconds(): number {
    return this.days * 86_400 + this.seconds - (this.zone?.offset ?? 0)
  }

  timestamp(): number {
    return this.epochSeconds() + this.micros / 1e6
  }

  inZone(zone: Zone): PyDatetime {
    return PyDatetime.fromEpoch(this.epochSeconds(), this.micros, zone)
  }

  withZone(zone: Zone | undefined): PyDatetime {
    return new PyDatetime(this.days, this.seconds, this.micros, zone)
  }

  override plus(delta: Timedelta): PyDatetime {
    const micros = this.micros + delta.micros
    const carry = micros >= 1e6 ? 1 : 0
    const seconds = this.seconds + delta.seconds + carry
    return new PyDatetime(this.days + delta.days, seconds, micros - carry * 1e6, this.zone)
  }

  override isoformat(separator = 'T'): string {
    const fraction = this.micros ? `.${pad(this.micros, 6)}` : ''
    const offset = this.zone ? offsetText(this.zone.offset, ':') : ''
    return super.isoformat() + separator + this.clock() + fraction + offset
  }

  clock(): string {
    const minutes = Math.floor(this.seconds / 60)
    return `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}:${pad(this.seconds % 60)}`
  }

  override str(): string {
    return this.isoformat(' ')
  }

  override repr(): string {
    const { year, month, day } = civilFromDays(this.days)
    const minutes = Math.floor(this.seconds / 60)
    const parts = [year, month, day, Math.floor(minutes / 60), minutes % 60]
    if (this.seconds % 60 || this.micros) parts.push(this.seconds % 60)
    if (this.micros) parts.push(this.micros)
    const zone = this.zone ? `, tzinfo=${this.zone.repr}` : ''
    return `datetime.datetime(${parts.join(', ')}${zone})`
  }

  override replace(kwargs: Kwargs): PyDatetime {
    const minutes = Math.floor(this.seconds / 60)
    const part = (name: string, now: number, limit: number) => {
      const value = Number(kwargs[name] ?? now)
      if (!(value >= 0 && value < limit)) throw valueError(`${name} must be in 0..${limit - 1}`)
      return value
    }
    const seconds =
      part('hour', Math.floor(minutes / 60), 24) * 3600 +
      part('minute', minutes % 60, 60) * 60 +
      part('second', this.seconds % 60, 60)
    const zone = kwargs.tzinfo === null ? undefined : this.zone
    const micros = part('microsecond', this.micros, 1e6)
    return new PyDatetime(this.replacedDays(kwargs), seconds, micros, zone)
  }

  override attribute(name: string): Value {
    const minutes = Math.floor(this.seconds / 60)
    if (name === 'hour') return Math.floor(minutes / 60)
    if (name === 'minute') return minutes % 60
    if (name === 'second') return this.seconds % 60
    if (name === 'microsecond') return this.micros
    const method = DATETIME_METHODS[name]
    if (method) return new PyFunction(name, (args, kwargs) => method(this, args, kwargs))
    return super.attribute(name)
  }

  override equals(other: Value): boolean {
    if (!(other instanceof PyDatetime) || !this.zone !== !other.zone) return false
    return this.epochSeconds() === other.epochSeconds() && this.micros === other.micros
  }

  override compareTo(other: Value): number | undefined {
    if (!(other instanceof PyDatetime)) return undefined
    if (!this.zone !== !other.zone)
      throw typeError("can't compare offset-naive and offset-aware datetimes")
    return this.epochSeconds() - other.epochSeconds() || this.micros - other.micros
  }

  override hashKey(): string {
    return `T${this.epochSeconds()}.${this.micros}${this.zone ? 'z' : ''}`
  }
}

type DatetimeMethod = (self: PyDatetime, args: readonly Value[], kwargs: Kwargs) => Value
const CLOCK_NAMES = ['year', 'month', 'day', 'hour', 'minute', 'second', 'microsecond', 'tzinfo']

const DATETIME_METHODS: Record<string, DatetimeMethod> = {
  timestamp: (self) => float(self.timestamp()),
  date: (self) => new PyDate(self.days),
  isoformat: (self, args, kwargs) => self.isoformat((args[0] ?? kwargs.sep ?? 'T') as string),
  replace: (self, args, kwargs) => self.replace(withPositions(args, kwargs, CLOCK_NAMES)),
  astimezone: (self) => self.inZone(UTC),
  utcoffset: (self) => (self.zone ? new Timedelta(0, self.zone.offset) : null),
  tzname: (self) => self.zone?.name ?? null,
}

/** `+02:00`, `+0200`, with seconds only when there are some. */
export function offsetText(offset: number, separator: string): string {
  const seconds = Math.abs(offset)
  const minutes = Math.floor(seconds / 60)
  const tail = seconds % 60 ? separator + pad(seconds % 60) : ''
  const sign = offset < 0 ? '-' : '+'
  return sign + pad(Math.floor(minutes / 60)) + separator + pad(minutes % 60) + tail
}

/** A zone such as `%z` and ISO offsets make. */
export function fixedZone(offset: number): Zone {
  if (offset === 0) return UTC
  if (Math.abs(offset) >= 86_400)
    throw valueError('offset must be strictly between -24 and 24 hours')
  const delta = new Timedelta(0, offset).repr()
  return { offset, name: `UTC${offsetText(offset, ':')}`, repr: `datetime.timezone(${delta})` }
}

/** `date ± timedelta` and `date - date`; JavaScript's undefined for anything else. */
export function dateOperation(operator: string, a: Value, b: Value): Value {
  if (operator === '+') {
    if (a instanceof PyDate && b instanceof Timedelta) return a.plus(b)
    if (a instanceof Timedelta && b instanceof PyDate) return b.plus(a)
  }
  if (operator !== '-' || !(a instanceof PyDate)) return undefined
  if (b instanceof Timedelta)
    return a instanceof PyDatetime ? a.plus(b.negated()) : new PyDate(a.days - b.days)
  if (!(b instanceof PyDate) || a instanceof PyDatetime !== b instanceof PyDatetime)
    return undefined
  if (!(a instanceof PyDatetime) || !(b instanceof PyDatetime))
    return new Timedelta(a.days - b.days)
  if (!a.zone !== !b.zone) throw typeError("can't subtract offset-naive and offset-aware datetimes")
  return new Timedelta(0, a.epochSeconds() - b.epochSeconds(), a.micros - b.micros)
}
