import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject, ReadEvent, StreamState } from '../../../../src/protocol/index.ts'
import { testContext } from '../../../conformance/context.ts'
import { configure, readStream } from '../../../conformance/reading.ts'
import { loadConnector } from '../declarative/connector.ts'
import { MockApi } from '../declarative/mock-api.ts'
import { recordsOf } from '../declarative/record-rules.ts'
import { StillClock } from '../declarative/still-clock.ts'
import { declarativeConformance } from '../declarative/suite.ts'
import { hourMs } from '../declarative/synthetic.ts'
import { problem } from './crm.ts'
import { config, hubspot, hubspotApi } from './mock.ts'
import { Portal } from './portal.ts'

declarativeConformance(hubspot)

describe('hubspot besides', () => {
  const clock = new StillClock()
  const { source } = loadConnector('hubspot', clock.patience, hubspot.components)
  const portal = new Portal()
  let api: MockApi
  beforeEach(async () => {
    clock.start()
    const { routes, authorize } = hubspotApi(portal, 200)
    api = await new MockApi({ origins: hubspot.origins, routes, authorize }).start()
  })
  afterEach(async () => {
    clock.stop()
    await api.stop()
    expect(api.violations).toEqual([])
  })

  async function read(name: string, given: JsonObject = config, state?: StreamState) {
    const ctx = testContext({ http: api.http })
    const { streams } = await source.discover(ctx, given)
    const stream = streams.find((candidate) => candidate.name === name)
    if (!stream) throw new Error(`no stream ${name}`)
    const syncMode = state ? 'incremental' : 'full_refresh'
    return readStream({ source, config: given, ctx }, configure(stream, { syncMode }), state)
  }
  const errorOf = (events: ReadEvent[]) => events.find(({ type }) => type === 'error')

  it('reads more changes than a search has results, and each of them', async () => {
    const count = 10_250
    const at = (n: number) => new Date(hourMs(500) + n * 1000).toISOString()
    for (let n = 0; n < count; n++) portal.addObject('tickets', false, at(n))
    const state = { updatedAt: at(-1) }
    const ids = new Set(recordsOf(await read('tickets', config, state)).map(({ id }) => id))
    expect(ids.size).toBe(count)
    // And keeps to five searches a second meanwhile.
    const searches = api.requests.filter(({ url }) => url.pathname.endsWith('/search'))
    expect(searches.length).toBeGreaterThan(50)
    const sixth = searches.slice(5).map(({ at }, n) => at - Number(searches[n]?.at))
    expect(Math.min(...sixth)).toBeGreaterThanOrEqual(1000)
  })

  it('types the properties as the account defines them, and nothing for an empty text', async () => {
    const [first, , third] = recordsOf(await read('deals')).sort((a, b) =>
      String(a.createdAt).localeCompare(String(b.createdAt)),
    )
    expect(first).toMatchObject({ properties_amount: expect.any(Number) })
    expect(first).toMatchObject({ properties_won: expect.any(Boolean) })
    const names = [first, third].map((row) => row?.properties_name)
    expect(names.every((name) => name === null || String(name).length > 0)).toBe(true)
    expect(first).not.toHaveProperty('properties')
  })

  it('gets a token by OAuth', async () => {
    const credentials = {
      ...{ credentials_title: 'OAuth Credentials', client_id: 'app', client_secret: 'shh' },
      refresh_token: 'right',
    }
    expect(recordsOf(await read('owners', { ...config, credentials })).length).toBeGreaterThan(0)
  })

  it('does not wait for the next day when the requests of this one are used up', async () => {
    const ctx = testContext({ http: api.http })
    const { streams } = await source.discover(ctx, config)
    const forms = streams.find(({ name }) => name === 'forms')
    if (!forms) throw new Error('no forms')
    api.answerNext(problem(429, 'You have reached your daily limit.', { policyName: 'DAILY' }))
    const reading = readStream({ source, config, ctx }, configure(forms))
    await expect(reading).rejects.toMatchObject({ kind: 'transient' })
  })

  it('says which scope is missing', async () => {
    const ctx = testContext({ http: api.http })
    const { streams } = await source.discover(ctx, config)
    const workflows = streams.find(({ name }) => name === 'workflows')
    if (!workflows) throw new Error('no workflows')
    const denied = problem(403, 'This app has no scope automation', { category: 'MISSING_SCOPES' })
    // The first request asks for the account's own objects, which an app may well not see.
    api.answerNext(denied, denied)
    const events = await readStream({ source, config, ctx }, configure(workflows))
    expect(errorOf(events)).toMatchObject({
      error: { kind: 'config', message: expect.stringContaining('scope') },
    })
  })
})
