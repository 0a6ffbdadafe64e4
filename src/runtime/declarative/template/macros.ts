import { bind } from '../python/arguments.ts'
import { fixedZone, PYTZ_UTC, PyDate, PyDatetime } from '../python/datetime.ts'
import { parseDuration } from '../python/duration.ts'
import { formatDatetime, parseDatetime } from '../python/epoch-formats.ts'
import { compare } from '../python/equality.ts'
import { PythonError, typeError, valueError } from '../python/errors.ts'
import { isoparse } from '../python/isoparse.ts'
import { iterate } from '../python/iteration.ts'
import { normalizeInt } from '../python/numbers.ts'
import { strftime } from '../python/strftime.ts'
import { strptime } from '../python/strptime.ts'
import { Timedelta } from '../python/timedelta.ts'
import { quotePlus } from '../python/urls.ts'
import {
  asNumber,
  float,
  isFloat,
  isInt,
  type Kwargs,
  typeName,
  type Value,
} from '../python/values.ts'
import { zoneOffset } from './time-zone.ts'
import { Undefined } from './undefined.ts'

type Macro = (args: readonly Value[], kwargs: Kwargs) => Value

/** The functions of the low-code language. */
export const MACROS: Readonly<Record<string, Macro>> = {
  now_utc: (args, kwargs) => {
    bind('now_utc', args, kwargs, [])
    return now()
  },
  today_utc: (args, kwargs) => {
    bind('today_utc', args, kwargs, [])
    return new PyDate(now().days)
  },
  today_with_timezone: (args, kwargs) => {
    const [zone] = bind('today_with_timezone', args, kwargs, ['timezone'], 1)
    const offset = zoneOffset(text(zone), Date.now())
    return new PyDate(now().inZone(fixedZone(offset)).days)
  },
  timestamp: (args, kwargs) => {
    const [value] = bind('timestamp', args, kwargs, ['dt'], 1)
    return timestamp(value)
  },
  str_to_datetime: (args, kwargs) => {
    const [value] = bind('str_to_datetime', args, kwargs, ['s'], 1)
    return toDatetime(value)
  },
  day_delta: (args, kwargs) => {
    const names = ['num_days', 'format']
    const [days, format = '%Y-%m-%dT%H:%M:%S.%f%z'] = bind('day_delta', args, kwargs, names, 1)
    return strftime(now().plus(daysOf(days)), text(format))
  },
  duration: (args, kwargs) => {
    const [value] = bind('duration', args, kwargs, ['datestring'], 1)
    return parseDuration(value)
  },
  format_datetime: (args, kwargs) => {
    const names = ['dt', 'format', 'input_format']
    const [value, format, inputFormat] = bind('format_datetime', args, kwargs, names, 2)
    return formatAny(value, text(format), inputFormat ?? undefined)
  },
  max: (args, kwargs) => extreme('max', args, kwargs, 1),
  min: (args, kwargs) => extreme('min', args, kwargs, -1),
  sanitize_url: (args, kwargs) => {
    const [value] = bind('sanitize_url', args, kwargs, ['value'], 1)
    return quotePlus(text(value))
  },
  camel_case_to_snake_case: (args, kwargs) => {
    const [value] = bind('camel_case_to_snake_case', args, kwargs, ['value'], 1)
    return text(value)
      .replace(/(?<!^)(?=[A-Z])/g, '_')
      .toLowerCase()
  },
  generate_uuid: (args, kwargs) => {
    bind('generate_uuid', args, kwargs, [])
    return crypto.randomUUID()
  },
}

function now(): PyDatetime {
  const millis = Date.now()
  const seconds = Math.floor(millis / 1000)
  return PyDatetime.fromEpoch(seconds, Math.round((millis - seconds * 1000) * 1000))
}

function text(value: Value): string {
  if (typeof value === 'string') return value
  throw typeError(`expected text, not ${typeName(value)}`)
}

/** ISO text as a date and time in UTC; no zone means UTC. */
function toDatetime(value: Value): PyDatetime {
  const parsed = isoparse(value instanceof Undefined ? value.fail() : value)
  return (parsed.zone ? parsed : parsed.withZone(PYTZ_UTC)).inZone(PYTZ_UTC)
}

/** A number loses its fraction, text is read as ISO: epoch seconds as a float. */
function timestamp(value: Value): Value {
  if (typeof value === 'boolean') return Number(value)
  if (isInt(value)) return value
  if (!isFloat(value)) return float(toDatetime(value).timestamp())
  const number = asNumber(value)
  if (Number.isNaN(number)) throw valueError('cannot convert float NaN to integer')
  if (!Number.isFinite(number))
    throw new PythonError('OverflowError', 'cannot convert float infinity to integer')
  return normalizeInt(BigInt(Math.trunc(number)))
}

function daysOf(days: Value): Timedelta {
  if (isInt(days) || isFloat(days) || typeof days === 'boolean')
    return Timedelta.ofParts(asNumber(days), 0)
  throw typeError(`unsupported type for timedelta days component: ${typeName(days)}`)
}

function formatAny(value: Value, format: string, inputFormat: Value): string {
  if (value instanceof PyDatetime) return strftime(value, format)
  if (isInt(value) || typeof value === 'boolean') {
    const epoch = typeof value === 'boolean' ? Number(value) : value
    return formatDatetime(parseDatetime(epoch, inputFormat ? text(inputFormat) : '%s'), format)
  }
  const parsed = inputFormat ? strptime(value, inputFormat) : toDatetime(value)
  return formatDatetime(parsed.zone ? parsed : parsed.withZone(PYTZ_UTC), format)
}

/** Of the arguments, or of the items of a single one; the first of equals. */
function extreme(name: string, args: readonly Value[], kwargs: Kwargs, sign: 1 | -1): Value {
  for (const key in kwargs) throw typeError(`${name}() got an unexpected keyword argument '${key}'`)
  const items = args.length === 1 ? iterate(args[0]) : args
  if (args.length === 0) throw typeError(`${name} expected at least 1 argument, got 0`)
  let best: Value
  for (const item of items)
    if (best === undefined || sign * compare(item, best, sign > 0 ? '>' : '<') > 0) best = item
  if (best === undefined) throw valueError(`${name}() arg is an empty sequence`)
  return best
}
