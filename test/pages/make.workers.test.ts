/** Sources, destinations and connections made by page, as one makes them without a script. */
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { JsonObject } from '../../src/protocol/index.ts'
import type { Page } from '../identity/sign-in/browser.ts'
import { SAMPLE } from '../operations/support.ts'
import { rows, serveShop, setShop } from '../support/shop.ts'
import { shopManifest } from '../support/shop-manifest.ts'
import { team, textOf } from './people.ts'

afterEach(() => vi.restoreAllMocks())

const pg = new URL((env as unknown as { PG_URL: string }).PG_URL)
const POSTGRES = {
  'config.host': pg.hostname,
  'config.port': pg.port,
  'config.database': pg.pathname.slice(1),
  'config.username': pg.username,
  'config.schemas': 'public',
  'config.ssl_mode': '0',
  'config.replication_method': '0',
}

describe('the catalogue', () => {
  it('finds connectors, and leads to the form of one', async () => {
    const ann = await team().member('Ann', 'editor')
    const found = await ann.open('/resources/source/new?q=postg')
    expect(textOf(found)).toContain('1 connector for “postg”.')
    expect(found.html).toContain('/resources/source/new/postgres"')
    const all = textOf(await ann.open('/resources/destination/new'))
    expect(all).toContain('tested with a real server')
    expect((await ann.open('/resources/source/new/nothing')).status).toBe(404)
    expect((await ann.open('/resources/thing/new')).status).toBe(404)
  })
})

