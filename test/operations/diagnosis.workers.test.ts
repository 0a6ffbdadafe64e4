import { env } from 'cloudflare:workers'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { busy, serveShop, setShop } from '../support/shop.ts'
import { shopManifest } from '../support/shop-manifest.ts'
import { configOf, createDatabase, dropDatabase, inDatabase } from './databases.ts'
import { callerOf, SAMPLE } from './support.ts'

const DATABASE = 'diagnosis_test'
const sql = (text: string) => inDatabase(DATABASE, text)

interface Finding {
  cause: string
  streams: string[]
  what: string
  next: string
  call: { tool: string; arguments: Record<string, unknown> }
  evidence: { from: string; untrusted_text: string }[]
}

beforeAll(async () => {
  await createDatabase(DATABASE)
  await sql(`DROP ROLE IF EXISTS diagnosed; CREATE ROLE diagnosed LOGIN PASSWORD 'first-one-123'`)
})
afterAll(async () => {
  await dropDatabase(DATABASE)
  await inDatabase('postgres', 'DROP ROLE IF EXISTS diagnosed')
})
afterEach(() => void vi.restoreAllMocks())

let n = 0
const ORDERS = { name: 'orders', syncMode: 'incremental', cursorField: 'at' }

/** A table of its own, read by a user of little right and copied to PostgreSQL; synced once. */
async function pipeline(stream: object = ORDERS) {
  const schema = `d${++n}`
  await sql(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.orders (id int PRIMARY KEY, at timestamptz, qty int);
    INSERT INTO ${schema}.orders SELECT n, now(), n FROM generate_series(1, 20) n;
    GRANT USAGE ON SCHEMA ${schema} TO diagnosed; GRANT SELECT ON ${schema}.orders TO diagnosed;
    ALTER ROLE diagnosed PASSWORD 'first-one-123'`)
  const call = callerOf(env, `diagnosis-${n}`)
  const config = configOf(DATABASE)
  const reader = { ...config, username: 'diagnosed', password: 'first-one-123', schemas: [schema] }
  await call('sources.create', { name: 'shop', type: 'postgres', config: reader })
  await call('destinations.create', {
    name: 'copy',
    type: 'postgres',
    config: { ...config, schema: `${schema}_copy` },
  })
  const ends = { source: 'shop', destination: 'copy', namespace: `${schema}_copy` }
  await call('connections.create', { name: 'link', ...ends, streams: [stream] })
  expect(await run(call)).toBe('succeeded')
  return { call, schema, stream: `${schema}.orders` }
}

async function run(call: ReturnType<typeof callerOf>): Promise<string> {
  const { syncId } = await call('connections.sync', { connection: 'link' })
  const ended = await call('syncs.get', { sync: syncId, waitSeconds: 40 })
  return ended.status as unknown as string
}

async function diagnosisOf(call: ReturnType<typeof callerOf>) {
  const answer = await call('syncs.diagnose', { connection: 'link' })
  const [finding] = answer.findings as unknown as Finding[]
  return { answer, finding: finding as Finding, evidence: JSON.stringify(finding?.evidence) }
}

describe('of a real failure, the diagnosis names', () => {
  it('a password that was changed, by what the server says, without the password', async () => {
    const { call, stream } = await pipeline()
    await sql(`ALTER ROLE diagnosed PASSWORD 'another-one-456'`)
    expect(await run(call)).toBe('failed')
    const { finding, evidence, answer } = await diagnosisOf(call)
    expect(finding).toMatchObject({
      ...{ cause: 'auth_expired', streams: [stream] },
      what: "The credentials of source 'shop' are no longer accepted.",
      call: { tool: 'update_resource', arguments: { id: 'shop', enterCredentials: true } },
    })
    expect(evidence).toContain('28P01')
    expect(JSON.stringify(answer)).not.toMatch(/first-one-123|another-one-456/)
  })

  it('a right that was revoked, and the grant that gives it back', async () => {
    const { call, schema, stream } = await pipeline()
    await sql(`REVOKE SELECT ON ${schema}.orders FROM diagnosed`)
    expect(await run(call)).not.toBe('succeeded')
    const { finding, evidence } = await diagnosisOf(call)
    expect(finding).toMatchObject({
      cause: 'missing_permission',
      streams: [stream],
    })
    expect(evidence).toContain('GRANT SELECT')
  })

  it('a host where nobody answers', async () => {
    const { call } = await pipeline()
    await call('sources.update', { source: 'shop', config: { port: 9 } })
    const { syncId } = await call('connections.sync', { connection: 'link' })
    const { finding } = await vi.waitFor(
      async () => {
        const found = await diagnosisOf(call)
        expect(found.answer.healthy).toBe(false)
        return found
      },
      { timeout: 20_000, interval: 200 },
    )
    await call('syncs.cancel', { sync: syncId })
    expect(finding).toMatchObject({
      ...{ cause: 'dead_host', what: expect.stringContaining("source 'shop'") },
      call: { tool: 'check_resource', arguments: { id: 'shop' } },
    })
  })

  it('a column whose type the table cannot hold', async () => {
    const { call, schema, stream } = await pipeline()
    await sql(
      `ALTER TABLE ${schema}.orders ALTER qty TYPE text; UPDATE ${schema}.orders SET at = now(), qty = 'many'`,
    )
    expect(await run(call)).toBe('failed')
    const { finding } = await diagnosisOf(call)
    expect(finding).toMatchObject({
      ...{ cause: 'schema_change', streams: [stream] },
      call: { tool: 'reset_streams', arguments: { connection: 'link', streams: [stream] } },
    })
  })

  it('a cursor that was dropped', async () => {
    const { call, schema, stream } = await pipeline()
    await sql(`ALTER TABLE ${schema}.orders DROP COLUMN at`)
    expect(await run(call)).toBe('failed')
    const { finding } = await diagnosisOf(call)
    expect(finding).toMatchObject({
      ...{ cause: 'cursor_gone', streams: [stream] },
      call: { tool: 'discover_streams', arguments: { source: 'shop', refresh: true } },
    })
  })

  it('a source that suddenly has no rows', async () => {
    const { call, schema, stream } = await pipeline({ name: 'orders' })
    await sql(`DELETE FROM ${schema}.orders`)
    expect(await run(call)).not.toBe('succeeded')
    const { finding } = await diagnosisOf(call)
    expect(finding).toMatchObject({
      ...{ cause: 'zero_rows', streams: [stream] },
      call: { tool: 'preview_records', arguments: { source: 'shop', stream } },
    })
  })

  it('a table that was made read-only', async () => {
    const { call } = await pipeline()
    await sql(`UPDATE d${n}.orders SET at = now() + interval '1 hour'`)
    await inDatabase(
      'postgres',
      `ALTER DATABASE ${DATABASE} SET default_transaction_read_only = on`,
    )
    expect(await run(call)).toBe('failed')
    const { finding } = await diagnosisOf(call)
    await inDatabase('postgres', `ALTER DATABASE ${DATABASE} RESET default_transaction_read_only`)
    expect(finding).toMatchObject({ cause: 'destination_read_only' })
  })

  it('an API that asks to slow down, while the sync waits', async () => {
    serveShop({ '/items': () => busy(600) })
    setShop(shopManifest([{ name: 'items' }]))
    const call = callerOf(env, 'diagnosis-shop')
    await call('sources.create', { name: 'shop', type: 'shop', config: {} })
    await call('destinations.create', { name: 'nowhere', type: 'dev-null', config: {} })
    await call('connections.create', { name: 'link', source: 'shop', destination: 'nowhere' })
    const { syncId } = await call('connections.sync', { connection: 'link' })
    await vi.waitFor(
      async () => expect((await call('syncs.get', { sync: syncId })).waitingUntil).toBeDefined(),
      { timeout: 20_000, interval: 100 },
    )
    const { finding, evidence } = await diagnosisOf(call)
    expect(finding).toMatchObject({
      ...{ cause: 'rate_limit', streams: ['items'], retryAt: expect.any(String) },
      call: { tool: 'get_sync', arguments: { sync: syncId } },
    })
    expect(evidence).toContain('429')
    await call('syncs.cancel', { sync: syncId })
  })
})

it('finds nothing wrong where nothing is, and asks which sync is meant', async () => {
  const call = callerOf(env, 'diagnosis-well')
  await call('sources.create', { name: 's', ...SAMPLE })
  await call('destinations.create', { name: 'd', type: 'dev-null', config: {} })
  await call('connections.create', { name: 'link', source: 's', destination: 'd' })
  expect(await call('syncs.diagnose', { connection: 'link' })).toMatchObject({
    ...{ status: 'never_synced', healthy: true },
  })
  expect(await run(call)).toBe('succeeded')
  expect(await call('syncs.diagnose', { connection: 'link' })).toMatchObject({ healthy: true })
  await expect(call('syncs.diagnose', {})).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
})
