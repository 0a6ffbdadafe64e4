import { exports } from 'cloudflare:workers'

export const ORIGIN = 'http://localhost:8787'
export const CALLBACK = 'http://localhost:9999/callback'
export const MCP = `${ORIGIN}/mcp`

/** The Worker as a browser or program reaches it: redirects are not followed. */
export function call(path: string, init: RequestInit = {}): Promise<Response> {
  const request = new Request(new URL(path, ORIGIN), { redirect: 'manual', ...init })
  return exports.default.fetch(request)
}

export async function register(overrides: object = {}): Promise<string> {
  const response = await call('/oauth/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'test client',
      redirect_uris: [CALLBACK],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      ...overrides,
    }),
  })
  return ((await response.json()) as { client_id: string }).client_id
}

export interface Pkce {
  verifier: string
  challenge: string
}

export async function pkce(): Promise<Pkce> {
  const verifier = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  return { verifier, challenge: Buffer.from(digest).toString('base64url') }
}

/** An authorization request; `undefined` leaves a parameter out. */
export function authorizeQuery(
  clientId: string,
  challenge: string,
  overrides: Record<string, string | undefined> = {},
): URLSearchParams {
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: CALLBACK,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    scope: 'workspace:read offline_access',
    state: 'xyz',
    resource: MCP,
    ...overrides,
  }
  return new URLSearchParams(
    Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

/** Opens the consent page as a browser does. */
export async function openConsent(query: URLSearchParams, headers: Record<string, string> = {}) {
  const response = await call(`/authorize?${query}`, { headers })
  const html = await response.text()
  const cookie = response.headers
    .getSetCookie()
    .map((value) => value.split(';')[0])
    .join('; ')
  const handle = /name="handle" value="([^"]+)"/.exec(html)?.[1] ?? ''
  return { response, html, cookie, handle }
}

export function submitConsent(
  query: URLSearchParams,
  { cookie, handle }: { cookie: string; handle: string },
  fields: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  const form = { handle, workspace: 'local', access: 'owner', decision: 'approve', ...fields }
  return call(`/authorize?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', cookie, ...headers },
    body: new URLSearchParams(form).toString(),
  })
}

/** Registers, asks, consents: everything up to the code. */
export async function obtainCode(
  access = 'owner',
  overrides: Record<string, string | undefined> = {},
) {
  const clientId = await register()
  const { verifier, challenge } = await pkce()
  const query = authorizeQuery(clientId, challenge, overrides)
  const consent = await submitConsent(query, await openConsent(query), { access })
  const location = new URL(consent.headers.get('location') ?? 'about:blank')
  return { clientId, verifier, code: location.searchParams.get('code') ?? '', location }
}

export interface Tokens {
  access_token: string
  refresh_token: string
  expires_in: number
  scope: string
  resource: string
  error?: string
}

export async function token(fields: Record<string, string>) {
  const response = await call('/oauth/token', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  })
  return { status: response.status, body: (await response.json()) as Tokens }
}

export function redeem(code: string, clientId: string, verifier: string, more: object = {}) {
  return token({
    grant_type: 'authorization_code',
    code,
    client_id: clientId,
    code_verifier: verifier,
    redirect_uri: CALLBACK,
    resource: MCP,
    ...more,
  })
}

export function refresh(refreshToken: string, clientId: string) {
  return token({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: clientId,
    resource: MCP,
  })
}

/** The whole flow: a client with tokens for `/mcp`. */
export async function login(access = 'owner', overrides: Record<string, string | undefined> = {}) {
  const { clientId, verifier, code } = await obtainCode(access, overrides)
  const { body } = await redeem(
    code,
    clientId,
    verifier,
    overrides.resource ? { resource: overrides.resource } : {},
  )
  return { clientId, tokens: body }
}

/** 200 when the token is accepted at the resource, else the status of the refusal. */
export async function statusWith(accessToken: string, path = '/mcp'): Promise<number> {
  const response = await call(path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'status', version: '1' },
      },
    }),
  })
  await response.text()
  return response.status
}
