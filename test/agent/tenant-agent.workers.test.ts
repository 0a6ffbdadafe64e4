import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { TenantAgent } from '../../src/agent/TenantAgent.ts'
import type { SyncSummary } from '../../src/durable-object/rpc.ts'
import { entityObjects, tenantAgent } from '../../src/operations/objects.ts'
import { toAirbyteError } from '../../src/protocol/index.ts'

const caller = { subject: 'me', kind: 'local', scopes: [], role: 'admin' } as const
let n = 0
const freshTenant = () => tenantAgent(env, `tenant-${++n}`)

async function codeOf(work: Promise<unknown>) {
  return toAirbyteError(
    await work.then(
      () => new Error('resolved'),
      (e) => e,
    ),
  )
}

async function withSource(tenant = freshTenant(), name = 'orders-db') {
  const { id } = await tenant.reserve({ kind: 'source', name, type: 'postgres' })
  await tenant.activate(id, { status: 'active' })
  return { tenant, id }
}

const summary = (
  syncId: number,
  status: SyncSummary['status'],
  updatedAt: number,
): SyncSummary => ({
  ...{ syncId, connectionId: 'c1', status, startedAt: 1, updatedAt },
  ...{ rows: 0, bytes: 0, warnings: 0 },
})

describe('names', () => {
  it('are unique within a kind and free again when creating failed', async () => {
    const tenant = freshTenant()
    const { id } = await tenant.reserve({ kind: 'source', name: 'db', type: 'postgres' })
    const again = () => tenant.reserve({ kind: 'source', name: 'db', type: 'postgres' })
    expect(await codeOf(again())).toMatchObject({ code: 'NAME_TAKEN', field: 'name' })
    await tenant.release(id)
    expect(await again()).toMatchObject({ name: 'db', status: 'pending' })
  })

  it('resolve like ids, and a near miss is offered', async () => {
    const { tenant, id } = await withSource()
    const ask = (value: string) =>
      tenant.authorize({
        ...{ op: 'sources.get', face: 'http', caller, allowed: true },
        refs: [{ field: 'source', kinds: ['source'], value }],
      })
    expect((await ask('orders-db')).refs).toMatchObject([{ id, kind: 'source', type: 'postgres' }])
    expect((await ask(id)).refs).toMatchObject([{ name: 'orders-db' }])
    expect(await codeOf(ask('order-db'))).toMatchObject({
      ...{ code: 'NOT_FOUND', field: 'source', didYouMean: ['orders-db'] },
    })
  })

  it('that two kinds share must be given as an id where any kind is taken', async () => {
    const { tenant } = await withSource(undefined, 'shared')
    const { id } = await tenant.reserve({ kind: 'destination', name: 'shared', type: 'r2' })
    await tenant.activate(id, { status: 'active' })
    const refs = [{ field: 'id', kinds: ['source', 'destination'] as const, value: 'shared' }]
    const request = { op: 'resources.get', face: 'mcp', caller, allowed: true, refs }
    expect(await codeOf(tenant.authorize(request))).toMatchObject({ code: 'VALIDATION_FAILED' })
  })
})

describe('deleting', () => {
  it('refuses a source that connections use and names them', async () => {
    const { tenant, id } = await withSource()
    const destination = await tenant.reserve({ kind: 'destination', name: 'lake', type: 'r2' })
    const link = { sourceId: id, destinationId: destination.id }
    await tenant.reserve({ kind: 'connection', name: 'orders-to-lake', ...link })
    const error = await codeOf(tenant.bury(id))
    expect(error.code).toBe('IN_USE')
    expect(error.message).toContain("'orders-to-lake'")
  })

  it('hides a thing at the tombstone and frees its name', async () => {
    const { tenant, id } = await withSource()
    await tenant.bury(id)
    expect(await tenant.find('source', 'orders-db')).toBeNull()
    expect((await tenant.list({ limit: 10 })).items).toEqual([])
    await withSource(tenant)
    await tenant.forget(id)
    expect((await tenant.list({ limit: 10 })).total).toBe(1)
  })
})

