import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { JsonObject, ReadEvent } from '../../../../src/protocol/index.ts'
import { testContext } from '../../../conformance/context.ts'
import { configure, readStream } from '../../../conformance/reading.ts'
import { loadConnector } from '../declarative/connector.ts'
import { type MockAnswer, MockApi } from '../declarative/mock-api.ts'
import { recordsOf } from '../declarative/record-rules.ts'
import { StillClock } from '../declarative/still-clock.ts'
import { declarativeConformance } from '../declarative/suite.ts'
import { config, problem, salesforce, salesforceApi } from './mock.ts'
import { Org } from './org.ts'

declarativeConformance(salesforce)

describe('salesforce besides', () => {
  const clock = new StillClock()
  const { source } = loadConnector('salesforce', clock.patience)
  let org: Org
  let api: MockApi
  beforeEach(async () => {
    clock.start()
    org = new Org()
    const { routes, authorize } = salesforceApi(org)
    api = await new MockApi({ origins: salesforce.origins, routes, authorize }).start()
  })
  afterEach(async () => {
    clock.stop()
    await api.stop()
    expect(api.violations).toEqual([])
  })

  async function open(given: JsonObject = config, name = 'Account') {
    const ctx = testContext({ http: api.http })
    const { streams } = await source.discover(ctx, given)
    const found = streams.find((candidate) => candidate.name === name)
    if (!found) throw new Error(`no stream ${name}`)
    api.requests.length = 0
    const read = (selectedFields?: string[]): Promise<ReadEvent[]> =>
      readStream(
        { source, config: given, ctx },
        configure(found, selectedFields ? { selectedFields } : {}),
      )
    return { names: streams.map((stream) => stream.name), read }
  }
  /** The next request to this place is answered so. */
  function answerAt(place: string, answer: MockAnswer): void {
    const ask = api.http.fetch
    vi.spyOn(api.http, 'fetch').mockImplementation(async (url, init) => {
      if (String(url).includes(place)) {
        api.answerNext(answer)
        vi.mocked(api.http.fetch).mockImplementation(ask)
      }
      return ask(url, init)
    })
  }
  const tokens = () => api.requests.filter(({ route }) => route.endsWith('/token')).length
  const queries = () => api.requests.flatMap(({ query }) => query.get('q') ?? [])

  it('has the objects that the config names, custom ones too, or all that can be read', async () => {
    const objects = ['Boat__c', 'AccountHistory', 'AggregateResult']
    expect((await open({ ...config, objects }, 'Boat__c')).names).toEqual(['Boat__c'])
    const { names } = await open({ ...config, objects: ['*'] })
    expect(names.sort()).toEqual(['Account', 'Boat__c', 'Contact', 'Task', 'User'])
  })

  it('asks for the selected fields alone, and for what tells rows and changes apart', async () => {
    const { read } = await open()
    const rows = recordsOf(await read(['Id', 'Name', 'SystemModstamp']))
    expect(rows).toHaveLength(3)
    expect(queries()).toEqual([
      expect.stringMatching(/^SELECT Id,SystemModstamp,Name FROM Account /),
    ])
  })

  it('leaves out what is made of other fields, and bytes', async () => {
    const { read } = await open()
    const [row] = recordsOf(await read())
    for (const name of ['BillingAddress', 'Place__c', 'Picture', 'Metadata', 'attributes']) {
      expect(row).not.toHaveProperty(name)
    }
  })

  it('reads deleted rows as such', async () => {
    org.change('Account', { IsDeleted: true })
    const { read } = await open()
    const deleted = recordsOf(await read()).map(({ IsDeleted }) => IsDeleted)
    expect(deleted.sort()).toEqual([false, false, true])
  })

  it('gets another token when the session has ended, and reads on', async () => {
    const { read } = await open()
    await read()
    const undisturbed = tokens()
    api.requests.length = 0
    answerAt('/query/', problem(401, 'INVALID_SESSION_ID', 'Session expired or invalid'))
    expect(recordsOf(await read())).toHaveLength(3)
    expect(tokens()).toBe(undisturbed + 1)
  })

  it('gets the tokens of a sandbox where sandboxes get them', async () => {
    const ctx = testContext({ http: api.http })
    expect((await source.check(ctx, { ...config, is_sandbox: true })).ok).toBe(true)
    const [first] = api.requests
    expect(first?.url.origin).toBe('https://test.salesforce.com')
  })

  it('begins a query that Salesforce has forgotten anew, at the last change that was read', async () => {
    const { read } = await open()
    answerAt('/query/', problem(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator'))
    const ids = new Set(recordsOf(await read()).map(({ Id }) => Id))
    expect(ids.size).toBe(3)
    const [first, second] = queries()
    expect(first).toContain('SystemModstamp >= 2026-01-01T00:00:00Z')
    expect(second).toContain('SystemModstamp >= 2026-01-01T02:00:00Z')
  })

  const refusals = [
    [403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.', 'transient', '24 hours'],
    [400, 'INVALID_TYPE', "sObject type 'Account' is not supported.", 'config', 'access'],
    [400, 'INVALID_FIELD', "No such column 'Stage'", 'config', 'Discover the streams again'],
    [400, 'MALFORMED_QUERY', 'Implementation restriction', 'config', 'Leave the stream out'],
    [414, 'URI_TOO_LONG', 'URI Too Long', 'config', 'Select fewer'],
  ] as const
  it.each(refusals)('says of %i %s (%s) what to do', async (status, code, said, kind, words) => {
    const { read } = await open()
    answerAt('/queryAll', problem(status, code, said))
    const failed: unknown = await read().then(
      (events) => events.flatMap((event) => (event.type === 'error' ? event.error : []))[0],
      (error: unknown) => error,
    )
    expect(failed).toMatchObject({ kind, message: expect.stringContaining(words) })
    expect(queries()).toHaveLength(1)
  })
})
