/** Input that is legal JSON and still nobody's plan: the answer is a clear one, never a 500. */
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { closePostgres } from '../../src/runtime/postgres/client.ts'
import { errorOf, legacyClient, modernClient } from '../mcp/clients.ts'
import { call } from '../oauth/oauth-client.ts'
import { openDatabase, postgresConfig, type Workspace, workspace } from './workspace.ts'

const sample = (name: string, config: object = {}) => ({ name, type: 'sample-data', config })

async function ready(name: string, config: object = { count: 20 }): Promise<Workspace> {
  const ws = await workspace(name)
  await ws.must('POST', '/sources', sample('s', config))
  await ws.must('POST', '/destinations', { name: 'd', type: 'dev-null', config: {} })
  const streams = [{ name: 'users' }]
  await ws.must('POST', '/connections', { name: 'c', source: 's', destination: 'd', streams })
  return ws
}

describe('a body', () => {
  it.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['half an object', '{"name": '],
    ['nothing', ''],
    ['a key twice, one of them a prototype', '{"name":"a","__proto__":{"type":"sample-data"}}'],
    ['a hundred thousand brackets', `{"config":${'['.repeat(1e5)}${']'.repeat(1e5)}}`],
    ['a hundred thousand braces', `{"config":${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}}`],
  ])('of %s is a validation error', async (_, body) => {
    const { token } = await workspace('bodies')
    const response = await call('/api/v1/sources', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body,
    })
    const text = await response.text()
    expect(response.status, text.slice(0, 300)).toBe(422)
    expect(JSON.parse(text).error.code).toBe('VALIDATION_FAILED')
  })
})

it.each([
  ['2026-07-28', modernClient],
  ['2025', legacyClient],
])('arguments that nest without end are a validation error for a %s client', async (_, connect) => {
  const client = await connect((await workspace('nested')).token)
  const config = JSON.parse(`${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`)
  const made = await client.callTool({ name: 'create_source', arguments: sample('s', config) })
  expect(errorOf(made)).toMatchObject({ code: 'VALIDATION_FAILED' })
  await client.close()
})

describe('a name', () => {
  it('may be any text, and is found again by it', async () => {
    const ws = await workspace('names')
    for (const name of ['__proto__', 'constructor', "Robert'); --", 'ünï/çødé ?&#%', '..', '1']) {
      const { id } = await ws.must('POST', '/sources', sample(name))
      const path = `/sources/${encodeURIComponent(name).replaceAll('.', '%2E')}`
      if (name !== '..') expect((await ws.must('GET', path)).id).toBe(id)
      expect((await ws.must('POST', '/ops/sources.get', { source: name })).id).toBe(id)
    }
  })

  it('cannot stand for the id of another', async () => {
    const ws = await workspace('id-names')
    const { id } = await ws.must('POST', '/sources', sample('first', { count: 1 }))
    const second = await ws.api('POST', '/sources', sample(id, { count: 2 }))
    expect((await ws.must('GET', `/sources/${id}`)).name).toBe('first')
    if (second.status === 200) {
      expect((await ws.must('GET', `/sources/${second.body.id}`)).config).toMatchObject({
        count: 2,
      })
    }
  })

  it.each(['', '   ', 'x'.repeat(101)])('of %j is refused', async (name) => {
    const ws = await workspace('bad-names')
    const { status, body } = await ws.api('POST', '/sources', sample(name))
    expect(status).toBe(422)
    expect(body.error).toMatchObject({ code: 'VALIDATION_FAILED', field: 'name' })
  })
})

it.each([
  '/sources?cursor=%00%27',
  '/sources?limit=0',
  '/sources?limit=1e9',
  '/sources?offset=-1',
  '/syncs?cursor=abc',
  '/syncs/0',
  '/syncs/1.5',
  '/syncs/99999999999999999999',
  '/syncs/1/logs?after=-1',
  '/syncs/1/rejects?cursor=x',
  '/syncs/1?waitSeconds=4000',
  '/connections/c/syncs?cursor=abc',
  '/workspace/audit?cursor=abc',
  '/sources/%ff%fe',
  '/sources/s/%00',
])('%s is answered, not a 500', async (path) => {
  const ws = await ready('queries')
  const { status, body } = await ws.api('GET', path)
  expect([200, 404, 422], JSON.stringify(body)).toContain(status)
  if (status !== 200) expect(body.error.code).toMatch(/VALIDATION_FAILED|NOT_FOUND/)
})

