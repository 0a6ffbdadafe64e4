import type { AuthenticatedCaller } from '../operations/caller.ts'
import { parseApiKey } from './api-keys.ts'
import { authorizationServer } from './authorization-server.ts'
import { oauthEnv } from './oauth-kv.ts'
import { personObject, workspaceObject } from './objects.ts'
import { isLocal, originOf } from './origin.ts'
import { roleOf, SCOPES, type Scope, within } from './scopes.ts'
import { LOCAL_PERSON, LOCAL_WORKSPACE } from './session.ts'

/** What a grant stores, encrypted, for the calls made with it. */
export interface GrantProps extends Record<string, unknown> {
  userId: string
  tenantId: string
}

/** A validated token: the caller, and what the resource server's host checks. */
export interface Access {
  props: AuthenticatedCaller & Record<string, unknown>
  audience: string
  scope: Scope[]
  userId: string
  clientId: string
  /** Epoch seconds. */
  expiresAt?: number
}

/**
 * Checks a bearer token for a resource; null if it is not (or no longer) good. An API key is good
 * for both resources. The scopes are those granted less what the member has lost since.
 */
export async function validateToken(
  request: Request,
  env: Env,
  resource: string,
  token: string,
): Promise<Access | null> {
  return token.startsWith('abk_')
    ? validateApiKey(env, resource, token)
    : validateGrant(request, env, resource, token)
}

async function validateApiKey(env: Env, resource: string, token: string): Promise<Access | null> {
  const parts = parseApiKey(token)
  if (!parts) return null
  const key = await workspaceObject(env, parts.tenantId).verifyKey(parts.id, parts.secret)
  if (!key) return null
  const access = accessOf(
    resource,
    'api_key',
    parts.tenantId,
    key.createdBy,
    `apikey:${key.id}`,
    key.scopes,
  )
  return key.expiresAt === undefined
    ? access
    : { ...access, expiresAt: Math.floor(key.expiresAt / 1000) }
}

async function validateGrant(request: Request, env: Env, resource: string, token: string) {
  const url = new URL(request.url)
  const server = authorizationServer(originOf(url, env))
  const valid = await server.validateToken<GrantProps>(resource, token, oauthEnv(env))
  if (!valid) return null
  const { userId, tenantId } = valid.props
  const isLocalGrant = userId === LOCAL_PERSON.userId
  if (isLocalGrant && !isLocal(url, env)) return null
  const level = isLocalGrant
    ? LOCAL_WORKSPACE.level
    : await personObject(env, userId).levelIn(tenantId)
  if (!level) return null
  const scopes = within(valid.scope, level)
  const access = accessOf(resource, 'oauth', tenantId, userId, valid.clientId, scopes)
  return { ...access, expiresAt: valid.expiresAt }
}

function accessOf(
  audience: string,
  kind: 'oauth' | 'api_key',
  tenantId: string,
  userId: string,
  clientId: string,
  scope: Scope[],
): Access {
  const caller = { subject: userId, kind, scopes: scope, clientId, role: roleOf(scope) }
  return { props: { tenantId, caller }, audience, scope, userId, clientId }
}

/**
 * The local workspace's owner, for programs on this machine that bring no token. Never for a
 * browser: any page could otherwise send requests here.
 */
export function localCaller(request: Request, env: Env): AuthenticatedCaller | null {
  if (!isLocal(new URL(request.url), env) || isFromBrowser(request)) return null
  const { userId: subject } = LOCAL_PERSON
  return {
    tenantId: LOCAL_WORKSPACE.tenantId,
    caller: { subject, kind: 'local', scopes: SCOPES, role: 'admin' },
  }
}

/** Browsers name the page that sends a request; programs do not. */
export function isFromBrowser(request: Request): boolean {
  return request.headers.has('origin') || request.headers.has('sec-fetch-site')
}
