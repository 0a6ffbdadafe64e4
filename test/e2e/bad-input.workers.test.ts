/** What people get wrong before anything moves: each is told what, where, and what to do instead. */
import { expect, it, vi } from 'vitest'
import type { JsonObject } from '../../src/protocol/index.ts'
import { errorOf, legacyClient, modernClient } from '../mcp/clients.ts'
import { postgresConfig, type Workspace, workspace } from './workspace.ts'

const SECRET = 'canary-bad-input-0815'

/** Sample data into dev-null, and a connection between them. */
async function withConnection(name: string, config: object = { count: 20 }): Promise<Workspace> {
  const ws = await workspace(name)
  await ws.must('POST', '/sources', { name: 'people', type: 'sample-data', config })
  await ws.must('POST', '/destinations', { name: 'nowhere', type: 'dev-null', config: {} })
  await ws.must('POST', '/connections', connection())
  return ws
}

const connection = (change: object = {}) => ({
  name: 'flow',
  source: 'people',
  destination: 'nowhere',
  streams: [{ name: 'users' }],
  ...change,
})

/** What only a destination has. */
const placeOf = (kind: string): JsonObject => (kind === 'destination' ? { schema: 'public' } : {})

it('names the path of a config field that is missing', async () => {
  const ws = await workspace('missing-field')
  const { host: _host, ...config } = postgresConfig({ password: SECRET })
  const { status, body, text } = await ws.api('POST', '/sources', {
    ...{ name: 'db', type: 'postgres', config },
  })
  expect(status).toBe(422)
  expect(body.error).toMatchObject({ code: 'VALIDATION_FAILED', field: 'config.host' })
  expect(body.error.hint).toBeTruthy()
  expect(text).not.toContain(SECRET)
})

it.each([
  ['config.port', { port: 'many' }],
  ['config.port', { port: 70_000 }],
  ['config.schemas[1]', { schemas: ['public', 7] }],
  ['config.ssl_mode.mode', { ssl_mode: { mode: 'verify-everything' } }],
  ['config.ssl_mode.ca_certificate', { ssl_mode: { mode: 'verify-ca' } }],
])('names the path of a config field that is wrong: %s', async (field, wrong) => {
  const ws = await workspace('wrong-field')
  const config = postgresConfig({ password: SECRET, ...wrong })
  const { status, body, text } = await ws.api('POST', '/sources', {
    ...{ name: 'db', type: 'postgres', config },
  })
  if (field.endsWith('ca_certificate')) {
    // A certificate is a secret of its spec, so that it may come later, through the setup page.
    expect(body).toMatchObject({ status: 'awaiting_credentials' })
    expect(body.missingSecrets).toEqual(['ssl_mode.ca_certificate'])
  } else {
    expect(status, text).toBe(422)
    expect(body.error).toMatchObject({ code: 'VALIDATION_FAILED', field })
    expect(body.error.hint).toBeTruthy()
  }
  expect(text).not.toContain(SECRET)
})

it('offers the nearest names for a stream that does not exist', async () => {
  const ws = await withConnection('unknown-stream')
  const asked = connection({ name: 'other', streams: [{ name: 'usres' }] })
  const { status, body } = await ws.api('POST', '/connections', asked)
  expect(status).toBe(422)
  expect(body.error).toMatchObject({ code: 'STREAM_NOT_FOUND', field: 'streams[0].name' })
  expect(body.error.didYouMean).toContain('users')
  const sync = await ws.api('POST', '/connections/flow/sync', { streams: ['user'] })
  expect(sync.body.error).toMatchObject({ code: 'STREAM_NOT_FOUND', field: 'streams[0]' })
  expect(sync.body.error.didYouMean).toContain('users')
})

it.each([
  ['streams[0].syncMode', { syncMode: 'cdc' }, /full_refresh/],
  [
    'streams[0].destinationSyncMode',
    { syncMode: 'incremental', destinationSyncMode: 'overwrite' },
    /append/,
  ],
])('names the modes that a stream has when %s is another', async (field, mode, hint) => {
  const ws = await withConnection('mode')
  const asked = connection({ name: 'other', streams: [{ name: 'users', ...mode }] })
  const { status, body } = await ws.api('POST', '/connections', asked)
  expect(status).toBe(422)
  expect(body.error).toMatchObject({ code: 'MODE_UNSUPPORTED', field, stream: 'users' })
  expect(body.error.hint).toMatch(hint)
})

it('lets only one connection write a table, until it is gone', async () => {
  const ws = await withConnection('one-table')
  const second = connection({ name: 'second' })
  const { status, body } = await ws.api('POST', '/connections', second)
  expect(status).toBe(409)
  expect(body.error.code).toBe('TABLE_TAKEN')
  expect(body.error.message).toContain('flow')
  expect(body.error.hint).toMatch(/prefix|namespace/)
  expect((await ws.must('GET', '/connections')).total).toBe(1)
  await ws.must('POST', '/connections', { ...second, prefix: 'b_' })
  const clash = await ws.api('PATCH', '/connections/second', { prefix: '' })
  expect(clash.body.error.code).toBe('TABLE_TAKEN')
  await ws.must('DELETE', '/connections/flow')
  await ws.must('PATCH', '/connections/second', { prefix: '' })
})

