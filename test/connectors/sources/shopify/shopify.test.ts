import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../../src/protocol/index.ts'
import { testContext } from '../../../conformance/context.ts'
import { configure, readStream, rowsOfEvents } from '../../../conformance/reading.ts'
import { loadConnector } from '../declarative/connector.ts'
import { MockApi } from '../declarative/mock-api.ts'
import { StillClock } from '../declarative/still-clock.ts'
import { declarativeConformance } from '../declarative/suite.ts'
import { config, shopify } from './mock.ts'

declarativeConformance(shopify)

describe('shopify besides', () => {
  const clock = new StillClock()
  const { source } = loadConnector('shopify', clock.patience)
  let api: MockApi
  beforeEach(async () => {
    clock.start()
    const { routes, authorize } = shopify.open()
    api = await new MockApi({ origins: shopify.origins, routes, authorize }).start()
  })
  afterEach(async () => {
    clock.stop()
    await api.stop()
    expect(api.violations).toEqual([])
  })

  const ctx = () => testContext({ http: api.http })
  async function read(name: string, given: JsonObject = config) {
    const { streams } = await source.discover(ctx(), given)
    const stream = streams.find((candidate) => candidate.name === name)
    if (!stream) throw new Error(`no stream ${name}`)
    return readStream({ source, config: given, ctx: ctx() }, configure(stream))
  }

  it('waits when a query was too expensive for the moment, which is an answer of 200', async () => {
    const throttled = { message: 'Throttled', extensions: { code: 'THROTTLED' } }
    api.answerNext({ body: { errors: [throttled] } })
    expect(rowsOfEvents(await read('products'))).toHaveLength(3)
    expect(clock.waits[0]).toBeGreaterThanOrEqual(10_000)
  })

  it('says which access is missing when a query is denied, which is an answer of 200', async () => {
    const denied = { message: 'Access denied', extensions: { code: 'ACCESS_DENIED' } }
    api.answerNext({ body: { errors: [denied] } })
    const events = await read('discounts')
    expect(events.find(({ type }) => type === 'error')).toMatchObject({
      error: { kind: 'config', message: expect.stringContaining('scope') },
    })
  })

  it('fails on any other error of a query instead of taking it for an empty page', async () => {
    api.answerNext({ body: { errors: [{ message: "Field 'x' doesn't exist" }] } })
    const events = await read('products')
    expect(events.find(({ type }) => type === 'error')).toMatchObject({ error: { kind: 'system' } })
  })

  it('gets the token of an app by its client credentials', async () => {
    const credentials = {
      ...{ auth_method: 'client_credentials', client_id: 'app', client_secret: 'right' },
    }
    expect(rowsOfEvents(await read('orders', { ...config, credentials }))).toHaveLength(3)
  })

  it('takes the address of a shop for its name', async () => {
    const shop = 'https://synthetic.myshopify.com'
    expect(rowsOfEvents(await read('shop', { ...config, shop }))).toHaveLength(1)
  })
})
