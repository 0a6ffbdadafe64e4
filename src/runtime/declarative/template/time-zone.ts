import { PythonError } from '../python/errors.ts'

const formatters = new Map<string, Intl.DateTimeFormat>()

/**
 * Seconds east of UTC in a zone of the IANA database at a moment (epoch milliseconds).
 * @throws PythonError KeyError for an unknown zone
 */
export function zoneOffset(zone: string, millis: number): number {
  const parts = formatterOf(zone).formatToParts(millis)
  const text = parts.find((part) => part.type === 'timeZoneName')?.value ?? ''
  const match = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(text)
  if (!match) return 0
  const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0)
  return match[1] === '-' ? -seconds : seconds
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone)
  if (known) return known
  if (/^[+-]/.test(zone)) throw new PythonError('KeyError', `unknown time zone '${zone}'`)
  try {
    const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
    formatters.set(zone, made)
    return made
  } catch {
    throw new PythonError('KeyError', `unknown time zone '${zone}'`)
  }
}
