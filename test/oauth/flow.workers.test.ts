import { describe, expect, it } from 'vitest'
import {
  authorizeQuery,
  CALLBACK,
  call,
  login,
  MCP,
  ORIGIN,
  obtainCode,
  openConsent,
  pkce,
  redeem,
  refresh,
  register,
  statusWith,
  submitConsent,
  token,
} from './oauth-client.ts'

describe('discovery', () => {
  it('names the authorization server and the least scope on a 401', async () => {
    const response = await call('/mcp', { method: 'POST', body: '{}' })
    expect(response.status).toBe(401)
    const challenge = response.headers.get('www-authenticate')
    expect(challenge).toContain(`${ORIGIN}/.well-known/oauth-protected-resource/mcp`)
    expect(challenge).toContain('scope="workspace:read"')
  })

  it('publishes metadata of the resource and of the server', async () => {
    const resource = await (await call('/.well-known/oauth-protected-resource/mcp')).json()
    expect(resource).toMatchObject({ resource: MCP, authorization_servers: [ORIGIN] })
    const server = await (await call('/.well-known/oauth-authorization-server')).json()
    expect(server).toMatchObject({
      issuer: ORIGIN,
      authorization_endpoint: `${ORIGIN}/authorize`,
      token_endpoint: `${ORIGIN}/oauth/token`,
      registration_endpoint: `${ORIGIN}/oauth/register`,
      code_challenge_methods_supported: ['S256'],
      client_id_metadata_document_supported: true,
    })
  })
})

describe('authorization', () => {
  it('gives tokens to a client that the person allowed', async () => {
    const { tokens } = await login('operator')
    expect(tokens.scope.split(' ').sort()).toEqual(['data:read', 'sync:run', 'workspace:read'])
    expect(tokens.resource).toBe(MCP)
    expect(tokens.expires_in).toBeGreaterThan(3600)
    expect(await statusWith(tokens.access_token)).toBe(200)
  })

  it('shows who asks, where the access goes, and cannot be framed or scripted', async () => {
    const clientId = await register({ client_name: '<script>alert(1)</script>' })
    const query = authorizeQuery(clientId, (await pkce()).challenge)
    const { response, html } = await openConsent(query)
    expect(html).toContain('&lt;script&gt;')
    expect(html).not.toContain('<script')
    expect(html).toContain('localhost')
    const policy = response.headers.get('content-security-policy')
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("default-src 'none'")
    // With `no-referrer` a browser would send `Origin: null` and the form be refused.
    expect(response.headers.get('referrer-policy')).toBe('same-origin')
  })

  it('tells the client when the person denies', async () => {
    const query = authorizeQuery(await register(), (await pkce()).challenge)
    const response = await submitConsent(query, await openConsent(query), { decision: 'deny' })
    const location = new URL(response.headers.get('location') ?? '')
    expect(location.searchParams.get('error')).toBe('access_denied')
    expect(location.searchParams.get('state')).toBe('xyz')
  })

  it('does not take a form from another browser', async () => {
    const query = authorizeQuery(await register(), (await pkce()).challenge)
    const { handle } = await openConsent(query)
    const response = await submitConsent(query, { cookie: '', handle })
    expect(response.status).toBe(400)
    expect(response.headers.get('location')).toBeNull()
  })

  it('does not take a form sent from another site', async () => {
    const query = authorizeQuery(await register(), (await pkce()).challenge)
    const consent = await openConsent(query)
    for (const origin of ['https://evil.example', 'null']) {
      expect((await submitConsent(query, consent, {}, { origin })).status).toBe(403)
    }
    expect((await submitConsent(query, consent, {}, { origin: ORIGIN })).status).toBe(302)
  })

  it('takes a form once', async () => {
    const query = authorizeQuery(await register(), (await pkce()).challenge)
    const consent = await openConsent(query)
    expect((await submitConsent(query, consent)).status).toBe(302)
    expect((await submitConsent(query, consent)).status).toBe(400)
  })

  it('does not grant a workspace that the person is not a member of', async () => {
    const query = authorizeQuery(await register(), (await pkce()).challenge)
    const response = await submitConsent(query, await openConsent(query), { workspace: 'other' })
    expect(response.status).toBe(400)
  })

  it('lets a local program approve without a page, but never a browser', async () => {
    const { verifier, challenge } = await pkce()
    const clientId = await register()
    const fields = Object.fromEntries(authorizeQuery(clientId, challenge, { scope: undefined }))
    const approve = (headers: Record<string, string>) =>
      call('/authorize/approve', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(fields),
      })
    expect((await approve({ origin: ORIGIN })).status).toBe(403)
    expect((await approve({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await approve({ 'content-type': 'text/plain' })).status).toBe(403)
    const { redirectTo } = (await (await approve({})).json()) as { redirectTo: string }
    const code = new URL(redirectTo).searchParams.get('code') ?? ''
    const { body } = await redeem(code, clientId, verifier)
    expect(await statusWith(body.access_token)).toBe(200)
  })
})

describe('attacks on the code flow', () => {
  it.each([
    ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }],
    ['plain PKCE', { code_challenge_method: 'plain' }],
  ])('refuses a request with %s', async (_, overrides) => {
    const query = authorizeQuery(await register(), (await pkce()).challenge, overrides)
    const { response } = await openConsent(query)
    const location = response.headers.get('location')
    expect(new URL(location ?? '').searchParams.get('error')).toBe('invalid_request')
  })

  it.each([
    'https://evil.example/callback',
    'http://localhost:9999/other',
    'http://localhost:9999/callback?x=1',
    'http://localhost:9999/callback#fragment',
    'https://localhost:9999/callback',
    'http://localhost.evil.example:9999/callback',
    'javascript:alert(1)',
  ])('does not redirect to %s', async (redirect_uri) => {
    const query = authorizeQuery(await register(), (await pkce()).challenge, { redirect_uri })
    const { response } = await openConsent(query)
    expect(response.status).toBe(400)
    expect(response.headers.get('location')).toBeNull()
  })

  it('refuses a wrong or missing verifier', async () => {
    const { clientId, code } = await obtainCode()
    expect((await redeem(code, clientId, (await pkce()).verifier)).body.error).toBe('invalid_grant')
    expect((await redeem(code, clientId, '')).status).toBe(400)
  })

  it('refuses another redirect URI at redemption', async () => {
    const { clientId, code, verifier } = await obtainCode()
    const redirect_uri = `${CALLBACK}/other`
    const { body } = await redeem(code, clientId, verifier, { redirect_uri })
    expect(body.error).toBe('invalid_grant')
  })

  it('refuses another client', async () => {
    const { code, verifier } = await obtainCode()
    const { body } = await redeem(code, await register(), verifier)
    expect(body.error).toBe('invalid_grant')
  })

  it('revokes everything when a code is used twice', async () => {
    const { clientId, code, verifier } = await obtainCode()
    const { body } = await redeem(code, clientId, verifier)
    expect(await statusWith(body.access_token)).toBe(200)
    expect((await redeem(code, clientId, verifier)).body.error).toBe('invalid_grant')
    expect(await statusWith(body.access_token)).toBe(401)
    expect((await refresh(body.refresh_token, clientId)).body.error).toBe('invalid_grant')
  })

  it('redeems a code at most once when it is sent twenty times at once', async () => {
    const { clientId, code, verifier } = await obtainCode()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => redeem(code, clientId, verifier)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it('refuses a token of the API at the MCP resource and the other way round', async () => {
    const { tokens } = await login('owner', { resource: `${ORIGIN}/api` })
    expect(await statusWith(tokens.access_token)).toBe(401)
  })

  it('refuses an unknown resource', async () => {
    const query = authorizeQuery(await register(), (await pkce()).challenge, {
      resource: 'https://elsewhere.example/mcp',
    })
    const { response } = await openConsent(query)
    const location = response.headers.get('location')
    expect(new URL(location ?? '').searchParams.get('error')).toBe('invalid_target')
  })

  it.each(['a', 'a:b', 'a:b:c', ':::', 'local:x:y', `${'x'.repeat(500)}:y:z`])(
    'answers the malformed code %s with an OAuth error',
    async (code) => {
      const { status, body } = await redeem(code, await register(), 'v'.repeat(43))
      expect(status).toBe(400)
      expect(body.error).toBe('invalid_grant')
    },
  )

  it('refuses a token request of absurd size', async () => {
    const response = await call('/oauth/token', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '1000000' },
      body: 'a'.repeat(1_000_000),
    })
    expect(response.status).toBe(413)
  })
})

