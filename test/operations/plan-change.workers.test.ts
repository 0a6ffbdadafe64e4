import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configOf, createDatabase, dropDatabase, inDatabase } from './databases.ts'
import { callerOf, SAMPLE } from './support.ts'

const DATABASE = 'plan_change_test'

interface ChangePlan {
  planHash: string
  settings: { field: string; from: unknown; to: unknown }[]
  streams: {
    added: string[]
    removed: string[]
    changed: { stream: string; fields: string[] }[]
    planned: { stream: string; target: string; action: string }[]
  }
  warnings: { code: string; stream?: string }[]
}
type Call = ReturnType<typeof callerOf>

beforeAll(() => createDatabase(DATABASE))
afterAll(() => dropDatabase(DATABASE))

let n = 0
/** A connection of two streams, and the plan of a change of it. */
async function connected(type = 'dev-null', config: object = {}) {
  const call: Call = callerOf(env, `change-${++n}`)
  await call('sources.create', { name: 'shop', ...SAMPLE })
  await call('destinations.create', { name: 'copy', type, config })
  const streams = [{ name: 'users', syncMode: 'incremental' }, { name: 'products' }]
  await call('connections.create', { name: 'link', source: 'shop', destination: 'copy', streams })
  const plan = async (change: object) => {
    const dry = { connection: 'link', ...change, dryRun: true }
    return (await call('connections.update', dry)).plan as unknown as ChangePlan
  }
  return { call, plan }
}

const CHANGE = {
  name: 'renamed',
  schedule: { cron: '0 6 * * *' },
  streams: [
    { name: 'users', syncMode: 'incremental', selectedFields: ['id', 'name', 'updated_at'] },
    { name: 'purchases' },
  ],
}

