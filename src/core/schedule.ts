import { createHash } from 'node:crypto'
import { Cron } from 'croner'
import type { Schedule } from '../durable-object/rpc.ts'
import { AirbyteError } from '../protocol/index.ts'

/** The jitter is at most this share of the period, and never more than five minutes. */
const JITTER_SHARE = 20
const MAX_JITTER_MS = 5 * 60_000

/** Throws SCHEDULE_INVALID, naming what is wrong with the expression or the time zone. */
export function validateSchedule(schedule: Schedule): void {
  if (schedule.type === 'cron') nextCron(schedule, new Date())
  if (schedule.type === 'interval' && !(schedule.seconds >= 60)) {
    throw new AirbyteError('SCHEDULE_INVALID', 'An interval is at least 60 seconds.', {
      field: 'schedule.seconds',
    })
  }
}

/**
 * When the next sync is due, in epoch milliseconds; null for manual. A connection always runs at the
 * same small offset after the full minute or hour, so that many connections do not start at once.
 * A continuous one starts now; what follows a sync of it is told by `nextAfter`.
 */
export function nextRun(schedule: Schedule, connectionId: string, after: number): number | null {
  if (schedule.type === 'manual') return null
  if (schedule.type === 'continuous') return after
  if (schedule.type === 'interval') return after + schedule.seconds * 1000
  // A moment that is over may be due only now, by its offset.
  for (let from = after - MAX_JITTER_MS; ; ) {
    const [moment, following] = nextCron(schedule, new Date(from))
    const due = moment + jitterOf(connectionId, following - moment)
    if (due > after) return due
    from = moment
  }
}

function nextCron(schedule: Schedule & { type: 'cron' }, after: Date): [number, number] {
  const { cron, timezone } = schedule
  try {
    const [first, second] = new Cron(cron, { timezone, mode: '5-part' }).nextRuns(2, after)
    if (!first) throw new Error('it never comes true')
    return [first.getTime(), second?.getTime() ?? first.getTime() + 24 * 3600_000]
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AirbyteError('SCHEDULE_INVALID', `"${cron}" (${timezone}) is no schedule: ${why}`, {
      field: 'schedule.cron',
    })
  }
}

function jitterOf(connectionId: string, periodMs: number): number {
  const span = Math.min(MAX_JITTER_MS, Math.floor(periodMs / JITTER_SHARE))
  const hash = createHash('sha256').update(connectionId).digest().readUInt32BE(0)
  return span > 0 ? hash % span : 0
}
