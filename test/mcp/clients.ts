import { exports } from 'cloudflare:workers'
import { Client as ModernClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { MCP } from '../oauth/oauth-client.ts'

type Capabilities = Record<string, object>

const workerFetch = (input: string | URL | Request, init?: RequestInit) =>
  exports.default.fetch(new Request(input, init))

const transportOptions = (token: string) => ({
  fetch: workerFetch,
  requestInit: { headers: { authorization: `Bearer ${token}` } },
})

/** A client of the 2026-07-28 protocol over the Worker's own fetch. */
export async function modernClient(
  token: string,
  { url = MCP, capabilities = {} }: { url?: string; capabilities?: Capabilities } = {},
): Promise<ModernClient> {
  const client = new ModernClient(
    { name: 'modern', version: '1' },
    { capabilities, versionNegotiation: { mode: 'auto' } },
  )
  await client.connect(new StreamableHTTPClientTransport(new URL(url), transportOptions(token)))
  return client
}

/** A client of the 2025 protocols, as most that are installed. */
export async function legacyClient(
  token: string,
  { url = MCP, capabilities = {} }: { url?: string; capabilities?: Capabilities } = {},
): Promise<LegacyClient> {
  const client = new LegacyClient({ name: 'legacy', version: '1' }, { capabilities })
  await client.connect(new LegacyTransport(new URL(url), transportOptions(token)))
  return client
}

/** An API key of a workspace: the quickest way in for tests that are not about signing in. */
export { apiKey } from './api-key.ts'

export interface ToolResult {
  isError?: boolean
  structuredContent?: Record<string, unknown>
  content: { type: string; text?: string }[]
  _meta?: Record<string, unknown>
}

export function textOf(result: unknown): string {
  return (result as ToolResult).content.map(({ text }) => text ?? '').join('')
}

export function errorOf(result: unknown): Record<string, unknown> {
  const { isError } = result as ToolResult
  if (!isError) throw new Error(`the call succeeded: ${textOf(result).slice(0, 200)}`)
  return (JSON.parse(textOf(result)) as { error: Record<string, unknown> }).error
}