describe('the plan of a change', () => {
  it('says what would be another, stream by stream, and changes nothing', async () => {
    const { call, plan } = await connected()
    const before = await call('connections.get', { connection: 'link' })
    const planned = await plan(CHANGE)
    expect(planned.settings).toMatchObject([
      { field: 'name', from: 'link', to: 'renamed' },
      { field: 'schedule', to: { cron: '0 6 * * *' } },
    ])
    expect(planned.streams).toMatchObject({
      ...{ added: ['purchases'], removed: ['products'] },
      changed: [{ stream: 'users', fields: ['selectedFields'] }],
      planned: [{ stream: 'users' }, { stream: 'purchases' }],
    })
    expect(planned.warnings.map(({ code, stream }) => [code, stream])).toEqual(
      expect.arrayContaining([
        ['STREAM_LEFT', 'products'],
        ['ROWS_KEPT', 'users'],
      ]),
    )
    expect(await call('connections.get', { connection: 'link' })).toEqual(before)
  })

  it('says that a stream is read anew whose key is written otherwise', async () => {
    const { plan } = await connected()
    const users = { name: 'users', syncMode: 'incremental', destinationSyncMode: 'append_dedup' }
    const codes = async (mapping: object) =>
      (await plan({ streams: [{ ...users, mapping }] })).warnings.map(({ code }) => code)
    expect(await codes({ hash: ['id'] })).toContain('STREAM_READ_ANEW')
    expect(await codes({ hash: ['id'] })).not.toContain('ROWS_KEPT')
    expect(await codes({ hash: ['name'] })).toContain('ROWS_KEPT')
    expect(await codes({ hash: ['name'] })).not.toContain('STREAM_READ_ANEW')
  })

  it('says so too of a stream that was left out and comes back', async () => {
    const { call, plan } = await connected()
    const users = { name: 'users', syncMode: 'incremental', destinationSyncMode: 'append_dedup' }
    const choose = (streams: object[]) =>
      call('connections.update', {
        connection: 'link',
        streams: [...streams, { name: 'products' }],
      })
    await choose([users])
    const sync = await call('connections.sync', { connection: 'link', waitSeconds: 30 })
    expect(await call('syncs.get', { sync: sync.syncId, waitSeconds: 30 })).toMatchObject({
      status: 'succeeded',
    })
    await choose([])
    const codes = async (mapping: object) =>
      (await plan({ streams: [{ ...users, mapping }] })).warnings.map(({ code }) => code)
    expect(await codes({ hash: ['id'] })).toContain('STREAM_READ_ANEW')
    expect(await codes({ hash: ['name'] })).not.toContain('STREAM_READ_ANEW')
  })

  it('is held to by its hash, and good for one change', async () => {
    const { call, plan } = await connected()
    const { planHash } = await plan(CHANGE)
    expect((await plan(CHANGE)).planHash).toBe(planHash)
    const apply = { connection: 'link', ...CHANGE, planHash }
    expect(await call('connections.update', apply)).toMatchObject({
      ...{ name: 'renamed', streams: [{ name: 'users' }, { name: 'purchases' }] },
    })
    const again = call('connections.update', { ...apply, connection: 'renamed' })
    await expect(again).rejects.toMatchObject({
      ...{ code: 'PLAN_CHANGED', field: 'planHash' },
      message: expect.stringMatching(/the connection.*Nothing was changed/),
    })
  })

  it.each([
    ['another change than was planned', 'the settings asked for', { name: 'other' }],
    ['a hash of nobody', 'not the hash of a plan', { planHash: 'made-up' }],
  ])('is refused for %s', async (_, message, other) => {
    const { call, plan } = await connected()
    const { planHash } = await plan(CHANGE)
    const apply = call('connections.update', { connection: 'link', ...CHANGE, planHash, ...other })
    await expect(apply).rejects.toMatchObject({
      ...{ code: 'PLAN_CHANGED', message: expect.stringContaining(message) },
    })
    expect(await call('connections.get', { connection: 'link' })).toMatchObject({ name: 'link' })
  })

  it('is refused once somebody else has changed the connection, or its source', async () => {
    const { call, plan } = await connected()
    const first = await plan({ status: 'paused' })
    await call('connections.update', { connection: 'link', maxRejects: 5 })
    const late = { connection: 'link', status: 'paused', planHash: first.planHash }
    await expect(call('connections.update', late)).rejects.toMatchObject({
      ...{ code: 'PLAN_CHANGED', message: expect.stringContaining('the connection') },
    })
    const second = await plan({ status: 'paused' })
    expect(second.settings).toEqual([{ field: 'status', from: 'active', to: 'paused' }])
    await call('sources.update', { source: 'shop', config: { seed: 2 } })
    const later = { ...late, planHash: second.planHash }
    await expect(call('connections.update', later)).rejects.toMatchObject({
      ...{ code: 'PLAN_CHANGED', message: expect.stringContaining('the source') },
    })
    expect(await call('connections.get', { connection: 'link' })).toMatchObject({
      ...{ status: 'active' },
    })
  })

  it('fails as the change would: a name that is taken, a stream that is not there', async () => {
    const { call, plan } = await connected()
    await call('connections.create', {
      ...{ name: 'other', source: 'shop', destination: 'copy', prefix: 'o_' },
      streams: [{ name: 'users' }],
    })
    await expect(plan({ name: 'other' })).rejects.toMatchObject({ code: 'NAME_TAKEN' })
    await expect(plan({ streams: [{ name: 'user' }] })).rejects.toMatchObject({
      code: 'STREAM_NOT_FOUND',
    })
    await expect(plan({ prefix: 'o_' })).rejects.toMatchObject({ code: 'TABLE_TAKEN' })
  })

  it('warns that another table gets only what is read from now on, and so it is', async () => {
    const schema = 'moved'
    const { call, plan } = await connected('postgres', { ...configOf(DATABASE), schema })
    const sync = async () => {
      const { syncId } = await call('connections.sync', { connection: 'link', waitSeconds: 30 })
      const ended = await call('syncs.get', { sync: syncId, waitSeconds: 30 })
      expect(ended).toMatchObject({ status: 'succeeded' })
    }
    await sync()
    const change = { prefix: 'new_' }
    const { planHash, streams, warnings } = await plan(change)
    expect(streams.planned).toMatchObject([
      { stream: 'users', target: `${schema}.new_users`, action: 'create' },
      { stream: 'products', target: `${schema}.new_products`, action: 'create' },
    ])
    expect(warnings).toContainEqual(
      expect.objectContaining({ code: 'TABLE_LEFT', stream: 'users' }),
    )
    await call('connections.update', { connection: 'link', ...change, planHash })
    await sync()
    const { rows } = await inDatabase(
      DATABASE,
      `SELECT (SELECT count(*) FROM ${schema}.users)::int AS old,
        (SELECT count(*) FROM ${schema}.new_users)::int AS new,
        (SELECT count(*) FROM ${schema}.new_products)::int AS whole`,
    )
    expect(rows).toEqual([{ old: '25', new: '0', whole: expect.stringMatching(/^[1-9]/) }])
  })

  it('promises a stream anew whose key gets another name, and so it is', async () => {
    const schema = 'rekeyed'
    const { call, plan } = await connected('postgres', { ...configOf(DATABASE), schema })
    const streams = [
      { name: 'users', syncMode: 'incremental', mapping: { rename: { id: 'user_id' } } },
    ]
    const sync = async () => {
      const { syncId } = await call('connections.sync', { connection: 'link', waitSeconds: 30 })
      const ended = await call('syncs.get', { sync: syncId, waitSeconds: 30 })
      expect(ended).toMatchObject({ status: 'succeeded' })
    }
    await sync()
    const { planHash, warnings } = await plan({ streams })
    const codes = warnings.map(({ code }) => code)
    expect(codes).toContain('STREAM_READ_ANEW')
    expect(codes).not.toContain('STREAM_REFUSED')
    await call('connections.update', { connection: 'link', streams, planHash })
    await sync()
    const counts = `SELECT count(*)::int AS rows, count(user_id)::int AS keys FROM ${schema}.users`
    expect((await inDatabase(DATABASE, counts)).rows).toEqual([{ rows: '25', keys: '25' }])
  })
})
