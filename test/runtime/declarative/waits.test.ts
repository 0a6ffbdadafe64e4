import { describe, expect, it } from 'vitest'
import {
  AirbyteError,
  type ConfiguredStream,
  type JsonObject,
  type ReadEvent,
} from '../../../src/protocol/index.ts'
import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import { declarativeSource } from '../../../src/runtime/declarative/index.ts'
import { testContext } from '../../conformance/context.ts'
import { childrenOf, SHOP_INFO, SHOP_URL, shopManifest } from '../../support/shop-manifest.ts'

const NOW = Date.parse('2026-03-15T12:00:00Z')
const TEN_MINUTES = NOW + 601_000

type Answers = Record<string, (query: URLSearchParams) => Response>

const rows = (...ids: number[]) => Response.json(ids.map((id) => ({ id })))
const busy = (seconds = 600) =>
  new Response('', { status: 429, headers: { 'retry-after': String(seconds) } })

function shop(manifest: JsonObject, answers: Answers, host: Partial<ConnectorContext> = {}) {
  const requests: string[] = []
  const sleeps: number[] = []
  const ctx = testContext({
    now: () => NOW,
    budget: { deadline: NOW + 40_000, exhausted: () => false },
    http: {
      async fetch(address) {
        const url = new URL(address)
        requests.push(`${url.pathname}${url.search}`)
        return answers[url.pathname]?.(url.searchParams) ?? new Response('', { status: 404 })
      },
    },
    ...host,
  })
  const source = declarativeSource(manifest, SHOP_INFO, {
    sleep: async (ms) => {
      sleeps.push(ms)
    },
  })
  return { source, ctx, requests, sleeps }
}

const configured = (name: string): ConfiguredStream => ({
  stream: {
    ...{ name, supported_sync_modes: ['full_refresh'] },
    json_schema: { type: 'object', properties: { id: { type: 'integer' } } },
  },
  ...{ syncMode: 'full_refresh', destinationSyncMode: 'append', cursorField: [], primaryKey: [] },
  ...{ generationId: 1, minimumGenerationId: 0, syncId: 1, format: 'records' },
})

/** Reads up to the first wait, or to the end. */
async function read(
  { source, ctx }: ReturnType<typeof shop>,
  names: string[],
  state: JsonObject | undefined = undefined,
) {
  const events: ReadEvent[] = []
  const streams = new Map(state ? [[names[0] ?? '', state]] : [])
  for await (const event of source.read(ctx, {}, names.map(configured), { streams })) {
    events.push(event)
    if (event.type === 'wait') break
  }
  const ids = events.flatMap((event) =>
    event.type === 'batch' && event.batch.kind === 'records' ? event.batch.columns[0] : [],
  )
  const states = events.flatMap((event) => (event.type === 'state' ? [event.state] : []))
  // As it comes back from where it was kept.
  const last = JSON.parse(JSON.stringify(states.at(-1) ?? null)) as JsonObject | null
  return { events, ids, state: last ?? undefined, wait: events.find((e) => e.type === 'wait') }
}

const parent = { name: 'parents' }
const nested = {
  name: 'children',
  retriever: { partition_router: childrenOf(parent) },
}
const grandchildren = {
  name: 'grandchildren',
  retriever: { partition_router: childrenOf(nested) },
}

describe('a parent stream that has to wait', () => {
  const answers = (open: { is: boolean }): Answers => ({
    '/parents': (query) => (query.get('page') === '0' ? rows(1, 2) : open.is ? rows(3) : busy()),
    '/children': (query) => rows(Number(query.get('parent')) * 10),
  })

  it('lets its children wait with it, and the children read go on where they were', async () => {
    const open = { is: false }
    const first = shop(shopManifest([nested]), answers(open))
    const before = await read(first, ['children'])
    expect(before.ids).toEqual([10, 20])
    expect(before.wait).toMatchObject({ stream: 'children', until: TEN_MINUTES })

    open.is = true
    const second = shop(shopManifest([nested]), answers(open))
    const after = await read(second, ['children'], before.state)
    expect(after.ids).toEqual([30])
    expect(second.requests).toEqual(['/parents?page=1', '/children?page=0&parent=3'])
    expect(after.events.at(-1)).toMatchObject({ status: 'complete' })
  })

  it('keeps the place of its grandchildren', async () => {
    const open = { is: false }
    const all = { ...answers(open), '/grandchildren': answers(open)['/children'] as Answers[''] }
    const before = await read(shop(shopManifest([grandchildren]), all), ['grandchildren'])
    expect(before.ids).toEqual([100, 200])
    open.is = true
    const second = shop(shopManifest([grandchildren]), all)
    const after = await read(second, ['grandchildren'], before.state)
    expect(after.ids).toEqual([300])
    expect(second.requests[0]).toBe('/parents?page=1')
  })

  it('is waited for in the middle of every kind of router', async () => {
    const list = { type: 'ListPartitionRouter', values: ['a', 'b'], cursor_field: 'letter' }
    const routers: JsonObject[] = [
      { partition_router: [list, childrenOf(parent)] },
      {
        partition_router: {
          ...{ type: 'GroupingPartitionRouter', group_size: 2 },
          underlying_partition_router: childrenOf(parent, false),
        },
      },
    ]
    for (const retriever of routers) {
      const manifest = shopManifest([{ name: 'children', retriever }])
      const open = { is: true }
      const all = { ...answers(open), '/children': () => rows(7) }
      const whole = await read(shop(manifest, all), ['children'])
      open.is = false
      const before = await read(shop(manifest, all), ['children'])
      expect(before.wait).toBeDefined()
      open.is = true
      const after = await read(shop(manifest, all), ['children'], before.state)
      expect(before.ids.length + after.ids.length).toBe(whole.ids.length)
    }
  })

  it('counts the attempts of its request across waits', async () => {
    const failing = { ...parent, requester: { error_handler: { ...BUSY_THRICE } } }
    const child = { name: 'children', retriever: { partition_router: childrenOf(failing) } }
    const manifest = shopManifest([child])
    const down = { '/parents': () => new Response('', { status: 503 }) }
    let { state, wait } = await read(shop(manifest, down), ['children'])
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(wait).toBeDefined()
      ;({ state, wait } = await read(shop(manifest, down), ['children'], state))
    }
    const last = read(shop(manifest, down), ['children'], state)
    await expect(last).rejects.toMatchObject({ code: 'UPSTREAM_ERROR' })
  })
})