describe('a schedule', () => {
  it.each([
    ['of nothing', {}],
    ['of a time zone alone', { timezone: 'Europe/Berlin' }],
    ['of two kinds', { cron: '0 * * * *', intervalSeconds: 3600 }],
    ['that never comes', { cron: '0 0 30 2 *' }],
    ['of a fraction of a second', { intervalSeconds: 0.001 }],
    ['of more than a lifetime', { intervalSeconds: 1e12 }],
    ['of seconds', { cron: '* * * * * *' }],
  ])('%s is refused', async (_, schedule) => {
    const ws = await ready('schedules')
    const { status, body } = await ws.api('PATCH', '/connections/c', { schedule })
    expect(status, JSON.stringify(body)).toBe(422)
    expect(body.error.code).toMatch(/SCHEDULE_INVALID|VALIDATION_FAILED/)
    expect(body.error.field).toMatch(/^schedule/)
  })
})

describe('deleting a connection while it syncs', () => {
  // The sync's object asks a connection that is gone to take its receipt, every five seconds.
  it('ends the sync, frees its slot, and leaves nothing behind', async () => {
    const ws = await ready('deleted', { count: 5000, rows_per_second: 100 })
    const { syncId } = await ws.must('POST', '/connections/c/sync', {})
    // The estimate comes from the slice that reads.
    await vi.waitFor(
      async () => {
        const [users] = (await ws.must('GET', `/syncs/${syncId}`)).streams
        expect(users.estimatedRows).toBe(5000)
      },
      { timeout: 5000, interval: 50 },
    )
    await ws.must('DELETE', '/connections/c')
    await vi.waitFor(
      async () => expect((await ws.must('GET', '/workspace')).runningSyncs).toBe(0),
      { timeout: 8000, interval: 100 },
    )
    expect((await ws.api('GET', '/connections/c')).status).toBe(404)
    await ws.must('DELETE', '/sources/s')
    await ws.must('DELETE', '/destinations/d')
  })
})

describe('a table with odd names', () => {
  let db: pg.Client
  beforeAll(async () => {
    db = await openDatabase()
  })
  afterAll(() => closePostgres(db))

  it.each(['overwrite', 'append', 'overwrite_dedup'])('arrives whole by %s', async (mode) => {
    await db.query(
      `
      drop schema if exists odd_src, odd_dst cascade; create schema odd_src;
      create table odd_src."Ta""ble.\\ ü" (
        "__proto__" int primary key, "constructor" text, "toString" text, "hasOwnProperty" jsonb,
        "Id" int, "id" int, "_airbyte_raw_id" text, "a.b" text, "a""b" text, "" text default '',
        "${'x'.repeat(62)}1" text, "${'x'.repeat(62)}2" text, "__proto__ " text);
      `.replace(', "" text default \'\'', ''),
    )
    await db.query(`
      insert into odd_src."Ta""ble.\\ ü"
      select n, 'c' || n, 't', '{"__proto__": {"a": 1}}', n, -n, 'raw', 'a.b', 'a"b', '1', '2', 'p'
      from generate_series(1, 100) n`)
    const ws = await workspace('odd')
    await ws.must('POST', '/sources', {
      ...{ name: 's', type: 'postgres', config: postgresConfig({ schemas: ['odd_src'] }) },
    })
    await ws.must('POST', '/destinations', {
      ...{ name: 'd', type: 'postgres', config: postgresConfig({ schema: 'odd_dst' }) },
    })
    const streams = [{ name: 'Ta"ble.\\ ü', destinationSyncMode: mode }]
    const ends = { source: 's', destination: 'd', namespace: 'odd_dst' }
    await ws.must('POST', '/connections', { name: 'c', ...ends, streams })
    const sync = await ws.sync('c')
    expect(sync, JSON.stringify(sync)).toMatchObject({ status: 'succeeded', rows: 100 })
    const verified = await ws.must('POST', '/connections/c/verify', { level: 'hash' })
    expect(verified, JSON.stringify(verified)).toMatchObject({ ok: true })
    const { rows } = await db.query(`
      select count(*) as same from odd_src."Ta""ble.\\ ü" s join odd_dst."Ta""ble.\\ ü" d
      using ("__proto__", "constructor", "toString", "hasOwnProperty", "Id", "id", "a.b", "a""b",
        "${'x'.repeat(62)}1", "${'x'.repeat(62)}2", "__proto__ ")`)
    expect(rows).toEqual([{ same: '100' }])
    const preview = await ws.must('POST', '/sources/s/preview', { stream: 'Ta"ble.\\ ü', limit: 1 })
    expect(Object.keys(preview.records[0])).toContain('constructor')
    expect(Object.keys(preview.records[0])).toContain('__proto__')
  })
})
