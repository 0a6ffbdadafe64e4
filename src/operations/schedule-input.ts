import { Cron } from 'croner'
import type { Schedule } from '../durable-object/rpc.ts'
import { AirbyteError } from '../protocol/index.ts'
import type { ScheduleInput } from './fields.ts'

/**
 * A schedule as given, checked. Nothing given is manual.
 * @throws SCHEDULE_INVALID
 */
export function scheduleOf(input: ScheduleInput | undefined): Schedule {
  if (!input) return { type: 'manual' }
  const { cron, timezone = 'UTC', intervalSeconds, continuous, manual } = input
  if (
    [cron, intervalSeconds, continuous, manual].filter((value) => value !== undefined).length > 1
  ) {
    throw invalid('Give one of cron, intervalSeconds, continuous and manual.', 'schedule')
  }
  if (intervalSeconds !== undefined) return { type: 'interval', seconds: intervalSeconds }
  if (continuous) return { type: 'continuous' }
  if (cron === undefined) {
    // A time zone alone, or nothing at all, would quietly end the schedule that there was.
    if (manual === undefined) {
      throw invalid('Give cron, intervalSeconds, continuous or manual.', 'schedule')
    }
    return { type: 'manual' }
  }
  return { type: 'cron', cron: checkedCron(cron, timezone), timezone }
}

function checkedCron(cron: string, timezone: string): string {
  const text = cron.trim()
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone })
  } catch {
    throw invalid(`'${timezone}' is not a time zone.`, 'schedule.timezone')
  }
  if (text.split(/\s+/).length !== 5) {
    throw invalid(`'${text}' does not have the five fields of a cron expression.`, 'schedule.cron')
  }
  try {
    const job = new Cron(text, { timezone, paused: true })
    if (job.nextRun() === null) throw new Error('it never comes due')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw invalid(`'${text}' is not a cron expression: ${reason}.`, 'schedule.cron')
  }
  return text
}

const invalid = (message: string, field: string) =>
  new AirbyteError('SCHEDULE_INVALID', message, { field })
