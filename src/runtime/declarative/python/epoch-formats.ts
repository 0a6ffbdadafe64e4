import { PyDatetime, UTC } from './datetime.ts'
import { PythonError, valueError } from './errors.ts'
import { parseFloatText, parseInteger } from './numbers.ts'
import { strftime } from './strftime.ts'
import { strptime } from './strptime.ts'
import { floatText, str } from './text.ts'
import { asNumber, isNumeric, type Value } from './values.ts'

/**
 * A date printed in the language's format: `strftime` plus `%s`, `%s_as_float`, `%ms`,
 * `%epoch_microseconds` (each alone) and `%_ms` (three digits, anywhere).
 */
export function formatDatetime(date: PyDatetime, format: string): string {
  switch (format) {
    case '%s':
      return String(Math.trunc(date.timestamp()))
    case '%s_as_float':
      return floatText(date.timestamp())
    case '%epoch_microseconds':
      return String(Math.trunc(date.timestamp() * 1e6))
    case '%ms':
      return String(Math.trunc(date.timestamp() * 1000))
    default:
  }
  if (!format.includes('%_ms')) return strftime(date, format)
  const micros = String(date.micros).padStart(6, '0')
  const millis = micros.slice(0, 3)
  return strftime(date, format.replaceAll('%_ms', '%f')).replaceAll(micros, millis)
}

/**
 * A date read in the language's format; without a zone it is UTC.
 * @throws PythonError ValueError when it does not fit
 */
export function parseDatetime(value: Value, format: string): PyDatetime {
  switch (format) {
    case '%s':
      return fromSeconds(wholeNumber(value))
    case '%s_as_float':
      return fromFloat(value)
    case '%epoch_microseconds':
      return fromMicros(wholeNumber(value), 1_000_000)
    case '%ms':
      return fromMicros(wholeNumber(value), 1000)
    default:
  }
  const parsed = strptime(str(value), format.replaceAll('%_ms', '%f'))
  return parsed.zone ? parsed : parsed.withZone(UTC)
}

/** `int(value)` of a text or number. */
function wholeNumber(value: Value): number {
  const number =
    typeof value === 'string'
      ? parseInteger(value)
      : isNumeric(value) && Math.trunc(asNumber(value))
  if (number === undefined || number === false)
    throw valueError(`invalid literal for int() with base 10: '${str(value)}'`)
  return Number(number)
}

function fromSeconds(seconds: number): PyDatetime {
  checkYear(seconds)
  return PyDatetime.fromEpoch(seconds)
}

/** Python rounds to the microsecond, a tie to even. */
function fromFloat(value: Value): PyDatetime {
  const number = typeof value === 'string' ? parseFloatText(value) : asNumber(value)
  if (number === undefined) throw valueError(`could not convert string to float: '${str(value)}'`)
  checkYear(number)
  const seconds = Math.floor(number)
  const micros = (number - seconds) * 1e6
  const rounded = Math.abs(micros % 1) === 0.5 ? 2 * Math.round(micros / 2) : Math.round(micros)
  return PyDatetime.fromEpoch(seconds + Math.floor(rounded / 1e6), rounded % 1e6)
}

function fromMicros(count: number, perSecond: number): PyDatetime {
  const seconds = Math.floor(count / perSecond)
  return PyDatetime.fromEpoch(seconds, (count - seconds * perSecond) * (1e6 / perSecond))
}

function checkYear(seconds: number): void {
  if (Number.isNaN(seconds)) throw valueError('cannot convert float NaN to integer')
  if (!Number.isFinite(seconds))
    throw new PythonError('OverflowError', 'cannot convert float infinity to integer')
  if (seconds < -62_135_596_800 || seconds > 253_402_300_799)
    throw valueError('year is out of range')
}
