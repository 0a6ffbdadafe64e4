import { McpServer, type ServerContext } from '@modelcontextprotocol/server'
import { operations } from '../../tools/index.ts'
import type { AuthenticatedCaller } from '../operations/caller.ts'
import { createOperationContext } from '../operations/context.ts'
import type { ProgressUpdate } from '../operations/define.ts'
import { AirbyteError } from '../protocol/index.ts'
import { registerCompletions } from './completions.ts'
import { ICON } from './icon.ts'
import { INSTRUCTIONS } from './instructions.ts'
import { type Narrowing, toolsWithin } from './narrowing.ts'
import { registerPrompts } from './prompts.ts'
import { registerResources } from './resources.ts'
import { registerTool } from './tool.ts'

const HOUR_MS = 3_600_000

/** A server over the operations; one per request or session, it holds nothing but its registrations. */
export function buildServer(env: Env, narrowing: Narrowing): McpServer {
  const server = new McpServer(
    { name: 'airbyte', title: 'Airbyte', version: '0.1.0', icons: [ICON] },
    {
      instructions: INSTRUCTIONS,
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
  for (const operation of toolsWithin(operations, narrowing)) {
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
