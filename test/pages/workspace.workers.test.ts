import { describe, expect, it } from 'vitest'
import { SAMPLE } from '../operations/support.ts'
import { type Team, team, textOf } from './people.ts'

const DEV_NULL = { type: 'dev-null', config: {} }

async function withConnection(more: object = {}, destination: object = DEV_NULL) {
  const ours = team()
  await ours.run('sources.create', { name: 'shop', ...SAMPLE })
  await ours.run('destinations.create', { name: 'nowhere', ...destination })
  const { id } = await ours.run('connections.create', {
    ...{ name: 'shop-to-nowhere', source: 'shop', destination: 'nowhere' },
    ...{ streams: [{ name: 'users' }], ...more },
  })
  return { ours, id: String(id), here: `/connections/${id}` }
}

const statusOf = async (ours: Team, id: string) =>
  (await ours.run('connections.get', { connection: id })).status

describe('the dashboard', () => {
  it('shows each connection with its status, how fresh it is, and its target', async () => {
    const { ours, id } = await withConnection({ freshnessSeconds: 3600 })
    const ann = await ours.member('Ann', 'reader')
    const before = textOf(await ann.open())
    expect(before).toContain('shop-to-nowhere Not synced yet')
    expect(before).toContain('Rows as of never Target within 1 hour Next sync by hand')
    await ours.sync(id)
    const after = textOf(await ann.open())
    expect(after).toContain('shop-to-nowhere On time')
    expect(after).toContain('Rows as of just now')
    expect(after).toContain('Nothing needs you.')
  })

  it('puts what needs somebody first, and says why', async () => {
    const { ours } = await withConnection()
    await ours.run('sources.create', {
      ...{ name: 'broken', type: 'sample-data' },
      config: { count: 5, fail_at: { record: 1, kind: 'config' } },
    })
    const { id } = await ours.run('connections.create', {
      ...{ name: 'zz-broken', source: 'broken', destination: 'nowhere', prefix: 'b_' },
      streams: [{ name: 'users' }],
    })
    await ours.sync(String(id))
    const text = textOf(await (await ours.member('Ann', 'reader')).open())
    expect(text).toContain('1 connection needs you.')
    expect(text.indexOf('zz-broken Failed')).toBeLessThan(text.indexOf('shop-to-nowhere'))
    expect(text).toContain('told to fail at record 1')
  })

  it('lets no script run but its own, and no other site frame it or take its forms', async () => {
    const { ours } = await withConnection()
    const { headers } = await (await ours.member('Ann', 'reader')).open()
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("form-action 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it('sends people who are not signed in to the sign-in page, and strangers away', async () => {
    const { ours } = await withConnection()
    const { browser } = await team().member('Eve', 'owner')
    expect((await browser.open(`/w/${ours.tenantId}`)).status).toBe(404)
    const nobody = new (await import('../identity/sign-in/browser.ts')).Browser()
    expect((await nobody.open(`/w/${ours.tenantId}`)).url).toContain('/sign-in?return_to=')
  })
})

describe('the pages of a connection and of its syncs', () => {
  it('start a sync and lead to its page with counts, log and receipt', async () => {
    const { ours, id, here } = await withConnection()
    const ann = await ours.member('Ann', 'operator')
    const started = await ann.send(await ann.open(here), `${here}/sync`)
    expect(started.url).toMatch(/\/syncs\/1$/)
    await ours.run('syncs.get', { sync: 1, waitSeconds: 20 })
    await ours.sync(id)
    const page = textOf(await ann.open('/syncs/1'))
    expect(page).toContain('succeeded')
    expect(page).toContain('users complete: 25 rows loaded')
    expect(page).toMatch(/Receipt.* users users 25 25 0 0/)
    const connection = await ann.open(here)
    expect(connection.html).toContain('<svg')
    expect(connection.html).toMatch(/<title>Sync 1, [^<]*: 25 rows, succeeded/)
  })

  it('tell the script when there is nothing more to follow', async () => {
    const { ours, id } = await withConnection()
    const syncId = await ours.sync(id)
    const ann = await ours.member('Ann', 'reader')
    const part = await ann.open(`/syncs/${syncId}?part=progress`)
    expect(part.headers.get('x-followed')).toBe('to-the-end')
    const list = await ann.open('?part=list')
    expect(list.html).not.toContain('<html')
    expect(list.html).toContain('shop-to-nowhere')
  })

  it('pause, resume, and take schedule and target', async () => {
    const { ours, id, here } = await withConnection()
    const ann = await ours.member('Ann', 'editor')
    await ann.send(await ann.open(here), `${here}/pause`)
    expect(await statusOf(ours, id)).toBe('paused')
    await ann.send(await ann.open(here), `${here}/resume`)
    expect(await statusOf(ours, id)).toBe('active')
    const settings = { schedule: 'interval', minutes: '90', freshness: '21600' }
    await ann.send(await ann.open(here), `${here}/settings`, settings)
    expect(await ours.run('connections.get', { connection: id })).toMatchObject({
      schedule: { intervalSeconds: 5400 },
      freshness: { targetSeconds: 21_600, late: false },
    })
    const cron = { schedule: 'cron', cron: 'not a cron', timezone: 'UTC', freshness: '0' }
    const refused = await ann.send(await ann.open(here), `${here}/settings`, cron)
    expect(refused.status).toBe(422)
    expect(textOf(refused)).toContain('SCHEDULE_INVALID')
    const continuous = { schedule: 'continuous', freshness: '0' }
    const unlogged = await ann.send(await ann.open(here), `${here}/settings`, continuous)
    expect(unlogged.status).toBe(422)
    expect(textOf(unlogged)).toContain('no log that could be followed')
  })

  it('hold an empty overwrite until a person who may erase accepts it', async () => {
    const { ours, id, here } = await withConnection()
    await ours.sync(id)
    await ours.run('sources.update', { source: 'shop', config: { empty: true } })
    await ours.sync(id)
    const ed = await ours.member('Ed', 'editor')
    expect(textOf(await ed.open(here))).toContain('EMPTY_OVERWRITE_HELD')
    expect((await ed.open(here)).html).not.toContain('accept-empty')
    const olga = await ours.member('Olga', 'owner')
    const unsure = await olga.send(await olga.open(here), `${here}/accept-empty`)
    expect(unsure.status).toBe(409)
    const sure = await olga.send(await olga.open(here), `${here}/accept-empty`, { confirm: 'yes' })
    expect(sure.url).toMatch(/\/syncs\/3$/)
    expect(await ours.run('syncs.get', { sync: 3, waitSeconds: 20 })).toMatchObject({
      status: 'succeeded',
    })
  })

  it('answer with what went wrong, and log nothing as a bug', async () => {
    const { ours } = await withConnection()
    const ann = await ours.member('Ann', 'owner')
    for (const path of [
      '/connections/none',
      '/syncs/99',
      '/syncs/x',
      '/connections/none/streams',
    ]) {
      expect([404, 422]).toContain((await ann.open(path)).status)
    }
    expect((await ann.open('/nothing/here')).status).toBe(404)
  })
})

describe('the choice of streams and columns', () => {
  it('adds, removes and changes streams, and leaves what it does not show', async () => {
    const { ours, id, here } = await withConnection({
      streams: [
        { name: 'users', mapping: { hash: ['email'] } },
        { name: 'products', syncMode: 'incremental' },
      ],
    })
    const ann = await ours.member('Ann', 'editor')
    const page = await ann.open(`${here}/streams?q=users`)
    expect(page.html).not.toContain('products')
    const saved = await ann.send(page, `${here}/streams`, {
      ...{ 'stream.0': '["users"]', 'on.0': 'yes', 'mode.0': 'incremental/append_dedup' },
      ...{ 'stream.1': '["purchases"]', 'on.1': 'yes', 'mode.1': 'full_refresh/append' },
    })
    expect(saved.url).toContain(here)
    const { streams } = await ours.run('connections.get', { connection: id })
    expect(streams).toMatchObject([
      { name: 'users', destinationSyncMode: 'append_dedup', mapping: { hash: ['email'] } },
      { name: 'products', syncMode: 'incremental' },
      { name: 'purchases', destinationSyncMode: 'append' },
    ])
    const fewer = { 'stream.0': '["purchases"]', 'mode.0': 'full_refresh/append' }
    await ann.send(await ann.open(`${here}/streams`), `${here}/streams`, fewer)
    const left = await ours.run('connections.get', { connection: id })
    expect((left.streams as unknown as { name: string }[]).map(({ name }) => name)).toEqual([
      ...['users', 'products'],
    ])
  })

  it('shows a refused choice again with the reason', async () => {
    const { ours, id, here } = await withConnection()
    const ann = await ours.member('Ann', 'editor')
    const page = await ann.send(await ann.open(`${here}/streams`), `${here}/streams`, {
      ...{ 'stream.0': '["users"]', 'on.0': 'yes', 'mode.0': 'full_refresh/append_dedup' },
    })
    expect(page.status).toBe(422)
    expect(textOf(page)).toContain('MODE_UNSUPPORTED')
    expect(await ours.run('connections.get', { connection: id })).toMatchObject({
      streams: [{ destinationSyncMode: 'overwrite' }],
    })
  })

  it('takes columns, and key and cursor with them whatever is ticked', async () => {
    const { ours, id, here } = await withConnection()
    const ann = await ours.member('Ann', 'editor')
    const path = `${here}/columns`
    const page = await ann.open(`${path}?stream=users`)
    expect(page.html).toMatch(/value="id"[^>]*disabled/)
    await ann.send(page, path, { stream: 'users', column: 'email' })
    const { streams } = await ours.run('connections.get', { connection: id })
    expect(streams).toMatchObject([{ selectedFields: ['id', 'email'] }])
    expect(textOf(await ann.open(`${here}/streams`))).toContain(': 2 of 17')
  })
})

describe('sources and destinations', () => {
  it('are tested from their page, and lead to the page that takes credentials', async () => {
    const { ours } = await withConnection()
    const { id } = await ours.run('sources.create', {
      ...{ name: 'orders-db', type: 'postgres' },
      config: { host: 'db.example.com', port: 5432, database: 'd', username: 'u' },
    })
    const ann = await ours.member('Ann', 'editor')
    const page = await ann.open('/resources')
    expect(textOf(page)).toContain('orders-db')
    const form = await ann.send(page, `/resources/source/${id}/credentials`)
    expect(form.url).toContain('/setup/')
    expect(form.html).toContain('type="password"')
    const shop = await ours.run('sources.get', { source: 'shop' })
    const tested = await ann.send(
      await ann.open('/resources'),
      `/resources/source/${shop.id}/check`,
    )
    expect(textOf(tested)).toContain('The test succeeded.')
  })
})
