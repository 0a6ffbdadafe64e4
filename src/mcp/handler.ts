import {
  type AuthInfo,
  isLegacyRequest,
  localhostAllowedOrigins,
  originValidationResponse,
} from '@modelcontextprotocol/server'
import { createMcpHandler } from 'agents/mcp/server'
import { readBody } from '../http/read-body.ts'
import type { AuthorizedContext } from '../http/resource-server.ts'
import { AirbyteError } from '../protocol/index.ts'
import type { SessionCall } from './McpSession.ts'
import { buildServer, type ServerFactory } from './server.ts'

/** Arguments are configs and names; anything larger is a mistake. */
const MAX_BODY_BYTES = 4 * 1024 * 1024
const SESSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * `/mcp`, in two lanes: 2026-07-28 requests stand alone and are served here; 2025-era clients have
 * a session object. Both run the same server over the same operations.
 *
 * @param factory what answers requests that stand alone; a session object brings its own
 */
export async function handleMcp(
  request: Request,
  env: Env,
  ctx: AuthorizedContext,
  factory: ServerFactory = buildServer,
): Promise<Response> {
  const url = new URL(request.url)
  const refused = originValidationResponse(request, [...localhostAllowedOrigins(), url.hostname])
  if (refused) return refused
  let body: string | undefined
  let parsed: unknown
  try {
    body = request.method === 'POST' ? await readBody(request, MAX_BODY_BYTES) : undefined
    parsed = body === undefined ? undefined : JSON.parse(body)
  } catch (error) {
    return error instanceof AirbyteError
      ? rpcError(413, -32600, error.message)
      : rpcError(400, -32700, 'The body is not JSON.')
  }
  const whole = new Request(request, body === undefined ? {} : { body })
  if (await isLegacyRequest(whole.clone(), parsed)) {
    return session(whole, env, { body, authInfo: authInfoOf(ctx) })
  }
  // The URL is made of the host; within a Worker (service bindings) there may be no header.
  whole.headers.set('host', url.host)
  const handler = createMcpHandler(() => factory(env, request), {
    legacy: 'reject',
    // Checked above; the host was by the router, which knows the names that are ours.
    allowedOriginHostnames: '*',
    maxRequestBodySize: MAX_BODY_BYTES,
  })
  return handler(whole, env, ctx)
}

async function session(request: Request, env: Env, call: SessionCall): Promise<Response> {
  // An open stream would keep the object awake all day, and nothing is ever pushed on it.
  if (request.method === 'GET' && !request.headers.has('last-event-id')) {
    return new Response(null, { status: 405, headers: { allow: 'POST, DELETE' } })
  }
  const named = request.headers.get('mcp-session-id')
  if (named === null && !call.body?.includes('"initialize"')) {
    return rpcError(400, -32000, 'Mcp-Session-Id header is required.')
  }
  const sessionId = named ?? crypto.randomUUID()
  if (!SESSION_ID.test(sessionId)) return rpcError(404, -32001, 'Session not found')
  const { tenantId, userId } = call.authInfo.extra as { tenantId: string; userId: string }
  const object = env.MCP_SESSION.getByName(`${tenantId}:${userId}:${sessionId}`)
  const response = await object.handle(request, call)
  const readable = new Response(response.body, response)
  // Clients in a browser may read only the headers that are named.
  readable.headers.set('access-control-expose-headers', 'mcp-session-id')
  return readable
}

/** The checked token in the SDK's words, for the lane that does not take it from the context. */
function authInfoOf(ctx: AuthorizedContext): AuthInfo {
  const { tenantId, caller } = ctx.props
  return {
    // Handlers work with the caller; the token itself has no business further in.
    token: 'checked',
    clientId: caller.clientId ?? caller.subject,
    scopes: [...caller.scopes],
    extra: { props: ctx.props, tenantId, userId: caller.subject },
  }
}

function rpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status })
}
