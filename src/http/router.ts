import { isOurHost, originOf } from '../identity/origin.ts'
import { handleMcp } from '../mcp/handler.ts'
import { handleApiDoor } from './api-door.ts'
import { handleOAuth, isOAuthPath } from './oauth.ts'
import { messagePage, STYLESHEET_PATH } from './pages/layout.tsx'
import { stylesheet } from './pages/stylesheet.ts'
import { RESOURCE_METADATA, resourceServer } from './resource-server.ts'
import { SETUP_PATH } from './setup.ts'
import { handleSetup } from './setup-page.ts'
import { handleSignIn, isSignInPath } from './sign-in.ts'
import { handleVendorAnswer, isVendorPath } from './vendor-sign-in/finish.ts'
import { handleWorkspace, isWorkspacePath } from './workspace/index.ts'

/**
 * Everything the Worker answers. Durable Objects have no route of their own: they are reached by
 * name from here, never from a path.
 */
export async function handleRequest(
  request: Request,
  env: Env,
  ctx: ExecutionContext,
): Promise<Response> {
  try {
    return await route(request, env, ctx)
  } catch (error) {
    const ref = crypto.randomUUID()
    console.error('request failed', {
      ref,
      path: new URL(request.url).pathname,
      error: nameOf(error),
    })
    return Response.json(
      { error: 'internal', message: 'Something went wrong on our side.', ref },
      { status: 500 },
    )
  }
}

function route(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> | Response {
  const url = new URL(request.url)
  const path = url.pathname
  if (path === '/health') return Response.json({ status: 'ok' })
  if (!isOurHost(url, env)) return elsewhere(request, env)
  if (path === STYLESHEET_PATH) return stylesheet()
  if (isOAuthPath(path)) return handleOAuth(request, env, ctx)
  if (isSignInPath(path)) return handleSignIn(request, env)
  if (path.startsWith(SETUP_PATH)) return handleSetup(request, env)
  if (isVendorPath(path)) return handleVendorAnswer(request, env)
  const resource = resourceOf(path)
  const origin = originOf(url, env)
  if (resource === 'mcp') {
    return resourceServer(origin, 'mcp', handleMcp).fetch(request, env, ctx)
  }
  if (resource === 'api') return handleApiDoor(request, env, ctx)
  if (isWorkspacePath(path)) return handleWorkspace(request, env)
  return messagePage('Not found', 'There is nothing at this address.', { status: 404 })
}

/** Which protected resource a path belongs to, its metadata document included. */
function resourceOf(path: string): 'mcp' | 'api' | null {
  const inner = path.startsWith(RESOURCE_METADATA) ? path.slice(RESOURCE_METADATA.length) : path
  if (inner === '/mcp') return 'mcp'
  return inner === '/api' || inner.startsWith('/api/') ? 'api' : null
}

/** Reached by another of its names: tokens are bound to one, so people are sent there. */
function elsewhere(request: Request, env: Env): Response {
  const url = new URL(request.url)
  const target = new URL(url.pathname + url.search, env.PUBLIC_URL).href
  if (request.method === 'GET' && !request.headers.has('authorization')) {
    return Response.redirect(target, 308)
  }
  return Response.json({ error: 'misdirected', message: `Use ${target}.` }, { status: 421 })
}

/** For the log: what failed, not what it said, since messages may quote user data. */
function nameOf(error: unknown): string {
  return error instanceof Error
    ? `${error.name}\n${error.stack?.split('\n').slice(1).join('\n')}`
    : typeof error
}
