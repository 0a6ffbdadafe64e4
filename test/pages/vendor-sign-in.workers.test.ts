/** Signing in at a vendor instead of entering a token: a real provider, and who would like to misuse it. */
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import gitlabManifest from '../../connectors/sources/gitlab/manifest.yaml'
import { OF_THE_OPERATOR } from '../../src/durable-object/operator-client.ts'
import { createSetup, getSetup } from '../../src/http/setup.ts'
import { sha256 } from '../../src/identity/crypto.ts'
import { shardName } from '../../src/identity/oauth-kv.ts'
import { personObject, workspaceObject } from '../../src/identity/objects.ts'
import { entityObjects } from '../../src/operations/objects.ts'
import { toAirbyteError } from '../../src/protocol/index.ts'
import { type Browser, ORIGIN, type Page } from '../identity/sign-in/browser.ts'
import { ownConnector } from '../operations/own-connector.ts'
import { CLIENT } from '../support/sign-in/client.ts'
import { type Member, type Team, team, textOf } from './people.ts'

const GITLAB = inject('signIn').gitlab
const CALLBACK = /\/connect\/[\w-]+\/callback\?/
const CONFIG = {
  ...{ api_url: GITLAB, projects_list: ['acme/shop'] },
  credentials: { auth_type: 'oauth2.0' },
}

let workspace: Team
let ann: Member
let n = 0

beforeAll(async () => {
  workspace = team()
  ann = await workspace.member('ann', 'editor')
})

interface Start {
  source: string
  setupId: string
}

/** A source that waits for its credentials, and a link for `member` to enter them. */
async function waiting(
  member = ann,
  {
    type = 'gitlab',
    config = {},
    at = workspace,
  }: { type?: string; config?: object; at?: Team } = {},
): Promise<Start> {
  const name = `code-${++n}`
  const created = await at.run('sources.create', { name, type, config: { ...CONFIG, ...config } })
  const { setupId } = await createSetup(env, {
    ...{ tenantId: at.tenantId, entity: 'source' as const, entityId: String(created.id), name },
    ...{ connector: type, subject: member.userId },
  })
  return { source: String(created.id), setupId }
}

const tokenOf = ({ html }: Page) => /name="token" value="([^"]+)"/.exec(html)?.[1] ?? ''

/** From the credentials page to the vendor's door. */
async function leave(browser: Browser, { setupId }: Start, fields: Record<string, string> = {}) {
  const page = await browser.open(`/setup/${setupId}`)
  const form = { token: tokenOf(page), ...fields }
  return browser.submit(`/setup/${setupId}/sign-in`, form, /\/oauth\/authorize/)
}

/** Through the vendor's pages; its answer is not delivered yet. */
async function answerOf(browser: Browser, start: Start, fields?: Record<string, string>) {
  const asked = await leave(browser, start, fields)
  const login = await browser.open(asked.url, {}, CALLBACK)
  if (CALLBACK.test(login.url)) return login.url
  const consent = await browser.submit(
    login.url,
    { prompt: 'login', login: 'ann', password: 'x' },
    CALLBACK,
  )
  if (CALLBACK.test(consent.url)) return consent.url
  return (await browser.submit(consent.url, { prompt: 'consent' }, CALLBACK)).url
}

const opened = (id: string, at = workspace) => entityObjects(env, at.tenantId).source(id).open()
/** Why a source does not open. */
async function closedBy(id: string): Promise<string> {
  try {
    await opened(id)
    return 'nothing'
  } catch (error) {
    return toAirbyteError(error).code
  }
}

const statusOf = async ({ setupId }: Start, at = workspace) =>
  (await getSetup(env, at.tenantId, setupId))?.status

async function refuses(browser: Browser, address: string, start: Start, status = 400) {
  const page = await browser.open(address)
  expect(page.status, textOf(page)).toBe(status)
  expect(await statusOf(start)).toBe('waiting')
  expect(await closedBy(start.source)).toBe('AWAITING_CREDENTIALS')
}

