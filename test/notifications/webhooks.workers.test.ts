import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { notificationStub } from '../../src/notifications/stub.ts'
import { ATTEMPT_DELAYS } from '../../src/notifications/webhook-store.ts'
import { toAirbyteError } from '../../src/protocol/index.ts'
import { callerOf, SAMPLE } from '../operations/support.ts'
import { team, textOf } from '../pages/people.ts'

const HOOK = 'https://hooks.test/T0/secret-path'
afterEach(() => vi.restoreAllMocks())

/** Answers what is sent to the hook; returns what came. */
function receive(answer: () => Response = () => new Response(null, { status: 204 })) {
  const received: { id: string; signature: string; body: Record<string, never> }[] = []
  const real = globalThis.fetch
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const request = new Request(input, init)
    if (!request.url.startsWith('https://hooks.test/')) return real(request)
    received.push({
      id: request.headers.get('webhook-id') ?? '',
      signature: request.headers.get('webhook-signature') ?? '',
      body: await request.json(),
    })
    return answer()
  })
  return received
}

async function withWebhook(events: string[]) {
  const ours = team()
  const { run, tenantId } = ours
  await run('sources.create', { name: 'shop', ...SAMPLE })
  await run('destinations.create', { name: 'nowhere', type: 'dev-null', config: {} })
  const { id } = await run('connections.create', {
    ...{ name: 'orders', source: 'shop', destination: 'nowhere', streams: [{ name: 'users' }] },
  })
  const webhook = await run('webhooks.create', { name: 'chat', url: HOOK, events })
  const object = notificationStub(env, tenantId)
  const deliveries = async () => (await run('webhooks.deliveries')).items as unknown as Row[]
  const settle = async () => {
    await runDurableObjectAlarm(object)
    // The platform rings too: attempts of its end first.
    await vi.waitFor(async () => {
      const isUnderWay = ({ status, error }: Row) => status === 'waiting' && error === undefined
      expect((await deliveries()).filter(isUnderWay)).toEqual([])
    })
  }
  /** Lets everything that waits be due now, and rings. */
  const ring = async () => {
    await settle()
    await runInDurableObject(object, (_, { storage }) => {
      storage.sql.exec('update deliveries set next_at = 1 where next_at is not null')
      storage.sql.exec('update watches set due_at = due_at - 7200000')
    })
    await settle()
  }
  return { ours, run, object, deliveries, ring, id: String(id), webhook: String(webhook.id) }
}
interface Row {
  id: number
  type: string
  status: string
  attempts: number
  nextAt?: string
  error?: string
}

