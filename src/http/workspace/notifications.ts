import { type NotificationsPage, notificationsPage } from '../pages/workspace/notifications.tsx'
import type { Handler, PostHandler } from './types.ts'
import type { Visit } from './visit.ts'

export const notifications: Handler = async (visit, { query }) =>
  notificationsPage(visit, await listed(visit, query.get('cursor') ?? undefined))

async function listed(visit: Visit, cursor?: string): Promise<NotificationsPage> {
  const [webhooks, deliveries, connections] = await Promise.all([
    visit.run<{ items: NotificationsPage['webhooks'] }>('webhooks.list'),
    visit.run<NotificationsPage['deliveries']>('webhooks.deliveries', { limit: 20, cursor }),
    visit.run<{ items: NotificationsPage['connections'] }>('connections.list', { limit: 100 }),
  ])
  return { webhooks: webhooks.items, deliveries, connections: connections.items }
}

/** The secret is in the answer and nowhere else. */
export const createWebhook: PostHandler = async (visit, _params, form) => {
  const { secret } = await visit.run<{ secret: string }>('webhooks.create', {
    name: form.get('name') ?? '',
    url: form.get('url') ?? '',
    events: form.getAll('event'),
    connection: form.get('connection') || undefined,
  })
  return notificationsPage(visit, { ...(await listed(visit)), secret })
}

/** One of the buttons beside a webhook. */
export const changeWebhook: PostHandler = async (visit, _params, form) => {
  const webhook = form.get('webhook') ?? ''
  switch (form.get('do')) {
    case 'test':
      await visit.run('webhooks.test', { webhook })
      break
    case 'delete':
      await visit.run('webhooks.delete', { webhook })
      break
    default:
      await visit.run('webhooks.update', { webhook, status: form.get('do') })
  }
  return `${visit.base}/notifications`
}

export const replay: PostHandler = async (visit, _params, form) => {
  await visit.run('webhooks.replay', { delivery: form.get('delivery') })
  return `${visit.base}/notifications`
}
