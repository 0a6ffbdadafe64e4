import {
  AuthorizationError,
  type AuthRequest,
  CimdFetchError,
  type OAuthHelpers,
} from '@cloudflare/workers-oauth-provider'
import { type GrantProps, localCaller } from '../identity/access.ts'
import {
  AUTHORIZE_PATH,
  authorizationServer,
  REGISTER_PATH,
  TOKEN_PATH,
} from '../identity/authorization-server.ts'
import { oauthEnv } from '../identity/oauth-kv.ts'
import { originOf } from '../identity/origin.ts'
import type { Person } from '../identity/people.ts'
import {
  ACCESS_LEVEL_NAMES,
  ACCESS_LEVELS,
  type AccessLevel,
  isAccessLevel,
  within,
} from '../identity/scopes.ts'
import { currentPerson, LOCAL_PERSON, LOCAL_WORKSPACE, membershipsOf } from '../identity/session.ts'
import { grantOf } from '../identity/token-desk.ts'
import { AirbyteError } from '../protocol/index.ts'
import { consentPage } from './pages/consent.tsx'
import { messagePage } from './pages/layout.tsx'
import { withPlainCookies, withPrefixedCookies } from './plain-cookies.ts'
import { readBody } from './read-body.ts'
import { isForeign } from './same-origin.ts'
import { signInFirst } from './sign-in.ts'

const APPROVE_PATH = `${AUTHORIZE_PATH}/approve`
const MAX_FORM_BYTES = 64 * 1024
const METADATA = /^\/\.well-known\/oauth-authorization-server(\/|$)/

/** Whether a path belongs to the authorization server. */
export function isOAuthPath(path: string): boolean {
  return (
    [AUTHORIZE_PATH, APPROVE_PATH, TOKEN_PATH, REGISTER_PATH].includes(path) || METADATA.test(path)
  )
}

/** Metadata, registration, tokens, revocation and the consent page. */
export async function handleOAuth(
  request: Request,
  env: Env,
  ctx: ExecutionContext,
): Promise<Response> {
  try {
    const body = request.method === 'POST' ? await readBody(request, MAX_FORM_BYTES) : undefined
    return await answer(new Request(request, body === undefined ? {} : { body }), body, env, ctx)
  } catch (error) {
    if (!(error instanceof AirbyteError) || error.code !== 'TOO_LARGE') throw error
    const description = { error: 'invalid_request', error_description: error.message }
    return Response.json(description, { status: 413 })
  }
}

function answer(
  request: Request,
  body: string | undefined,
  env: Env,
  ctx: ExecutionContext,
): Promise<Response> {
  const url = new URL(request.url)
  if (url.pathname === AUTHORIZE_PATH) return authorize(request, env)
  if (url.pathname === APPROVE_PATH) return approveLocally(request, env)
  // Requests about a grant run in the object that holds the grant, one after the other.
  const grant = url.pathname === TOKEN_PATH && body ? grantOf(new URLSearchParams(body)) : null
  if (grant) return env.OAUTH_STORE.getByName(`user:${grant.userId}`).fetch(request)
  return authorizationServer(originOf(url, env)).fetch(request, oauthEnv(env), ctx)
}

async function authorize(request: Request, env: Env): Promise<Response> {
  try {
    const oauth = oauthApi(request, env)
    const known = withPrefixedCookies(request)
    const response =
      request.method === 'POST' ? await decide(known, env, oauth) : await ask(known, env, oauth)
    return withPlainCookies(request, response)
  } catch (error) {
    return refusal(error)
  }
}

async function ask(request: Request, env: Env, oauth: OAuthHelpers): Promise<Response> {
  const asked = await oauth.parseAuthRequest(request)
  const person = await currentPerson(request, env)
  if (!person) return signInFirst(request, env)
  const client = await oauth.describeConsent(asked)
  const memberships = await membershipsOf(person, env)
  const { handle, headers } = await oauth.beginConsent(asked)
  const suggested = suggestedLevel(asked.scope)
  const { pathname, search } = new URL(request.url)
  const returnTo = person === LOCAL_PERSON ? undefined : pathname + search
  const { name } = person
  return consentPage({ client, handle, headers, memberships, suggested, person: name, returnTo })
}

