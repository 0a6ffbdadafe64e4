import { operationById } from '../../tools/index.ts'
import { workspaceObject } from '../identity/objects.ts'
import { isLocal } from '../identity/origin.ts'
import { ACCESS_LEVELS, type AccessLevel } from '../identity/scopes.ts'
import { currentPerson, membershipsOf } from '../identity/session.ts'
import type { SetupDetails } from '../identity/setups.ts'
import { connectorOf } from '../operations/actors.ts'
import { createOperationContext } from '../operations/context.ts'
import type { OperationContext } from '../operations/define.ts'
import { invokeOperation } from '../operations/invoke.ts'
import { type ErrorRecord, type JsonObject, toAirbyteError } from '../protocol/index.ts'
import { messagePage } from './pages/layout.tsx'
import { setupDonePage } from './pages/setup.tsx'
import { tenantOf } from './setup.ts'
import { signInFirst } from './sign-in.ts'

/** Problems that other credentials can solve: the person may try again. */
const CORRECTABLE = new Set([
  ...['AUTH_FAILED', 'REAUTHORIZE', 'TLS_FAILED', 'VALIDATION_FAILED', 'AWAITING_CREDENTIALS'],
])

/** A person at a setup that waits for them. */
export interface SetupVisit {
  setup: SetupDetails
  userId: string
  /** Calls operations as this person, with what they may do in the workspace. */
  ctx: OperationContext
}

/** Who opens a link, or the page that says why it does not open. */
export async function visitSetup(
  request: Request,
  env: Env,
  setupId: string,
): Promise<SetupVisit | Response> {
  const setup = await workspaceObject(env, tenantOf(setupId)).getSetup(setupId)
  const person = await currentPerson(request, env)
  if (!person) return signInFirst(request, env)
  const level = setup && (await levelOf(request, env, setup, person))
  if (!setup || !level) return gone('This link is not valid', 404)
  if (setup.status === 'completed') return usedUp()
  if (setup.status === 'expired') return gone('This link has expired', 410)
  const { userId } = person
  return { setup, userId, ctx: contextOf(request, env, setup, userId, level) }
}

export const usedUp = () => gone('This link was already used', 410)

/** The connector of the source or destination, and what it is configured with but for its secrets. */
export async function connectorOfSetup({ setup, ctx }: SetupVisit) {
  const { entity, entityId } = setup
  const record = await ctx.objects[entity](entityId).get()
  return { record, connector: await connectorOf(ctx, entity, record) }
}

/**
 * Uses the link up, stores what was entered and tests it, through the same operations as every face,
 * so that it is validated, audited and scrubbed.
 *
 * @returns the last page, or the problem that other credentials can solve, and the link is good again
 */
export async function finishSetup(
  env: Env,
  visit: SetupVisit,
  config: JsonObject,
): Promise<Response | ErrorRecord> {
  const { setupId, tenantId, name } = visit.setup
  const workspace = workspaceObject(env, tenantId)
  if (!(await workspace.completeSetup(setupId))) return usedUp()
  const problem = await storeAndTest(visit, config)
  if (!problem || !CORRECTABLE.has(problem.code)) return setupDonePage(name, problem)
  await workspace.reopenSetup(setupId)
  return problem
}

async function storeAndTest(
  { setup: { entity, entityId }, ctx }: SetupVisit,
  config: JsonObject,
): Promise<ErrorRecord | undefined> {
  const run = (verb: string, input: object) => {
    const operation = operationById(`${entity}s.${verb}`)
    if (!operation) throw new Error(`no operation ${entity}s.${verb}`)
    return invokeOperation(operation, ctx, { [entity]: entityId, ...input })
  }
  try {
    await run('update', { config })
    const check = (await run('check', {})) as { ok: boolean; problem?: ErrorRecord }
    return check.ok ? undefined : check.problem
  } catch (error) {
    return toAirbyteError(error).toJSON()
  }
}

/** The person who asked in the chat, if still a member who may change things; null: nobody else. */
async function levelOf(
  request: Request,
  env: Env,
  setup: SetupDetails,
  person: { userId: string; name: string },
): Promise<AccessLevel | null> {
  const isLocalRequest = isLocal(new URL(request.url), env)
  if (!isLocalRequest && person.userId !== setup.subject) return null
  const memberships = await membershipsOf(person, env)
  return memberships.find(({ tenantId }) => tenantId === setup.tenantId)?.level ?? null
}

function contextOf(
  request: Request,
  env: Env,
  setup: SetupDetails,
  subject: string,
  level: AccessLevel,
): OperationContext {
  const { scopes, role } = ACCESS_LEVELS[level]
  const caller = { subject, kind: 'oauth' as const, scopes, role, clientId: 'setup-page' }
  const { tenantId } = setup
  return createOperationContext(env, { tenantId, caller, face: 'http', signal: request.signal })
}

function gone(title: string, status: number): Response {
  return messagePage(title, 'Ask for a new one in your chat, then open that.', { status })
}
