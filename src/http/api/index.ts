import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { originOf } from '../../identity/origin.ts'
import type { AuthenticatedCaller } from '../../operations/caller.ts'
import { AirbyteError } from '../../protocol/index.ts'
import { RESOURCE_METADATA } from '../resource-server.ts'
import { errorResponse, noRoute } from './errors.ts'
import { openApiDocument } from './openapi.ts'
import { operationRoutes } from './operations.ts'
import { publicRoutes } from './public/index.ts'
import type { ApiContext, ApiEnv } from './types.ts'

const MAX_BODY_BYTES = 4 * 1024 * 1024

/**
 * The HTTP API behind authentication: Airbyte's public API v1 under `/api/public/v1`, every
 * operation under `/api/v1`. Errors are `{ error: ErrorRecord }` with the code's status.
 */
export function createApi(): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>()
  app.onError((error, c) => challenged(c, errorResponse(error)))
  app.notFound((c) => errorResponse(noRoute(c.req.method, c.req.path)))
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }))
  app.use(async (c, next) => {
    const { tenantId, caller } = c.executionCtx.props as AuthenticatedCaller
    c.set('tenantId', tenantId)
    c.set('caller', caller)
    await next()
  })
  app.get('/api/v1/openapi.json', (c) => c.json(openApiDocument(new URL(c.req.url).origin)))
  app.route('/api/v1', operationRoutes())
  app.route('/api/public/v1', publicRoutes())
  return app
}

/** With what a client has to ask the person for, where a scope was missing (RFC 6750, section 3.1). */
function challenged({ var: { needed }, req, env }: ApiContext, response: Response): Response {
  if (!needed || response.status !== 403) return response
  const metadata = `${originOf(new URL(req.url), env)}${RESOURCE_METADATA}/api`
  const challenge = `Bearer realm="OAuth", error="insufficient_scope", scope="${needed.join(' ')}"`
  response.headers.set('www-authenticate', `${challenge}, resource_metadata="${metadata}"`)
  return response
}

function tooLarge(): Response {
  const limit = `${MAX_BODY_BYTES / 1024 / 1024} MB`
  return errorResponse(new AirbyteError('TOO_LARGE', `The body is larger than ${limit}.`))
}

let api: Hono<ApiEnv> | undefined

/** Answers a request whose token was checked: `ctx.props` says who calls in which workspace. */
export function handleApi(
  request: Request,
  env: Env,
  ctx: ExecutionContext<unknown>,
): Promise<Response> | Response {
  api ??= createApi()
  return api.fetch(request, env, ctx as ExecutionContext)
}

/** What the API answers without a token: null where one is needed. */
export function handleOpenApi(request: Request): Response | null {
  const { pathname, origin } = new URL(request.url)
  if (request.method !== 'GET') return null
  if (pathname === '/api/v1/openapi.json') return Response.json(openApiDocument(origin))
  if (pathname === '/api/public/v1/health') return new Response('Successful operation')
  return null
}
