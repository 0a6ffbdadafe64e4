import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { syncStub } from '../../src/durable-object/platform.ts'
import { callerOf } from '../operations/support.ts'
import { rows, serveShop, setShop } from '../support/shop.ts'
import { shopManifest } from '../support/shop-manifest.ts'
import { ended } from './harness.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const HOUR = 3_600_000
const STREAMS = ['customers', 'orders', 'products']
let workspaces = 0

/** A shop whose API allows so many calls an hour, and that counts them. */
async function openShop(limit: number, pages: number) {
  const rates = [{ type: 'Rate', limit, interval: 'PT1H' }]
  const policies = [{ type: 'MovingWindowCallRatePolicy', matchers: [], rates }]
  const budget = { api_budget: { type: 'HTTPAPIBudget', policies } }
  setShop(
    shopManifest(
      STREAMS.map((name) => ({ name })),
      budget,
    ),
  )
  const answer = (query: URLSearchParams) => {
    const page = Number(query.get('page'))
    return page < pages ? rows(2 * page, 2 * page + 1) : rows()
  }
  const requests = serveShop(Object.fromEntries(STREAMS.map((name) => [`/${name}`, answer])))
  const tenant = `calls-${++workspaces}`
  const call = callerOf(env, tenant)
  const { id } = await call('sources.create', { name: 'shop', type: 'shop', config: {} })
  await call('destinations.create', { name: 'nowhere', type: 'dev-null', config: {} })
  await call('connections.create', { name: 'all', source: 'shop', destination: 'nowhere' })
  const { syncId } = await call('connections.sync', { connection: 'all' })
  const sync = syncStub(env, tenant, Number(syncId))
  const object = env.SYNC.getByName(`${tenant}:${syncId}`)
  return { call, requests, sync, object, source: env.SOURCE.getByName(`${tenant}:${id}`) }
}

describe('a source whose API allows so many calls an hour', () => {
  it('makes no more of them with all its streams, checks and previews together', async () => {
    const shop = await openShop(30, 19)
    await Promise.allSettled([
      shop.call('sources.preview', { source: 'shop', stream: 'orders' }),
      shop.call('sources.check', { source: 'shop' }),
    ])
    const waiting = await vi.waitFor(
      async () => {
        const record = await shop.sync.get()
        expect(record.waiting?.length).toBeGreaterThan(0)
        const busy = record.streams.filter((one) => !one.waitingUntil && one.status !== 'succeeded')
        expect(busy).toEqual([])
        return record
      },
      { timeout: 60_000, interval: 50 },
    )
    expect(shop.requests.length).toBeLessThanOrEqual(30)
    expect(waiting.waiting?.[0]?.reason).toContain("the API's budget is spent until")
    // Calls that a slice gave back at its end are there for others. Then there is none, and whoever
    // does not come back later is told when to.
    const check = () => shop.call('sources.check', { source: 'shop' })
    let answer = await check()
    for (let left = 5; answer.ok && left > 0; left--) answer = await check()
    expect(answer).toMatchObject({
      ok: false,
      problem: { code: 'RATE_LIMITED', retryAt: expect.any(Number) },
    })
    // One that was taken for a page ahead which nobody wanted any more was not made.
    expect(shop.requests.length).toBeGreaterThan(20)
    expect(shop.requests.length).toBeLessThanOrEqual(30)

    let now = Date.now()
    for (let hours = 1; (await shop.sync.get()).status === 'running' && hours < 6; hours++) {
      now += HOUR + 60_000
      // The clock goes on from there: a slice may have to wait for the memory of one that ends.
      vi.useFakeTimers({ toFake: ['Date'], now, shouldAdvanceTime: true })
      await vi.waitFor(
        async () => {
          await runDurableObjectAlarm(shop.object)
          const { streams } = await shop.sync.get()
          const isAtRest = ({ status, waitingUntil = 0 }: (typeof streams)[0]) =>
            status === 'succeeded' || waitingUntil > now
          expect(streams.filter((one) => !isAtRest(one))).toEqual([])
        },
        { timeout: 60_000, interval: 200 },
      )
      expect(shop.requests.length).toBeLessThanOrEqual(30 * (hours + 1))
    }
    expect(await ended(shop.sync)).toMatchObject({ status: 'succeeded', rows: 3 * 38 })
  }, 160_000)

  it('asks its owner for many calls at once, and gives back those it did not make', async () => {
    const shop = await openShop(10_000, 40)
    expect(await ended(shop.sync)).toMatchObject({ status: 'succeeded' })
    const made = await runInDurableObject(shop.source, (_object, { storage }) => {
      const [row] = storage.sql.exec('select window from calls').toArray()
      return JSON.parse(String(row?.window)) as [at: number, calls: number][]
    })
    const taken = made.reduce((sum, [, calls]) => sum + calls, 0)
    expect(taken).toBeGreaterThanOrEqual(shop.requests.length)
    expect(taken).toBeLessThan(shop.requests.length + 10)
    expect(made.length).toBeLessThan(shop.requests.length / 2)
  })
})
