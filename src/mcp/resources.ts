import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceTemplate,
  requireScopes,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { operationById } from '../../tools/index.ts'
import type { Operation, OperationContext } from '../operations/define.ts'
import { invokeOperation } from '../operations/invoke.ts'
import { toAirbyteError } from '../protocol/index.ts'
import { fenced } from './untrusted.ts'

const HOUR_MS = 3_600_000

interface Offered {
  name: string
  title: string
  description: string
  template: string
  /** The operation that reads it, and how its input comes from the address. */
  operation: string
  input(variables: Record<string, string>): object
  cacheHint?: { ttlMs: number; cacheScope: 'public' | 'private' }
}

/** What can be read by address too; each is reachable through a tool, since many clients have none. */
const OFFERED: Offered[] = [
  {
    name: 'connector-spec',
    title: 'Connector',
    description: 'The config fields of a connector and what it can do.',
    template: 'airbyte://connectors/{kind}/{name}/spec',
    operation: 'catalog.get',
    input: ({ kind, name }) => ({ kind, name }),
    cacheHint: { ttlMs: HOUR_MS, cacheScope: 'public' },
  },
  {
    name: 'connection',
    title: 'Connection',
    description: 'A connection: its streams, schedule, and last sync.',
    template: 'airbyte://connections/{connection}',
    operation: 'connections.get',
    input: ({ connection }) => ({ connection }),
  },
  {
    name: 'sync',
    title: 'Sync',
    description: 'Status and progress of a sync, by its number.',
    template: 'airbyte://syncs/{sync}',
    operation: 'syncs.get',
    input: ({ sync }) => ({ sync: Number(sync) }),
    cacheHint: { ttlMs: 2000, cacheScope: 'private' },
  },
]

/** Returns their templates. */
export function registerResources(
  server: McpServer,
  makeContext: (ctx: ServerContext) => OperationContext,
): string[] {
  for (const { name, template, operation: id, input, ...config } of OFFERED) {
    const operation = operationById(id)
    if (!operation) throw new Error(`the resource ${name} needs the operation ${id}`)
    const scopeChallenge = requireScopes(...(operation.scopes as unknown as [string, ...string[]]))
    server.registerResource(
      name,
      new ResourceTemplate(template, { list: undefined }),
      { ...config, mimeType: 'application/json', scopeChallenge },
      async (uri, variables, ctx) => {
        const values = Object.fromEntries(
          Object.entries(variables).map(([key, value]) => [key, decodeURIComponent(String(value))]),
        )
        const text = JSON.stringify(await read(operation, makeContext(ctx), input(values)))
        return { contents: [{ uri: uri.href, mimeType: 'application/json', text }] }
      },
    )
  }
  return OFFERED.map(({ template }) => template)
}

/** Resources have no error results: what cannot be read is a protocol error that says why. */
async function read(operation: Operation, ctx: OperationContext, input: object): Promise<object> {
  try {
    return fenced(operation, await invokeOperation(operation, ctx, input))
  } catch (error) {
    const known = toAirbyteError(error)
    const isTheirs = known.kind === 'config'
    const code = isTheirs ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError
    throw new ProtocolError(code, `${known.code}: ${known.message} ${known.hint}`, {
      code: known.code,
      did_you_mean: known.didYouMean,
    })
  }
}
