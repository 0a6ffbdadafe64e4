/** Sources, destinations and connections made by page, as one makes them without a script. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { team, textOf } from './people.ts'

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
