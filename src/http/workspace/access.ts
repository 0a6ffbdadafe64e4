import { type AuditPage, auditPage } from '../pages/workspace/audit.tsx'
import { type KeysPage, keysPage } from '../pages/workspace/keys.tsx'
import type { Handler, PostHandler } from './types.ts'
import type { Visit } from './visit.ts'

export const keys: Handler = async (visit) => keysPage(visit, { keys: await listed(visit) })

const listed = async (visit: Visit) =>
  (await visit.run<{ items: KeysPage['keys'] }>('keys.list')).items

/** The key is in the answer and nowhere else. */
export const createKey: PostHandler = async (visit, _params, form) => {
  const days = Number(form.get('days'))
  const created = await visit.run<{ token: string }>('keys.create', {
    name: form.get('name') ?? '',
    scopes: form.getAll('scope'),
    expiresInDays: days > 0 ? days : undefined,
  })
  return keysPage(visit, { keys: await listed(visit), created: created.token })
}

export const revokeKey: PostHandler = async (visit, _params, form) => {
  await visit.run('keys.revoke', { key: form.get('key') ?? '' })
  return `${visit.base}/keys`
}

export const audit: Handler = async (visit, { query }) => {
  const cursor = query.get('cursor') ?? undefined
  const [page, people] = await Promise.all([
    visit.run<Omit<AuditPage, 'names'>>('workspace.audit', { limit: 100, cursor }),
    visit.run<{ items: { userId: string; name: string }[] }>('members.list'),
  ])
  const names = new Map(people.items.map(({ userId, name }) => [userId, name]))
  return auditPage(visit, { ...page, names })
}
