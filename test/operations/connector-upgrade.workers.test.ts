import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, inject, it, vi } from 'vitest'
import type { Claim, SyncInput } from '../../src/core/sync-engine/types.ts'
import { taskHost } from '../../src/durable-object/queue.ts'
import { API_KEY } from '../support/connector-registry.ts'
import { itemsManifest } from '../support/items-manifest.ts'
import { callerOf } from './support.ts'

let n = 0
function fresh() {
  const tenant = `upgrades-${++n}`
  return { tenant, call: callerOf(env, tenant), chat: callerOf(env, tenant, { face: 'mcp' }) }
}
const SECRET = { api_key: API_KEY, account: 'acme' }
const manifest = (release = {}) => itemsManifest(inject('registryUrl'), release)

async function withSource(from = 'source-items@1.0.0') {
  const workspace = fresh()
  const { call } = workspace
  await call('connectors.import', { from })
  await call('sources.create', { name: 's', type: 'items', config: SECRET })
  return workspace
}

async function ended(call: ReturnType<typeof callerOf>, sync: unknown) {
  await vi.waitFor(
    async () => expect(await call('syncs.get', { sync })).toMatchObject({ finished: true }),
    { timeout: 25_000, interval: 200 },
  )
  return call('syncs.get', { sync })
}

describe('upgrading a connector', () => {
  it('shows what would change, and who has it, and does nothing', async () => {
    const { call } = await withSource()
    await call('destinations.create', { name: 'd', type: 'dev-null', config: {} })
    await call('connections.create', { name: 'c', source: 's', destination: 'd' })
    const plan = await call('connectors.upgrade', { connector: 'items' })
    expect(plan).toMatchObject({
      ...{ applied: false, direction: 'upgrade', credentials: 'kept' },
      from: { version: '1.0.0' },
      to: { version: '2.0.0', license: 'MIT' },
      spec: {
        added: [{ path: 'team', type: 'string', required: false, secret: false }],
        removed: ['account'],
      },
      streams: {
        ...{ added: ['tags'], removed: [] },
        changed: [{ name: 'items', schema: 'static', fields: { added: ['size'] } }],
      },
      breakingChanges: [
        {
          version: '2.0.0',
          message: expect.any(String),
          deadline: '2024-06-01',
          streams: ['items'],
        },
      ],
      usedBy: {
        sources: [{ name: 's', version: '1.0.0', problems: [expect.stringContaining('account')] }],
        connections: [{ name: 'c', lost: [] }],
      },
    })
    expect(await call('connectors.get', { connector: 'items' })).toMatchObject({ version: '1.0.0' })
  })

  it('does what was shown, keeps secrets, and finds the way back', async () => {
    const { call } = await withSource()
    const up = await call('connectors.upgrade', { connector: 'items' })
    const done = await call('connectors.upgrade', { connector: 'items', plan: up.plan })
    expect(done).toMatchObject({ applied: true, sources: [{ name: 's', status: 'active' }] })
    expect(await call('sources.get', { source: 's' })).toMatchObject({
      ...{ connector: { version: '2.0.0' }, config: { api_key: '**********' } },
    })
    expect(await call('sources.check', { source: 's' })).toMatchObject({ ok: true })
    expect(await call('sources.discover', { source: 's' })).toMatchObject({ total: 2 })
    expect(await call('sources.create', { name: 't', type: 'items', config: {} })).toMatchObject({
      connector: { version: '2.0.0' },
    })

    const back = { connector: 'items', version: '1.0.0' }
    const down = await call('connectors.upgrade', back)
    expect(down).toMatchObject({
      ...{ direction: 'downgrade', breakingChanges: [{ version: '2.0.0' }] },
      streams: { removed: ['tags'], changed: [{ fields: { removed: ['size'] } }] },
    })
    await call('connectors.upgrade', { ...back, plan: down.plan })
    expect(await call('sources.discover', { source: 's' })).toMatchObject({ total: 1 })
    expect(await call('connectors.get', { connector: 'items' })).toMatchObject({
      releases: [{ version: '1.0.0' }, { version: '2.0.0' }, { version: '1.0.0' }],
    })
  })

  it('refuses a plan when the world is not as it was shown', async () => {
    const { call } = await withSource()
    const { plan } = await call('connectors.upgrade', { connector: 'items' })
    await call('sources.create', { name: 'new', type: 'items', config: SECRET })
    await expect(call('connectors.upgrade', { connector: 'items', plan })).rejects.toMatchObject({
      ...{ code: 'CONFLICT', field: 'plan' },
    })
    const other = { connector: 'items', version: '1.0.0', plan }
    await expect(call('connectors.upgrade', other)).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await call('connectors.get', { connector: 'items' })).toMatchObject({ version: '1.0.0' })
  })

  it('through a chat to a manifest from elsewhere asks for the credentials again', async () => {
    const { call, chat } = await withSource()
    const text = { connector: 'items', manifest: manifest({ fields: ['x: {}'] }), license: 'own' }
    const plan = await chat('connectors.upgrade', text)
    expect(plan).toMatchObject({ credentials: 'entered again', direction: expect.any(String) })
    const done = await chat('connectors.upgrade', { ...text, plan: plan.plan })
    expect(done).toMatchObject({
      sources: [{ status: 'awaiting_credentials', setupUrl: expect.stringContaining('/setup/') }],
    })
    const source = await call('sources.get', { source: 's' })
    expect(source).toMatchObject({ missingSecrets: ['api_key'], config: { account: 'acme' } })
    await expect(call('sources.check', { source: 's' })).rejects.toMatchObject({
      code: 'AWAITING_CREDENTIALS',
    })
  })

  it('keeps the credentials for an admin, and not for an operator, with a manifest from elsewhere', async () => {
    const { tenant, call } = await withSource()
    const text = { connector: 'items', manifest: manifest({ fields: ['x: {}'] }), license: 'own' }
    expect(await call('connectors.upgrade', text)).toMatchObject({ credentials: 'kept' })
    const operator = callerOf(env, tenant, { role: 'operator' })
    expect(await operator('connectors.upgrade', text)).toMatchObject({
      credentials: 'entered again',
    })
    const registry = { connector: 'items' }
    expect(await operator('connectors.upgrade', registry)).toMatchObject({ credentials: 'kept' })
  })

  it('seals what the new release calls secret, and keeps sealed what it no longer does', async () => {
    const { call } = await withSource()
    const config = ['account: { type: string, airbyte_secret: true }']
    const open = manifest({ config }).replace(
      'api_key: { type: string, airbyte_secret: true',
      'api_key: { type: string',
    )
    const text = { connector: 'items', manifest: open, license: 'own' }
    const plan = await call('connectors.upgrade', text)
    expect(plan).toMatchObject({
      spec: { nowSecret: ['account'], noLongerSecret: ['api_key'] },
      credentials: 'kept',
    })
    await call('connectors.upgrade', { ...text, plan: plan.plan })
    const source = await call('sources.get', { source: 's' })
    expect(source.config).toEqual({ api_key: '**********', account: '**********' })
    expect(await call('sources.check', { source: 's' })).toMatchObject({ ok: true })
  })

  it('names the streams of connections that another release would lose', async () => {
    const { call } = await withSource()
    await call('destinations.create', { name: 'd', type: 'dev-null', config: {} })
    await call('connections.create', { name: 'c', source: 's', destination: 'd' })
    const lost = manifest({ streams: ['others'] }).replaceAll(
      '    name: items\n',
      '    name: things\n',
    )
    const text = {
      connector: 'items',
      manifest: lost.replace('[items]', '[things]'),
      license: 'own',
    }
    expect(await call('connectors.upgrade', text)).toMatchObject({
      streams: { removed: ['items'], added: ['things', 'others'] },
      usedBy: { connections: [{ name: 'c', lost: ['items'] }] },
    })
  })

  it('refuses a licence that the operator does not allow', async () => {
    const { call } = await withSource()
    await expect(
      call('connectors.upgrade', { connector: 'items', from: 'source-elastic' }),
    ).rejects.toMatchObject({ code: 'LICENSE_REFUSED' })
  })

  it('of a text needs to know where the next release is', async () => {
    const { call } = fresh()
    await call('connectors.import', { manifest: manifest(), name: 'mine', license: 'own' })
    await expect(call('connectors.upgrade', { connector: 'mine' })).rejects.toMatchObject({
      ...{ code: 'VALIDATION_FAILED', field: 'from' },
    })
  })

  it('to the same version stores anew what was damaged', async () => {
    const { call, tenant } = await withSource()
    const { objects } = await env.STAGING.list({ prefix: `${tenant}/connectors/` })
    for (const { key } of objects) await env.STAGING.delete(key)
    await expect(call('connectors.get', { connector: 'items' })).rejects.toMatchObject({
      code: 'CONNECTOR_DAMAGED',
    })
    const same = { connector: 'items', version: '1.0.0' }
    const plan = await call('connectors.upgrade', same)
    expect(plan).toMatchObject({ direction: 'none' })
    await call('connectors.upgrade', { ...same, plan: plan.plan })
    expect(await call('connectors.get', { connector: 'items' })).toMatchObject({
      ...{ version: '1.0.0', releases: [{ version: '1.0.0' }] },
    })
  })
})

