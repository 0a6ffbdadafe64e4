import { env } from 'cloudflare:workers'
import { describe, expect, inject, it, vi } from 'vitest'
import { connectorPrefix } from '../../src/durable-object/manifest-store.ts'
import { API_KEY } from '../support/connector-registry.ts'
import { itemsManifest } from '../support/items-manifest.ts'
import { ownConnector } from './own-connector.ts'
import { callerOf } from './support.ts'

let n = 0
const manifest = () => itemsManifest(inject('registryUrl'))
async function workspace(name = 'items') {
  const tenantId = `own-${++n}`
  const own = await ownConnector(env, tenantId, { name, manifest: manifest() })
  return { tenantId, own, call: callerOf(env, tenantId) }
}
const SECRET = { api_key: API_KEY }

describe("a workspace's own connector", () => {
  it('is in the catalog of its workspace, with its licence, and in no other', async () => {
    const { call, own } = await workspace()
    expect((await call('catalog.search', { query: 'items' })).items).toMatchObject([
      { name: 'items', origin: 'imported', license: 'MIT', contentHash: own.release.pin.hash },
    ])
    const one = await call('catalog.get', { kind: 'source', name: 'items' })
    expect(one).toMatchObject({
      origin: 'imported',
      fields: [{ path: 'api_key', secret: true }, {}],
    })
    const other = callerOf(env, 'own-other')
    expect((await other('catalog.sources.list')).items).toEqual(
      expect.not.arrayContaining([expect.objectContaining({ name: 'items' })]),
    )
    for (const name of ['items', own.id]) {
      await expect(
        other('sources.create', { name: 'x', type: name, config: {} }),
      ).rejects.toMatchObject({ code: 'CONNECTOR_NOT_FOUND' })
    }
  })

  it('takes a config that its spec takes, and seals the secrets that its spec names', async () => {
    const { call } = await workspace()
    await expect(
      call('sources.create', { name: 's', type: 'items', config: { acount: 'x' } }),
    ).rejects.toMatchObject({ field: 'config.acount', didYouMean: ['account'] })
    const made = await call('sources.create', { name: 's', type: 'items', config: SECRET })
    expect(made).toMatchObject({ type: 'items', config: { api_key: '**********' } })
    const stored = await call('sources.get', { source: 's' })
    expect(JSON.stringify(stored)).not.toContain(API_KEY)
  })

  it('by chat gives a page for its secret, and refuses it as an argument', async () => {
    const { tenantId } = await workspace()
    const chat = callerOf(env, tenantId, { face: 'mcp' })
    const made = await chat('sources.create', { name: 's', type: 'items', config: {} })
    expect(made).toMatchObject({ status: 'awaiting_credentials', missingSecrets: ['api_key'] })
    expect(made.setupUrl).toContain('/setup/')
    for (const [id, input] of [
      ['sources.create', { name: 't', type: 'items', config: SECRET }],
      ['sources.update', { source: 's', config: SECRET }],
    ] as const) {
      await expect(chat(id, input)).rejects.toMatchObject({
        ...{ code: 'SECRET_IN_ARGUMENTS', field: 'config.api_key' },
      })
    }
  })

  it('checks, discovers, previews and syncs', async () => {
    const { call } = await workspace()
    await call('sources.create', { name: 's', type: 'items', config: SECRET })
    await call('destinations.create', { name: 'd', type: 'r2', config: {} })
    expect(await call('sources.check', { source: 's' })).toMatchObject({ ok: true })
    expect((await call('sources.discover', { source: 's' })).streams).toMatchObject([
      { name: 'items', cursorField: ['updated_at'], primaryKey: [['id']], fieldCount: 3 },
    ])
    expect(await call('sources.preview', { source: 's', stream: 'items' })).toMatchObject({
      ...{ count: 3, records: [{ id: 1, name: 'first' }, {}, {}] },
    })
    await call('connections.create', { name: 'c', source: 's', destination: 'd' })
    const { syncId } = await call('connections.sync', { connection: 'c' })
    await vi.waitFor(
      async () => {
        const sync = await call('syncs.get', { sync: syncId })
        expect(sync).toMatchObject({ status: 'succeeded', rows: 3 })
      },
      { timeout: 25_000, interval: 200 },
    )
  })

  it('is refused backfills, as every source without ranges', async () => {
    const { call } = await workspace()
    await call('sources.create', { name: 's', type: 'items', config: SECRET })
    await call('destinations.create', { name: 'd', type: 'dev-null', config: {} })
    const streams = [{ name: 'items', destinationSyncMode: 'append' }]
    await call('connections.create', { name: 'c', source: 's', destination: 'd', streams })
    await expect(
      call('connections.backfill', { connection: 'c', stream: 'items', field: 'id', from: '1' }),
    ).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  it('hides a built-in one of its name only from sources to come', async () => {
    const tenantId = `own-${++n}`
    const call = callerOf(env, tenantId)
    await call('sources.create', { name: 'before', type: 'sample-data', config: { count: 1 } })
    const shadowing = { name: 'sample-data', manifest: manifest(), shadows: true }
    await ownConnector(env, tenantId, shadowing)
    const after = await call('sources.create', { name: 'after', type: 'sample-data', config: {} })
    expect(after).toMatchObject({ missingSecrets: ['api_key'] })
    expect((await call('catalog.search', { query: 'sample-data' })).items).toMatchObject([
      { name: 'sample-data', origin: 'imported' },
    ])
    const users = await call('sources.discover', { source: 'before', stream: 'users' })
    expect(users).toMatchObject({ total: 1 })
  })

  it('says so when its manifest is gone or was tampered with', async () => {
    const { call, own, tenantId } = await workspace()
    const key = `${tenantId}/${connectorPrefix(own.id)}${own.release.pin.hash}`
    const create = () => call('sources.create', { name: 's', type: 'items', config: SECRET })
    await env.STAGING.put(key, 'type: DeclarativeSource')
    await expect(create()).rejects.toMatchObject({ code: 'CONNECTOR_DAMAGED' })
    await env.STAGING.delete(key)
    await expect(create()).rejects.toMatchObject({ code: 'CONNECTOR_DAMAGED' })
  })
})
