import { localCaller, validateToken } from '../identity/access.ts'
import { resourcesOf } from '../identity/authorization-server.ts'
import { originOf } from '../identity/origin.ts'
import { AirbyteError } from '../protocol/index.ts'
import { errorResponse } from './api/errors.ts'
import { handleApi, handleOpenApi } from './api/index.ts'
import { readBody } from './read-body.ts'
import { resourceServer } from './resource-server.ts'

const TOKEN_PATH = '/api/public/v1/applications/token'
const MAX_BYTES = 16 * 1024

/**
 * Everything under `/api`: what needs no token, programs on this machine in local mode, and
 * requests with a token of the API's own resource or an API key.
 */
export async function handleApiDoor(
  request: Request,
  env: Env,
  ctx: ExecutionContext,
): Promise<Response> {
  const open = handleOpenApi(request)
  if (open) return open
  const url = new URL(request.url)
  if (url.pathname === TOKEN_PATH && request.method === 'POST')
    return applicationToken(request, env)
  const local = request.headers.has('authorization') ? null : localCaller(request, env)
  if (local && url.pathname.startsWith('/api/'))
    return handleApi(request, env, withProps(ctx, local))
  return resourceServer(originOf(url, env), 'api', handleApi).fetch(request, env, ctx)
}

/**
 * Airbyte's way to a token: `{ client_id, client_secret }`. An application here is an API key: its id
 * and the key itself, which is also the token. Existing clients need no change.
 */
async function applicationToken(request: Request, env: Env): Promise<Response> {
  try {
    const body = JSON.parse((await readBody(request, MAX_BYTES)) || '{}') as Record<string, unknown>
    const key = String(body.client_secret ?? '')
    const audience = resourcesOf(originOf(new URL(request.url), env)).api
    const access = key.startsWith('abk_') ? await validateToken(request, env, audience, key) : null
    if (!access || access.clientId !== `apikey:${body.client_id}`) {
      throw new AirbyteError('UNAUTHORIZED', 'No API key has this client_id and client_secret.', {
        hint: 'Use the id of an API key as client_id and the key itself as client_secret.',
      })
    }
    const left = access.expiresAt === undefined ? 3600 : access.expiresAt - Date.now() / 1000
    const expires_in = Math.floor(Math.min(left, 3600))
    return Response.json(
      { access_token: key, token_type: 'Bearer', expires_in },
      { headers: { 'cache-control': 'no-store' } },
    )
  } catch (error) {
    const known = error instanceof AirbyteError ? error : notJson()
    return errorResponse(known)
  }
}

const notJson = () => new AirbyteError('VALIDATION_FAILED', 'The body is not a JSON object.')

function withProps(ctx: ExecutionContext, props: object): ExecutionContext<unknown> {
  return {
    props,
    waitUntil: (promise: Promise<unknown>) => ctx.waitUntil(promise),
    passThroughOnException: () => ctx.passThroughOnException(),
  } as unknown as ExecutionContext<unknown>
}
