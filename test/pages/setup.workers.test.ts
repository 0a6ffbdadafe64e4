import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { createSetup, getSetup } from '../../src/http/setup.ts'
import { workspaceObject } from '../../src/identity/objects.ts'
import { openSession } from '../../src/identity/session.ts'
import { SCOPES } from '../../src/operations/caller.ts'
import { createOperationContext } from '../../src/operations/context.ts'
import { invokeOperation } from '../../src/operations/invoke.ts'
import { operationById } from '../../tools/index.ts'
import { call } from '../oauth/oauth-client.ts'

const pg = new URL((env as unknown as { PG_URL: string }).PG_URL)
const caller = { subject: 'local', kind: 'local' as const, scopes: SCOPES, role: 'admin' as const }

function run(id: string, input: object): Promise<Record<string, unknown>> {
  const signal = new AbortController().signal
  const ctx = createOperationContext(env, { tenantId: 'local', caller, face: 'http', signal })
  const operation = operationById(id)
  if (!operation) throw new Error(`no operation ${id}`)
  return invokeOperation(operation, ctx, input)
}

let destinationId: string

async function newSetup(subject = 'local', tenantId = 'local') {
  const { setupId } = await createSetup(env, {
    tenantId,
    entity: 'destination',
    entityId: destinationId,
    name: 'warehouse',
    connector: 'postgres',
    subject,
  })
  return setupId
}

async function open(setupId: string, headers: Record<string, string> = {}) {
  const response = await call(`/setup/${setupId}`, { headers })
  const html = await response.text()
  const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? ''
  const token = /name="token" value="([^"]+)"/.exec(html)?.[1] ?? ''
  return { response, html, cookie, token }
}

async function submit(
  setupId: string,
  { cookie, token }: { cookie: string; token: string },
  fields: Record<string, string>,
  headers: Record<string, string> = {},
) {
  const response = await call(`/setup/${setupId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', cookie, ...headers },
    body: new URLSearchParams({ token, ...fields }).toString(),
  })
  return { response, html: await response.text() }
}

beforeAll(async () => {
  const config = {
    host: pg.hostname,
    port: Number(pg.port),
    database: pg.pathname.slice(1),
    username: pg.username,
    schema: 'public',
    ssl_mode: { mode: 'disable' },
  }
  const input = { name: 'warehouse', type: 'postgres', config }
  destinationId = (await run('destinations.create', input)).id as string
})

describe('the setup page', () => {
  it('asks for the password and says where it will be used', async () => {
    const { response, html } = await open(await newSetup())
    expect(response.status).toBe(200)
    expect(html).toMatch(/<input[^>]+type="password"[^>]+name="password"/)
    expect(html).toContain(pg.hostname)
    expect(html).not.toContain('<script')
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
  })

  it('shows what was wrong with a password and takes another, without ever showing one', async () => {
    const setupId = await newSetup()
    const wrong = await submit(setupId, await open(setupId), { password: 'wr0ng-canary' })
    expect(wrong.response.status).toBe(422)
    expect(wrong.html).toContain('class="problem"')
    expect(wrong.html).not.toContain('wr0ng-canary')
    expect((await getSetup(env, 'local', setupId))?.status).toBe('waiting')

    const right = await submit(setupId, await open(setupId), { password: pg.password })
    expect(right.html).toContain('The test succeeded')
    expect((await getSetup(env, 'local', setupId))?.status).toBe('completed')
    expect(await run('destinations.check', { destination: destinationId })).toMatchObject({
      ok: true,
    })
    const record = await run('destinations.get', { destination: destinationId })
    expect(JSON.stringify(record)).not.toContain('canary')
    expect(record.config).toMatchObject({ password: '**********' })
  })

  it('is used once', async () => {
    const setupId = await newSetup()
    const page = await open(setupId)
    await submit(setupId, page, { password: pg.password })
    expect((await submit(setupId, page, { password: 'other' })).response.status).toBe(410)
    expect((await open(setupId)).response.status).toBe(410)
  })

  it('takes nothing after it has expired, not even from a page that was open', async () => {
    const setupId = await newSetup()
    const page = await open(setupId)
    await runInDurableObject(workspaceObject(env, 'local'), (_, { storage }) => {
      storage.sql.exec('update setups set expires_at = ? where id = ?', Date.now() - 1, setupId)
    })
    const late = await submit(setupId, page, { password: pg.password })
    expect(late.response.status).toBe(410)
    expect(late.html).toContain('This link has expired')
    expect((await open(setupId)).response.status).toBe(410)
    expect((await getSetup(env, 'local', setupId))?.status).toBe('expired')
  })

  it('does not take a form from another site or another browser', async () => {
    const setupId = await newSetup()
    const page = await open(setupId)
    const origin = 'https://evil.example'
    const foreign = await submit(setupId, page, { password: 'x' }, { origin })
    expect(foreign.response.status).toBe(403)
    const unbound = await submit(setupId, { ...page, cookie: '' }, { password: 'x' })
    expect(unbound.response.status).toBe(403)
    expect((await getSetup(env, 'local', setupId))?.status).toBe('waiting')
  })

  it.each(['unknown', 'local.unknown', 'local.', '%00', '%2e%2e%2f'])(
    'answers 404 for the link %s',
    async (id) => expect((await open(id)).response.status).toBe(404),
  )

  it("does not open another workspace's link", async () => {
    expect((await open(await newSetup('local', 'elsewhere'))).response.status).toBe(404)
  })
})

describe('the setup page of a hosted server', () => {
  const hosted = { ...env, LOCAL_MODE: 'off' } as unknown as Env

  it('opens for the person who asked, and for nobody else', async () => {
    const { handleSetup } = await import('../../src/http/setup-page.ts')
    const { personObject } = await import('../../src/identity/objects.ts')
    const { userIdOf } = await import('../../src/identity/people.ts')
    const signIn = async (subject: string) => {
      const profile = { issuer: 'https://id.example', subject, name: subject }
      const cookie = (await openSession(env, profile)).split(';')[0] ?? ''
      const userId = await userIdOf(profile)
      await personObject(env, userId).join({ tenantId: 'local', name: 'w', level: 'editor' })
      return { cookie, userId }
    }
    const ann = await signIn('ann')
    const ben = await signIn('ben')
    const setupId = await newSetup(ann.userId)
    const visit = (cookie: string) =>
      handleSetup(
        new Request(`http://localhost:8787/setup/${setupId}`, { headers: { cookie } }),
        hosted,
      )
    expect((await visit(ann.cookie)).status).toBe(200)
    expect((await visit(ben.cookie)).status).toBe(404)
    expect((await visit('')).status).toBe(503)

    // Not even with a form of Ann's, in her own browser.
    const page = await visit(ann.cookie)
    const token = /name="token" value="([^"]+)"/.exec(await page.text())?.[1] ?? ''
    const bound = page.headers.get('set-cookie')?.split(';')[0]
    const sent = await handleSetup(
      new Request(`http://localhost:8787/setup/${setupId}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          cookie: `${ben.cookie}; ${bound}`,
        },
        body: new URLSearchParams({ token, password: 'x' }).toString(),
      }),
      hosted,
    )
    expect(sent.status).toBe(404)
    expect((await getSetup(env, 'local', setupId))?.status).toBe('waiting')
  })
})
