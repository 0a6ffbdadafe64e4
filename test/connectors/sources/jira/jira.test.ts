import { describe, expect, it } from 'vitest'
import { collect, configure, readEvents } from '../../../conformance/reading.ts'
import { loadConnector } from '../declarative/connector.ts'
import { recordsOf } from '../declarative/record-rules.ts'
import { StillClock } from '../declarative/still-clock.ts'
import { declarativeConformance, openVendor } from '../declarative/suite.ts'
import { jira } from './mock.ts'

declarativeConformance(jira)

describe('a list that the user may not read', () => {
  /** What came of a list that Jira refuses, and of another stream. */
  async function refused(stream: string, path: string, status: number) {
    const clock = new StillClock()
    const { source } = loadConnector('jira', clock.patience, jira.components)
    const open = () => {
      const mocked = jira.open()
      const route = mocked.routes[`GET /rest/api/3/${path}`]
      if (route) route.answer = () => ({ status, body: { errorMessages: ['no'] } })
      return mocked
    }
    const { api, ctx } = await openVendor({ ...jira, open })
    clock.start()
    try {
      const { streams } = await source.discover(ctx(), jira.config)
      const wanted = streams
        .filter(({ name }) => [stream, 'issue_types'].includes(name))
        .map((found) => configure(found))
      const reading = { source, config: jira.config, ctx: ctx() }
      const events = await collect(readEvents(reading, wanted))
      const errors = events.flatMap((event) => (event.type === 'error' ? [event.error] : []))
      const statuses = events.flatMap((event) =>
        event.type === 'status' && event.status !== 'started' && event.status !== 'running'
          ? [[event.stream, event.status]]
          : [],
      )
      return { errors, statuses: Object.fromEntries(statuses), rows: recordsOf(events) }
    } finally {
      clock.stop()
      await api.stop()
    }
  }

  it('fails alone, and its error names the permission', async () => {
    const { errors, statuses, rows } = await refused('application_roles', 'applicationrole', 403)
    expect(errors).toHaveLength(1)
    expect(errors[0]?.message).toContain('application_roles')
    expect(errors[0]?.message).toContain('without the permission Administer Jira')
    expect(errors[0]?.kind).toBe('config')
    expect(statuses).toEqual({ issue_types: 'complete', application_roles: 'incomplete' })
    expect(rows).toHaveLength(3)
  })

  it('names the permission also where Jira answers 401', async () => {
    const { errors } = await refused('jira_settings', 'application-properties', 401)
    expect(errors[0]?.message).toContain('that the user has the permission Administer Jira')
  })
})
