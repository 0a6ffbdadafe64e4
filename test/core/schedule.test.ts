import { describe, expect, it } from 'vitest'
import { nextRun, validateSchedule } from '../../src/core/schedule.ts'

const at = (iso: string) => Date.parse(iso)
const every6h = { type: 'cron', cron: '0 */6 * * *', timezone: 'UTC' } as const

describe('nextRun', () => {
  it('follows the cron with a small offset that stays the same for a connection', () => {
    const first = nextRun(every6h, 'connection-a', at('2026-11-23T01:00:00Z')) as number
    const second = nextRun(every6h, 'connection-a', first) as number
    expect(first - at('2026-11-23T06:00:00Z')).toBeLessThan(5 * 60_000)
    expect(second - first).toBe(6 * 3600_000)
  })

  it('passes over no run that is due by its offset only later', () => {
    const hour = at('2026-11-23T06:00:00Z')
    const first = nextRun(every6h, 'connection-a', at('2026-11-23T01:00:00Z')) as number
    expect(first - hour).toBeGreaterThan(1000)
    expect(nextRun(every6h, 'connection-a', hour + 500)).toBe(first)
    expect(nextRun(every6h, 'connection-a', first - 1)).toBe(first)
  })

  it('runs once for each moment of a cron whose moments lie unevenly', () => {
    const twice = { type: 'cron', cron: '0 9,10 * * *', timezone: 'UTC' } as const
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      const runs: number[] = []
      for (let after = at('2026-11-23T08:00:00Z'); runs.length < 6; after = runs.at(-1) as number)
        runs.push(nextRun(twice, id, after) as number)
      expect(runs.map((ms) => new Date(ms).getUTCHours())).toEqual([9, 10, 9, 10, 9, 10])
    }
  })

  it('spreads connections', () => {
    const due = (id: string) => nextRun(every6h, id, at('2026-11-23T01:00:00Z'))
    expect(new Set(['a', 'b', 'c', 'd', 'e'].map(due)).size).toBe(5)
  })

  it('keeps to local time across a change of clocks', () => {
    const daily = { type: 'cron', cron: '30 9 * * *', timezone: 'Europe/Berlin' } as const
    const local = (ms: number) =>
      new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', timeStyle: 'short' }).format(ms)
    const before = nextRun(daily, 'x', at('2026-10-24T00:00:00Z')) as number
    const after = nextRun(daily, 'x', before) as number
    expect([local(before), local(after)].map((t) => t.slice(0, 4))).toEqual(['09:3', '09:3'])
    expect(after - before).toBe(25 * 3600_000)
  })

  it('counts an interval from now, and never runs a manual connection', () => {
    expect(nextRun({ type: 'interval', seconds: 3600 }, 'x', 1000)).toBe(3_601_000)
    expect(nextRun({ type: 'manual' }, 'x', 1000)).toBeNull()
    expect(nextRun({ type: 'continuous' }, 'x', 1000)).toBe(1000)
  })
})

describe('validateSchedule', () => {
  it.each([
    { type: 'cron', cron: '0 25 * * *', timezone: 'UTC' },
    { type: 'cron', cron: 'every day', timezone: 'UTC' },
    { type: 'cron', cron: '0 0 * * *', timezone: 'Mars/Olympus' },
    { type: 'cron', cron: '0 0 31 2 *', timezone: 'UTC' },
    { type: 'interval', seconds: 5 },
  ] as const)('refuses %j', (schedule) => {
    expect(() => validateSchedule(schedule)).toThrow(
      expect.objectContaining({ code: 'SCHEDULE_INVALID' }),
    )
  })
})
