import type { IncomingMessage, ServerResponse } from 'node:http'
import { Provider } from 'oidc-provider'
import { CLIENT } from './client.ts'
import { listen, type RunningServer } from './listen.ts'
import { anybody } from './oidc-provider.ts'

const PROJECT = { id: 11, name: 'shop', path_with_namespace: 'acme/shop', star_count: 3 }

/**
 * An instance of GitLab as far as signing in goes: a certified provider at GitLab's addresses, whose
 * refresh tokens are good for one use, and the one project that its API has.
 *
 * @param origin of the Worker whose redirect URI is registered
 * @param tokenSeconds how long an access token lives
 * @returns also every token that it has issued
 */
export async function startGitLab(
  origin: string,
  tokenSeconds = 7200,
): Promise<RunningServer & { issued: string[] }> {
  const issued: string[] = []
  const server = await listen((url) => {
    const base = anybody()
    const provider = new Provider(url, {
      ...base,
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          redirect_uris: [`${origin}/connect/gitlab/callback`],
          grant_types: ['authorization_code', 'refresh_token'],
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
      ttl: { ...base.ttl, AccessToken: tokenSeconds, RefreshToken: 86_400 },
      routes: { authorization: '/oauth/authorize', token: '/oauth/token' },
      scopes: ['read_api'],
      issueRefreshToken: () => true,
      rotateRefreshToken: true,
    })
    provider.on('grant.success', ({ body }) => {
      issued.push(String(body.access_token), String(body.refresh_token))
    })
    const answer = provider.callback()
    return (request, response) => {
      if (request.url?.startsWith('/api/v4/')) void api(provider, request, response)
      else answer(request, response)
    }
  })
  return { ...server, issued }
}

async function api(
  provider: Provider,
  { url, headers }: IncomingMessage,
  response: ServerResponse,
) {
  const token = headers.authorization?.replace(/^Bearer /, '') ?? ''
  const known = await provider.AccessToken.find(token)
  const isThere = /^\/api\/v4\/projects\/(acme%2Fshop|11)(\?|$)/.test(url ?? '')
  const json = (status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (!known?.scope?.includes('read_api')) return json(401, { message: '401 Unauthorized' })
  return isThere ? json(200, PROJECT) : json(404, { message: '404 Not found' })
}
