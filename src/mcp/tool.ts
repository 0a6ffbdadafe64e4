import {
  type CallToolResult,
  type InputRequiredResult,
  isInputRequiredResult,
  type McpServer,
  requireScopes,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { OperationContext, ProgressUpdate } from '../operations/define.ts'
import { invokeOperation } from '../operations/invoke.ts'
import { toAirbyteError } from '../protocol/index.ts'
import { canFillForms, canOpenUrls } from './client.ts'
import {
  asItIsNow,
  askForCredentials,
  awaitsCredentials,
  isSecondRound,
  makesSomething,
} from './credentials.ts'
import { runWithForms } from './forms.ts'
import type { ToolOperation } from './narrowing.ts'
import { failure, success } from './result.ts'
import { inputSchema, outputSchema } from './schemas.ts'
import { fenced } from './untrusted.ts'

type MakeContext = (
  ctx: ServerContext,
  progress: (update: ProgressUpdate) => void,
) => OperationContext

/** Makes one operation an MCP tool. */
export function registerTool(
  server: McpServer,
  operation: ToolOperation,
  makeContext: MakeContext,
): void {
  const { tool, effect, scopes } = operation
  server.registerTool(
    tool.name,
    {
      title: tool.title,
      description: tool.description,
      inputSchema: inputSchema(operation.input),
      outputSchema: outputSchema(operation.output),
      annotations: {
        title: tool.title,
        readOnlyHint: effect.readOnly,
        destructiveHint: effect.destructive,
        idempotentHint: effect.idempotent,
        openWorldHint: effect.openWorld,
      },
      scopeChallenge: requireScopes(...(scopes as [string, ...string[]])),
    },
    async (input: unknown, ctx: ServerContext) => {
      const progress = progressTo(ctx)
      try {
        return await call(server, operation, makeContext(ctx, progress.send), input, ctx)
      } catch (error) {
        return failure(operation, toAirbyteError(error))
      } finally {
        await progress.sent()
      }
    },
  )
}

async function call(
  server: McpServer,
  operation: ToolOperation,
  context: OperationContext,
  input: unknown,
  ctx: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  const asks = makesSomething(operation) && canOpenUrls(server, ctx)
  if (asks && isSecondRound(ctx)) {
    const made = await asItIsNow(operation, context, input, ctx.mcpReq.requestState())
    if (made) return success(made)
  }
  const run = (given: unknown) => invokeOperation(operation, context, given)
  const result = canFillForms(server, ctx)
    ? await runWithForms(operation, context, input, ctx, run)
    : await run(input)
  if (isInputRequiredResult(result)) return result
  if (asks && awaitsCredentials(result)) return askForCredentials(result)
  return success(fenced(operation, result))
}

/** Progress as notifications on the call's own stream, in order, if the client asked for them. */
function progressTo(ctx: ServerContext) {
  const progressToken = ctx.mcpReq._meta?.progressToken
  let last: Promise<unknown> = Promise.resolve()
  return {
    send(update: ProgressUpdate): void {
      if (progressToken === undefined) return
      const params = { progressToken, ...update }
      last = last
        .then(() => ctx.mcpReq.notify({ method: 'notifications/progress', params }))
        // A client that went away must not fail the work.
        .catch(() => {})
    },
    sent: () => last,
  }
}