describe('a webhook', () => {
  it('is told of failure and recovery of syncs, once each', async () => {
    const received = receive()
    const { ours, run, id, ring, deliveries } = await withWebhook(['sync.failed', 'sync.recovered'])
    await run('sources.update', {
      ...{ source: 'shop', config: { fail_at: { record: 1, kind: 'config' } } },
    })
    await ours.sync(id)
    await ring()
    await run('sources.update', { source: 'shop', config: { fail_at: { record: 9999 } } })
    await ours.sync(id)
    await ring()
    await ours.sync(id)
    await ring()
    expect(received.map(({ body }) => body.type)).toEqual(['sync.failed', 'sync.recovered'])
    expect(received[0]?.body).toMatchObject({
      data: {
        connection: { name: 'orders' },
        sync: { syncId: 1, status: 'failed', error: { code: 'AUTH_FAILED' } },
        url: `http://localhost:8787/w/${ours.tenantId}/connections/${id}`,
      },
    })
    expect(await deliveries()).toMatchObject([
      { type: 'sync.recovered', status: 'delivered', attempts: 1 },
      { type: 'sync.failed', status: 'delivered', attempts: 1 },
    ])
  })

  it('that does not answer is tried again with growing waits, and given up at last', async () => {
    const received = receive(() => new Response('down', { status: 503 }))
    const { run, webhook, ring, deliveries } = await withWebhook(['sync.failed'])
    await run('webhooks.test', { webhook })
    const waits: number[] = []
    for (let rung = 0; rung < ATTEMPT_DELAYS.length; rung++) {
      await ring()
      const [row] = await deliveries()
      expect(row?.error).toBe('answered 503')
      if (row?.nextAt) waits.push(Date.parse(row.nextAt) - Date.now())
    }
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
    expect(waits.at(-1)).toBeGreaterThan(10 * 3600_000)
    const attempts = ATTEMPT_DELAYS.length
    expect(await deliveries()).toMatchObject([{ status: 'failed', attempts }])
    expect(new Set(received.map(({ id }) => id)).size).toBe(1)
    await ring()
    expect(received).toHaveLength(ATTEMPT_DELAYS.length)
  })

  it('gets an event again when it is replayed, under its old id', async () => {
    const received = receive()
    const { run, webhook, ring, deliveries } = await withWebhook(['sync.failed'])
    await run('webhooks.test', { webhook })
    await ring()
    const [row] = await deliveries()
    await run('webhooks.replay', { delivery: row?.id })
    await ring()
    expect(received.map(({ id }) => id)).toEqual([received[0]?.id, received[0]?.id])
    expect(await deliveries()).toMatchObject([{ status: 'delivered', attempts: 1 }])
    const unknown = await run('webhooks.replay', { delivery: 999 }).catch(toAirbyteError)
    expect(unknown).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('that answers 410 is asked no more', async () => {
    const received = receive(() => new Response(null, { status: 410 }))
    const { run, webhook, ring } = await withWebhook(['sync.failed'])
    await run('webhooks.test', { webhook })
    await ring()
    expect((await run('webhooks.list')).items).toMatchObject([{ status: 'gone' }])
    await ring()
    expect(received).toHaveLength(1)
  })

  it('is told once when rows get older than their target, and again after the next time', async () => {
    const received = receive()
    const { ours, run, id, ring } = await withWebhook(['data.late'])
    await ours.sync(id)
    await run('connections.update', { connection: id, freshnessSeconds: 3600 })
    await ring()
    await ring()
    expect(received.map(({ body }) => body.type)).toEqual(['data.late'])
    await ours.sync(id)
    await ring()
    expect(received).toHaveLength(2)
    await ours.sync(id)
    await run('connections.update', { connection: id, freshnessSeconds: 0 })
    await ring()
    expect(received).toHaveLength(2)
  })

  it('hears of one thing once, however often it is reported', async () => {
    const received = receive()
    const { object, ring, id } = await withWebhook(['sync.failed'])
    const event = {
      ...{ id: 'e1', type: 'sync.failed' as const, connectionId: id, data: {} },
      timestamp: new Date().toISOString(),
    }
    await object.emit([event])
    await ring()
    await object.emit([event])
    await ring()
    expect(received).toHaveLength(1)
  })

  it('never shows its secret or the path of its address again', async () => {
    const { ours, run, webhook, object } = await withWebhook(['sync.failed'])
    const made = await run('webhooks.create', { name: 'x', url: HOOK, events: ['sync.failed'] })
    expect(String(made.secret)).toMatch(/^whsec_/)
    const stored = await runInDurableObject(object, (_, { storage }) =>
      JSON.stringify(storage.sql.exec('select * from webhooks').toArray()),
    )
    const page = await (await ours.member('Ann', 'owner')).open('/notifications')
    const shown = JSON.stringify([await run('webhooks.list'), stored, page.html])
    expect(shown).toContain('hooks.test')
    expect(shown).not.toContain('secret-path')
    expect(shown).not.toContain(String(made.secret).slice(6))
    expect(webhook).toBeTruthy()
  })

  it.each(['ftp://hooks.test/x', 'https://user:pw@hooks.test/x', 'javascript:alert(1)', 'hooks'])(
    'does not take the address %s',
    async (url) => {
      const run = callerOf(env, 'webhook-urls')
      const refused = await run('webhooks.create', {
        ...{ name: 'x', url, events: ['sync.failed'] },
      }).catch(toAirbyteError)
      expect(refused).toMatchObject({ code: 'VALIDATION_FAILED', field: 'url' })
    },
  )
})

it('is made, tested, paused and deleted on its page', async () => {
  receive()
  const { ours, ring } = await withWebhook(['sync.failed'])
  const ann = await ours.member('Ann', 'owner')
  const send = async (path: string, fields: Record<string, string>) =>
    ann.send(await ann.open('/notifications'), `/notifications/${path}`, fields)
  const made = await send('create', { name: 'mine', url: HOOK, event: 'data.late' })
  const secret = /whsec_[\w+/=]+/.exec(made.html)?.[0] ?? ''
  expect(secret).toHaveLength(50)
  const [, webhook = ''] = /name="webhook" value="([^"]+)"/.exec(made.html) ?? []
  expect(textOf(await send('change', { webhook, do: 'test' }))).toMatch(/test waiting/)
  await ring()
  expect(textOf(await ann.open('/notifications'))).toMatch(/test delivered/)
  expect(textOf(await send('change', { webhook, do: 'paused' }))).toContain('paused')
  const left = await send('change', { webhook, do: 'delete' })
  expect(left.html).not.toContain(webhook)
  const ed = await ours.member('Ed', 'editor')
  expect((await ed.open('/notifications')).html).not.toContain('/notifications/create')
})
