import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { operationById } from '../../tools/index.ts'
import type { Operation, OperationContext } from '../operations/define.ts'
import { invokeOperation } from '../operations/invoke.ts'

/** As many as the protocol lets an answer hold. */
const MOST = 100

type Completer = (ctx: OperationContext, given: Record<string, string>) => Promise<string[]>

const listed =
  (id: string, input: object, name: (item: Record<string, unknown>) => unknown): Completer =>
  async (ctx) => {
    const { items } = await invokeOperation(operationById(id) as Operation, ctx, input)
    return (items as Record<string, unknown>[]).map((item) => String(name(item)))
  }
const named = (kind: string) => listed('resources.list', { kind, limit: MOST }, ({ name }) => name)

/** What can stand in an argument, by its name: the same in addresses and in prompts. */
const COMPLETERS: Record<string, Completer> = {
  kind: async () => ['source', 'destination'],
  name: (ctx, { kind }) =>
    listed('catalog.search', { ...(kind && { kind }), limit: MOST }, ({ name }) => name)(ctx, {}),
  connection: named('connection'),
  source: named('source'),
  destination: named('destination'),
  sync: listed('syncs.list', { limit: MOST }, ({ syncId }) => syncId),
}

/**
 * Completion of arguments, from what the caller may see. The SDK's own completers do not know who
 * calls, so the request is handled here.
 *
 * @param known templates of addresses and names of prompts
 */
export function registerCompletions(
  server: McpServer,
  known: ReadonlySet<string>,
  makeContext: (ctx: ServerContext) => OperationContext,
): void {
  server.server.registerCapabilities({ completions: {} })
  server.server.setRequestHandler('completion/complete', async ({ params }, ctx) => {
    const { ref, argument, context } = params
    const about = ref.type === 'ref/prompt' ? ref.name : ref.uri
    if (!known.has(about)) {
      const message = `There is no prompt or resource template '${about}'.`
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, message)
    }
    const complete = COMPLETERS[argument.name]
    const all = complete ? await complete(makeContext(ctx), context?.arguments ?? {}) : []
    const begun = argument.value.toLowerCase()
    const values = all.filter((value) => value.toLowerCase().startsWith(begun))
    return {
      completion: {
        values: values.slice(0, MOST),
        total: values.length,
        hasMore: values.length > MOST,
      },
    }
  })
}