it.each([
  ['schedule.cron', { cron: '61 * * * *' }],
  ['schedule.cron', { cron: 'every six hours' }],
  ['schedule.timezone', { cron: '0 * * * *', timezone: 'Europe/Atlantis' }],
])('refuses a schedule whose %s is wrong: %j', async (field, schedule) => {
  const ws = await withConnection('cron')
  const create = await ws.api('POST', '/connections', connection({ name: 'other', schedule }))
  expect(create.status).toBe(422)
  expect(create.body.error).toMatchObject({ code: 'SCHEDULE_INVALID', field })
  expect(create.body.error.hint).toBeTruthy()
  const update = await ws.api('PATCH', '/connections/flow', { schedule })
  expect(update.body.error).toMatchObject({ code: 'SCHEDULE_INVALID', field })
  expect((await ws.must('GET', '/connections/flow')).schedule).toEqual({ manual: true })
})

it.each(['source', 'destination'])(
  'says that nobody answers where a %s should be',
  async (kind) => {
    const ws = await workspace('unreachable')
    const where = { port: 9, password: SECRET, ...(kind === 'destination' && { schema: 'public' }) }
    const config = postgresConfig(where)
    await ws.must('POST', `/${kind}s`, { name: 'away', type: 'postgres', config })
    const check = await ws.api('POST', `/${kind}s/away/check`, {})
    expect(check.body).toMatchObject({ ok: false, problem: { code: 'HOST_UNREACHABLE' } })
    expect(check.body.problem.message).toContain('127.0.0.1')
    expect(check.body.problem.hint).toBeTruthy()
    expect(check.text).not.toContain(SECRET)
  },
)

it.each(['source', 'destination'])('says that the password of a %s is wrong', async (kind) => {
  const ws = await workspace('password')
  const config = postgresConfig({ password: SECRET, ...placeOf(kind) })
  await ws.must('POST', `/${kind}s`, { name: 'db', type: 'postgres', config })
  const check = await ws.api('POST', `/${kind}s/db/check`, {})
  expect(check.body).toMatchObject({
    ...{ ok: false, problem: { code: 'AUTH_FAILED', field: 'config.password' } },
  })
  expect(check.body.problem.hint).toBeTruthy()
  expect(check.text).not.toContain(SECRET)
})

it.each(['sources', 'destinations', 'connections'])('refuses a second name in %s', async (kind) => {
  const ws = await withConnection('names')
  const made = {
    sources: { name: 'people', type: 'sample-data', config: {} },
    destinations: { name: 'nowhere', type: 'dev-null', config: {} },
    connections: connection({ prefix: 'b_' }),
  }[kind]
  const { status, body } = await ws.api('POST', `/${kind}`, made)
  expect(status).toBe(409)
  expect(body.error.code).toBe('NAME_TAKEN')
  expect(body.error.hint).toBeTruthy()
  expect((await ws.must('GET', `/${kind}`)).total).toBe(1)
})

it.each([
  ['sources', 'people'],
  ['destinations', 'nowhere'],
])('keeps what a connection uses when it is deleted from %s', async (kind, name) => {
  const ws = await withConnection('in-use')
  const { status, body } = await ws.api('DELETE', `/${kind}/${name}`)
  expect(status).toBe(409)
  expect(body.error.code).toBe('IN_USE')
  expect(body.error.message).toContain('flow')
  expect(body.error.hint).toBeTruthy()
  expect(await ws.sync('flow')).toMatchObject({ status: 'succeeded' })
  await ws.must('DELETE', '/connections/flow')
  await ws.must('DELETE', `/${kind}/${name}`)
})

it('runs one sync of a connection at a time', async () => {
  const ws = await withConnection('two-syncs', { count: 50, rows_per_second: 20 })
  const starts = await Promise.all(
    [1, 2, 3].map(() => ws.api('POST', '/connections/flow/sync', {})),
  )
  expect(starts.map(({ status }) => status).sort()).toEqual([200, 409, 409])
  const refused = starts.find(({ status }) => status === 409)
  expect(refused?.body.error.code).toBe('SYNC_RUNNING')
  expect(refused?.body.error.hint).toBeTruthy()
  const { syncId } = starts.find(({ status }) => status === 200)?.body ?? {}
  expect(refused?.body.error.message).toContain(String(syncId))

  const client = await modernClient(ws.token)
  const again = await client.callTool({ name: 'run_sync', arguments: { connection: 'flow' } })
  expect(again.structuredContent).toMatchObject({ syncId, alreadyRunning: true })
  await client.close()

  await ws.must('POST', `/syncs/${syncId}/cancel`, {})
  expect(await ws.ended(syncId)).toMatchObject({ status: 'cancelled' })
  await vi.waitFor(async () =>
    expect((await ws.api('POST', '/connections/flow/sync', {})).status).toBe(200),
  )
})

it('refuses ten megabytes of arguments on every face, and goes on', async () => {
  const ws = await workspace('ten-megabytes')
  const config = { text: SECRET + 'x'.repeat(10 * 1024 * 1024) }
  const huge = { name: 'huge', type: 'sample-data', config }
  const http = await ws.api('POST', '/sources', huge)
  expect(http.status).toBe(413)
  expect(http.body.error).toMatchObject({ code: 'TOO_LARGE' })
  expect(http.body.error.message).toMatch(/\d+ ?(MB|MiB|KB|bytes)/i)
  expect(http.text).not.toContain(SECRET)
  for (const connect of [modernClient, legacyClient]) {
    const client = await connect(ws.token)
    const failing = client.callTool({ name: 'create_source', arguments: huge })
    await expect(failing).rejects.toThrow(/413|larger/)
    const after = await client.callTool({ name: 'get_connector', arguments: {} })
    expect(errorOf(after).code).toBe('VALIDATION_FAILED')
    await client.close()
  }
})
