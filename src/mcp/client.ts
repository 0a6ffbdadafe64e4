import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'

/** What the client can do: the 2026 era says so in each call, 2025 at the start. */
export function capabilitiesOf(server: McpServer, ctx: ServerContext): ClientCapabilities {
  const envelope = ctx.mcpReq.envelope as Record<string, unknown> | undefined
  const now = envelope?.[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined
  return now ?? server.server.getClientCapabilities() ?? {}
}

/** Clients that can open a URL for the person. */
export function canOpenUrls(server: McpServer, ctx: ServerContext): boolean {
  return capabilitiesOf(server, ctx).elicitation?.url !== undefined
}

/** Clients that can show the person a form; before there were URLs, to say nothing meant forms. */
export function canFillForms(server: McpServer, ctx: ServerContext): boolean {
  const { elicitation } = capabilitiesOf(server, ctx)
  if (elicitation === undefined) return false
  return elicitation.form !== undefined || elicitation.url === undefined
}
