import { daysInMonth } from '../../calendar.ts'
import { PyDate } from './datetime.ts'
import { PythonError, typeError, valueError } from './errors.ts'
import { Timedelta } from './timedelta.ts'
import { asNumber, isInt, PyObject, typeName, type Value } from './values.ts'

/** Years and months, whose length depends on the date they are added to, and a `timedelta`. */
export class Duration extends PyObject {
  override readonly typeName: string = 'Duration'
  readonly years: number
  readonly months: number
  readonly delta: Timedelta

  constructor(years: number, months: number, delta: Timedelta) {
    super()
    this.years = years
    this.months = months
    this.delta = delta
  }

  override str(): string {
    const parts: string[] = []
    if (this.years) parts.push(`${Math.trunc(this.years)} years`)
    if (this.months)
      parts.push(`${Math.trunc(this.months)} ${this.months <= 1 ? 'month' : 'months'}`)
    return [...parts, this.delta.str()].join(', ')
  }

  override repr(): string {
    const { days, seconds, micros } = this.delta
    const calendar = `years=${Math.trunc(this.years)}, months=${Math.trunc(this.months)}`
    return `isodate.duration.Duration(${days}, ${seconds}, ${micros}, ${calendar})`
  }

  times(factor: number): Duration {
    return new Duration(this.years * factor, this.months * factor, this.delta.times(factor))
  }

  plus(other: Duration | Timedelta): Duration {
    if (other instanceof Timedelta)
      return new Duration(this.years, this.months, this.delta.plus(other))
    const months = this.months + other.months
    return new Duration(this.years + other.years, months, this.delta.plus(other.delta))
  }

  /** The date so many years and months later (sign 1) or earlier (-1), its day clamped to the month. */
  from(date: PyDate, sign: 1 | -1): PyDate {
    if (!Number.isInteger(this.years) || !Number.isInteger(this.months))
      throw valueError('fractional years or months not supported for date calculations')
    const year = date.attribute('year') as number
    const month = (date.attribute('month') as number) + sign * this.months - 1
    const day = date.attribute('day') as number
    const newYear = year + sign * this.years + Math.floor(month / 12)
    const newMonth = month - Math.floor(month / 12) * 12 + 1
    const moved = date.replace({
      year: newYear,
      month: newMonth,
      day: Math.min(day, daysInMonth(newYear, newMonth)),
    })
    return moved.plus(sign === 1 ? this.delta : this.delta.negated())
  }

  override attribute(name: string): Value {
    return this.delta.attribute(name)
  }

  override equals(other: Value): boolean {
    if (!(other instanceof Duration)) return false
    const months = (d: Duration) => d.years * 12 + d.months
    return months(this) === months(other) && this.delta.equals(other.delta)
  }

  override hashKey(): string {
    return `P${this.years}/${this.months}/${this.delta.hashKey()}`
  }
}

const isWhole = (value: Value) => isInt(value) || typeof value === 'boolean'

/** What an operator does with a `Duration`; JavaScript's undefined when Python has no such operation. */
export function durationOperation(operator: string, a: Value, b: Value): Value {
  if (operator === '*') {
    if (a instanceof Duration && isWhole(b)) return a.times(asNumber(b))
    return b instanceof Duration && isWhole(a) ? b.times(asNumber(a)) : undefined
  }
  if (operator === '+') {
    const [duration, other] = a instanceof Duration ? [a, b] : [b as Duration, a]
    if (other instanceof PyDate) return duration.from(other, 1)
    return other instanceof Duration || other instanceof Timedelta
      ? duration.plus(other)
      : undefined
  }
  if (operator !== '-') return undefined
  if (b instanceof Duration) {
    if (a instanceof PyDate) return b.from(a, -1)
    if (a instanceof Duration || a instanceof Timedelta) return b.times(-1).plus(a)
    return undefined
  }
  return b instanceof Timedelta ? (a as Duration).plus(b.negated()) : undefined
}

const NUMBER = '[0-9]+(?:[,.][0-9]+)?'
const PERIOD = new RegExp(
  `^(?<sign>[+-])?P(?=[0-9T])(?:(?<years>${NUMBER})Y)?(?:(?<months>${NUMBER})M)?` +
    `(?:(?<weeks>${NUMBER})W)?(?:(?<days>${NUMBER})D)?(?:T(?:(?<hours>${NUMBER})H)?` +
    `(?:(?<minutes>${NUMBER})M)?(?:(?<seconds>${NUMBER})S)?)?\\n?$`,
)

/** An ISO 8601 duration such as `P1M` or `-PT36H`: a `Timedelta` unless it has years or months. */
export function parseDuration(text: Value): Timedelta | Duration {
  if (typeof text !== 'string') throw typeError(`Expecting a string, not ${typeName(text)}`)
  const groups = PERIOD.exec(text)?.groups
  if (!groups) throw new PythonError('ValueError', `Unable to parse duration string '${text}'`)
  const part = (name: string) => Number(groups[name]?.replace(',', '.') ?? 0)
  const seconds = part('hours') * 3600 + part('minutes') * 60 + part('seconds')
  const delta = Timedelta.ofParts(part('days') + part('weeks') * 7, seconds)
  const sign = groups.sign === '-' ? -1 : 1
  const duration = new Duration(part('years'), part('months'), delta).times(sign)
  return duration.years || duration.months ? duration : duration.delta
}