describe('a source whose vendor lets people sign in', () => {
  it('gets tokens that are sealed, tried and never shown, with the client of this server', async () => {
    const start = await waiting()
    const form = await ann.browser.open(`/setup/${start.setupId}`)
    expect(textOf(form)).toContain(`Continue at ${new URL(GITLAB).host}`)
    const asked = await leave(ann.browser, start)
    const query = new URL(asked.url).searchParams
    expect(query.get('redirect_uri')).toBe(`${ORIGIN}/connect/gitlab/callback`)
    expect(asked.url).not.toContain(CLIENT.secret.replaceAll(' ', '+'))

    const end = await ann.browser.open(await answerOf(ann.browser, start))
    expect(end.status, textOf(end)).toBe(200)
    expect(textOf(end)).toContain('The test succeeded')
    expect(await statusOf(start)).toBe('completed')

    const { config, secrets } = await opened(start.source)
    const tokens = config.credentials as Record<string, string>
    expect(tokens).toMatchObject({
      ...{ auth_type: 'oauth2.0', client_id: CLIENT.id, client_secret: CLIENT.secret },
      access_token: expect.stringMatching(/^[\w-]{20,}$/),
      refresh_token: expect.stringMatching(/^[\w-]{20,}$/),
    })
    expect(Date.parse(tokens.token_expiry_date ?? '')).toBeGreaterThan(Date.now())
    expect(secrets).toEqual(expect.arrayContaining([tokens.access_token, CLIENT.secret]))
    const shown = JSON.stringify(await workspace.run('sources.get', { source: start.source }))
    for (const secret of [tokens.access_token, tokens.refresh_token, CLIENT.secret]) {
      expect(shown + end.html).not.toContain(secret)
    }
    const preview = { source: start.source, stream: 'projects' }
    const { records } = await workspace.run('sources.preview', preview)
    expect(JSON.stringify(records)).toContain('acme/shop')
  })

  it('keeps no secret of the operator: a mark stands in its place', async () => {
    const start = await waiting()
    await ann.browser.open(await answerOf(ann.browser, start))
    const { config, edition } = await opened(start.source)
    const object = entityObjects(env, workspace.tenantId).source(start.source)
    // What a connector hands back to be kept holds the secret; what is kept does not.
    await env.SOURCE.getByName(`${workspace.tenantId}:${start.source}`).saveConfig(config, edition)
    const stub = env.SOURCE.getByName(`${workspace.tenantId}:${start.source}`)
    const kept = await runInDurableObject(stub, async (instance) => {
      Object.assign(instance, {
        env: { ...env, OAUTH_GITLAB_CLIENT_SECRET: 'a newer secret' },
      })
      return (instance as unknown as typeof object).open()
    })
    expect(kept.config.credentials).toMatchObject({ client_secret: 'a newer secret' })
    const without = await runInDurableObject(stub, async (instance) => {
      Object.assign(instance, { env: { ...env, OAUTH_GITLAB_CLIENT_SECRET: '' } })
      return (instance as unknown as typeof object).open().catch((error: Error) => error.message)
    })
    expect(without).toContain('is not configured')
    expect(without).not.toContain(OF_THE_OPERATOR)
  })

  it('takes a client that the person brings where this server has none', async () => {
    const browser = ann.browser.copy({ OAUTH_GITLAB_CLIENT_ID: '' })
    const start = await waiting()
    const form = await browser.open(`/setup/${start.setupId}`)
    expect(textOf(form)).toContain(`${ORIGIN}/connect/gitlab/callback`)
    const without = await leave(browser, start)
    expect(without.status).toBe(422)
    const own = { 'vendor-client-id': CLIENT.id, 'vendor-client-secret': CLIENT.secret }
    const end = await browser.open(await answerOf(browser, start, own))
    expect(textOf(end)).toContain('The test succeeded')
    expect((await opened(start.source)).config.credentials).toMatchObject({
      ...{ client_id: CLIENT.id, client_secret: CLIENT.secret },
    })
  })

  it('offers no sign-in where the config has chosen a token', async () => {
    const start = await waiting(ann, { config: { credentials: { auth_type: 'access_token' } } })
    const form = await ann.browser.open(`/setup/${start.setupId}`)
    expect(textOf(form)).not.toContain('Continue at')
    expect((await leave(ann.browser, start)).status).toBe(409)
  })
})