describe('refresh', () => {
  it('rotates, and the new tokens work', async () => {
    const { clientId, tokens } = await login()
    const { body } = await refresh(tokens.refresh_token, clientId)
    expect(body.refresh_token).not.toBe(tokens.refresh_token)
    expect(await statusWith(body.access_token)).toBe(200)
  })

  it('leaves all of thirty parallel refreshes with tokens that work and go on working', async () => {
    const { clientId, tokens } = await login()
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => refresh(tokens.refresh_token, clientId)),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200))
    const used = await Promise.all(answers.map(({ body }) => statusWith(body.access_token)))
    expect(used).toEqual(Array(30).fill(200))
    const again = await Promise.all(
      answers.map(({ body }) => refresh(body.refresh_token, clientId)),
    )
    expect(again.map(({ status }) => status)).toEqual(Array(30).fill(200))
  })

  it('answers a client whose first answer was lost', async () => {
    const { clientId, tokens } = await login()
    const lost = await refresh(tokens.refresh_token, clientId)
    const retried = await refresh(tokens.refresh_token, clientId)
    expect(retried.body.refresh_token).toBe(lost.body.refresh_token)
    expect((await refresh(retried.body.refresh_token, clientId)).status).toBe(200)
  })

  it("does not give one client's answer to another", async () => {
    const { clientId, tokens } = await login()
    await refresh(tokens.refresh_token, clientId)
    const { body } = await refresh(tokens.refresh_token, await register())
    expect(body.error).toBe('invalid_grant')
  })

  it('ends with the grant: nothing is repeated after revocation', async () => {
    const { clientId, tokens } = await login()
    const { body } = await refresh(tokens.refresh_token, clientId)
    const revoked = await call('/oauth/token', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        token: body.refresh_token,
        token_type_hint: 'refresh_token',
        client_id: clientId,
      }).toString(),
    })
    expect(revoked.status).toBe(200)
    expect((await refresh(tokens.refresh_token, clientId)).body.error).toBe('invalid_grant')
    expect(await statusWith(body.access_token)).toBe(401)
  })

  it('keeps two clients of one person signed in side by side', async () => {
    const first = await login()
    const second = await login()
    expect(await statusWith(first.tokens.access_token)).toBe(200)
    expect(await statusWith(second.tokens.access_token)).toBe(200)
  })

  it('refuses grant types it does not offer', async () => {
    const { status } = await token({ grant_type: 'password', client_id: await register() })
    expect(status).toBe(400)
  })
})
