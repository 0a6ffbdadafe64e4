import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { callerOf, SAMPLE } from './support.ts'

let n = 0
const freshTenant = () => `ops-${++n}`
const fresh = (options?: Parameters<typeof callerOf>[2]) => callerOf(env, freshTenant(), options)

async function withEnds() {
  const call = fresh()
  await call('sources.create', { name: 'sample', ...SAMPLE })
  await call('destinations.create', { name: 'nowhere', type: 'dev-null', config: {} })
  return call
}
const LINK = { name: 'link', source: 'sample', destination: 'nowhere' }

describe('creating a source', () => {
  it('answers an unknown connector with the nearest names', async () => {
    await expect(
      fresh()('sources.create', { name: 'x', type: 'sampledata', config: {} }),
    ).rejects.toMatchObject({ code: 'CONNECTOR_NOT_FOUND', didYouMean: ['sample-data'] })
  })

  it('names the path of a wrong config field and of a misspelt argument', async () => {
    const call = fresh()
    const wrong = { name: 'x', type: 'sample-data', config: { count: 'many' } }
    await expect(call('sources.create', wrong)).rejects.toMatchObject({
      ...{ code: 'VALIDATION_FAILED', field: 'config.count' },
    })
    const typo = { name: 'x', typ: 'sample-data', config: {} }
    await expect(call('sources.create', typo)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })

  it('refuses a name that is taken', async () => {
    const call = await withEnds()
    await expect(call('sources.create', { name: 'sample', ...SAMPLE })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    })
  })

  it('by chat gives a page for the password of a database, which a model cannot pass', async () => {
    const call = fresh({ face: 'mcp' })
    const config = { host: 'db.example.com', port: 5432, database: 'app', username: 'me' }
    const made = await call('destinations.create', { name: 'pg', type: 'postgres', config })
    expect(made.setupUrl).toContain('/setup/')
    expect(await call('setups.get', { setupId: made.setupId })).toMatchObject({ status: 'waiting' })
    const other = fresh()
    await expect(other('setups.get', { setupId: made.setupId })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})

describe('secrets', () => {
  const config = { host: 'db.example.com', port: 5432, database: 'app', username: 'me' }
  const canary = 'canary-7f3e-password'

  it('are refused where a model would pass them, and nothing is stored', async () => {
    const tenant = freshTenant()
    const chat = callerOf(env, tenant, { face: 'mcp' })
    const input = { name: 'pg', type: 'postgres', config: { ...config, password: canary } }
    const error = await chat('destinations.create', input).catch((e) => e)
    expect(error).toMatchObject({ code: 'SECRET_IN_ARGUMENTS', field: 'config.password' })
    expect(JSON.stringify(error)).not.toContain(canary)
    expect(await chat('destinations.list')).toMatchObject({ total: 0 })
    const url = { ...config, host: 'postgres://me:hunter2hunter2@db/app' }
    await expect(
      chat('destinations.create', { name: 'pg', type: 'postgres', config: url }),
    ).rejects.toMatchObject({ code: 'SECRET_IN_ARGUMENTS', field: 'config.host' })
  })

  it('never come back, by any read', async () => {
    const call = fresh()
    const input = { name: 'pg', type: 'postgres', config: { ...config, password: canary } }
    const made = await call('destinations.create', input)
    const reads = await Promise.all([
      call('destinations.get', { destination: 'pg' }),
      call('resources.get', { id: made.id }),
      call('destinations.update', { destination: 'pg', config: { port: 5433 } }),
      call('destinations.list'),
      call('workspace.export'),
      call('workspace.audit'),
    ])
    expect(JSON.stringify([made, ...reads])).not.toContain(canary)
    expect(reads[2]).toMatchObject({ status: 'active', config: { port: 5433 } })
  })
})

describe('discovering and previewing', () => {
  it('lists streams, and the columns of one', async () => {
    const call = await withEnds()
    const all = await call('sources.discover', { source: 'sample' })
    expect(all.total).toBeGreaterThan(2)
    const one = await call('sources.discover', { source: 'sample', stream: 'users' })
    expect(one.streams).toMatchObject([{ name: 'users', jsonSchema: { type: 'object' } }])
  })

  it('shows the first rows', async () => {
    const call = await withEnds()
    const preview = await call('sources.preview', { source: 'sample', stream: 'users', limit: 3 })
    expect(preview).toMatchObject({ count: 3 })
  })

  it('answers a misspelt stream with the nearest names', async () => {
    const call = await withEnds()
    await expect(
      call('sources.preview', { source: 'sample', stream: 'user' }),
    ).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND', didYouMean: ['users'] })
  })
})

describe('connections', () => {
  it('sync every stream by full refresh when none is named', async () => {
    const call = await withEnds()
    const made = await call('connections.create', LINK)
    expect(made).toMatchObject({ status: 'active', schedule: { manual: true } })
    const streams = made.streams as unknown as { destinationSyncMode: string }[]
    expect(new Set(streams.map((s) => s.destinationSyncMode))).toEqual(new Set(['overwrite']))
  })

  it('say when they run next', async () => {
    const call = await withEnds()
    const made = await call('connections.create', { ...LINK, schedule: { cron: '0 */6 * * *' } })
    expect(Date.parse(made.nextRunAt ?? '')).toBeGreaterThan(Date.now())
    expect((await call('connections.list')).items).toMatchObject([{ nextRunAt: made.nextRunAt }])
  })

  it('run continuously only where every stream is read from a log', async () => {
    const call = await withEnds()
    const schedule = { continuous: true }
    await expect(call('connections.create', { ...LINK, schedule })).rejects.toMatchObject({
      ...{ code: 'SCHEDULE_INVALID', field: 'schedule.continuous' },
      message: expect.stringContaining('no log'),
    })
    const { id: connection } = await call('connections.create', LINK)
    await expect(call('connections.update', { connection, schedule })).rejects.toMatchObject({
      ...{ code: 'SCHEDULE_INVALID', hint: expect.stringContaining('intervalSeconds') },
    })
    expect(await call('connections.get', { connection })).toMatchObject({
      schedule: { manual: true },
    })
  })

  it('refuse what cannot work, by field', async () => {
    const call = await withEnds()
    const attempt = (change: object) => call('connections.create', { ...LINK, ...change })
    await expect(attempt({ source: 'sampel' })).rejects.toMatchObject({
      ...{ code: 'NOT_FOUND', field: 'source', didYouMean: ['sample'] },
    })
    await expect(attempt({ streams: [{ name: 'userz' }] })).rejects.toMatchObject({
      ...{ code: 'STREAM_NOT_FOUND', field: 'streams[0].name' },
    })
    await expect(attempt({ schedule: { cron: '61 * * * *' } })).rejects.toMatchObject({
      ...{ code: 'SCHEDULE_INVALID', field: 'schedule.cron' },
    })
    await expect(attempt({ streams: [{ name: 'users', syncMode: 'cdc' }] })).rejects.toMatchObject({
      code: 'MODE_UNSUPPORTED',
      field: 'streams[0].syncMode',
    })
    expect(await call('connections.list')).toMatchObject({ total: 0 })
  })

  it('may not write a table that another one writes', async () => {
    const call = await withEnds()
    await call('connections.create', LINK)
    await expect(call('connections.create', { ...LINK, name: 'second' })).rejects.toMatchObject({
      code: 'TABLE_TAKEN',
    })
    await call('connections.create', { ...LINK, name: 'second', prefix: 'b_' })
    await call('connections.delete', { connection: 'link' })
    await call('connections.create', { ...LINK, name: 'third' })
  })

  it('protect their source, and free it when they go', async () => {
    const call = await withEnds()
    await call('connections.create', LINK)
    await expect(call('sources.delete', { source: 'sample' })).rejects.toMatchObject({
      ...{ code: 'IN_USE', message: expect.stringContaining("'link'") },
    })
    await call('connections.delete', { connection: 'link' })
    await call('sources.delete', { source: 'sample' })
    await expect(call('sources.get', { source: 'sample' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('pause, resume and rename', async () => {
    const call = await withEnds()
    await call('connections.create', LINK)
    expect(await call('connections.pause', { connection: 'link' })).toMatchObject({
      status: 'paused',
    })
    expect((await call('connections.list', { status: 'paused' })).total).toBe(1)
    await expect(call('connections.sync', { connection: 'link' })).rejects.toMatchObject({
      code: 'CONNECTION_PAUSED',
    })
    const change = { connection: 'link', name: 'renamed', status: 'active' }
    expect(await call('connections.update', change)).toMatchObject({
      name: 'renamed',
      status: 'active',
    })
    expect(await call('connections.get', { connection: 'renamed' })).toMatchObject({
      name: 'renamed',
    })
  })

  it('take budgets of their slices, and name a budget that cannot be', async () => {
    const call = await withEnds()
    const limits = { chunkBytes: 0, sliceRows: 10 }
    expect(await call('connections.create', { ...LINK, limits })).toMatchObject({ limits })
    const change = (given: object) =>
      call('connections.update', { connection: 'link', limits: given })
    expect(await change({ sliceMs: 2000 })).toMatchObject({ limits: { sliceMs: 2000 } })
    await expect(change({ sliceMs: 5 })).rejects.toMatchObject({
      ...{ code: 'VALIDATION_FAILED', field: 'limits.sliceMs' },
    })
    expect((await call('connections.get', { connection: 'link' })).limits).toEqual({
      sliceMs: 2000,
    })
  })

  it('are deleted by a model only with their name as confirmation', async () => {
    const tenant = freshTenant()
    const chat = callerOf(env, tenant, { face: 'mcp' })
    await chat('sources.create', { name: 'sample', ...SAMPLE })
    await expect(chat('resources.delete', { id: 'sample' })).rejects.toMatchObject({
      ...{ code: 'CONFIRMATION_REQUIRED', field: 'confirm' },
    })
    await chat('resources.delete', { id: 'sample', confirm: 'sample' })
  })
})

it('runs a sync to its receipt', async () => {
  const call = await withEnds()
  await call('connections.create', { ...LINK, streams: [{ name: 'users' }] })
  const started = await call('connections.sync', { connection: 'link' })
  expect(started).toMatchObject({ syncId: 1, finished: false })
  const done = await call('syncs.get', { sync: 1, waitSeconds: 20 })
  expect(done).toMatchObject({ status: 'succeeded', finished: true, rows: 25 })
  const receipt = await call('syncs.receipt', { sync: 1 })
  expect(receipt.streams).toMatchObject([{ stream: 'users', rowsLoaded: 25 }])
  const status = await call('connections.status', { connection: 'link' })
  expect(status).toMatchObject({ sync: { syncId: 1, status: 'succeeded' } })
  expect(await call('syncs.cancel', { sync: 1 })).toMatchObject({ status: 'succeeded' })
  expect((await call('syncs.logs', { sync: 1 })).lines).not.toHaveLength(0)
  expect(await call('connections.jobs', { connection: 'link' })).toMatchObject({ total: 1 })
})

describe('access', () => {
  it('is refused without the scope, which the error names', async () => {
    const viewer = fresh({ scopes: ['workspace:read'] })
    await expect(viewer('sources.create', { name: 'x', ...SAMPLE })).rejects.toMatchObject({
      ...{ code: 'FORBIDDEN', message: expect.stringContaining('workspace:write') },
    })
    const { items } = await viewer('workspace.audit')
    expect(items).toMatchObject([{ op: 'workspace.audit' }, { outcome: 'refused' }])
  })
})

describe('a workspace as a file', () => {
  it('applies its own export without any change, and the plan says so', async () => {
    const call = await withEnds()
    await call('connections.create', {
      ...{ ...LINK, schedule: { cron: '0 3 * * *' }, limits: { sliceMs: 5000 } },
    })
    const { yaml } = await call('workspace.export')
    const { plan } = await call('workspace.apply', { yaml })
    expect(plan).toMatchObject([
      { kind: 'source', action: 'unchanged' },
      { kind: 'destination', action: 'unchanged' },
      { kind: 'connection', action: 'unchanged', changes: [] },
    ])
    const other = fresh()
    expect((await other('workspace.apply', { yaml, dryRun: true })).applied).toBe(false)
    expect(await other('resources.list')).toMatchObject({ total: 0 })
    await other('workspace.apply', { yaml })
    expect((await other('workspace.export')).yaml).toBe(yaml)
  })

  it('names the field that is wrong', async () => {
    await expect(
      fresh()('workspace.apply', { yaml: 'version: 1\nsources:\n  - name: a\n' }),
    ).rejects.toMatchObject({ code: 'VALIDATION_FAILED', field: 'sources[0].type' })
  })
})
