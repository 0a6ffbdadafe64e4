/** Who may send a form, how often, and what of all that people and sources write can run as code. */
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { personObject, removeMember } from '../../src/identity/objects.ts'
import { SAMPLE } from '../operations/support.ts'
import { rows, serveShop, setShop } from '../support/shop.ts'
import { shopManifest } from '../support/shop-manifest.ts'
import { formTokenOf, team, textOf } from './people.ts'

afterEach(() => vi.restoreAllMocks())

async function withConnection() {
  const ours = team()
  await ours.run('sources.create', { name: 'shop', ...SAMPLE })
  await ours.run('destinations.create', { name: 'nowhere', type: 'dev-null', config: {} })
  const { id } = await ours.run('connections.create', {
    ...{ name: 'c', source: 'shop', destination: 'nowhere', streams: [{ name: 'users' }] },
  })
  const isPaused = async () =>
    (await ours.run('connections.get', { connection: id })).status === 'paused'
  return { ours, here: `/connections/${id}`, isPaused }
}

describe('a form of the pages', () => {
  it('counts once', async () => {
    const { ours, here, isPaused } = await withConnection()
    const ann = await ours.member('Ann', 'owner')
    const page = await ann.open(here)
    const both = await Promise.all([1, 2].map(() => ann.send(page, `${here}/sync`)))
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    expect((await ours.run('syncs.list')).total).toBe(1)
    expect((await ann.send(page, `${here}/pause`)).status).toBe(409)
    expect(await isPaused()).toBe(false)
  })

  it('is refused without its token, or with one that was changed', async () => {
    const { ours, here, isPaused } = await withConnection()
    const ann = await ours.member('Ann', 'owner')
    const page = await ann.open(here)
    const token = formTokenOf(page)
    const [nonce, expires, mark] = token.split('.')
    const forged = [
      '',
      `${nonce}x.${expires}.${mark}`,
      `${nonce}.${Number(expires) + 1}.${mark}`,
      `${nonce}.${expires}.${'0'.repeat(64)}`,
      `${nonce}.Infinity.${mark}`,
    ]
    for (const form of forged) {
      expect((await ann.send(page, `${here}/pause`, { form })).status, form).toBe(403)
    }
    expect(await isPaused()).toBe(false)
  })

  it('is worth nothing to another person, in another browser, and for another workspace', async () => {
    const { ours, here, isPaused } = await withConnection()
    const ann = await ours.member('Ann', 'owner')
    const ben = await ours.member('Ben', 'owner')
    const token = formTokenOf(await ann.open(here))
    await ben.open(here)
    const byBen = await ben.send(await ben.open(here), `${here}/pause`, { form: token })
    expect(byBen.status).toBe(403)

    // The same browser, where Ben has signed in after Ann: her open page is not his.
    const shared = ann.browser.copy()
    const session = ben.browser.cookie('__Host-airbyte-session')
    shared.keep(`__Host-airbyte-session=${session}`)
    const path = `/w/${ours.tenantId}${here}/pause`
    expect((await shared.submit(path, { form: token })).status).toBe(403)

    const other = team()
    await personObject(env, ann.userId).join({
      ...{ tenantId: other.tenantId, name: 'other', level: 'owner' },
    })
    const foreign = formTokenOf(await ann.browser.open(`/w/${other.tenantId}`))
    expect((await ann.browser.submit(path, { form: foreign })).status).toBe(403)
    expect(await isPaused()).toBe(false)
  })

  it('is refused from another site, even with a good token', async () => {
    const { ours, here, isPaused } = await withConnection()
    const ann = await ours.member('Ann', 'owner')
    const form = formTokenOf(await ann.open(here))
    const answer = await ann.browser.open(`/w/${ours.tenantId}${here}/pause`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'https://evil.example',
      },
      body: new URLSearchParams({ form }).toString(),
    })
    expect(answer.status).toBe(403)
    expect(await isPaused()).toBe(false)
  })

  it('does no more than the level of who sends it', async () => {
    const { ours, here, isPaused } = await withConnection()
    const rita = await ours.member('Rita', 'reader')
    const page = await rita.open(here)
    expect(page.html).not.toContain('/pause')
    expect(page.html).not.toContain('/sync"')
    // A token of theirs, for a form that the page does not offer.
    await personObject(env, rita.userId).join({
      ...{ tenantId: ours.tenantId, name: 'w', level: 'editor' },
    })
    const asEditor = await rita.open(here)
    await personObject(env, rita.userId).join({
      ...{ tenantId: ours.tenantId, name: 'w', level: 'reader' },
    })
    const refused = await rita.send(asEditor, `${here}/pause`)
    expect(refused.status).toBe(403)
    expect(textOf(refused)).toContain('workspace:write')
    expect(await isPaused()).toBe(false)
  })

  it('is refused at once when its sender is no member any more', async () => {
    const { ours, here, isPaused } = await withConnection()
    const ann = await ours.member('Ann', 'owner')
    const page = await ann.open(here)
    await removeMember(env, ours.tenantId, ann.userId)
    expect((await ann.send(page, `${here}/pause`)).status).toBe(404)
    expect((await ann.open(here)).status).toBe(404)
    expect(await isPaused()).toBe(false)
  })
})

describe('text that somebody else wrote', () => {
  const EVIL = `"><img src=x onerror=alert(1)><script>alert(2)</script>'`

  it('is shown and never run, in names, errors, logs, columns and rejected rows', async () => {
    setShop(shopManifest([{ name: EVIL, requester: { path: '/evil' } }]))
    serveShop({ '/evil': () => rows({ id: 1, [EVIL]: EVIL }) })
    const ours = team()
    await ours.run('sources.create', { name: EVIL, type: 'shop', config: {} })
    await ours.run('destinations.create', {
      ...{ name: EVIL, type: 'dev-null', config: { reject_every: 1 } },
    })
    const { id } = await ours.run('connections.create', {
      ...{ name: EVIL, source: EVIL, destination: EVIL, maxRejects: 0 },
    })
    const syncId = await ours.sync(String(id))
    const ann = await ours.member(EVIL, 'owner')
    const here = `/connections/${id}`
    const paths = [
      ...['', here, `${here}/streams`, `${here}/streams?q=${encodeURIComponent(EVIL)}`],
      ...[`${here}/columns?stream=${encodeURIComponent(EVIL)}`, `/syncs/${syncId}`, '/resources'],
      ...[`${here}/columns?stream=${encodeURIComponent(`no ${EVIL}`)}`, '?part=list'],
    ]
    for (const path of paths) {
      const { html, status } = await ann.open(path)
      expect([200, 404, 422], path).toContain(status)
      expect(html, path).toContain('onerror=alert(1)')
      expect(html, path).not.toContain('<img')
      expect(html, path).not.toContain('<script>')
      expect(html, path).not.toMatch(/="[^"]*"><img/)
    }
    const sync = await ann.open(`/syncs/${syncId}`)
    expect(textOf(sync)).toContain('Rejected rows')
  })
})