describe('the client of this server', () => {
  it('is not for an address that a workspace chose', async () => {
    const start = await waiting(ann, { config: { api_url: 'https://gitlab.evil.example' } })
    const page = await ann.browser.open(`/setup/${start.setupId}`)
    expect(textOf(page)).toContain('with an OAuth client of your own')
  })

  it('is not for an address that is chosen while the person is at the vendor', async () => {
    const start = await waiting()
    const answer = await answerOf(ann.browser, start)
    const source = entityObjects(env, workspace.tenantId).source(start.source)
    await source.update({ config: { api_url: 'https://gitlab.evil.example' } })
    await refuses(ann.browser, answer, start, 409)
  })

  it('is not for one that is chosen afterwards', async () => {
    const start = await waiting()
    await ann.browser.open(await answerOf(ann.browser, start))
    const config = { api_url: 'https://gitlab.evil.example' }
    await workspace.run('sources.update', { source: start.source, config })
    // Tokens and client are forgotten with the address that they were for.
    expect(await closedBy(start.source)).toBe('AWAITING_CREDENTIALS')
  })

  it("is not for a workspace's own connector of the same name", async () => {
    const at = team()
    const mallory = await at.member('mallory', 'owner')
    const manifest = gitlabManifest as string
    await ownConnector(env, at.tenantId, { name: 'gitlab', manifest, shadows: true })
    const start = await waiting(mallory, { at })
    const page = await mallory.browser.open(`/setup/${start.setupId}`)
    expect(textOf(page)).toContain('with an OAuth client of your own')
  })
})

