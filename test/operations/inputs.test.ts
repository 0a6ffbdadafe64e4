import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { scheduleOf } from '../../src/operations/schedule-input.ts'
import { flattenSpec } from '../../src/operations/spec-fields.ts'
import { parseInput } from '../../src/operations/validate.ts'

describe('schedules', () => {
  it('are manual unless something is said', () => {
    expect(scheduleOf(undefined)).toEqual({ type: 'manual' })
    expect(scheduleOf({ manual: true })).toEqual({ type: 'manual' })
    expect(scheduleOf({ continuous: true })).toEqual({ type: 'continuous' })
    expect(scheduleOf({ intervalSeconds: 900 })).toEqual({ type: 'interval', seconds: 900 })
    expect(scheduleOf({ cron: ' 0 */6 * * * ' })).toEqual({
      ...{ type: 'cron', cron: '0 */6 * * *', timezone: 'UTC' },
    })
  })

  it.each([
    [{ cron: '61 * * * *' }, 'schedule.cron'],
    [{ cron: 'every day' }, 'schedule.cron'],
    [{ cron: '0 0 * * * *' }, 'schedule.cron'],
    [{ cron: '0 0 30 2 *' }, 'schedule.cron'],
    [{ cron: '0 3 * * *', timezone: 'Europe/Atlantis' }, 'schedule.timezone'],
    [{ cron: '0 3 * * *', intervalSeconds: 60 }, 'schedule'],
    [{ continuous: true as const, manual: true as const }, 'schedule'],
  ])('%o is refused at %s', (schedule, field) => {
    expect(() => scheduleOf(schedule)).toThrow(
      expect.objectContaining({ code: 'SCHEDULE_INVALID', field }),
    )
  })
})

describe('arguments', () => {
  const schema = z.strictObject({
    streams: z.array(z.strictObject({ name: z.string() })),
    limit: z.int().optional(),
  })
  it.each([
    [{ streams: [{}] }, { field: 'streams[0].name', message: 'streams[0].name: is required' }],
    [
      { streams: [], limt: 1 },
      { field: 'limt', didYouMean: ['limit'] },
    ],
    [{ streams: 'users' }, { field: 'streams' }],
    [[], { code: 'VALIDATION_FAILED' }],
  ])('%o are refused by the name of the field', (input, expected) => {
    expect(() => parseInput(schema, input)).toThrow(expect.objectContaining(expected))
  })
})

it('flattens a spec with its variants, in the order of its form', () => {
  const fields = flattenSpec({
    required: ['host'],
    properties: {
      password: { type: 'string', airbyte_secret: true, order: 2 },
      host: { type: 'string', order: 1 },
      ssl: {
        oneOf: [
          { properties: { mode: { const: 'off' } } },
          {
            properties: { mode: { const: 'verify' }, ca: { type: 'string', airbyte_secret: true } },
          },
        ],
      },
    },
  })
  expect(fields).toMatchObject([
    { path: 'host', required: true, secret: false },
    { path: 'password', required: false, secret: true },
    { path: 'ssl', enum: [{ mode: 'off' }, { mode: 'verify' }] },
    { path: 'ssl.ca', secret: true, when: 'ssl.mode = "verify"' },
  ])
})