const BUSY_THRICE = {
  ...{ type: 'DefaultErrorHandler', max_retries: 3 },
  backoff_strategies: [{ type: 'ConstantBackoffStrategy', backoff_time_in_seconds: 600 }],
}

describe('a parent stream that fails', () => {
  const answers: Answers = {
    '/parents': () => Response.json({ message: 'no such shop' }, { status: 404 }),
    '/others': () => rows(5),
  }

  it('ends its children with an error that names it, and the other streams go on', async () => {
    const opened = shop(shopManifest([nested, { name: 'others' }]), answers)
    const { events, ids } = await read(opened, ['children', 'others'])
    expect(events).toContainEqual({
      type: 'error',
      stream: 'children',
      error: expect.objectContaining({
        kind: 'system',
        stream: 'children',
        message: expect.stringMatching(/^children: its parent stream 'parents' failed: .*no such/),
      }),
    })
    expect(ids).toEqual([5])
    expect(events.at(-1)).toMatchObject({ stream: 'others', status: 'complete' })
  })
})

const PATIENT_FOR_TEN_MINUTES = {
  ...{ type: 'DefaultErrorHandler', max_retries: 3 },
  backoff_strategies: [{ type: 'ConstantBackoffStrategy', backoff_time_in_seconds: 600 }],
}

describe('a host that cannot be reached, behind a back-off of ten minutes', () => {
  const manifest = shopManifest([
    { name: 'items', requester: { error_handler: PATIENT_FOR_TEN_MINUTES } },
  ])
  const answers: Answers = {
    '/items': () => {
      throw new AirbyteError('HOST_UNREACHABLE', 'shop.test cannot be reached.')
    },
  }
  const remedy = 'Check host, port and firewall.'

  it('is what a check reports, with its kind and remedy', async () => {
    const { source, ctx, sleeps } = shop(manifest, answers)
    expect(await source.check(ctx, {})).toMatchObject({
      ok: false,
      problem: {
        ...{ code: 'HOST_UNREACHABLE', kind: 'transient', hint: remedy, retryAt: TEN_MINUTES },
        ...{ stream: 'items', message: 'items: shop.test cannot be reached.' },
      },
    })
    expect(sleeps).toEqual([])
  })

  it('is reported within seconds where the back-off is short', async () => {
    const { source, ctx, sleeps } = shop(shopManifest([{ name: 'items' }]), answers)
    expect(await source.check(ctx, {})).toMatchObject({ problem: { code: 'HOST_UNREACHABLE' } })
    expect(sleeps).toEqual([1000, 2000])
  })

  it('is what a read says that it waits for', async () => {
    const { wait } = await read(shop(manifest, answers), ['items'])
    const until = 'The next attempt is at 2026-03-15T12:10:01.000Z.'
    expect(wait).toMatchObject({
      ...{ until: TEN_MINUTES, code: 'HOST_UNREACHABLE' },
      reason: `items: shop.test cannot be reached. ${remedy} ${until}`,
    })
  })

  it('is what a check of its child reports', async () => {
    const nest = shopManifest([
      {
        name: 'children',
        retriever: {
          partition_router: childrenOf({
            name: 'items',
            requester: { error_handler: PATIENT_FOR_TEN_MINUTES },
          }),
        },
      },
    ])
    const { source, ctx } = shop(nest, answers)
    expect(await source.check(ctx, {})).toMatchObject({
      problem: { code: 'HOST_UNREACHABLE', hint: remedy },
    })
  })

  it('does not hide a server that failed behind a limit either', async () => {
    const down: Answers = { '/items': () => new Response('', { status: 503 }) }
    const { source, ctx } = shop(manifest, down)
    expect(await source.check(ctx, {})).toMatchObject({
      problem: { code: 'UPSTREAM_ERROR', message: expect.stringContaining('503') },
    })
  })
})

