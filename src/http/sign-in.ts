import { isLocal, originOf } from '../identity/origin.ts'
import { closeSession, currentPerson, openSession } from '../identity/session.ts'
import { ATTEMPT_OVER, beginSignIn, takeSignIn } from '../identity/sign-in/attempts.ts'
import { type SignInConfig, signInConfig } from '../identity/sign-in/config.ts'
import { SignInProblem } from '../identity/sign-in/problem.ts'
import type { SignInProvider } from '../identity/sign-in/provider.ts'
import { safeReturnPath } from '../identity/sign-in/return-path.ts'
import { AirbyteError } from '../protocol/index.ts'
import { messagePage } from './pages/layout.tsx'
import { signedInPage, signInNotConfiguredPage, signInPage } from './pages/sign-in.tsx'
import { signInProblemPage } from './pages/sign-in-problem.tsx'
import { readBody } from './read-body.ts'
import { isForeign } from './same-origin.ts'

export const SIGN_IN_PATH = '/sign-in'
export const SIGN_OUT_PATH = '/sign-out'
const MAX_FORM_BYTES = 64 * 1024
const ROUTE = /^\/sign-in\/(oidc|github)(\/callback)?$/

export function isSignInPath(path: string): boolean {
  return path === SIGN_IN_PATH || path === SIGN_OUT_PATH || ROUTE.test(path)
}

/** Where a page needs a person and nobody is signed in: to the sign-in page, and back afterwards. */
export function signInFirst(request: Request, env: Env): Response {
  const config = signInConfig(env)
  if (config.providers.length === 0) return signInNotConfiguredPage(config.missing)
  const { pathname, search } = new URL(request.url)
  return seeOther(
    request,
    env,
    `${SIGN_IN_PATH}?${new URLSearchParams({ return_to: pathname + search })}`,
  )
}

/**
 * - `GET /sign-in?return_to=/path`: the page with a button for each provider
 * - `POST /sign-in/<provider>`: on to the provider. By a form of ours only, so that no other page
 *   can begin a sign-in
 * - `GET /sign-in/<provider>/callback`: back from there
 * - `POST /sign-out`
 */
export async function handleSignIn(request: Request, env: Env): Promise<Response> {
  const url = new URL(request.url)
  const origin = originOf(url, env)
  // Local mode knows one person, who is always there.
  if (isLocal(url, env)) return seeOther(request, env, returnPathOf(url.searchParams, origin))
  const config = signInConfig(env)
  if (config.providers.length === 0) return signInNotConfiguredPage(config.missing)
  if (url.pathname === SIGN_IN_PATH && request.method === 'GET') return choose(request, env, config)

  const [, id, callback] = ROUTE.exec(url.pathname) ?? []
  const provider = config.providers.find((candidate) => candidate.id === id)
  if (callback && provider && request.method === 'GET')
    return finish(request, env, config, provider)
  if (callback || request.method !== 'POST') return notFound()
  if (isForeign(request)) {
    return messagePage('Not accepted', 'This form was sent from another site.', { status: 403 })
  }
  const form = await readForm(request)
  if (!form) return messagePage('Not accepted', 'This form is too large.', { status: 413 })
  const returnTo = returnPathOf(form, origin)
  if (url.pathname === SIGN_OUT_PATH) return signOut(request, env, returnTo)
  return provider ? begin(request, env, provider, returnTo) : notFound()
}

async function choose(request: Request, env: Env, config: SignInConfig): Promise<Response> {
  const url = new URL(request.url)
  const returnTo = returnPathOf(url.searchParams, originOf(url, env))
  const person = await currentPerson(request, env)
  if (!person) return signInPage(config.providers, returnTo)
  return returnTo === '/' ? signedInPage(person.name) : seeOther(request, env, returnTo)
}

async function begin(
  request: Request,
  env: Env,
  provider: SignInProvider,
  returnTo: string,
): Promise<Response> {
  try {
    const { attempt, cookie } = await beginSignIn(env, { provider: provider.id, returnTo })
    const location = await provider.begin(redirectUriOf(request, env, provider), attempt)
    return redirect(location.href, [cookie])
  } catch (error) {
    return refusal(error, provider, returnTo)
  }
}

async function finish(
  request: Request,
  env: Env,
  config: SignInConfig,
  provider: SignInProvider,
): Promise<Response> {
  const answer = new URL(request.url).searchParams
  const attempt = await takeSignIn(env, request, provider.id, answer.get('state') ?? '')
  try {
    if (!attempt) throw new SignInProblem('stale')
    const redirectUri = redirectUriOf(request, env, provider)
    const person = await provider.finish(answer, redirectUri, attempt)
    if (!config.allows(person.email)) throw new SignInProblem('not_allowed')
    const session = await openSession(env, person)
    return seeOther(request, env, attempt.returnTo, [session, ATTEMPT_OVER])
  } catch (error) {
    return refusal(error, provider, attempt?.returnTo ?? '/')
  }
}

async function signOut(request: Request, env: Env, returnTo: string): Promise<Response> {
  const cookie = await closeSession(request, env)
  const target = returnTo === '/' ? '' : `?${new URLSearchParams({ return_to: returnTo })}`
  return seeOther(request, env, `${SIGN_IN_PATH}${target}`, [cookie])
}

/** Null if it is larger than any form of ours. */
async function readForm(request: Request): Promise<URLSearchParams | null> {
  try {
    return new URLSearchParams(await readBody(request, MAX_FORM_BYTES))
  } catch (error) {
    if (error instanceof AirbyteError && error.code === 'TOO_LARGE') return null
    throw error
  }
}

function refusal(error: unknown, provider: SignInProvider, returnTo: string): Response {
  if (!(error instanceof SignInProblem)) throw error
  const { reason, detail } = error
  if (reason !== 'declined' && reason !== 'stale') {
    console.warn('sign-in', { provider: provider.id, reason, detail })
  }
  return signInProblemPage(reason, provider.title, returnTo)
}

/** Registered with the provider; never made of what a request says. */
function redirectUriOf(request: Request, env: Env, { id }: SignInProvider): string {
  return `${originOf(new URL(request.url), env)}${SIGN_IN_PATH}/${id}/callback`
}

function returnPathOf(parameters: URLSearchParams, origin: string): string {
  return safeReturnPath(parameters.get('return_to'), origin)
}

function seeOther(request: Request, env: Env, path: string, cookies: string[] = []): Response {
  return redirect(originOf(new URL(request.url), env) + path, cookies)
}

function redirect(location: string, cookies: string[]): Response {
  const headers = new Headers({ location, 'cache-control': 'no-store' })
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  return new Response(null, { status: 303, headers })
}

function notFound(): Response {
  return messagePage('Not found', 'There is nothing at this address.', { status: 404 })
}
