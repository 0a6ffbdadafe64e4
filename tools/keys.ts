import { z } from 'zod'
import type { ApiKey, NewApiKey } from '../src/identity/api-keys.ts'
import { workspaceObject } from '../src/identity/objects.ts'
import { SCOPES } from '../src/operations/caller.ts'
import {
  DESTROY,
  defineOperation,
  type OperationContext,
  READ,
  WRITE,
} from '../src/operations/define.ts'
import { entityName, time } from '../src/operations/fields.ts'
import { requirePerson } from '../src/operations/people.ts'
import { iso } from '../src/operations/views.ts'
import { AirbyteError } from '../src/protocol/index.ts'

const DAY_MS = 86_400_000

const keyOutput = z.looseObject({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  createdBy: z.string(),
  createdAt: time,
  expiresAt: time.optional(),
  lastUsedAt: time.optional(),
})

export const createKey = defineOperation({
  id: 'keys.create',
  title: 'Create an API key',
  description:
    'An API key of this workspace for programs, with scopes that you have yourself. Its token is shown once, in this answer.',
  input: z.strictObject({
    name: entityName,
    scopes: z.array(z.enum(SCOPES)).min(1),
    expiresInDays: z.coerce.number().int().min(1).max(3650).optional(),
  }),
  output: z.looseObject({ token: z.string(), ...keyOutput.shape }),
  scopes: ['workspace:write'],
  effect: WRITE,
  http: { method: 'POST', path: '/keys' },
  cli: { command: 'keys create', positional: ['name'] },
  handler: async (ctx, { name, scopes, expiresInDays }) => {
    requirePerson(ctx, 'API keys')
    const beyond = scopes.filter((scope) => !ctx.caller.scopes.includes(scope))
    if (beyond.length > 0) {
      throw new AirbyteError('FORBIDDEN', `You do not have ${beyond.join(' and ')} yourself.`, {
        field: 'scopes',
      })
    }
    const expiresAt = expiresInDays === undefined ? undefined : Date.now() + expiresInDays * DAY_MS
    const wanted: NewApiKey = { name, scopes, createdBy: ctx.caller.subject, expiresAt }
    const { token, key } = await keysOf(ctx).createKey(ctx.tenantId, wanted)
    return { token, ...keyView(key) }
  },
})

export const listKeys = defineOperation({
  id: 'keys.list',
  title: 'List API keys',
  description:
    'The API keys of this workspace, without their secrets, with when they were last used.',
  input: z.strictObject({}),
  output: z.looseObject({ items: z.array(keyOutput), total: z.number() }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/keys' },
  cli: { command: 'keys list', positional: [] },
  handler: async (ctx) => {
    const items = (await keysOf(ctx).listKeys()).map(keyView)
    return { items, total: items.length }
  },
})

export const revokeKey = defineOperation({
  id: 'keys.revoke',
  title: 'Revoke an API key',
  description: 'Ends an API key at once.',
  input: z.strictObject({ key: z.string().min(1).max(100) }),
  output: z.looseObject({ id: z.string(), deleted: z.literal(true) }),
  scopes: ['workspace:write'],
  effect: DESTROY,
  http: { method: 'DELETE', path: '/keys/:key' },
  cli: { command: 'keys revoke', positional: ['key'] },
  handler: async (ctx, { key }) => {
    requirePerson(ctx, 'API keys')
    if (!(await keysOf(ctx).revokeKey(key))) {
      throw new AirbyteError('NOT_FOUND', `There is no API key '${key}'.`, { field: 'key' })
    }
    return { id: key, deleted: true as const }
  },
})

const keysOf = ({ env, tenantId }: OperationContext) => workspaceObject(env, tenantId)

function keyView({ createdAt, expiresAt, lastUsedAt, ...key }: ApiKey) {
  return {
    ...key,
    createdAt: iso(createdAt),
    expiresAt: expiresAt === undefined ? undefined : iso(expiresAt),
    lastUsedAt: lastUsedAt === undefined ? undefined : iso(lastUsedAt),
  }
}
