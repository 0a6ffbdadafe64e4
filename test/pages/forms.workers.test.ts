/** Who may send a form, how often, and what of all that people and sources write can run as code. */
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { workspaceRoutes } from '../../src/http/workspace/index.ts'
import { personObject, removeMember } from '../../src/identity/objects.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import { authorizeQuery, openConsent, pkce, register } from '../oauth/oauth-client.ts'
import { ownConnector } from '../operations/own-connector.ts'
import { SAMPLE } from '../operations/support.ts'
import { rows, serveShop } from '../support/shop.ts'
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
  const URI = encodeURIComponent(EVIL)

  /** A workspace where everything that has a name, a text or a value has an evil one. */
  async function evilTeam() {
    const field: JsonObject = {
      title: EVIL,
      description: `<a href="javascript:alert(3)">x</a> ${EVIL}`,
    }
    const text: JsonObject = { type: 'string', ...field, default: EVIL, examples: [EVIL] }
    const specification: JsonObject = {
      ...{ type: 'object', title: EVIL, required: ['choice'] },
      properties: {
        ...{ text, [EVIL]: text, kind: { ...text, enum: [EVIL] } },
        ...{ list: { type: 'array', ...field, items: { type: 'string' }, default: [EVIL] } },
        many: { type: 'array', ...field, items: { enum: [EVIL] }, default: [EVIL] },
        rows: { type: 'array', ...field, items: { properties: { a: text } } },
        json: { type: 'object', ...field, default: { [EVIL]: EVIL } },
        secret: { type: 'string', ...field, airbyte_secret: true },
        choice: {
          ...{ type: 'object', ...field, default: { tag: EVIL } },
          oneOf: [
            {
              ...field,
              properties: { tag: { const: EVIL }, key: { ...text, airbyte_secret: true } },
            },
            { ...field, properties: { tag: { const: 'b' } } },
          ],
        },
      },
    }
    const spec = { type: 'Spec', connection_specification: specification }
    const documented = { ...spec, documentation_url: 'javascript:alert(4)' }
    const stream = { name: EVIL, requester: { path: '/evil' } }
    const manifest = JSON.stringify(shopManifest([stream], { spec: documented }))
    serveShop({ '/evil': () => rows({ id: 1, [EVIL]: EVIL }) })
    const ours = team()
    await ownConnector(env, ours.tenantId, { name: EVIL, manifest })
    const source = await ours.run('sources.create', {
      ...{ name: EVIL, type: EVIL, config: { text: EVIL, choice: { tag: EVIL } } },
    })
    await ours.run('destinations.create', {
      ...{ name: EVIL, type: 'dev-null', config: { reject_every: 1 } },
    })
    const { id } = await ours.run('connections.create', {
      ...{ name: EVIL, source: EVIL, destination: EVIL, maxRejects: 0, prefix: EVIL.slice(0, 40) },
    })
    await ours.run('webhooks.create', {
      ...{ name: EVIL, url: `http://127.0.0.1:9/${URI}`, events: ['sync.failed'] },
    })
    const syncId = await ours.sync(String(id))
    const ann = await ours.member(EVIL, 'owner')
    const membership = { tenantId: ours.tenantId, name: EVIL, level: 'owner' as const }
    await personObject(env, ann.userId).join(membership)
    const key = { name: EVIL, days: '1', scope: 'workspace:read' }
    await ann.send(await ann.open('/keys'), '/keys/create', key)
    const asked = { level: 'reader', note: EVIL }
    const invited = await ann.send(await ann.open('/members'), '/members/invite', asked)
    const invitation = new URL(/<code>([^<]+)<\/code>/.exec(invited.html)?.[1] ?? '').pathname
    return { ours, ann, invitation, syncId, connection: String(id), source: String(source.id) }
  }

  /** Places where a browser would run or load what is none of ours. */
  async function alive(html: string): Promise<string[]> {
    const found: string[] = []
    const element = ({ tagName, attributes }: Element) => {
      const given = new Map([...attributes] as [string, string][])
      if (/^(img|iframe|object|embed|base|style|form-|template)$/.test(tagName)) found.push(tagName)
      if (tagName === 'script' && given.get('src') !== '/pages.js') found.push(tagName)
      for (const [name, value] of given) {
        if (/^(on|style|srcdoc)/i.test(name)) found.push(`${tagName} ${name}`)
        const isAddress = /^(href|src|action|formaction|data-live)$/i.test(name)
        if (isAddress && !/^(\/|#|https?:)/.test(value)) found.push(`${tagName} ${name}=${value}`)
      }
    }
    await new HTMLRewriter().on('*', { element }).transform(new Response(html)).text()
    return found
  }

  it('is shown and never run, on every page that there is', async () => {
    const { ours, ann, invitation, syncId, connection, source } = await evilTeam()
    const w = `/w/${ours.tenantId}`
    const c = `${w}/connections/${connection}`
    const ends = `source=${URI}&destination=${URI}`
    const setup = await ann.send(
      await ann.open('/resources'),
      `/resources/source/${source}/credentials`,
    )
    /** Where nothing that somebody wrote is shown. */
    const silent = ['/pages.js']
    const pages: Record<string, string[]> = {
      '/': ['/'],
      '/pages.js': ['/pages.js'],
      '/invitations/:link': [invitation],
      '/w/:workspace': [w, `${w}?part=list`],
      '/w/:workspace/resources': [`${w}/resources`],
      '/w/:workspace/resources/:kind/new': [
        `${w}/resources/source/new`,
        `${w}/resources/source/new?q=${URI}`,
      ],
      '/w/:workspace/resources/:kind/new/:type': [`${w}/resources/source/new/${URI}`],
      '/w/:workspace/resources/:kind/:id': [
        `${w}/resources/source/${source}`,
        `${w}/resources/${URI}/x`,
      ],
      '/w/:workspace/connections/new': [`${w}/connections/new`, `${w}/connections/new?${ends}`],
      '/w/:workspace/connections/:id': [c, `${w}/connections/${URI}`],
      '/w/:workspace/connections/:id/streams': [`${c}/streams`, `${c}/streams?q=${URI}`],
      '/w/:workspace/connections/:id/columns': [
        `${c}/columns?stream=${URI}`,
        `${c}/columns?stream=no${URI}`,
      ],
      '/w/:workspace/connections/:id/changes': [`${c}/changes`],
      '/w/:workspace/syncs/:id': [`${w}/syncs/${syncId}`, `${w}/syncs/${URI}`],
      '/w/:workspace/notifications': [`${w}/notifications`],
      '/w/:workspace/members': [`${w}/members`],
      '/w/:workspace/keys': [`${w}/keys`],
      '/w/:workspace/audit': [`${w}/audit`],
    }
    const routes = workspaceRoutes().flatMap((route) => route.match(/^GET (.*)/)?.[1] ?? [])
    expect(Object.keys(pages).toSorted()).toEqual(routes.toSorted())
    const others = [setup.url, `/sign-in?return_to=/${URI}`, `/sign-in/oidc/callback?error=${URI}`]
    for (const path of [...Object.values(pages).flat(), ...others]) {
      const { html, status } = await ann.browser.open(path)
      expect([200, 400, 403, 404, 422], path).toContain(status)
      expect(await alive(html), path).toEqual([])
      if (path.startsWith('/sign-in') || silent.includes(path)) continue
      expect(html, path).toContain('onerror=alert(1)')
    }
    const asked = authorizeQuery(await register({ client_name: EVIL }), (await pkce()).challenge)
    const consent = await openConsent(asked)
    expect(consent.html).toContain('onerror=alert(1)')
    expect(await alive(consent.html)).toEqual([])
  })

  it('is no more than text where a form sends it', async () => {
    const { ours, ann, connection, source } = await evilTeam()
    const start = await ann.open('/connections/new')
    expect(start.status).toBe(200)
    const plan = { name: `${EVIL}2`, source, destination: EVIL, prefix: 'p' }
    const streams = JSON.stringify([{ name: EVIL }])
    const fields = {
      ...{ name: EVIL, q: EVIL, level: EVIL, note: EVIL, url: EVIL, event: EVIL, cron: EVIL },
      ...{ stream: EVIL, schedule: 'cron', confirm: 'yes', days: EVIL, scope: EVIL, key: EVIL },
      ...{
        input: JSON.stringify({ ...plan, name: EVIL, streams: [{ name: EVIL }] }),
        planHash: EVIL,
      },
      ...{
        'config.text': EVIL,
        'config.choice': '0',
        webhook: EVIL,
        delivery: EVIL,
        invitation: EVIL,
      },
    }
    const routes = workspaceRoutes().flatMap(
      (route) => route.match(/^POST \/w\/:workspace(.*)/)?.[1] ?? [],
    )
    const paths = routes.map((route) => route.replace(':kind', 'source').replace(/:\w+/g, URI))
    const own = [`/resources/source/${source}`, `/connections/${connection}/settings`]
    for (const path of [...paths, ...own]) {
      const page = await ann.send(await ann.open('/members'), path, fields)
      expect(page.status, path).toBeLessThan(500)
      expect(await alive(page.html), path).toEqual([])
    }
    const planned = await ann.send(await ann.open('/members'), '/connections/new', {
      ...plan,
      streams,
    })
    expect(textOf(planned)).toContain('Plan of')
    expect(await alive(planned.html)).toEqual([])
    expect((await ours.run('connections.list')).total).toBe(1)
  })
})
