import { OAuthResourceServer } from '@cloudflare/workers-oauth-provider'
import { validateToken } from '../identity/access.ts'
import { resourcesOf } from '../identity/authorization-server.ts'
import type { AuthenticatedCaller } from '../operations/caller.ts'

/** Where a resource's metadata is: the resource's path follows. */
export const RESOURCE_METADATA = '/.well-known/oauth-protected-resource'

export type Resource = 'mcp' | 'api'

/** Context of a request whose token was checked: `props` says who calls in which workspace. */
export type AuthorizedContext = ExecutionContext<AuthenticatedCaller & Record<string, unknown>>

export type AuthorizedHandler = (
  request: Request,
  env: Env,
  ctx: AuthorizedContext,
) => Promise<Response> | Response

const servers = new Map<string, OAuthResourceServer<Env>>()

/** Publishes a resource's metadata (RFC 9728) and lets only requests with its tokens through. */
export function resourceServer(origin: string, resource: Resource, handler: AuthorizedHandler) {
  const id = resourcesOf(origin)[resource]
  const known = servers.get(id)
  if (known) return known
  const server = new OAuthResourceServer<Env>({
    resourceMetadata: { resource: id, authorization_servers: [origin], resource_name: 'Airbyte' },
    requiredScopes: ['workspace:read'],
    validateToken: (env: Env, request: Request) => (audience: string, token: string) =>
      validateToken(request, env, audience, token),
    handler: { fetch: (request, env, ctx) => handler(request, env, ctx as AuthorizedContext) },
  })
  servers.set(id, server)
  return server
}