async function decide(request: Request, env: Env, oauth: OAuthHelpers): Promise<Response> {
  if (isForeign(request)) {
    return messagePage('Not accepted', 'This form was sent from another site.', { status: 403 })
  }
  const form = await request.formData()
  const handle = String(form.get('handle') ?? '')
  if (form.get('decision') !== 'approve') {
    const denied = await oauth.denyConsent(request, handle)
    return new Response(null, { status: 302, headers: denied.headers })
  }
  const person = await currentPerson(request, env)
  if (!person) return signInFirst(request, env)
  const membership = (await membershipsOf(person, env)).find(
    ({ tenantId }) => tenantId === form.get('workspace'),
  )
  const access = form.get('access')
  if (!membership || !isAccessLevel(access)) {
    return messagePage('Choose a workspace', 'Go back, choose a workspace and an access level.', {
      status: 400,
    })
  }
  const scope = within(ACCESS_LEVELS[access].scopes, membership.level)
  const approved = await oauth.approveConsent(request, handle, { scope })
  const { redirectTo } = await grant(oauth, approved.request, person, membership.tenantId)
  approved.headers.set('location', redirectTo)
  return new Response(null, { status: 302, headers: approved.headers })
}

/**
 * Consent for programs in local mode: `POST /authorize/approve` with the authorization request as
 * JSON; answers `{ redirectTo }`. Browsers are refused, so that no page can approve itself.
 */
async function approveLocally(request: Request, env: Env): Promise<Response> {
  const isJson = request.headers.get('content-type')?.startsWith('application/json')
  if (request.method !== 'POST' || !isJson || !localCaller(request, env)) {
    return Response.json({ error: 'access_denied' }, { status: 403 })
  }
  try {
    const oauth = oauthApi(request, env)
    const fields = (await request.json()) as Record<string, string>
    const url = new URL(`${AUTHORIZE_PATH}?${new URLSearchParams(fields)}`, request.url)
    const asked = await oauth.parseAuthRequest(new Request(url))
    const wanted = asked.scope.length > 0 ? asked.scope : ACCESS_LEVELS.owner.scopes
    const scope = within(wanted, LOCAL_WORKSPACE.level)
    return Response.json(
      await grant(oauth, { ...asked, scope }, LOCAL_PERSON, LOCAL_WORKSPACE.tenantId),
    )
  } catch (error) {
    if (!(error instanceof AuthorizationError)) throw error
    const body = { error: error.code, error_description: error.description }
    return Response.json(body, { status: 400 })
  }
}

function grant(oauth: OAuthHelpers, request: AuthRequest, person: Person, tenantId: string) {
  const props: GrantProps = { userId: person.userId, tenantId }
  return oauth.completeAuthorization({
    request,
    userId: person.userId,
    metadata: { tenantId },
    scope: request.scope,
    props,
    // Two workspaces, or two machines, may be connected from one client at the same time.
    revokeExistingGrants: false,
  })
}

/** Most clients ask only for what the 401 named, to read; people mostly mean to build. */
function suggestedLevel(asked: string[]): AccessLevel {
  const wanted = asked.filter((scope) => scope !== 'offline_access')
  const covers = (level: AccessLevel) =>
    wanted.every((scope) => (ACCESS_LEVELS[level].scopes as readonly string[]).includes(scope))
  const least = ACCESS_LEVEL_NAMES.find(covers) ?? 'owner'
  return least === 'reader' ? 'editor' : least
}

function oauthApi(request: Request, env: Env): OAuthHelpers {
  return authorizationServer(originOf(new URL(request.url), env)).getOAuthApi(oauthEnv(env))
}

/** To the client only once its redirect URI is trusted; else on our own page. */
function refusal(error: unknown): Response {
  if (error instanceof AuthorizationError) {
    if (error.redirectTo) return Response.redirect(error.redirectTo, 302)
    return messagePage('This request is not valid', error.description, { status: 400 })
  }
  if (error instanceof CimdFetchError) {
    return messagePage(
      'This app could not be verified',
      'Its metadata document could not be read.',
      { status: 400 },
    )
  }
  throw error
}
