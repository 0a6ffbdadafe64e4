import {
  type AuthInfo,
  isInitializeRequest,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { Agent } from 'agents'
import { migrate } from '../durable-object/migrations.ts'
import { EVENT_STORE_SCHEMA, SqlEventStore } from './event-store.ts'
import { buildServer, type ServerFactory } from './server.ts'

const IDLE_SECONDS = 86_400

/** What the Worker found out about a request before it came here. */
export interface SessionCall {
  body?: string
  authInfo: AuthInfo
}

/**
 * One session of a 2025-era client: those protocols let the server ask back (elicitation), which needs
 * a place that both directions meet. The object's name holds workspace, person and session id, so
 * that a session id is worth nothing with another token. It may be evicted at any time: the
 * client's `initialize` is kept and replayed, and sent events can be asked for again.
 */
export class McpSession extends Agent<Env> {
  protected readonly factory: ServerFactory = buildServer
  private transport: WebStandardStreamableHTTPServerTransport | null = null

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    migrate(ctx.storage, [EVENT_STORE_SCHEMA])
  }

  async handle(request: Request, call: SessionCall): Promise<Response> {
    const initialize = initializeIn(call.body)
    if (!initialize && !this.initializeMessage) return sessionNotFound()
    await this.stayAwhile()
    const transport = await this.connected(request, initialize === null)
    if (initialize) this.initializeMessage = initialize
    const { body, authInfo } = call
    const response = await transport.handleRequest(
      new Request(request, body === undefined ? {} : { body }),
      { authInfo },
    )
    if (request.method === 'DELETE' && response.ok) this.end()
    return response
  }

  /** Erases the session once nobody has used it for a day. Runs by schedule. */
  async expire(): Promise<void> {
    const idle = Date.now() - (this.ctx.storage.kv.get<number>('lastUsed') ?? 0)
    if (idle >= IDLE_SECONDS * 1000 || !this.initializeMessage) await this.destroy()
    else await this.schedule(IDLE_SECONDS, 'expire')
  }

  private async connected(request: Request, resume: boolean) {
    if (this.transport) return this.transport
    const { url } = request
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => this.sessionId,
      eventStore: new SqlEventStore(this.ctx.storage.sql),
      retryInterval: 500,
    })
    await this.factory(this.env, request).connect(transport)
    if (resume && this.initializeMessage)
      await replay(transport, url, this.sessionId, this.initializeMessage)
    this.transport = transport
    return transport
  }

  private end(): void {
    this.ctx.storage.kv.delete('initialize')
    this.transport = null
  }

  private async stayAwhile(): Promise<void> {
    const { kv } = this.ctx.storage
    if (kv.get('lastUsed') === undefined) await this.schedule(IDLE_SECONDS, 'expire')
    kv.put('lastUsed', Date.now())
  }

  private get sessionId(): string {
    const name = this.ctx.id.name ?? ''
    return name.slice(name.lastIndexOf(':') + 1)
  }

  private get initializeMessage(): string | undefined {
    return this.ctx.storage.kv.get<string>('initialize')
  }

  private set initializeMessage(message: string) {
    this.ctx.storage.kv.put('initialize', message)
  }
}

/** Brings a new transport to where the client left the old one. */
async function replay(
  transport: WebStandardStreamableHTTPServerTransport,
  url: string,
  sessionId: string,
  initialize: string,
): Promise<void> {
  const { params } = JSON.parse(initialize) as { params: { protocolVersion: string } }
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
  const session = {
    ...headers,
    'mcp-session-id': sessionId,
    'mcp-protocol-version': params.protocolVersion,
  }
  const initialized = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })
  const post = async (body: string, headers: Record<string, string>) =>
    (await transport.handleRequest(new Request(url, { method: 'POST', headers, body }))).text()
  await post(initialize, headers)
  await post(initialized, session)
}

function initializeIn(body: string | undefined): string | null {
  if (!body?.includes('"initialize"')) return null
  const parsed: unknown = JSON.parse(body)
  const message = (Array.isArray(parsed) ? parsed : [parsed]).find(isInitializeRequest)
  return message ? JSON.stringify(message) : null
}

function sessionNotFound(): Response {
  const error = { code: -32001, message: 'Session not found' }
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 404 })
}
