import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { handleRequest } from '../../src/http/router.ts'
import { personObject, removeMember } from '../../src/identity/objects.ts'
import { userIdOf } from '../../src/identity/people.ts'
import type { AccessLevel } from '../../src/identity/scopes.ts'
import { openSession } from '../../src/identity/session.ts'
import { authorizeQuery, ORIGIN, obtainCode, pkce, redeem, register } from './oauth-client.ts'

/** The same Worker as it runs for many people: nobody is let in without signing in. */
const hosted = { ...env, LOCAL_MODE: 'off' } as unknown as Env
const ctx = { waitUntil() {}, passThroughOnException() {}, props: {} } as never

const call = (path: string, init: RequestInit = {}) =>
  handleRequest(new Request(new URL(path, ORIGIN), { redirect: 'manual', ...init }), hosted, ctx)

async function person(subject: string, workspaces: Record<string, AccessLevel> = {}) {
  const profile = { issuer: 'https://id.example', subject, name: subject }
  const userId = await userIdOf(profile)
  for (const [tenantId, level] of Object.entries(workspaces)) {
    await personObject(env, userId).join({ tenantId, name: tenantId, level })
  }
  const cookie = (await openSession(env, profile)).split(';')[0] ?? ''
  return { userId, cookie }
}

async function connect(who: { cookie: string }, fields: Record<string, string>) {
  const clientId = await register()
  const { verifier, challenge } = await pkce()
  const query = authorizeQuery(clientId, challenge)
  const page = await call(`/authorize?${query}`, { headers: { cookie: who.cookie } })
  const handle = /name="handle" value="([^"]+)"/.exec(await page.text())?.[1] ?? ''
  const consent = page.headers
    .getSetCookie()
    .map((value) => value.split(';')[0])
    .join('; ')
  const answer = await call(`/authorize?${query}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      cookie: `${who.cookie}; ${consent}`,
    },
    body: new URLSearchParams({ handle, decision: 'approve', ...fields }).toString(),
  })
  const location = answer.headers.get('location')
  if (!location) return { status: answer.status, token: '', scope: '' }
  const code = new URL(location).searchParams.get('code') ?? ''
  const { body } = await redeem(code, clientId, verifier)
  return { status: answer.status, token: body.access_token, scope: body.scope }
}

async function statusOf(token: string): Promise<number> {
  const response = await call('/mcp', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  })
  await response.text()
  return response.status
}

describe('a hosted server', () => {
  it('says what to configure while nobody can sign in', async () => {
    const query = authorizeQuery(await register(), (await pkce()).challenge)
    const response = await call(`/authorize?${query}`)
    expect(response.status).toBe(503)
    expect(await response.text()).toContain('Sign-in is not configured')
  })

  it('has no approval without a page', async () => {
    const query = authorizeQuery(await register(), (await pkce()).challenge)
    const response = await call('/authorize/approve', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(Object.fromEntries(query)),
    })
    expect(response.status).toBe(403)
  })

  it('refuses tokens that were made in local mode', async () => {
    const { clientId, verifier, code } = await obtainCode()
    const { body } = await redeem(code, clientId, verifier)
    expect(await statusOf(body.access_token)).toBe(401)
  })

  it('gives a member no more than the membership, whatever was chosen', async () => {
    const reader = await person('reader', { acme: 'reader' })
    const { scope } = await connect(reader, { workspace: 'acme', access: 'owner' })
    expect(scope).toBe('workspace:read')
  })

  it('lets nobody into a workspace they are not a member of', async () => {
    const stranger = await person('stranger', { theirs: 'owner' })
    expect((await connect(stranger, { workspace: 'acme', access: 'reader' })).status).toBe(400)
  })

  it('ends access at the next call when a membership ends or shrinks', async () => {
    // A workspace keeps its last owner: there is another.
    await person('boss', { acme: 'owner' })
    const member = await person('member', { acme: 'owner' })
    const { token } = await connect(member, { workspace: 'acme', access: 'owner' })
    expect(await statusOf(token)).not.toBe(401)
    await personObject(env, member.userId).join({ tenantId: 'acme', name: 'acme', level: 'reader' })
    const create = await call('/mcp', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'create_source',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name: 'create_source',
          arguments: { name: 'x', type: 'sample-data', config: {} },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    })
    expect(create.status, await create.text()).toBe(403)
    await removeMember(env, 'acme', member.userId)
    expect(await statusOf(token)).toBe(401)
  })
})

describe('time', () => {
  /** Moves everything that a shard keeps into the past. */
  const expire = (userId: string, prefix: string) =>
    runInDurableObject(env.OAUTH_STORE.getByName(`user:${userId}`), (_, { storage }) => {
      storage.sql.exec(
        'update entries set expires = 1 where key >= ? and key < ?',
        prefix,
        `${prefix}~`,
      )
    })

  it('ends a code that was not redeemed in time', async () => {
    const { clientId, verifier, code } = await obtainCode()
    await expire('local', 'grant:')
    expect((await redeem(code, clientId, verifier)).body.error).toBe('invalid_grant')
  })

  it('ends an access token', async () => {
    const { clientId, verifier, code } = await obtainCode()
    const { body } = await redeem(code, clientId, verifier)
    await expire('local', 'token:')
    const response = await call('/mcp', {
      method: 'POST',
      headers: { authorization: `Bearer ${body.access_token}` },
      body: '{}',
    })
    expect(response.status).toBe(401)
  })
})

describe('errors', () => {
  it('tell a stranger nothing about the inside', async () => {
    const broken = { ...hosted, OAUTH_STORE: undefined } as unknown as Env
    const response = await handleRequest(
      new Request(`${ORIGIN}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ redirect_uris: ['http://localhost/cb'] }),
      }),
      broken,
      ctx,
    )
    expect(response.status).toBe(500)
    const body = await response.text()
    expect(body).toContain('"ref"')
    expect(body).not.toMatch(/undefined|\.ts|at |getByName/)
  })
})
