import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Settings } from './settings.ts'

const WAIT_MS = 5 * 60_000

interface Metadata {
  authorization_endpoint: string
  token_endpoint: string
  registration_endpoint: string
}

interface Tokens {
  access_token: string
  refresh_token?: string
  expires_in?: number
}

/**
 * Signs in by OAuth with PKCE: the browser comes back to a port on this machine (RFC 8252).
 * `show` gets the address to open.
 */
export async function signIn(url: string, show: (address: string) => void): Promise<Settings> {
  const metadata = (await getJson(`${url}/.well-known/oauth-authorization-server`)) as Metadata
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`
    const clientId = await register(metadata, redirectUri)
    const verifier = randomBytes(32).toString('base64url')
    const state = randomBytes(16).toString('base64url')
    const address = new URL(metadata.authorization_endpoint)
    address.search = new URLSearchParams({
      ...{ response_type: 'code', client_id: clientId, redirect_uri: redirectUri, state },
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      ...{ code_challenge_method: 'S256', resource: `${url}/api`, scope: SCOPE },
    }).toString()
    const arrived = callback(server, state)
    show(address.href)
    const tokens = await postForm<Tokens>(metadata.token_endpoint, {
      ...{ grant_type: 'authorization_code', code: await arrived, code_verifier: verifier },
      ...{ client_id: clientId, redirect_uri: redirectUri, resource: `${url}/api` },
    })
    return { url, clientId, tokenEndpoint: metadata.token_endpoint, ...settingsOf(tokens) }
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

const SCOPE =
  'workspace:read workspace:write sync:run data:read workspace:delete workspace:admin offline_access'

/** Settings with a token that is still good for a minute. */
export async function refreshed(settings: Settings): Promise<Settings> {
  const { refreshToken, tokenEndpoint, clientId, expiresAt, url } = settings
  if (!refreshToken || !tokenEndpoint || !clientId || !expiresAt) return settings
  if (expiresAt > Date.now() + 60_000) return settings
  const tokens = await postForm<Tokens>(tokenEndpoint, {
    ...{ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId },
    resource: `${url}/api`,
  })
  return { ...settings, ...settingsOf(tokens) }
}

const settingsOf = ({ access_token, refresh_token, expires_in = 3600 }: Tokens) => ({
  token: access_token,
  ...(refresh_token && { refreshToken: refresh_token }),
  expiresAt: Date.now() + expires_in * 1000,
})

/** The code that the browser brings; another state is not ours. */
function callback(server: Server, state: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Nobody signed in within 5 minutes.')), WAIT_MS)
    timer.unref()
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
      if (pathname !== '/callback' || searchParams.get('state') !== state) {
        response.writeHead(404).end()
        return
      }
      clearTimeout(timer)
      const code = searchParams.get('code')
      const reason = searchParams.get('error_description') ?? searchParams.get('error')
      const text = code ? 'Signed in. You can close this tab.' : `Not signed in: ${reason}`
      response.writeHead(200, { 'content-type': 'text/plain' }).end(text, () => {
        if (code) resolve(code)
        else reject(new Error(`The server refused: ${reason}`))
      })
    })
  })
}

async function register({ registration_endpoint: endpoint }: Metadata, redirectUri: string) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'airbyte CLI',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
    }),
  })
  return (await checked<{ client_id: string }>(response)).client_id
}

const getJson = async (url: string) => checked(await fetch(url))

async function postForm<T>(url: string, form: Record<string, string>): Promise<T> {
  return checked<T>(await fetch(url, { method: 'POST', body: new URLSearchParams(form) }))
}

async function checked<T>(response: Response): Promise<T> {
  const body = (await response.json().catch(() => ({}))) as T & { error_description?: string }
  if (response.ok) return body
  throw new Error(`${response.url} answered ${response.status}. ${body.error_description ?? ''}`)
}
