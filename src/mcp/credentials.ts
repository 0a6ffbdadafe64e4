import {
  type InputRequiredResult,
  inputRequired,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { operationById } from '../../tools/index.ts'
import type { Operation, OperationContext } from '../operations/define.ts'
import { invokeOperation } from '../operations/invoke.ts'

const REQUEST = 'credentials'

interface AwaitsCredentials extends Record<string, unknown> {
  name: string
  setupUrl: string
  setupId: string
}

/**
 * Operations that may ask in two rounds: what they made is found again by its name. Any other one
 * would run twice, so its link stays a part of its result.
 */
export function makesSomething({ id }: Operation): boolean {
  return id === 'sources.create' || id === 'destinations.create'
}

/** Whether something is there whose secrets a person has yet to enter. */
export function awaitsCredentials(result: Record<string, unknown>): result is AwaitsCredentials {
  return typeof result.setupUrl === 'string'
}

/** Asks the client to open the setup page. The call comes again when the person is back. */
export function askForCredentials(result: AwaitsCredentials): InputRequiredResult {
  const message = `Enter the credentials of '${result.name}'. They go to the server, not into the chat.`
  return inputRequired({
    inputRequests: { [REQUEST]: inputRequired.elicitUrl({ message, url: result.setupUrl }) },
    // Not signed: it comes back as a claim, and is looked up within the caller's own workspace.
    requestState: result.setupId,
  })
}

/** True when this call repeats one that asked for credentials. */
export function isSecondRound(ctx: ServerContext): boolean {
  return ctx.mcpReq.inputResponses?.[REQUEST] !== undefined
}

/**
 * What the repeated call answers: the thing as it is stored now, whatever the client says about the
 * page. "Accepted" only means that the page was opened, so the link stays in the answer until it
 * was used. The first round made the thing: it is found by its name and not made twice. Null if
 * there is none, as when a client sends an answer nobody asked for: then the call is a first round.
 */
export async function asItIsNow(
  { id }: Operation,
  ctx: OperationContext,
  input: unknown,
  setupId: unknown,
): Promise<Record<string, unknown> | null> {
  const kind = id.startsWith('sources.') ? 'source' : 'destination'
  const { name } = input as { name?: unknown }
  const row = typeof name === 'string' ? await ctx.tenant.find(kind, name) : null
  const read = operationById(`${kind}s.get`)
  if (!row || !read) return null
  const record = await invokeOperation(read, ctx, { [kind]: row.id })
  const setup = typeof setupId === 'string' ? await ctx.setups.get(setupId) : null
  if (setup?.entityId !== row.id || setup.status !== 'waiting') return record
  const { setupUrl, expiresAt } = setup
  return { ...record, setupId, setupUrl, expiresAt: new Date(expiresAt).toISOString() }
}
