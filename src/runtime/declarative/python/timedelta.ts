import { PythonError } from './errors.ts'
import { asNumber, float, isFloat, isNumeric, PyFunction, PyObject, type Value } from './values.ts'

const DAY_SECONDS = 86_400

/** Python's `timedelta`: days, seconds (0..86399) and microseconds (0..999999). */
export class Timedelta extends PyObject {
  override readonly typeName: string = 'datetime.timedelta'
  readonly days: number
  readonly seconds: number
  readonly micros: number

  constructor(days: number, seconds = 0, micros = 0) {
    super()
    const wholeSeconds = seconds + Math.floor(micros / 1e6)
    this.micros = micros - Math.floor(micros / 1e6) * 1e6
    this.days = days + Math.floor(wholeSeconds / DAY_SECONDS) + 0
    this.seconds = wholeSeconds - Math.floor(wholeSeconds / DAY_SECONDS) * DAY_SECONDS
    if (!(Math.abs(this.days) < 1e9))
      throw new PythonError('OverflowError', 'days out of range for timedelta')
  }

  /** From parts that may be fractions, each rounded as Python does. */
  static ofParts(days: number, seconds: number): Timedelta {
    const wholeDays = Math.trunc(days)
    const rest = (days - wholeDays) * DAY_SECONDS + seconds
    const wholeSeconds = Math.trunc(rest)
    return new Timedelta(wholeDays, wholeSeconds, Math.round((rest - wholeSeconds) * 1e6))
  }

  negated(): Timedelta {
    return new Timedelta(-this.days, -this.seconds, -this.micros)
  }

  plus(other: Timedelta): Timedelta {
    return new Timedelta(
      this.days + other.days,
      this.seconds + other.seconds,
      this.micros + other.micros,
    )
  }

  times(factor: number): Timedelta {
    if (Number.isInteger(factor))
      return new Timedelta(this.days * factor, this.seconds * factor, this.micros * factor)
    return Timedelta.ofParts(
      this.days * factor,
      this.seconds * factor + (this.micros * factor) / 1e6,
    )
  }

  totalSeconds(): number {
    return this.days * DAY_SECONDS + this.seconds + this.micros / 1e6
  }

  override str(): string {
    const minutes = Math.floor(this.seconds / 60)
    const clock = `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(this.seconds % 60)}`
    const fraction = this.micros ? `.${String(this.micros).padStart(6, '0')}` : ''
    const days = this.days ? `${this.days} day${Math.abs(this.days) === 1 ? '' : 's'}, ` : ''
    return days + clock + fraction
  }

  override repr(): string {
    const parts = [
      this.days && `days=${this.days}`,
      this.seconds && `seconds=${this.seconds}`,
      this.micros && `microseconds=${this.micros}`,
    ].filter(Boolean)
    return `datetime.timedelta(${parts.join(', ') || '0'})`
  }

  override truthy(): boolean {
    return this.days !== 0 || this.seconds !== 0 || this.micros !== 0
  }

  override attribute(name: string): Value {
    if (name === 'days') return this.days
    if (name === 'seconds') return this.seconds
    if (name === 'microseconds') return this.micros
    if (name === 'total_seconds') return new PyFunction(name, () => float(this.totalSeconds()))
    return undefined
  }

  override equals(other: Value): boolean {
    return this.compareTo(other) === 0
  }

  override compareTo(other: Value): number | undefined {
    if (!(other instanceof Timedelta)) return undefined
    return this.days - other.days || this.seconds - other.seconds || this.micros - other.micros
  }

  override hashKey(): string {
    return `d${this.days}/${this.seconds}/${this.micros}`
  }
}

const two = (value: number) => String(value).padStart(2, '0')

/** What `timedelta op other` gives; JavaScript's undefined when Python has no such operation. */
export function timedeltaOperation(operator: string, a: Value, b: Value): Value {
  if (a instanceof Timedelta && b instanceof Timedelta) {
    if (operator === '+') return a.plus(b)
    if (operator === '-') return a.plus(b.negated())
    const divisor = b.totalSeconds()
    if (divisor === 0) throw new PythonError('ZeroDivisionError', 'division by zero')
    if (operator === '/') return float(a.totalSeconds() / divisor)
    if (operator === '//') return Math.floor(a.totalSeconds() / divisor)
    if (operator === '%') return a.plus(b.times(-Math.floor(a.totalSeconds() / divisor)))
    return undefined
  }
  if (operator === '*' && a instanceof Timedelta && isNumeric(b)) return a.times(asNumber(b))
  if (operator === '*' && b instanceof Timedelta && isNumeric(a)) return b.times(asNumber(a))
  if (!(a instanceof Timedelta) || !isNumeric(b)) return undefined
  if (operator !== '/' && (operator !== '//' || isFloat(b))) return undefined
  if (asNumber(b) === 0) throw new PythonError('ZeroDivisionError', 'division by zero')
  return a.times(1 / asNumber(b))
}
