import type { JsonObject } from '../../../protocol/index.ts'
import type { PyDatetime } from '../python/datetime.ts'
import { Timedelta } from '../python/timedelta.ts'
import type { DatetimeCursor } from './datetime-cursor.ts'

/**
 * An interval in two halves of whole units of the cursor's granularity, which do not overlap.
 *
 * @example
 * splitWindow(daily, { from: '2026-03-01', to: '2026-03-05' }, undefined)
 * // [{ from: '2026-03-01', to: '2026-03-02' }, { from: '2026-03-03', to: '2026-03-05' }]
 */
export function splitWindow(
  { granularity, startKey, endKey, parse, format }: DatetimeCursor,
  interval: JsonObject,
  least: Timedelta | undefined,
): [JsonObject, JsonObject] | undefined {
  const start = parse(interval[startKey])
  const end = parse(interval[endKey])
  if (!(granularity instanceof Timedelta) || !start || !end) return undefined
  const unit = microsOf(granularity)
  const span = momentMicros(end) - momentMicros(start)
  if (unit <= 0 || span <= 0 || (least && span <= microsOf(least))) return undefined
  const units = Math.floor(span / unit) + 1
  if (units <= 1) return undefined
  const second = start.plus(granularity.times(Math.floor(units / 2)))
  const firstEnd = second.plus(granularity.negated())
  return [
    { ...interval, [endKey]: format(firstEnd) },
    { ...interval, [startKey]: format(second) },
  ]
}

const microsOf = ({ days, seconds, micros }: Timedelta) => (days * 86_400 + seconds) * 1e6 + micros
const momentMicros = (moment: PyDatetime) => moment.epochSeconds() * 1e6 + moment.micros
