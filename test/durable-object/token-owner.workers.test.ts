import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { armFaultPoint, type FaultPoint } from '../../src/core/fault-points.ts'
import { sourceStub } from '../../src/durable-object/platform.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import { callerOf } from '../operations/support.ts'
import { rows, serveShop, setShop } from '../support/shop.ts'
import { type ShopStream, shopManifest } from '../support/shop-manifest.ts'
import { SINGLE_USE_OAUTH, TokenServer } from '../support/token-server.ts'
import { ended } from './harness.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

let workspaces = 0

/** A workspace whose shop wants a token for everything. */
async function openShop(
  names: string[],
  server: TokenServer,
  { pages = 1, delayMs = 0, change = {} as Partial<ShopStream> } = {},
) {
  const requester = { authenticator: SINGLE_USE_OAUTH, ...change.requester }
  const secret = { type: 'string', airbyte_secret: true }
  setShop(
    shopManifest(
      names.map((name) => ({ name, ...change, requester })),
      {
        spec: {
          type: 'Spec',
          connection_specification: {
            type: 'object',
            properties: {
              secret,
              // The spec says nothing of the access token, as many do.
              credentials: { type: 'object', properties: { refresh_token: secret } },
            },
          },
        },
      },
    ),
  )
  const answer = async (query: URLSearchParams, request: Request) => {
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    if (!server.accepts(request)) return new Response('', { status: 401 })
    const page = Number(query.get('page'))
    return page < pages ? rows(2 * page, 2 * page + 1) : rows()
  }
  const requests = serveShop({
    '/token': server.token,
    ...Object.fromEntries(names.map((name) => [`/${name}`, answer])),
  })
  const tenant = `tokens-${++workspaces}`
  const call = callerOf(env, tenant)
  const config = { secret: 's3cret', credentials: { refresh_token: server.refreshToken } }
  const id = String((await call('sources.create', { name: 'shop', type: 'shop', config })).id)
  await call('destinations.create', { name: 'nowhere', type: 'dev-null', config: {} })
  const object = sourceStub(env, tenant, id)
  return { call, requests, tenant, object, id }
}

type Shop = Awaited<ReturnType<typeof openShop>>

async function syncAll({ call, tenant }: Shop, limits: object = {}) {
  await call('connections.create', { name: 'all', source: 'shop', destination: 'nowhere', limits })
  const { syncId } = await call('connections.sync', { connection: 'all' })
  return env.SYNC.getByName(`${tenant}:${syncId}`) as unknown as Parameters<typeof ended>[0]
}

/** The source's object dies at this point, as far as its caller can tell. */
const dieAt = (point: FaultPoint) =>
  armFaultPoint(point, 1, () => Promise.reject(new Error('the object died')))

