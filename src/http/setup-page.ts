import { operations } from '../../tools/index.ts'
import { equalSecrets, randomText } from '../identity/crypto.ts'
import { workspaceObject } from '../identity/objects.ts'
import { isLocal } from '../identity/origin.ts'
import { ACCESS_LEVELS, type AccessLevel } from '../identity/scopes.ts'
import { currentPerson, membershipsOf, readCookie } from '../identity/session.ts'
import type { SetupDetails } from '../identity/setups.ts'
import { connectorOf } from '../operations/actors.ts'
import { createOperationContext } from '../operations/context.ts'
import type { OperationContext } from '../operations/define.ts'
import { invokeOperation } from '../operations/invoke.ts'
import { type ErrorRecord, type JsonObject, toAirbyteError } from '../protocol/index.ts'
import { messagePage } from './pages/layout.tsx'
import { setupDonePage, setupPage } from './pages/setup.tsx'
import { readBody } from './read-body.ts'
import { isForeign } from './same-origin.ts'
import { SETUP_PATH, tenantOf } from './setup.ts'
import { configOf, type SecretItem, secretForm } from './setup-form.ts'
import { signInFirst } from './sign-in.ts'

const COOKIE = 'airbyte-setup'
const MAX_FORM_BYTES = 256 * 1024
/** Problems that other credentials can solve: the form is shown again. */
const CORRECTABLE = new Set(['AUTH_FAILED', 'REAUTHORIZE', 'TLS_FAILED', 'VALIDATION_FAILED'])

/** `/setup/<id>`: takes the credentials that a chat must not carry, stores them and tests them. */
export async function handleSetup(request: Request, env: Env): Promise<Response> {
  const setupId = new URL(request.url).pathname.slice(SETUP_PATH.length)
  const setup = await workspaceObject(env, tenantOf(setupId)).getSetup(setupId)
  const person = await currentPerson(request, env)
  if (!person) return signInFirst(request, env)
  const level = setup && (await levelOf(request, env, setup, person))
  if (!setup || !level) return gone('This link is not valid', 404)
  if (setup.status === 'completed') return gone('This link was already used', 410)
  if (setup.status === 'expired') return gone('This link has expired', 410)
  const ctx = contextOf(request, env, setup, person.userId, level)
  return request.method === 'POST' ? save(request, env, setup, ctx) : ask(request, setup, ctx)
}

async function ask(
  request: Request,
  setup: SetupDetails,
  ctx: OperationContext,
  problem?: ErrorRecord,
): Promise<Response> {
  const { items, config, connectorTitle } = await formOf(setup, ctx)
  const token = randomText()
  const secure = new URL(request.url).protocol === 'https:' ? ' Secure;' : ''
  const headers = new Headers({
    'set-cookie': `${COOKIE}=${token}; Path=${SETUP_PATH};${secure} HttpOnly; SameSite=Strict; Max-Age=900`,
  })
  const { entity, name } = setup
  const target = typeof config.host === 'string' ? config.host : undefined
  return setupPage({ entity, name, connectorTitle, target, items, token, problem }, headers)
}

async function save(
  request: Request,
  env: Env,
  setup: SetupDetails,
  ctx: OperationContext,
): Promise<Response> {
  const form = new Map(new URLSearchParams(await readBody(request, MAX_FORM_BYTES)))
  const bound = readCookie(request, COOKIE)
  if (!bound || !equalSecrets(form.get('token') ?? '', bound) || isForeign(request)) {
    return messagePage('Not accepted', 'Open the link again and enter the credentials there.', {
      status: 403,
    })
  }
  const { items } = await formOf(setup, ctx)
  const config = configOf(items, form)
  for (const secret of form.values()) ctx.secrets.add(secret)
  const workspace = workspaceObject(env, setup.tenantId)
  if (!(await workspace.completeSetup(setup.setupId)))
    return gone('This link was already used', 410)
  const problem = await storeAndTest(setup, ctx, config)
  if (!problem || !CORRECTABLE.has(problem.code)) return setupDonePage(setup.name, problem)
  await workspace.reopenSetup(setup.setupId)
  return ask(request, setup, ctx, problem)
}

/** Through the same operations as every face, so that they are validated, audited and scrubbed. */
async function storeAndTest(
  { entity, entityId }: SetupDetails,
  ctx: OperationContext,
  config: JsonObject,
): Promise<ErrorRecord | undefined> {
  const run = (verb: string, input: object) => {
    const operation = operations.find(({ id }) => id === `${entity}s.${verb}`)
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

async function formOf(setup: SetupDetails, ctx: OperationContext) {
  const { entity, entityId } = setup
  const record = await ctx.objects[entity](entityId).get()
  const definition = await connectorOf(ctx, entity, record)
  const schema = definition.spec().connectionSpecification
  const items: SecretItem[] = secretForm(schema, record.config, new Set(record.missingSecrets))
  return { items, config: record.config, connectorTitle: definition.info.title }
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