it('imports, syncs, upgrades with a diff, and syncs again into a lake', async () => {
  const { call } = await withSource()
  await call('destinations.create', { name: 'lake', type: 'r2', config: {} })
  const streams = [{ name: 'items', syncMode: 'incremental', destinationSyncMode: 'append' }]
  await call('connections.create', { name: 'c', source: 's', destination: 'lake', streams })
  const first = await call('connections.sync', { connection: 'c' })
  expect(await ended(call, first.syncId)).toMatchObject({ status: 'succeeded', rows: 3 })

  const { plan } = await call('connectors.upgrade', { connector: 'items' })
  await call('connectors.upgrade', { connector: 'items', plan })
  const second = await call('connections.sync', { connection: 'c' })
  expect(await ended(call, second.syncId)).toMatchObject({ status: 'succeeded' })
  const receipt = await call('syncs.receipt', { sync: second.syncId })
  expect(receipt).toMatchObject({ streams: [{ stream: 'items', status: 'succeeded' }] })
  const users = await call('sources.discover', { source: 's', stream: 'items' })
  expect(users.streams).toMatchObject([{ jsonSchema: { properties: { size: {} } } }])
})

it('leaves a running sync at the release that it began with', async () => {
  const { call, tenant } = await withSource()
  await call('destinations.create', { name: 'd', type: 'dev-null', config: {} })
  await call('connections.create', { name: 'c', source: 's', destination: 'd' })
  const { syncId } = await call('connections.sync', { connection: 'c' })
  const { plan } = await call('connectors.upgrade', { connector: 'items' })
  await call('connectors.upgrade', { connector: 'items', plan })
  await ended(call, syncId)
  const input = await runInDurableObject(
    env.SYNC.getByName(`${tenant}:${syncId}`),
    (_, { storage }) => storage.kv.get<{ input: SyncInput }>('sync')?.input,
  )
  expect(input?.source.connector?.info.version).toBe('1.0.0')
  const { connector } = await taskHost(env, tenant, Number(syncId)).openSource({ input } as Claim)
  expect(connector.spec().connectionSpecification.properties).toHaveProperty('account')
})
