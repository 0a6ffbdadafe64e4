import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { handleRequest } from '../../src/http/router.ts'
import { apiKey } from '../mcp/api-key.ts'
import { call, login, ORIGIN } from './oauth-client.ts'

const WORKSPACE = '/api/v1/workspace'
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

describe('the API', () => {
  it('knows the workspace from an API key', async () => {
    const response = await call(WORKSPACE, bearer(await apiKey('api-tenant')))
    expect(await response.json()).toMatchObject({ id: 'api-tenant' })
  })

  it('takes tokens of its own resource, not those of /mcp', async () => {
    const own = await login('reader', { resource: `${ORIGIN}/api` })
    expect((await call(WORKSPACE, bearer(own.tokens.access_token))).status).toBe(200)
    const other = await login('reader')
    expect((await call(WORKSPACE, bearer(other.tokens.access_token))).status).toBe(401)
  })

  it('lets programs on this machine in, in local mode only, and never a browser', async () => {
    expect(await (await call(WORKSPACE)).json()).toMatchObject({ id: 'local' })
    const page = await call(WORKSPACE, { headers: { origin: 'https://evil.example' } })
    expect(page.status).toBe(401)
    const navigated = await call(WORKSPACE, { headers: { 'sec-fetch-site': 'cross-site' } })
    expect(navigated.status).toBe(401)
    const hosted = { ...env, LOCAL_MODE: 'off' } as unknown as Env
    const ctx = { waitUntil() {}, passThroughOnException() {}, props: {} } as never
    const refused = await handleRequest(new Request(`${ORIGIN}${WORKSPACE}`), hosted, ctx)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain('oauth-protected-resource/api')
  })

  it('refuses what the scopes of a key do not cover', async () => {
    const response = await call('/api/v1/sources', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await apiKey('api-tenant', ['workspace:read'])}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ name: 'x', type: 'sample-data', config: {} }),
    })
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="OAuth", error="insufficient_scope", scope="workspace:write", resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/api"`,
    )
    expect(await response.json()).toMatchObject({ error: { code: 'FORBIDDEN' } })
  })

  it('makes keys for people with scopes they have, and none for keys', async () => {
    const make = (token: string | null, scopes: string[]) =>
      call('/api/v1/keys', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token ? { authorization: `Bearer ${token}` } : {}),
        },
        body: JSON.stringify({ name: 'ci', scopes }),
      })
    const made = (await (await make(null, ['workspace:read'])).json()) as {
      token: string
      id: string
    }
    expect(made.token).toMatch(/^abk_local_/)
    expect((await call(WORKSPACE, bearer(made.token))).status).toBe(200)
    expect((await make(await apiKey('local'), ['workspace:read'])).status).toBe(403)
    const { tokens } = await login('editor', { resource: `${ORIGIN}/api` })
    expect((await make(tokens.access_token, ['workspace:delete'])).status).toBe(403)
    const listed = await (await call('/api/v1/keys')).text()
    expect(listed).toContain(made.id)
    expect(listed).not.toContain(made.token.split('_').at(-1))
    expect((await call(`/api/v1/keys/${made.id}`, { method: 'DELETE' })).status).toBe(200)
    expect((await call(WORKSPACE, bearer(made.token))).status).toBe(401)
  })

  it("gives a token in Airbyte's own way for an API key", async () => {
    const key = await apiKey('api-tenant')
    const ask = (client_id: string, client_secret: string) =>
      call('/api/public/v1/applications/token', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ client_id, client_secret, 'grant-type': 'client_credentials' }),
      })
    const id = key.split('_')[2] ?? ''
    const { access_token } = (await (await ask(id, key)).json()) as { access_token: string }
    expect((await call(WORKSPACE, bearer(access_token))).status).toBe(200)
    expect((await ask('other', key)).status).toBe(401)
    expect((await ask(id, `${key}x`)).status).toBe(401)
  })
})
