import { runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect, it, vi } from 'vitest'
import type { JsonObject } from '../../src/protocol/index.ts'
import { serveShop, setShop } from '../support/shop.ts'
import { SHOP_URL, shopManifest } from '../support/shop-manifest.ts'
import { connect, ended, start, stream, TENANT } from './harness.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const requester = (path: string, more: JsonObject = {}): JsonObject => ({
  ...{ type: 'HttpRequester', url_base: SHOP_URL, path },
  ...more,
})

const EXPORT = {
  name: 'items',
  retriever: {
    type: 'AsyncRetriever',
    status_mapping: {
      ...{ type: 'AsyncJobStatusMap', running: ['working'], completed: ['done'] },
      ...{ failed: [], timeout: [] },
    },
    status_extractor: { type: 'DpathExtractor', field_path: ['status'] },
    download_target_extractor: { type: 'DpathExtractor', field_path: ['file'] },
    creation_requester: requester('exports', { http_method: 'POST' }),
    polling_requester: requester("exports/{{ creation_response['id'] }}"),
    download_requester: requester('{{ download_target }}'),
    download_extractor: { type: 'ResponseToFileExtractor' },
    abort_requester: requester("exports/{{ creation_response['id'] }}/abort", {
      http_method: 'POST',
    }),
  },
}

it('a sync waits for an export between its slices, which ask for the same one', async () => {
  let isDone = false
  const requests = serveShop({
    '/exports': () => Response.json({ id: 'e1' }),
    '/exports/e1': () =>
      Response.json({ status: isDone ? 'done' : 'working', file: 'files/items.csv' }),
    '/files/items.csv': () => new Response('id,updated_at\n1,now\n2,NA\n'),
  })
  setShop(shopManifest([EXPORT]))
  // A slice of a second has no time to sleep for a job.
  const { connection } = await connect({
    source: { type: 'shop', config: {} },
    streams: [stream({ name: 'items' })],
    change: { limits: { sliceMs: 1000 } },
  })
  const sync = await start(connection)
  const object = env.SYNC.getByName(`${TENANT}:${(await sync.get()).syncId}`)
  const untilOf = (after: number) =>
    vi.waitFor(
      async () => {
        const { waitingUntil = 0 } = await sync.get()
        expect(waitingUntil).toBeGreaterThan(after)
        return waitingUntil
      },
      { timeout: 20_000, interval: 50 },
    )
  let until = await untilOf(0)
  for (let slices = 0; slices < 3; slices++) {
    vi.useFakeTimers({ toFake: ['Date'], now: until + 1 })
    await runDurableObjectAlarm(object)
    until = await untilOf(until)
  }
  isDone = true
  vi.useFakeTimers({ toFake: ['Date'], now: until + 1 })
  await runDurableObjectAlarm(object)
  expect(await ended(sync)).toMatchObject({ status: 'succeeded', rows: 2 })
  expect(requests.filter((path) => path === '/exports')).toHaveLength(1)
  expect(requests.filter((path) => path === '/exports/e1')).toHaveLength(5)
})

it('streams of a source that are read at once have no more jobs than the manifest lets', async () => {
  const running = new Set<string>()
  const asked = new Map<string, number>()
  let most = 0
  const begin = (id: string) => () => {
    running.add(id)
    most = Math.max(most, running.size)
    return Response.json({ id })
  }
  const poll = (id: string) => () => {
    asked.set(id, (asked.get(id) ?? 0) + 1)
    const isDone = (asked.get(id) ?? 0) > 2
    if (isDone) running.delete(id)
    return Response.json({ status: isDone ? 'done' : 'working', file: 'files/items.csv' })
  }
  serveShop({
    '/one': begin('1'),
    '/two': begin('2'),
    '/exports/1': poll('1'),
    '/exports/2': poll('2'),
    '/files/items.csv': () => new Response('id\n1\n'),
  })
  const exported = (name: string) => ({
    name,
    retriever: {
      ...EXPORT.retriever,
      creation_requester: requester(name, { http_method: 'POST' }),
    },
  })
  setShop(shopManifest([exported('one'), exported('two')]))
  const { connection } = await connect({
    source: { type: 'shop', config: {} },
    streams: ['one', 'two'].map((name) => stream({ name })),
    change: { limits: { sliceMs: 1000 } },
  })
  const sync = await start(connection)
  const object = env.SYNC.getByName(`${TENANT}:${(await sync.get()).syncId}`)
  const reasons = new Set<string>()
  for (let rounds = 0; rounds < 30; rounds++) {
    const record = await vi.waitFor(
      async () => {
        const now = await sync.get()
        expect(now.endedAt ?? now.waitingUntil).toBeDefined()
        return now
      },
      { timeout: 20_000, interval: 50 },
    )
    for (const { reason } of record.waiting ?? []) reasons.add(reason)
    if (record.endedAt) break
    vi.useFakeTimers({ toFake: ['Date'], now: Math.max(Date.now(), record.waitingUntil ?? 0) + 1 })
    await runDurableObjectAlarm(object)
  }
  expect(await ended(sync)).toMatchObject({ status: 'succeeded', rows: 2 })
  expect(most).toBe(1)
  expect([...reasons].join()).toContain('as many jobs as it takes')
})

it('a sync that is cancelled while it waits for an export aborts it', async () => {
  const requests = serveShop({
    '/exports': () => Response.json({ id: 'e1' }),
    '/exports/e1': () => Response.json({ status: 'working' }),
    '/exports/e1/abort': () => Response.json({}),
  })
  setShop(shopManifest([EXPORT]))
  const { connection } = await connect({
    source: { type: 'shop', config: {} },
    streams: [stream({ name: 'items' })],
    change: { limits: { sliceMs: 1000 } },
  })
  const sync = await start(connection)
  await vi.waitFor(async () => expect((await sync.get()).waitingUntil).toBeDefined(), {
    ...{ timeout: 20_000, interval: 50 },
  })
  await sync.cancel()
  expect(await ended(sync)).toMatchObject({ status: 'cancelled' })
  await vi.waitFor(() => expect(requests.at(-1)).toBe('/exports/e1/abort'), { timeout: 10_000 })
  expect(requests.filter((path) => path === '/exports')).toHaveLength(1)
})
