import { weekday } from '../../calendar.ts'
import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { textTemplate } from '../interpolation.ts'
import type { PyDatetime } from '../python/datetime.ts'
import { Timedelta } from '../python/timedelta.ts'
import { compareInstants, type Gap, minus } from './instants.ts'

/** Moves the ends of windows to whole days, weeks or months. */
export interface Clamping {
  up(moment: PyDatetime): PyDatetime
  /** The last moment that is wholly past. */
  end(moment: PyDatetime): PyDatetime
}

export const NO_CLAMPING: Clamping = { up: (moment) => moment, end: (moment) => moment }

const WEEKDAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY']

export function clampingOf(
  component: Component | undefined,
  env: Environment,
  granularity: Gap | undefined,
): Clamping {
  if (!component) return NO_CLAMPING
  const target = textTemplate(component.text('target'), { env, parameters: component.parameters })()
  switch (target) {
    case 'DAY':
      return clamping(day, granularity ?? new Timedelta(0, 1))
    case 'WEEK': {
      const name = String(component.object('target_details').weekday ?? '').toUpperCase()
      const index = WEEKDAYS.indexOf(name)
      if (index === -1) throw component.refuse('WEEK needs target_details.weekday.')
      return clamping(week(index), granularity ?? new Timedelta(1))
    }
    case 'MONTH':
      return clamping(month, granularity ?? new Timedelta(1))
    default:
      throw component.refuse(`'${target}' is not DAY, WEEK or MONTH.`, 'target')
  }
}

type Clamp = (moment: PyDatetime, up: boolean) => PyDatetime

const clamping = (clamp: Clamp, granularity: Gap): Clamping => ({
  up: (moment) => clamp(moment, true),
  end: (moment) => minus(clamp(moment, false), granularity),
})

const midnight = (moment: PyDatetime) =>
  moment.replace({ hour: 0, minute: 0, second: 0, microsecond: 0 })

const day: Clamp = (moment, up) => {
  const start = midnight(moment)
  return up && compareInstants(start, moment) !== 0 ? start.plus(new Timedelta(1)) : start
}

const week =
  (target: number): Clamp =>
  (moment, up) => {
    const today = weekday(moment.days)
    const ahead = today > target ? 7 - (today - target) : target - today
    return midnight(moment).plus(new Timedelta(up || ahead === 0 ? ahead : ahead - 7))
  }

const month: Clamp = (moment, up) => {
  const start = midnight(moment)
  if (start.attribute('day') === 1) return start
  const first = start.replace({ day: 1 })
  if (!up) return first
  const year = first.attribute('year') as number
  const number = first.attribute('month') as number
  return first.replace(number === 12 ? { year: year + 1, month: 1 } : { month: number + 1 })
}
