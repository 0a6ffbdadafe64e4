import type { connectionView } from '../../../operations/views.ts'
import { span } from '../../workspace/format.ts'
import { TARGETS } from './targets.ts'

type Schedule = ReturnType<typeof connectionView>['schedule']

/** When a connection syncs. */
export function ScheduleFields({ schedule }: { schedule: Schedule }) {
  const cron = 'cron' in schedule ? schedule.cron : ''
  const seconds = 'intervalSeconds' in schedule ? schedule.intervalSeconds : undefined
  const continuous = 'continuous' in schedule
  const manual = !cron && !seconds && !continuous
  return (
    <fieldset>
      <legend>Schedule</legend>
      <label class="choice">
        <input type="radio" name="schedule" value="manual" checked={manual} />
        <div>Only by hand</div>
      </label>
      <label class="choice">
        <input type="radio" name="schedule" value="continuous" checked={continuous} />
        <div>Continuously, as the source's log has changes (CDC)</div>
      </label>
      <label class="choice">
        <input type="radio" name="schedule" value="interval" checked={seconds !== undefined} />
        <div>
          At an interval
          <div class="inline">
            <input
              type="number"
              name="minutes"
              min="1"
              step="1"
              value={String(seconds === undefined ? 360 : Math.max(1, seconds / 60))}
              aria-label="Minutes between syncs"
            />{' '}
            minutes
          </div>
        </div>
      </label>
      <label class="choice">
        <input type="radio" name="schedule" value="cron" checked={cron !== ''} />
        <div>
          By cron
          <div class="inline">
            <input type="text" name="cron" value={cron || '0 */6 * * *'} aria-label="Cron" />
            <input
              type="text"
              name="timezone"
              value={('timezone' in schedule && schedule.timezone) || 'UTC'}
              aria-label="Time zone"
            />
          </div>
        </div>
      </label>
    </fieldset>
  )
}

/** How old its rows may get. */
export function FreshnessField({ target }: { target: number }) {
  return (
    <label>
      <span>Rows should be at most this old</span>
      <select name="freshness">
        {[...new Set([...TARGETS, target])]
          .sort((a, b) => a - b)
          .map((value) => (
            <option value={String(value)} selected={value === target}>
              {value === 0 ? 'No target' : span(value * 1000)}
            </option>
          ))}
      </select>
    </label>
  )
}

export function scheduleText(schedule: Schedule): string {
  if ('cron' in schedule) return `${schedule.cron} (${schedule.timezone})`
  if ('intervalSeconds' in schedule && schedule.intervalSeconds)
    return `every ${span(schedule.intervalSeconds * 1000)}`
  if ('continuous' in schedule) return 'continuously'
  return 'by hand'
}
