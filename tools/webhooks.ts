import { z } from 'zod'
import { EVENT_TYPES } from '../src/notifications/events.ts'
import { notificationStub } from '../src/notifications/stub.ts'
import type { Delivery, Webhook } from '../src/notifications/webhook-store.ts'
import {
  DESTROY,
  defineOperation,
  type OperationContext,
  outward,
  READ,
  SET,
  WRITE,
} from '../src/operations/define.ts'
import { entityName, nameOrId, paging, time } from '../src/operations/fields.ts'
import { iso } from '../src/operations/views.ts'
import { AirbyteError } from '../src/protocol/index.ts'

const webhookId = z.string().min(1).max(100)
const events = z.array(z.enum(EVENT_TYPES)).min(1)

const webhookOutput = z.looseObject({
  id: z.string(),
  name: z.string(),
  host: z.string(),
  events: z.array(z.string()),
  connectionId: z.string().optional(),
  status: z.enum(['active', 'paused', 'gone']),
  createdAt: time,
})

export const createWebhook = defineOperation({
  id: 'webhooks.create',
  title: 'Create a webhook',
  description:
    'An address that is told of events by signed POST requests (Standard Webhooks), tried again for a day. The signing secret is shown once, in this answer.',
  input: z.strictObject({
    name: entityName,
    url: z.url().max(2000),
    events,
    connection: nameOrId.optional().describe('Only events of this connection'),
  }),
  output: z.looseObject({ secret: z.string(), ...webhookOutput.shape }),
  scopes: ['workspace:admin'],
  effect: outward(WRITE),
  http: { method: 'POST', path: '/webhooks' },
  cli: { command: 'webhooks create', positional: ['name', 'url'] },
  refs: { connection: 'connection' },
  handler: async (ctx, { name, url, events: wanted, connection }) => {
    checkUrl(ctx, url)
    const { webhook, secret } = await webhooksOf(ctx).create({
      ...{ tenantId: ctx.tenantId, name, url, events: wanted, connectionId: connection },
    })
    return { secret, ...webhookView(webhook) }
  },
})

export const listWebhooks = defineOperation({
  id: 'webhooks.list',
  title: 'List webhooks',
  description: 'The webhooks of this workspace; of the address only the host is shown.',
  input: z.strictObject({}),
  output: z.looseObject({ items: z.array(webhookOutput), total: z.number() }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/webhooks' },
  cli: { command: 'webhooks list', positional: [] },
  handler: async (ctx) => {
    const items = (await webhooksOf(ctx).list()).map(webhookView)
    return { items, total: items.length }
  },
})

export const updateWebhook = defineOperation({
  id: 'webhooks.update',
  title: 'Update a webhook',
  description:
    'Changes name or events, pauses it, or lets it go on. What waits when it is paused is given up and can be replayed.',
  input: z.strictObject({
    webhook: webhookId,
    name: entityName.optional(),
    events: events.optional(),
    status: z.enum(['active', 'paused']).optional(),
  }),
  output: webhookOutput,
  scopes: ['workspace:admin'],
  effect: SET,
  http: { method: 'PATCH', path: '/webhooks/:webhook' },
  cli: { command: 'webhooks update', positional: ['webhook'] },
  handler: async (ctx, { webhook, ...change }) =>
    webhookView(await webhooksOf(ctx).change(webhook, change)),
})

export const removeWebhook = defineOperation({
  id: 'webhooks.delete',
  title: 'Delete a webhook',
  description: 'Deletes a webhook with the record of its deliveries.',
  input: z.strictObject({ webhook: webhookId }),
  output: z.looseObject({ id: z.string(), deleted: z.literal(true) }),
  scopes: ['workspace:admin'],
  effect: DESTROY,
  http: { method: 'DELETE', path: '/webhooks/:webhook' },
  cli: { command: 'webhooks delete', positional: ['webhook'] },
  handler: async (ctx, { webhook }) => {
    await webhooksOf(ctx).remove(webhook)
    return { id: webhook, deleted: true as const }
  },
})

export const testWebhook = defineOperation({
  id: 'webhooks.test',
  title: 'Test a webhook',
  description: 'Sends an event of type test. See webhooks.deliveries for what came of it.',
  input: z.strictObject({ webhook: webhookId }),
  output: z.looseObject({ webhook: z.string() }),
  scopes: ['workspace:admin'],
  effect: outward(WRITE),
  http: { method: 'POST', path: '/webhooks/:webhook/test' },
  cli: { command: 'webhooks test', positional: ['webhook'] },
  handler: async (ctx, { webhook }) => {
    await webhooksOf(ctx).sendTest(webhook)
    return { webhook }
  },
})

export const listDeliveries = defineOperation({
  id: 'webhooks.deliveries',
  title: 'List deliveries',
  description: 'What was, or is to be, sent to webhooks, newest first, with what came of it.',
  input: z.strictObject({
    webhook: webhookId.optional(),
    ...paging,
    cursor: z
      .string()
      .regex(/^\d{1,15}$/)
      .optional(),
  }),
  output: z.looseObject({
    items: z.array(
      z.looseObject({
        id: z.number(),
        webhookId: z.string(),
        type: z.string(),
        status: z.enum(['waiting', 'delivered', 'failed']),
        attempts: z.number(),
        createdAt: time,
      }),
    ),
    cursor: z.string().optional(),
  }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/webhooks/deliveries' },
  cli: { command: 'webhooks deliveries', positional: [] },
  handler: async (ctx, { webhook, limit, cursor }) => {
    const before = cursor === undefined ? undefined : Number(cursor)
    const found = await webhooksOf(ctx).deliveries(limit + 1, before, webhook)
    const items = found.slice(0, limit).map(deliveryView)
    return { items, ...(found.length > limit && { cursor: String(items.at(-1)?.id) }) }
  },
})

export const replayDelivery = defineOperation({
  id: 'webhooks.replay',
  title: 'Replay a delivery',
  description: 'Sends an event again with its old id, delivered or not, as if it were new.',
  input: z.strictObject({ delivery: z.coerce.number().int().positive() }),
  output: z.looseObject({ delivery: z.number() }),
  scopes: ['workspace:admin'],
  effect: outward(WRITE),
  http: { method: 'POST', path: '/webhooks/deliveries/:delivery/replay' },
  cli: { command: 'webhooks replay', positional: ['delivery'] },
  handler: async (ctx, { delivery }) => {
    await webhooksOf(ctx).replay(delivery)
    return { delivery }
  },
})

/** Where private networks may be reached, plain http may be too; each delivery is checked again. */
function checkUrl({ env }: OperationContext, text: string): void {
  const { protocol, username, password } = new URL(text)
  const isPlainAllowed = env.ALLOW_PRIVATE_NETWORKS === 'on' && protocol === 'http:'
  if ((protocol === 'https:' || isPlainAllowed) && !username && !password) return
  throw new AirbyteError('VALIDATION_FAILED', 'A webhook has an https address without a user.', {
    field: 'url',
  })
}

const webhooksOf = ({ env, tenantId }: OperationContext) => notificationStub(env, tenantId)

const webhookView = ({ createdAt, ...webhook }: Webhook) => ({
  ...webhook,
  createdAt: iso(createdAt),
})

const deliveryView = ({ createdAt, nextAt, deliveredAt, ...delivery }: Delivery) => ({
  ...delivery,
  createdAt: iso(createdAt),
  nextAt: nextAt === undefined ? undefined : iso(nextAt),
  deliveredAt: deliveredAt === undefined ? undefined : iso(deliveredAt),
})
