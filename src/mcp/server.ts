import { McpServer, type ServerContext } from '@modelcontextprotocol/server'
import { operations } from '../../tools/index.ts'
import type { AuthenticatedCaller } from '../operations/caller.ts'
import { createOperationContext } from '../operations/context.ts'
import type { ProgressUpdate } from '../operations/define.ts'
import { AirbyteError } from '../protocol/index.ts'
import { registerCompletions } from './completions.ts'
import { ICON } from './icon.ts'
import { INSTRUCTIONS } from './instructions.ts'
import { narrowingOf, toolsWithin } from './narrowing.ts'
import { registerPrompts } from './prompts.ts'
import { registerResources } from './resources.ts'
import { registerTool } from './tool.ts'

const HOUR_MS = 3_600_000

/** The lists depend on the code and the token alone: nobody need hold a stream open to hear of changes. */
export const NOTHING_PUSHED = {
  tools: { listChanged: false },
  prompts: { listChanged: false },
  resources: { listChanged: false },
}

/** Makes the server that answers a request, or the session that begins with it. */
export type ServerFactory = (env: Env, request: Request) => McpServer

/** A server over the operations; one per request or session, it holds nothing but its registrations. */
export const buildServer: ServerFactory = (env, request) => {
  const server = new McpServer(
    { name: 'airbyte', title: 'Airbyte', version: '0.1.0', icons: [ICON] },
    {
      instructions: INSTRUCTIONS,
      capabilities: NOTHING_PUSHED,
      cacheHints: { 'tools/list': { ttlMs: HOUR_MS, cacheScope: 'public' } },
    },
  )
  const makeContext = (ctx: ServerContext, progress?: (update: ProgressUpdate) => void) =>
    createOperationContext(env, {
      ...callerOf(ctx),
      face: 'mcp',
      signal: ctx.mcpReq.signal,
      progress,
    })
  for (const operation of toolsWithin(operations, narrowingOf(request))) {
    registerTool(server, operation, makeContext)
  }
  const templates = registerResources(server, makeContext)
  const prompts = registerPrompts(server)
  registerCompletions(server, new Set([...templates, ...prompts]), makeContext)
  return server
}

/** Who calls, from the token of this very request: a session may be used with several. */
export function callerOf(ctx: ServerContext): AuthenticatedCaller {
  const props = ctx.http?.authInfo?.extra?.props as AuthenticatedCaller | undefined
  if (!props) throw new AirbyteError('UNAUTHORIZED', 'This call came without a valid token.')
  return { tenantId: props.tenantId, caller: props.caller }
}
