import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Answer, busy, rows, serveShop, setShop } from '../support/shop.ts'
import { shopManifest } from '../support/shop-manifest.ts'
import { connect, ended, start, stream, TENANT } from './harness.ts'

const MINUTE = 60_000

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Two pages; the second is refused until `open` is set. */
function limited(seconds: number) {
  const limit = { open: false }
  const answer: Answer = (query) => {
    if (query.get('page') === '0') return rows(1, 2)
    return limit.open ? rows(3) : busy(seconds)
  }
  return { limit, answer }
}

async function startShop(names: string[]) {
  const { connection } = await connect({
    source: { type: 'shop', config: {} },
    streams: names.map((name) => stream({ name })),
  })
  const sync = await start(connection)
  const { syncId } = await sync.get()
  return { connection, sync, object: env.SYNC.getByName(`${TENANT}:${syncId}`) }
}

type Started = Awaited<ReturnType<typeof startShop>>

const waiting = ({ sync }: Started) =>
  vi.waitFor(
    async () => {
      const record = await sync.get()
      expect(record.waitingUntil).toBeDefined()
      return record
    },
    { timeout: 20_000, interval: 50 },
  )

const stored = ({ object }: Started) =>
  runInDurableObject(object, async (_object, { storage }) => ({
    alarm: await storage.getAlarm(),
    read: storage.sql.exec("select * from tasks where kind = 'read'").toArray(),
  }))

describe('a sync whose API says to come back in ten minutes', () => {
  it('holds nothing, says until when, sleeps until then and goes on', async () => {
    const { limit, answer } = limited(600)
    const requests = serveShop({ '/items': answer })
    setShop(shopManifest([{ name: 'items' }]))
    const before = Date.now()
    const started = await startShop(['items'])
    const record = await waiting(started)
    const until = record.waitingUntil as number
    expect(until).toBeGreaterThanOrEqual(before + 10 * MINUTE)
    expect(record).toMatchObject({
      status: 'running',
      waiting: [{ stream: 'items', until, reason: expect.stringContaining('rate limited until') }],
      streams: [{ waitingUntil: until, waitReason: expect.stringContaining('status 429') }],
    })

    // The row says until when, and no alarm but that one is left, however often one rings.
    await runDurableObjectAlarm(started.object)
    await runDurableObjectAlarm(started.object)
    const { alarm, read } = await stored(started)
    expect(alarm).toBe(until)
    expect(read).toMatchObject([{ status: 'ready', not_before: until, attempts: 0, failures: 0 }])
    const asked = requests.length

    limit.open = true
    vi.useFakeTimers({ toFake: ['Date'], now: until + 1 })
    await runDurableObjectAlarm(started.object)
    expect(await ended(started.sync)).toMatchObject({ status: 'succeeded', rows: 3 })
    // What was read before the wait is not read again.
    expect(requests.slice(asked)).toEqual(['/items?page=1'])
  })

  it('is not given up, however often it is told to wait', async () => {
    const { limit, answer } = limited(600)
    serveShop({ '/items': answer })
    setShop(shopManifest([{ name: 'items' }]))
    const started = await startShop(['items'])
    let { waitingUntil: until = 0 } = await waiting(started)
    for (let times = 0; times < 8; times++) {
      vi.useFakeTimers({ toFake: ['Date'], now: until + 1 })
      await runDurableObjectAlarm(started.object)
      await vi.waitFor(
        async () => expect((await waiting(started)).waitingUntil).toBeGreaterThan(until),
        { timeout: 10_000 },
      )
      until = (await started.sync.get()).waitingUntil as number
    }
    limit.open = true
    vi.useFakeTimers({ toFake: ['Date'], now: until + 1 })
    await runDurableObjectAlarm(started.object)
    expect(await ended(started.sync)).toMatchObject({ status: 'succeeded', rows: 3 })
  })

  it('lets the other streams go on, and can be cancelled', async () => {
    serveShop({ '/items': limited(600).answer, '/other': () => rows(7) })
    setShop(shopManifest([{ name: 'items' }, { name: 'other' }]))
    const started = await startShop(['items', 'other'])
    const record = await vi.waitFor(
      async () => {
        const now = await started.sync.get()
        expect(now.streams[1]?.status).toBe('succeeded')
        expect(now.waitingUntil).toBeDefined()
        return now
      },
      { timeout: 20_000, interval: 50 },
    )
    expect(record.streams[0]).toMatchObject({ status: 'running', waitReason: expect.any(String) })
    await started.sync.cancel()
    const { streams, waiting: left } = await ended(started.sync)
    expect(streams.map(({ status }) => status)).toEqual(['cancelled', 'succeeded'])
    expect(left).toBeUndefined()
  })

  it('fails the stream when the wait is longer than a day, and says when to come back', async () => {
    serveShop({ '/items': limited(1e30).answer })
    setShop(shopManifest([{ name: 'items' }]))
    const { sync } = await startShop(['items'])
    expect(await ended(sync)).toMatchObject({
      status: 'failed',
      error: { code: 'RATE_LIMITED', hint: expect.stringContaining('Sync again after') },
    })
  })

  it('says which host it cannot reach and what to do, where that is what it waits for', async () => {
    serveShop({
      '/items': () => {
        throw new TypeError('getaddrinfo ENOTFOUND')
      },
    })
    const error_handler = {
      type: 'DefaultErrorHandler',
      backoff_strategies: [{ type: 'ConstantBackoffStrategy', backoff_time_in_seconds: 600 }],
    }
    setShop(shopManifest([{ name: 'items', requester: { error_handler } }]))
    expect((await waiting(await startShop(['items']))).waiting).toMatchObject([
      {
        code: 'HOST_UNREACHABLE',
        reason: expect.stringMatching(
          /shop\.test cannot be reached\. Check host, port and firewall\./,
        ),
      },
    ])
  })

  it('waits with the plan when a discovery is told to wait', async () => {
    serveShop({ '/items': () => busy(600) })
    // No schema: the first page tells the fields.
    const schema_loader = { type: 'InlineSchemaLoader', schema: { type: 'object' } }
    setShop(shopManifest([{ name: 'items', stream: { schema_loader } }]))
    const record = await waiting(await startShop(['items']))
    expect(record.waiting).toMatchObject([{ stream: 'items' }])
  })
})
