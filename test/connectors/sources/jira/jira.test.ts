import { afterEach, describe, expect, it, vi } from 'vitest'
import type { StreamState } from '../../../../src/protocol/index.ts'
import { collect, configure, readEvents, statesOf } from '../../../conformance/reading.ts'
import { loadConnector } from '../declarative/connector.ts'
import { recordsOf } from '../declarative/record-rules.ts'
import { StillClock } from '../declarative/still-clock.ts'
import { declarativeConformance, type MockedApi, openVendor } from '../declarative/suite.ts'
import { jira, jiraOf } from './mock.ts'
import { Site } from './site.ts'

declarativeConformance(jira)

describe('jira besides', () => {
  const clock = new StillClock()
  const { source } = loadConnector('jira', clock.patience, jira.components)
  const { config } = jira
  let live: Awaited<ReturnType<typeof openVendor>> | undefined

  async function open(mocked: MockedApi) {
    clock.start()
    live = await openVendor({ ...jira, open: () => mocked })
  }
  /** Jira with one list that the user may not read. */
  async function refuse(path: string, status: number) {
    const mocked = jira.open()
    const route = mocked.routes[`GET /rest/api/3/${path}`]
    if (!route) throw new Error(`there is no route for ${path}`)
    route.answer = () => ({ status, body: { errorMessages: ['no'] } })
    await open(mocked)
  }
  afterEach(async () => {
    clock.stop()
    await live?.api.stop()
    expect(live?.api.violations).toEqual([])
  })

  async function read(names: string[], state: Record<string, StreamState> = {}) {
    if (!live) throw new Error('not open')
    const ctx = live.ctx()
    const { streams } = await source.discover(ctx, config)
    const wanted = streams
      .filter(({ name }) => names.includes(name))
      .map((stream) => {
        const [syncMode] = stream.supported_sync_modes.toReversed()
        return configure(stream, syncMode ? { syncMode } : {})
      })
    expect(wanted).toHaveLength(names.length)
    const states = new Map(Object.entries(state))
    const events = await collect(readEvents({ source, config, ctx }, wanted, states))
    const ended = events.flatMap((event) =>
      event.type === 'status' && (event.status === 'complete' || event.status === 'incomplete')
        ? [[event.stream, event.status]]
        : [],
    )
    return {
      errors: events.flatMap((event) => (event.type === 'error' ? [event.error] : [])),
      statuses: Object.fromEntries(ended),
      rows: recordsOf(events),
      state: statesOf(events).at(-1) as StreamState,
    }
  }

  it('fails the one stream that the user may not read, and names the permission', async () => {
    await refuse('applicationrole', 403)
    const { errors, statuses, rows } = await read(['application_roles', 'issue_types'])
    expect(errors).toHaveLength(1)
    expect(errors[0]?.message).toContain('application_roles')
    expect(errors[0]?.message).toContain('without the permission Administer Jira')
    expect(errors[0]?.kind).toBe('config')
    expect(statuses).toEqual({ issue_types: 'complete', application_roles: 'incomplete' })
    expect(rows).toHaveLength(3)
  })

  it('names the permission of a list that is looked up part by part', async () => {
    await refuse('screens/{screenId}/tabs', 403)
    const { errors } = await read(['screen_tabs'])
    expect(errors[0]?.message).toContain('without the permission Administer Jira')
  })

  it('names the permission also where Jira answers 401', async () => {
    await refuse('application-properties', 401)
    const { errors } = await read(['jira_settings'])
    expect(errors[0]?.message).toContain('that the user has the permission Administer Jira')
  })

  it('leaves an issue of a board that changes while the board is read to the next read', async () => {
    const site = new Site()
    // Later than the read begins, for the clock stands still.
    site.editIssue('2027-01-01T00:00:30.000+0000')
    await open(jiraOf(site))
    const first = await read(['board_issues'])
    expect(first.rows.map(({ id }) => id)).toEqual(['10001', '10002'])
    vi.setSystemTime('2027-01-01T01:00:00Z')
    const second = await read(['board_issues'], { board_issues: first.state })
    expect(second.rows.map(({ id }) => id)).toContain('10000')
  })
})