const OAUTH = {
  ...{ type: 'OAuthAuthenticator', token_refresh_endpoint: `${SHOP_URL}/token` },
  ...{ client_id: 'c', client_secret: 's', refresh_token: 'r' },
}

describe('a token endpoint that has to be waited for', () => {
  it('makes the read wait, and not lose the page it was at', async () => {
    const manifest = shopManifest([{ name: 'items', requester: { authenticator: OAUTH } }])
    const open = { is: false }
    const answers: Answers = {
      '/token': () => (open.is ? Response.json({ access_token: 't', expires_in: 60 }) : busy()),
      '/items': () => rows(1),
    }
    const before = await read(shop(manifest, answers), ['items'])
    expect(before.wait).toMatchObject({ stream: 'items', until: expect.closeTo(TEN_MINUTES, -4) })
    open.is = true
    expect((await read(shop(manifest, answers), ['items'], before.state)).ids).toEqual([1])
  })
})

describe('what cannot be waited for', () => {
  const answers: Answers = { '/items': () => busy() }
  const problem = {
    ...{ code: 'RATE_LIMITED', retryAt: TEN_MINUTES },
    message: expect.stringContaining('rate limited until 2026-03-15T12:10:01.000Z'),
  }

  it('ends a check with the time, without sleeping', async () => {
    const { source, ctx, sleeps } = shop(shopManifest([{ name: 'items' }]), answers)
    expect(await source.check(ctx, {})).toMatchObject({ ok: false, problem })
    expect(sleeps).toEqual([])
  })

  it('ends a discovery that must ask for the schema with the time', async () => {
    const bare = { type: 'InlineSchemaLoader', schema: { type: 'object' } }
    const manifest = shopManifest([{ name: 'items', stream: { schema_loader: bare } }])
    const { source, ctx } = shop(manifest, answers)
    await expect(source.discover(ctx, {})).rejects.toMatchObject(problem)
  })

  it('ends a discovery whose streams the API lists with the time', async () => {
    const manifest = shopManifest([], {
      dynamic_streams: [
        {
          ...{ type: 'DynamicDeclarativeStream', name: 'made' },
          stream_template: shopManifest([{ name: 'x' }]).streams?.[0 as never] as never,
          components_resolver: {
            type: 'HttpComponentsResolver',
            retriever: (shopManifest([{ name: 'items' }]).streams as JsonObject[])[0]
              ?.retriever as JsonObject,
            components_mapping: [],
          },
        },
      ],
    })
    const { source, ctx } = shop(manifest, answers)
    await expect(source.discover(ctx, {})).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  })

  it('ends a read that is pulled on past a wait of more than a day', async () => {
    const endless = shop(shopManifest([{ name: 'items' }]), { '/items': () => busy(1e30) })
    const { source, ctx, sleeps } = endless
    const events = source.read(ctx, {}, [configured('items')], { streams: new Map() })
    const all = async () => {
      for await (const _ of events);
    }
    await expect(all()).rejects.toMatchObject({ code: 'RATE_LIMITED' })
    expect(sleeps).toEqual([])
  })

  it('is not slept through when the time that is left does not suffice', async () => {
    const soon = shop(
      shopManifest([{ name: 'items' }]),
      { '/items': () => busy(20) },
      { budget: { deadline: NOW + 10_000, exhausted: () => false } },
    )
    expect((await read(soon, ['items'])).wait).toMatchObject({ until: NOW + 21_000 })
    expect(soon.sleeps).toEqual([])
  })
})

describe('a budget that is spent', () => {
  const manifest = shopManifest([parent], {
    api_budget: {
      type: 'HTTPAPIBudget',
      policies: [
        {
          ...{ type: 'MovingWindowCallRatePolicy', matchers: [] },
          rates: [{ type: 'Rate', limit: 1, interval: 'PT20S' }],
        },
      ],
    },
  })

  it('is asked for again while others of the source may give calls back', async () => {
    let asked = 0
    const rest = { forMs: 2000, left: 0, until: NOW + 2000 }
    const owner = {
      // At the third time another has given its call back.
      takeCalls: async () => (++asked < 3 ? { calls: 0, waitMs: 20_000 - asked, ...rest } : GIVEN),
      learnCalls: async () => ({ left: 0 }),
      giveBackCalls: async () => {},
    } as unknown as ConnectorContext['owner']
    const GIVEN = { calls: 1, waitMs: 0, ...rest }
    const open = shop(manifest, { '/parents': () => rows(1) }, { owner })
    expect((await read(open, ['parents'])).ids).toEqual([1])
    expect(open.sleeps).toEqual([2000, 2000])
  })

  it('is waited for to the end by who is alone', async () => {
    const answers = {
      '/parents': (query: URLSearchParams) => (query.get('page') === '0' ? rows(1, 2) : rows(3)),
    }
    const open = shop(manifest, answers)
    expect((await read(open, ['parents'])).ids).toEqual([1, 2, 3])
    expect(open.sleeps).toEqual([20_001])
  })
})