describe('repair', () => {
  /** Lets the rows look old, then repairs as the schedule would. */
  async function repairLater(tenantId: string) {
    const stub = env.TENANT_AGENT.getByName(tenantId) as unknown as DurableObjectStub<TenantAgent>
    await runInDurableObject(stub, async (agent, state) => {
      state.storage.sql.exec('update entities set updated_at = updated_at - 600000')
      await agent.repair()
    })
  }

  it('activates a row whose object came to be, and frees the name of one whose did not', async () => {
    const tenant = tenantAgent(env, 'repair-1')
    const made = await tenant.reserve({ kind: 'source', name: 'made', type: 'sample-data' })
    await tenant.reserve({ kind: 'source', name: 'lost', type: 'sample-data' })
    const input = { tenantId: 'repair-1', id: made.id, name: 'made', type: 'sample-data' }
    await entityObjects(env, 'repair-1')
      .source(made.id)
      .create({ ...input, config: {} })
    await repairLater('repair-1')
    expect((await tenant.list({ limit: 5 })).items).toMatchObject([
      { name: 'made', status: 'active' },
    ])
    await tenant.reserve({ kind: 'source', name: 'lost', type: 'sample-data' })
  })

  it('finishes a deletion that stopped at the tombstone', async () => {
    const tenant = tenantAgent(env, 'repair-2')
    const { id } = await tenant.reserve({ kind: 'source', name: 's', type: 'sample-data' })
    const object = entityObjects(env, 'repair-2').source(id)
    await object.create({ tenantId: 'repair-2', id, name: 's', type: 'sample-data', config: {} })
    await tenant.activate(id, { status: 'active' })
    await tenant.bury(id)
    await repairLater('repair-2')
    expect(await codeOf(object.get())).toMatchObject({ code: 'NOT_FOUND' })
  })
})

it('pages through lists without missing or repeating a row', async () => {
  const tenant = freshTenant()
  for (let i = 0; i < 7; i++) await withSource(tenant, `db-${i}`)
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page = await tenant.list({ kind: 'source', limit: 3, cursor })
    names.push(...page.items.map(({ name }) => name))
    cursor = page.cursor
  } while (cursor)
  expect(names).toEqual(Array.from({ length: 7 }, (_, i) => `db-${i}`))
})

describe('syncs', () => {
  it('get consecutive numbers, and ten may run at once', async () => {
    const tenant = freshTenant()
    const ids = []
    for (let i = 0; i < 10; i++) ids.push((await tenant.beginSync(`c${i}`))?.syncId)
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(await tenant.beginSync('c11')).toBeNull()
    await tenant.recordSync({ ...summary(1, 'succeeded', 5), connectionId: 'c0' })
    expect(await tenant.beginSync('c11')).toEqual({ syncId: 11 })
  })

  it('is free while its sync only waits, and taken again when that goes on', async () => {
    const tenant = freshTenant()
    for (let i = 1; i <= 10; i++) await tenant.beginSync(`c${i}`)
    const waits = { ...summary(1, 'running', 5), waitingUntil: Date.now() + 3_600_000 }
    await tenant.recordSync(waits)
    expect(await tenant.beginSync('c11')).toEqual({ syncId: 11 })
    await tenant.recordSync(summary(1, 'running', 6))
    await tenant.recordSync({ ...summary(2, 'succeeded', 5), connectionId: 'c2' })
    expect(await tenant.beginSync('c12')).toBeNull()
  })

  it('get the same number when the answer was lost before the first report', async () => {
    const tenant = freshTenant()
    expect(await tenant.beginSync('c1')).toEqual({ syncId: 1 })
    expect(await tenant.beginSync('c1')).toEqual({ syncId: 1 })
  })

  it('keep their final status when an older report arrives late', async () => {
    const tenant = freshTenant()
    await tenant.beginSync('c1')
    await tenant.recordSync(summary(1, 'succeeded', 10))
    await tenant.recordSync(summary(1, 'running', 11))
    expect((await tenant.syncs({ limit: 5 })).items).toMatchObject([{ status: 'succeeded' }])
    expect((await tenant.workspace()).runningSyncs).toBe(0)
  })
})

it('writes down who did what, also what was refused, and never the arguments', async () => {
  const { tenant } = await withSource()
  const request = { op: 'sources.delete', face: 'http', caller, refs: [] }
  await tenant.authorize({ ...request, allowed: false })
  const { items } = await tenant.audit({ limit: 5 })
  expect(items).toMatchObject([{ op: 'sources.delete', subject: 'me', outcome: 'refused' }])
})