describe('the answer of a vendor', () => {
  it('counts once, also when it comes ten times at the same moment', async () => {
    const start = await waiting()
    const answer = await answerOf(ann.browser, start)
    const copies = Array.from({ length: 10 }, () => ann.browser.copy())
    const pages = await Promise.all(copies.map((copy) => copy.open(answer)))
    expect(pages.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(400)])
    expect((await ann.browser.open(answer)).status).toBe(400)
  })

  it.each([
    ['another', 'x'.repeat(43)],
    ['an empty', ''],
    ['no', null],
  ])('does not count with %s state, and the attempt stays good', async (_, state) => {
    const start = await waiting()
    const answer = await answerOf(ann.browser, start)
    const changed = new URL(answer)
    if (state === null) changed.searchParams.delete('state')
    else changed.searchParams.set('state', state)
    await refuses(ann.browser, changed.href, start)
    expect((await ann.browser.open(answer)).status).toBe(200)
  })

  it('does not count in another browser of the same person', async () => {
    const start = await waiting()
    const other = ann.browser.copy()
    const answer = await answerOf(ann.browser, start)
    await refuses(other, answer, start)
  })

  it('does not count for another person, not even in the same browser', async () => {
    const ben = await workspace.member('ben', 'editor')
    const start = await waiting()
    const answer = await answerOf(ann.browser, start)
    const both = ann.browser.copy()
    const session = ben.browser.cookie('__Host-airbyte-session')
    both.keep(`__Host-airbyte-session=${session}`)
    await refuses(both, answer, start)
  })

  it("does not connect a victim's source to the account of an attacker", async () => {
    const mallory = await workspace.member('mallory', 'editor')
    const [theirs, own] = [await waiting(), await waiting(mallory)]
    await leave(ann.browser, theirs)
    const answer = await answerOf(mallory.browser, own)
    await refuses(ann.browser, answer, theirs)
  })

  it('does not count for who has left the workspace meanwhile, nor for who may no longer change it', async () => {
    const carl = await workspace.member('carl', 'editor')
    const start = await waiting(carl)
    const answer = await answerOf(carl.browser, start)
    await personObject(env, carl.userId).leave(workspace.tenantId)
    await refuses(carl.browser, answer, start, 404)
    const reader = await workspace.member('rita', 'reader')
    expect((await leave(reader.browser, await waiting(reader))).status).toBe(403)
  })

  it('does not count under the address of another connector, or with another method', async () => {
    const start = await waiting()
    const answer = await answerOf(ann.browser, start)
    await refuses(ann.browser.copy(), answer.replace('/gitlab/', '/github/'), start)
    const again = await answerOf(ann.browser, start)
    const posted = await ann.browser.copy().open(again, { method: 'POST' })
    expect(posted.status).toBe(400)
  })

  it('does not count when the setup was used, or has expired', async () => {
    const start = await waiting()
    const answer = await answerOf(ann.browser, start)
    await runInDurableObject(workspaceObject(env, workspace.tenantId), (_, { storage }) => {
      storage.sql.exec(
        'update setups set expires_at = ? where id = ?',
        Date.now() - 1,
        start.setupId,
      )
    })
    const page = await ann.browser.open(answer)
    expect(page.status).toBe(410)
    expect(await closedBy(start.source)).toBe('AWAITING_CREDENTIALS')
  })

  it('does not count after ten minutes', async () => {
    const start = await waiting()
    const answer = await answerOf(ann.browser, start)
    const key = `vendor:${await sha256(new URL(answer).searchParams.get('state') ?? '')}`
    const shard = env.OAUTH_STORE.getByName(shardName(key))
    await runInDurableObject(shard, (_, { storage }) => {
      storage.sql.exec('update entries set expires = ? where key = ?', 1, key)
    })
    await refuses(ann.browser, answer, start)
  })

  it("does not count with the code of another's attempt, by PKCE", async () => {
    const mallory = await workspace.member('max', 'editor')
    const [theirs, own] = [await waiting(), await waiting(mallory)]
    const code = new URL(await answerOf(ann.browser, theirs)).searchParams.get('code') ?? ''
    const answer = new URL(await answerOf(mallory.browser, own))
    answer.searchParams.set('code', code)
    const page = await mallory.browser.open(answer.href)
    expect(page.status).toBe(502)
    expect(textOf(page)).toContain('invalid_grant')
    expect(await statusOf(own)).toBe('waiting')
  })

  it('that says no leads back to the credentials, and nothing of its text is repeated', async () => {
    const start = await waiting()
    const { url } = await leave(ann.browser, start)
    const state = new URL(url).searchParams.get('state')
    const error = '<script>alert(1)</script>'
    const query = new URLSearchParams({ error, error_description: 'call 555', state: state ?? '' })
    const page = await ann.browser.open(`/connect/gitlab/callback?${query}`)
    expect(page.status).toBe(403)
    expect(page.html).toContain(`href="/setup/${start.setupId}"`)
    expect(page.html).not.toMatch(/alert|555/)
    expect((await ann.browser.open(`/setup/${start.setupId}`)).status).toBe(200)
  })
})

describe('the form that leads to the vendor', () => {
  it('is not taken from another site or another browser', async () => {
    const { setupId } = await waiting()
    const page = await ann.browser.open(`/setup/${setupId}`)
    const send = (browser: Browser, headers: Record<string, string>) =>
      browser.open(`/setup/${setupId}/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams({ token: tokenOf(page) }).toString(),
      })
    expect((await send(ann.browser, { origin: 'https://evil.example' })).status).toBe(403)
    const other = await workspace.member('ann', 'editor')
    expect((await send(other.browser, {})).status).toBe(403)
  })

  it('sent twice: only the way that was begun last can be finished', async () => {
    const start = await waiting()
    const first = await answerOf(ann.browser, start)
    const second = await answerOf(ann.browser, start)
    await refuses(ann.browser, first, start)
    expect((await ann.browser.open(second)).status).toBe(200)
  })
})
