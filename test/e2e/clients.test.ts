/** The demo's steps by hand, on a real port, with both generations of clients, the SDK and the CLI. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type RunningServer, startServer } from '../../scripts/lib/local-server.ts'
import { connectMcp } from '../../scripts/lib/mcp-client.ts'
import { enterCredentials } from '../../scripts/lib/setup-form.ts'
import { Airbyte } from '../../src/sdk/index.ts'
import { runCommand } from '../support/command-line.ts'
import { connectLegacy } from './legacy-login.ts'

const PASSWORD = 'canary-on-disk-5d1f'
const home = mkdtempSync(join(tmpdir(), 'airbyte-clients-'))
let server: RunningServer
let db: pg.Client

beforeAll(async () => {
  db = new pg.Client(inject('pgUrl'))
  await db.connect()
  await db.query(`
    drop schema if exists shop, w2026, w2025, wsdk, wcli cascade;
    drop role if exists e2e_clients;
    create role e2e_clients login password '${PASSWORD}';
    grant create on database test to e2e_clients;
    create schema shop; grant usage on schema shop to e2e_clients;
    create table shop.orders (id bigint primary key, note text, updated_at timestamptz not null);
    insert into shop.orders select n, 'order ' || n, '2026-01-01' from generate_series(1, 60000) n;
    grant select on shop.orders to e2e_clients`)
  server = await startServer({ stateDirectory: join(home, 'state') })
}, 60_000)

afterAll(async () => {
  await server?.stop()
  await db?.end()
  rmSync(home, { recursive: true, force: true })
})

const config = (more: object) => {
  const { hostname: host, port, pathname } = new URL(inject('pgUrl'))
  const database = pathname.slice(1)
  return { host, port: Number(port), database, username: 'e2e_clients', ...more, ...PLAIN }
}
const PLAIN = { ssl_mode: { mode: 'disable' } }

interface Result {
  isError?: boolean
  content: unknown
  // biome-ignore lint/suspicious/noExplicitAny: each step knows the shape it asked for
  structuredContent?: any
}
type Call = (name: string, args: object, onprogress?: (update: unknown) => void) => Promise<Result>
interface Connected {
  call: Call
  close(): Promise<void>
}

const GENERATIONS: Record<string, () => Promise<Connected>> = {
  '2026': async () => {
    const client = await connectMcp(server.url, 'modern')
    const call: Call = (name, args, onprogress) =>
      client.callTool(
        { name, arguments: { ...args } },
        onprogress && { onprogress },
      ) as Promise<Result>
    return { call, close: () => client.close() }
  },
  '2025': async () => {
    const client = await connectLegacy(server.url, 'legacy')
    const call: Call = (name, args, onprogress) =>
      client.callTool(
        { name, arguments: { ...args } },
        undefined,
        onprogress && { onprogress },
      ) as Promise<Result>
    return { call, close: () => client.close() }
  },
}

describe.each(Object.keys(GENERATIONS))('a client of %s', (generation) => {
  const own = (name: string) => `${name}-${generation}`
  const schema = `w${generation}`
  let client: Connected
  const must = async (...[name, args, onprogress]: Parameters<Call>) => {
    const result = await client.call(name, args, onprogress)
    expect(result.isError, `${name}: ${JSON.stringify(result.content)}`).toBeFalsy()
    return result.structuredContent
  }
  const errorOf = async (...[name, args]: Parameters<Call>) => {
    const { isError, content } = await client.call(name, args)
    expect(isError, name).toBe(true)
    return JSON.parse((content as { text: string }[])[0]?.text ?? '').error
  }

  beforeAll(async () => {
    client = (await GENERATIONS[generation]?.()) as Connected
  })
  afterAll(() => client?.close())

  it('finds the connectors and what they need', async () => {
    const { items } = await must('search_connectors', { query: 'postgres' })
    expect(items).toMatchObject([{ name: 'postgres' }, { name: 'postgres' }])
    const connector = await must('get_connector', { kind: 'source', name: 'postgres' })
    expect(JSON.stringify(connector)).toContain('ssl_mode')
  })

  it.each([
    ['source', 'shop', { schemas: ['shop'] }],
    ['destination', 'warehouse', { schema }],
  ])('creates a %s whose password goes by its page', async (kind, name, place) => {
    const created = await must(`create_${kind}`, {
      ...{ name: own(name), type: 'postgres', config: config(place) },
    })
    const waiting = must('get_setup', { setupId: created.setupId, waitSeconds: 20 })
    await expect(enterCredentials(created.setupUrl, { password: 'wrong' })).rejects.toThrow(
      /password/,
    )
    await enterCredentials(created.setupUrl, { password: PASSWORD })
    expect(await waiting).toMatchObject({ status: 'completed' })
    expect(await must('check_resource', { id: own(name) })).toMatchObject({ ok: true })
    await expect(enterCredentials(created.setupUrl, { password: 'x' })).rejects.toThrow('410')
  })

  it('looks at the tables and their rows', async () => {
    const { streams } = await must('discover_streams', { source: own('shop') })
    expect(streams).toMatchObject([{ name: 'orders', primaryKey: [['id']] }])
    const preview = { source: own('shop'), stream: 'orders', limit: 2 }
    expect((await must('preview_records', preview)).records).toHaveLength(2)
  })

  it('connects them and syncs, with progress on the way', async () => {
    await must('create_connection', {
      ...{ name: own('copy'), source: own('shop'), destination: own('warehouse') },
      namespace: schema,
      streams: [
        {
          ...{ name: 'orders', syncMode: 'incremental', cursorField: 'updated_at' },
          destinationSyncMode: 'append_dedup',
        },
      ],
      schedule: { cron: '0 */6 * * *', timezone: 'Europe/Berlin' },
    })
    const updates: unknown[] = []
    const run = { connection: own('copy'), waitSeconds: 40 }
    const sync = await must('run_sync', run, (update) => updates.push(update))
    expect(sync).toMatchObject({ status: 'succeeded', finished: true, rows: 60_000 })
    expect(updates.length).toBeGreaterThan(0)
    expect(updates.at(-1)).toMatchObject({ progress: 60_000 })
    expect(await must('get_sync', { sync: sync.syncId })).toMatchObject({ status: 'succeeded' })
    expect((await must('get_sync_logs', { sync: sync.syncId })).lines.length).toBeGreaterThan(0)
    const { receipt } = await must('get_sync', { sync: sync.syncId, receipt: true })
    expect(receipt.streams).toMatchObject([{ rowsLoaded: 60_000, rowsRejected: 0 }])
    expect(await must('check_resource', { id: own('copy'), level: 'hash' })).toMatchObject({
      ok: true,
    })
    await expectEqual(schema)
  })

  it('moves only what changed', async () => {
    await db.query(`update shop.orders set note = note || '!', updated_at = now() where id <= 5`)
    const sync = await must('run_sync', { connection: own('copy'), waitSeconds: 40 })
    expect(sync).toMatchObject({ status: 'succeeded', rows: 5 })
    await expectEqual(schema)
  })

  it('cancels a sync, and the connection goes on afterwards', async () => {
    const slow = { count: 5000, rows_per_second: 200 }
    await must('create_source', { name: own('slow'), type: 'sample-data', config: slow })
    await must('create_destination', { name: own('null'), type: 'dev-null', config: {} })
    await must('create_connection', {
      ...{ name: own('long'), source: own('slow'), destination: own('null') },
      streams: [{ name: 'users' }],
    })
    const { syncId, finished } = await must('run_sync', { connection: own('long') })
    expect(finished).toBe(false)
    await must('cancel_sync', { sync: syncId })
    const ended = await must('get_sync', { sync: syncId, waitSeconds: 20 })
    expect(ended).toMatchObject({ status: 'cancelled', finished: true })
    expect(await must('cancel_sync', { sync: syncId })).toMatchObject({ status: 'cancelled' })
  })

  it('deletes only what was confirmed and is not in use', async () => {
    const id = own('long')
    expect(await errorOf('delete_resource', { id })).toMatchObject({
      ...{ code: 'CONFIRMATION_REQUIRED', field: 'confirm' },
    })
    expect((await errorOf('delete_resource', { id: own('slow'), confirm: own('slow') })).code).toBe(
      'IN_USE',
    )
    expect(await must('delete_resource', { id, confirm: id })).toMatchObject({ deleted: true })
    await must('delete_resource', { id: own('slow'), confirm: own('slow') })
    expect((await errorOf('get_resource', { id })).code).toBe('NOT_FOUND')
  })
})

