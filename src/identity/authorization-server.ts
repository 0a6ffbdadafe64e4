import { OAuthAuthorizationServer } from '@cloudflare/workers-oauth-provider'
import type { OAuthEnv } from './oauth-kv.ts'
import { SCOPES } from './scopes.ts'

const DAY = 86_400

export const TOKEN_PATH = '/oauth/token'
export const REGISTER_PATH = '/oauth/register'
export const AUTHORIZE_PATH = '/authorize'

/** The two protected resources; their tokens are not interchangeable. */
export function resourcesOf(origin: string) {
  return { mcp: `${origin}/mcp`, api: `${origin}/api` }
}

const servers = new Map<string, OAuthAuthorizationServer<OAuthEnv>>()

/**
 * The authorization server of an origin. Access lives a day and grants ninety idle days, because
 * several MCP clients refresh late or never; membership is checked at every call, so a long
 * life does not outlast a right.
 */
export function authorizationServer(origin: string): OAuthAuthorizationServer<OAuthEnv> {
  const known = servers.get(origin)
  if (known) return known
  const { mcp, api } = resourcesOf(origin)
  const server = new OAuthAuthorizationServer<OAuthEnv>({
    issuer: origin,
    resources: [mcp, api],
    defaultResource: mcp,
    authorizeEndpoint: AUTHORIZE_PATH,
    tokenEndpoint: TOKEN_PATH,
    clientRegistrationEndpoint: REGISTER_PATH,
    clientIdMetadataDocumentEnabled: true,
    scopesSupported: [...SCOPES, 'offline_access'],
    accessTokenTTL: DAY,
    refreshTokenTTL: 90 * DAY,
    refreshTokenIdleTTL: 90 * DAY,
    onError: ({ status, internal }) => {
      if (status >= 500) console.error('oauth', internal.category, internal.reason)
    },
  })
  servers.set(origin, server)
  return server
}