describe('a source or destination made by page', () => {
  it('takes its whole config with its secret, and shows what its test found', async () => {
    const ours = team()
    const ann = await ours.member('Ann', 'editor')
    const form = await ann.open('/resources/source/new/postgres')
    expect(form.html).toMatch(/name="config.port"[^>]*value="5432"/)
    const saved = await ann.send(form, '/resources/source/new/postgres', {
      ...{ ...POSTGRES, name: 'orders-db', 'config.password': pg.password },
    })
    expect(textOf(saved)).toContain('The test succeeded.')
    expect(saved.html).not.toContain(`value="${pg.password}"`)
    expect(await ours.run('sources.get', { source: 'orders-db' })).toMatchObject({
      status: 'active',
      config: {
        ...{ host: pg.hostname, port: Number(pg.port), schemas: ['public'] },
        ...{ ssl_mode: { mode: 'disable' }, replication_method: { method: 'Standard' } },
      },
    })
    expect(JSON.stringify(await ours.run('workspace.audit', {}))).toContain('sources.create')
  })

  it('tells at each field what is wrong with it, keeps the rest, and makes nothing', async () => {
    const ours = team()
    const ann = await ours.member('Ann', 'editor')
    const form = await ann.open('/resources/source/new/postgres')
    const refused = await ann.send(form, '/resources/source/new/postgres', {
      ...{ ...POSTGRES, name: 'db', 'config.port': '70000', 'config.database': '' },
      ...{ 'config.password': 's3cret-pw', 'config.ssl_mode': '4' },
    })
    expect(refused.status).toBe(422)
    expect(refused.html).toMatch(/config.port-notes"><p class="wrong">It must be at most 65535/)
    expect(refused.html).toMatch(/config.database-notes"><p class="wrong">It is missing/)
    expect(refused.html).toMatch(/config.ssl_mode@4.ca_certificate-notes"><p class="wrong">/)
    expect(refused.html).toContain(`value="${pg.hostname}"`)
    expect(refused.html).not.toContain('s3cret-pw')
    expect((await ours.run('sources.list')).total).toBe(0)
  })

  it('is saved where only its test fails, and can be corrected there', async () => {
    const ours = team()
    const ann = await ours.member('Ann', 'editor')
    const path = '/resources/source/new/postgres'
    const wrong = { ...POSTGRES, name: 'db', 'config.password': 'wr0ng-passw0rd' }
    const failed = await ann.send(await ann.open(path), path, {
      ...{ ...wrong, 'config.database': 'no_such_database' },
    })
    expect(failed.status).toBe(200)
    expect(textOf(failed)).toContain('It is saved; the test did not succeed')
    const { id } = await ours.run('sources.get', { source: 'db' })
    const mended = await ann.send(failed, `/resources/source/${id}`, {
      ...{ ...POSTGRES, name: 'orders', 'config.password': pg.password },
    })
    expect(textOf(mended)).toContain('The test succeeded.')
    expect((await ours.run('sources.get', { source: id })).name).toBe('orders')
  })

  it('keeps a stored secret whose field is left empty, and takes away what is cleared', async () => {
    const ours = team()
    const ann = await ours.member('Ann', 'editor')
    const path = '/resources/source/new/postgres'
    const cdc = { 'config.replication_method': '1', 'config.replication_method@1.publication': 'p' }
    const saved = await ann.send(await ann.open(path), path, {
      ...{ ...POSTGRES, ...cdc, name: 'db', 'config.password': pg.password },
      ...{ 'config.replication_method@1.replication_slot': 'slot_1' },
    })
    const { id } = await ours.run('sources.get', { source: 'db' })
    const page = await ann.open(`/resources/source/${id}`)
    expect(page.html).toContain('Stored; leave empty to keep it')
    expect(page.html).toContain('value="slot_1"')
    await ann.send(saved, `/resources/source/${id}`, { ...POSTGRES, ...cdc, name: 'db' })
    const { config } = await ours.run('sources.get', { source: 'db' })
    expect(config).toMatchObject({ password: '**********', replication_method: { method: 'CDC' } })
    expect(config).not.toHaveProperty('replication_method.replication_slot')
    const tested = await ann.send(page, `/resources/source/${id}/test`)
    expect(tested.html).toContain('role="status"')
  })

  it('offers the choice of credentials where a spec demands one', async () => {
    const ours = team()
    const ann = await ours.member('Ann', 'editor')
    const form = await ann.open('/resources/source/new/hubspot')
    expect(textOf(form)).toContain('Private app')
    expect(form.html).toMatch(/type="radio" name="config.credentials" value="0" checked/)
    const none = await ann.send(form, '/resources/source/new/hubspot', { name: 'crm' })
    expect(none.status).toBe(422)
    expect(textOf(none)).toContain('Look at credentials below.')

    // Made in a chat, which cannot know what the person has: the page of its credentials asks.
    const made = await ours.run('sources.create', { name: 'crm', type: 'hubspot', config: {} })
    expect(made).toMatchObject({ status: 'awaiting_credentials', missingSecrets: ['credentials'] })
    const setup = await ann.browser.open(new URL(String(made.setupUrl)).pathname)
    expect(setup.status).toBe(404)
    const again = await ann.send(
      await ann.open('/resources'),
      `/resources/source/${made.id}/credentials`,
    )
    expect(again.html).toContain('name="choice:credentials"')
    expect(again.html).toContain('name="credentials.refresh_token#1"')
  })

  it('is refused under a name that is taken, at the field', async () => {
    const ours = team()
    await ours.run('destinations.create', { name: 'sink', type: 'dev-null', config: {} })
    const ann = await ours.member('Ann', 'editor')
    const path = '/resources/destination/new/dev-null'
    const taken = await ann.send(await ann.open(path), path, {
      ...{ name: 'sink', 'config.test_destination': '0' },
    })
    expect(taken.html).toMatch(/id="name-notes"><p class="wrong">[^<]*sink/)
  })

  it('is made by those who may change the workspace, and deleted by those who may delete', async () => {
    const ours = team()
    const { id } = await ours.run('destinations.create', {
      name: 's',
      type: 'dev-null',
      config: {},
    })
    const rita = await ours.member('Rita', 'reader')
    const page = await rita.open(`/resources/destination/${id}`)
    expect(page.html).toContain('<fieldset class="plain" disabled')
    expect(page.html).not.toContain('type="submit" class="danger"')
    const path = '/resources/destination/new/dev-null'
    const refused = await rita.send(page, path, { name: 'x', 'config.test_destination': '0' })
    expect(textOf(refused)).toContain('workspace:write')
    expect((await ours.run('destinations.list')).total).toBe(1)

    const olga = await ours.member('Olga', 'owner')
    const own = `/resources/destination/${id}`
    expect((await olga.send(await olga.open(own), `${own}/delete`)).status).toBe(409)
    const gone = await olga.send(await olga.open(own), `${own}/delete`, { confirm: 'yes' })
    expect(gone.url).toMatch(/\/resources$/)
    expect((await ours.run('destinations.list')).total).toBe(0)
  })
})

describe('a connection made by page', () => {
  const SETTINGS = { schedule: 'interval', minutes: '90', freshness: '21600', prefix: 'shop_' }

  async function withEnds() {
    const ours = team()
    const source = await ours.run('sources.create', { name: 'shop', ...SAMPLE })
    const destination = await ours.run('destinations.create', {
      ...{ name: 'nowhere', type: 'dev-null', config: {} },
    })
    const ends = { source: String(source.id), destination: String(destination.id) }
    const ann = await ours.member('Ann', 'editor')
    const start = await ann.open(`/connections/new?${new URLSearchParams(ends)}`)
    return { ours, ann, ends, start }
  }

  it('begins with its ends, and suggests all streams', async () => {
    const { ann, ends, start } = await withEnds()
    const page = textOf(await ann.open('/connections/new'))
    expect(page).toContain('shop sample-data')
    expect(page).toContain('nowhere dev-null')
    expect(start.html).toContain('value="shop-to-nowhere"')
    expect(start.html.match(/name="on\.\d+" value="yes" checked/g)).toHaveLength(4)
    const unknown = { ...ends, source: 'none' }
    expect((await ann.open(`/connections/new?${new URLSearchParams(unknown)}`)).status).toBe(404)
  })

  it('shows its plan, and is created by the hash of that', async () => {
    const { ours, ann, ends, start } = await withEnds()
    const chosen = {
      ...{ ...ends, ...SETTINGS, name: 'copy', do: 'plan', streams: '[]' },
      ...{ 'stream.0': '["users"]', 'on.0': 'yes', 'mode.0': 'incremental/append_dedup' },
      ...{ 'columns.0': '17', 'column.0': 'email', 'cursor.0': 'updated_at', 'key.0': 'id' },
    }
    const planned = await ann.send(start, '/connections/new', chosen)
    expect(planned.status).toBe(200)
    expect(textOf(planned)).toMatch(/users shop_users .*Incremental \| Append \+ dedup 3/)
    expect((await ours.run('connections.list')).total).toBe(0)
    const fields = hiddenOf(planned)
    const back = await ann.send(planned, '/connections/new', fields)
    expect(back.html).toContain('value="copy"')
    expect(back.html).toContain('value="90"')
    expect(back.html.match(/name="on\.\d+" value="yes" checked/g)).toHaveLength(1)

    const made = await ann.send(planned, '/connections/create', { ...fields, sync: 'yes' })
    expect(made.url).toMatch(/\/connections\/[\w-]+$/)
    expect(await ours.run('connections.get', { connection: 'copy' })).toMatchObject({
      ...{ prefix: 'shop_', schedule: { intervalSeconds: 5400 } },
      freshness: { targetSeconds: 21_600 },
      streams: [{ name: 'users', selectedFields: ['email', 'updated_at', 'id'] }],
    })
    expect((await ours.run('syncs.list')).total).toBe(1)
  })

  it('is refused when the world has changed since its plan, and shows the new one', async () => {
    const { ours, ann, ends, start } = await withEnds()
    const streams = JSON.stringify([{ name: 'users' }])
    const chosen = { ...ends, ...SETTINGS, name: 'copy', streams }
    const planned = await ann.send(start, '/connections/new', chosen)
    await ours.run('sources.update', { source: 'shop', config: { count: 26 } })
    const late = await ann.send(planned, '/connections/create', hiddenOf(planned))
    expect(late.status).toBe(409)
    expect(textOf(late)).toContain('the source changed')
    expect((await ours.run('connections.list')).total).toBe(0)
    const made = await ann.send(late, '/connections/create', hiddenOf(late))
    expect(made.url).toMatch(/\/connections\/[\w-]+$/)
  })

  it('keeps what was chosen while one looks for other streams', async () => {
    const { ann, ends, start } = await withEnds()
    const streams = JSON.stringify([{ name: 'users' }, { name: 'products' }])
    const fields = { ...ends, ...SETTINGS, name: 'c', streams, 'stream.0': '["products"]' }
    const found = await ann.send(start, '/connections/new', { ...fields, do: 'find', q: 'purch' })
    expect(textOf(found)).toContain('1 of the streams are chosen.')
    expect(found.html).toContain('purchases')
    expect(found.html).not.toContain('name="stream.1"')
    const none = await ann.send(start, '/connections/new', { ...fields, do: 'none' })
    expect(textOf(none)).toContain('0 of the streams are chosen.')
    const all = await ann.send(start, '/connections/new', { ...fields, do: 'all' })
    expect(textOf(all)).toContain('4 of the streams are chosen.')
  })

  it('shows what was refused as it was entered, with the reason', async () => {
    const { ann, ends, start } = await withEnds()
    const fields = { ...ends, ...SETTINGS, name: 'c', do: 'plan', streams: '[]' }
    expect(textOf(await ann.send(start, '/connections/new', fields))).toContain('No stream is')
    const cron = { ...fields, schedule: 'cron', cron: 'not a cron', streams: '[{"name":"users"}]' }
    const refused = await ann.send(start, '/connections/new', cron)
    expect(refused.status).toBe(422)
    expect(textOf(refused)).toContain('SCHEDULE_INVALID')
    expect(refused.html).toContain('value="not a cron"')
    for (const input of ['', '{', '[]', '{"name":"x"}', 'null']) {
      const page = await ann.open(`/connections/new?${new URLSearchParams(ends)}`)
      const odd = await ann.send(page, '/connections/create', { input })
      expect(odd.status, input).toBe(422)
    }
  })

  it('is planned by operators, and made by those who may change the workspace', async () => {
    const { ours, ends } = await withEnds()
    const otto = await ours.member('Otto', 'operator')
    const start = await otto.open(`/connections/new?${new URLSearchParams(ends)}`)
    const streams = JSON.stringify([{ name: 'users' }])
    const planned = await otto.send(start, '/connections/new', { ...ends, name: 'c', streams })
    expect(textOf(planned)).toContain('Plan of c')
    expect(planned.html).not.toContain('Create the connection')
    const refused = await otto.send(planned, '/connections/create', hiddenOf(planned))
    expect(refused.status).toBe(403)
    expect((await ours.run('connections.list')).total).toBe(0)
  })
})

describe('changes at the source', () => {
  it('are shown before a sync makes anything of them, and applied by a button', async () => {
    const shopWith = (properties: JsonObject) => {
      const schema = { type: 'object', properties: { id: { type: 'integer' }, ...properties } }
      const schema_loader = { type: 'InlineSchemaLoader', schema }
      setShop(shopManifest([{ name: 'items', stream: { schema_loader } }]))
    }
    serveShop({ '/items': () => rows({ id: 1, price: 3 }) })
    shopWith({})
    const ours = team()
    await ours.run('sources.create', { name: 'shop', type: 'shop', config: {} })
    await ours.run('destinations.create', { name: 'sink', type: 'dev-null', config: {} })
    const { id } = await ours.run('connections.create', {
      ...{ name: 'c', source: 'shop', destination: 'sink', schemaChanges: 'ignore' },
    })
    await ours.sync(String(id))
    const ann = await ours.member('Ann', 'editor')
    const path = `/connections/${id}/changes`
    expect(textOf(await ann.open(path))).toContain('as they were when they were last synced')
    shopWith({ price: { type: 'number' } })
    const page = await ann.open(path)
    expect(textOf(page)).toMatch(/items Ignored New: price/)
    const otto = await ours.member('Otto', 'operator')
    expect((await otto.open(path)).html).not.toContain('Take the changes over')
    const sync = await ann.send(page, path, { policy: 'propagate_columns' })
    expect(sync.url).toMatch(/\/syncs\/2$/)
    await ours.run('syncs.get', { sync: 2, waitSeconds: 20 })
    expect(textOf(await ann.open(path))).toContain('as they were when they were last synced')
    expect((await ours.run('connections.get', { connection: id })).schemaChanges).toBe(
      'propagate_columns',
    )
  })
})

/** What the form of a plan sends along. */
function hiddenOf({ html }: Page): Record<string, string> {
  const fields = ['input', 'planHash'].map((name) => {
    const value = new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? ''
    return [name, value.replaceAll('&quot;', '"').replaceAll('&amp;', '&')] as const
  })
  return Object.fromEntries(fields)
}