/** By SQL: the copy holds what the source holds. */
async function expectEqual(schema: string) {
  const { rows } = await db.query(
    `select (select md5(string_agg(o::text, '' order by id)) from (select id, note, updated_at from shop.orders) o)
      = (select md5(string_agg(o::text, '' order by id)) from (select id, note, updated_at from ${schema}.orders) o)
      as equal`,
  )
  expect(rows).toEqual([{ equal: true }])
}

describe('programs on the same server', () => {
  it('sync by the SDK, and wait', async () => {
    const airbyte = new Airbyte({ url: server.url })
    const password = { password: PASSWORD }
    const source = await airbyte.sources.create({
      ...{ name: 'shop', type: 'postgres', config: config({ schemas: ['shop'], ...password }) },
    })
    const destination = await airbyte.destinations.create({
      ...{ name: 'warehouse', type: 'postgres', config: config({ schema: 'wsdk', ...password }) },
    })
    expect(await airbyte.sources.check(source.id)).toEqual({ ok: true })
    const { streams } = await airbyte.sources.discover(source.id)
    expect(streams.map(({ name }) => name)).toEqual(['orders'])
    const connection = await airbyte.connections.create({
      ...{ name: 'copy', source: source.id, destination: destination.id, namespace: 'wsdk' },
      streams: [{ name: 'orders', syncMode: 'full_refresh' }],
      schedule: { cron: '0 */6 * * *' },
    })
    const seen: number[] = []
    const sync = await airbyte.connections.sync(connection.id)
    const done = await sync.done({ onProgress: ({ rows }) => seen.push(rows) })
    expect(done).toMatchObject({ status: 'succeeded', rows: 60_000 })
    expect(seen.at(-1)).toBe(60_000)
    await expectEqual('wsdk')
  })

  it('sync by the command line, export, and apply with and without a change', async () => {
    const { code, out } = await airbyte('sync', 'copy', '--wait', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ status: 'succeeded', finished: true })
    const text = await airbyte('sync', 'copy', '--wait')
    expect(text.out).toMatch(/status\s+succeeded/)

    const file = join(home, 'workspace.yaml')
    expect((await airbyte('export', '-o', file)).code).toBe(0)
    const yaml = readFileSync(file, 'utf8')
    expect(yaml).not.toContain(PASSWORD)
    const same = await airbyte('apply', '-f', file, '--yes', '--json')
    const { plan } = JSON.parse(same.out)
    expect(plan.filter(({ action }: { action: string }) => action !== 'unchanged')).toEqual([])
    writeFileSync(file, yaml.replaceAll('0 */6 * * *', '0 */8 * * *'))
    expect((await airbyte('apply', '-f', file, '--yes')).code).toBe(0)
    expect((await airbyte('connections', 'get', 'copy')).out).toContain('0 */8 * * *')
  })

  it('leave no password on the disk of the server, nor in its log', async () => {
    expect(server.logs()).not.toContain(PASSWORD)
    const files = readdirSync(join(home, 'state'), { recursive: true, withFileTypes: true })
    const contents = files
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name)))
    expect(contents.length).toBeGreaterThan(10)
    const needles = [PASSWORD, Buffer.from(PASSWORD).toString('base64').slice(0, -4)]
    for (const needle of needles) {
      expect(contents.filter((bytes) => bytes.includes(needle))).toEqual([])
    }
    expect(contents.some((bytes) => bytes.includes('e2e_clients'))).toBe(true)
  })
})

const airbyte = (...argv: string[]) =>
  runCommand({ env: { HOME: home, AIRBYTE_URL: server.url } }, argv)