describe('a source whose refresh tokens are good for one use', () => {
  it('is refreshed once an expiry, by eight streams, checks, previews and discoveries at once', async () => {
    const lifeMs = 1000
    const server = new TokenServer(lifeMs)
    const names = Array.from({ length: 8 }, (_, i) => `stream${i}`)
    const shop = await openShop(names, server, { pages: 5, delayMs: 60 })
    const sync = await syncAll(shop, { sliceRows: 4, chunkBytes: 0 })
    let over = false
    const others = ['sources.check', 'sources.preview', 'sources.discover'].map(async (id) => {
      let calls = 0
      for (; !over; calls++) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        const input = id === 'sources.preview' ? { stream: 'stream3' } : {}
        const answer = await shop.call(id, { source: 'shop', ...input })
        if (id === 'sources.check') expect(answer).toEqual({ ok: true })
      }
      return calls
    })
    const record = await ended(sync, 80_000)
    over = true
    const calls = await Promise.all(others)
    expect(record).toMatchObject({ status: 'succeeded', rows: 8 * 10 })
    expect(Math.min(...calls)).toBeGreaterThan(1)
    expect(server.revoked).toBe(false)
    expect(server.refreshes.length).toBeGreaterThan(1)
    const gaps = server.refreshes.slice(1).map((at, i) => at - (server.refreshes[i] ?? 0))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(lifeMs)
  }, 90_000)

  it('keeps them sealed, also where the spec does not know them, and shows none', async () => {
    const server = new TokenServer(60_000)
    const shop = await openShop(['items'], server)
    await shop.call('sources.check', { source: 'shop' })
    const masked = '**********'
    const { config } = await shop.object.get()
    expect(config).toEqual({
      secret: masked,
      credentials: {
        refresh_token: masked,
        access_token: masked,
        token_expiry_date: expect.stringMatching(/^\d{4}-/),
      },
    })
    expect((await shop.object.open()).config).toMatchObject({
      credentials: { refresh_token: 'refresh-1', access_token: 'access-1' },
    })
    const stored = await runInDurableObject(
      env.SOURCE.getByName(`${shop.tenant}:${shop.id}`),
      (_object, { storage }) =>
        JSON.stringify([
          ...storage.kv.list(),
          ...storage.sql.exec('select * from tokens').toArray(),
        ]),
    )
    expect(stored).not.toMatch(/access-1|refresh-1/)
  })

  it.each(['token.answered', 'token.kept'] as const)(
    'has its new tokens although the object died at %s',
    async (point) => {
      const server = new TokenServer(60_000)
      const shop = await openShop(['items'], server)
      dieAt(point)
      expect(await shop.call('sources.check', { source: 'shop' })).toEqual({ ok: true })
      expect(await shop.call('sources.check', { source: 'shop' })).toEqual({ ok: true })
      expect(server).toMatchObject({ revoked: false, refreshToken: 'refresh-1' })
      expect((await shop.object.open()).config).toMatchObject({
        credentials: { refresh_token: 'refresh-1', access_token: 'access-1' },
      })
    },
  )

  it('says to authorize again when an answer was lost, and not before', async () => {
    const server = new TokenServer(60_000)
    const shop = await openShop(['items'], server)
    const dies = async () => {
      await shop.object.token('key', async () => {
        throw new Error('the caller died')
      })
    }
    await expect(dies).rejects.toThrow()
    const uncertain: boolean[] = []
    await shop.object.token('key', async (state) => {
      uncertain.push(state.uncertain)
      return { value: 't', expiresAt: 0 }
    })
    await shop.object.token('key', async (state) => {
      uncertain.push(state.uncertain)
      return { value: 't', expiresAt: 0 }
    })
    expect(uncertain).toEqual([true, false])
  })

  it('does not write over credentials that were entered while it refreshed', async () => {
    const server = new TokenServer(60_000)
    const shop = await openShop(['items'], server)
    const other = new TokenServer(60_000)
    const given: unknown[] = []
    const token = await shop.object.token('key', async ({ config }) => {
      const { refresh_token } = (config as { credentials: { refresh_token: string } }).credentials
      given.push(refresh_token)
      if (given.length === 1) {
        await shop.call('sources.update', {
          ...{ source: 'shop', config: { credentials: { refresh_token: 'entered anew' } } },
        })
      }
      const path = ['credentials', 'refresh_token']
      const value = `${refresh_token}, used`
      return { value, expiresAt: Date.now() + 1e6, changes: [{ path, value, secret: true }] }
    })
    expect(other.revoked).toBe(false)
    expect(given).toEqual(['refresh-0', 'entered anew'])
    expect(token.value).toBe('entered anew, used')
  })

  it('makes everyone wait when the endpoint says so, and asks it no more', async () => {
    const server = new TokenServer(60_000)
    const shop = await openShop(['items'], server)
    let asked = 0
    serveShop({
      '/token': () => {
        asked++
        return new Response('', { status: 429, headers: { 'retry-after': '600' } })
      },
    })
    for (let i = 0; i < 3; i++) {
      expect(await shop.call('sources.check', { source: 'shop' })).toMatchObject({
        ...{ ok: false, problem: { code: 'RATE_LIMITED', retryAt: expect.any(Number) } },
      })
    }
    expect(asked).toBe(1)
  })
})

describe('a config that the connector migrates', () => {
  it('is kept with its secrets sealed, unless a person entered another meanwhile', async () => {
    const secret = { type: 'string', airbyte_secret: true }
    const migrate = (path: string[], value: string): JsonObject => ({
      type: 'ConfigMigration',
      transformations: [
        { type: 'ConfigAddFields', fields: [{ type: 'AddedFieldDefinition', path, value }] },
        { type: 'ConfigRemoveFields', field_pointers: [['key']] },
      ],
    })
    setShop(
      shopManifest([{ name: 'items' }], {
        spec: {
          type: 'Spec',
          connection_specification: { type: 'object', properties: { key: secret, auth: {} } },
          config_normalization_rules: {
            type: 'ConfigNormalizationRules',
            config_migrations: [
              migrate(['auth', 'key'], "{{ config['key'] or config['auth']['key'] }}"),
            ],
          },
        },
      }),
    )
    serveShop({ '/items': () => rows(1) })
    const tenant = `tokens-${++workspaces}`
    const call = callerOf(env, tenant)
    const config = { key: 'a-secret-key' }
    const created = await call('sources.create', { name: 'shop', type: 'shop', config })
    await call('sources.check', { source: 'shop' })
    const object = sourceStub(env, tenant, String(created.id))
    expect((await object.get()).config).toEqual({ auth: { key: '**********' } })
    const { edition, config: opened } = await object.open()
    expect(opened).toEqual({ auth: { key: 'a-secret-key' } })
    await call('sources.update', { source: 'shop', config: { key: 'another' } })
    await object.saveConfig({ auth: { key: 'a-secret-key' } }, edition)
    expect((await object.open()).config).toMatchObject({ key: 'another' })
  })
})
