import type { connectionView, syncView } from '../../operations/views.ts'
import { AirbyteError } from '../../protocol/index.ts'
import { fragment } from '../pages/layout.tsx'
import { connectionPage } from '../pages/workspace/connection.tsx'
import { ConnectionList, type Dashboard, dashboardPage } from '../pages/workspace/dashboard.tsx'
import type { LogLag } from '../pages/workspace/log-facts.tsx'
import type { SyncPage } from '../pages/workspace/sync.tsx'
import { healthOf } from './health.ts'
import { orNone } from './or-none.ts'
import type { Handler, PostHandler } from './types.ts'
import type { Visit } from './visit.ts'

export type Connection = ReturnType<typeof connectionView>

export const dashboard: Handler = async (visit, { query }) => {
  const cursor = query.get('cursor') ?? undefined
  const { items, ...page } = await visit.run<{ items: Dashboard['connections']; total: number }>(
    'connections.list',
    { limit: 100, cursor },
  )
  const view: Dashboard = { ...page, connections: items }
  return query.get('part') === 'list'
    ? fragment(ConnectionList({ visit, connections: items }))
    : dashboardPage(visit, view)
}

export const connection: Handler = async (visit, { id }) => {
  const [record, syncs] = await Promise.all([
    visit.run<Connection>('connections.get', { connection: id }),
    visit.run<{ items: ReturnType<typeof syncView>[] }>('connections.jobs', {
      ...{ connection: id, limit: 30 },
    }),
  ])
  const [sourceName, destinationName] = await Promise.all([
    nameOf(visit, 'source', record.source),
    nameOf(visit, 'destination', record.destination),
  ])
  // The list knows of a sync that runs now; the connection hears of it at its end.
  const [lastSync = record.lastSync] = syncs.items
  const health = healthOf({ ...record, lastSync })
  const [log, rejects] = await Promise.all([logOf(visit, record), rejectsOf(visit, lastSync)])
  return connectionPage(visit, {
    ...{ connection: { ...record, lastSync }, health, sourceName, destinationName },
    ...{ syncs: syncs.items, log, rejects },
  })
}

/** As the database says now; where it does not answer, as it was at the end of the latest sync. */
async function logOf(visit: Visit, { id, lastSync }: Connection): Promise<LogLag | undefined> {
  if (!lastSync?.log) return undefined
  if (!visit.can('sync:run')) return lastSync.log
  try {
    const now = await visit.run<Partial<LogLag> & { followed: boolean }>('connections.log', {
      ...{ connection: id },
    })
    return { ...lastSync.log, ...now }
  } catch {
    return lastSync.log
  }
}

async function rejectsOf(visit: Visit, lastSync: Connection['lastSync']) {
  if (!lastSync?.endedAt || lastSync.warnings === 0 || !visit.can('data:read')) return undefined
  const { syncId } = lastSync
  return orNone(visit.run<SyncPage['rejects']>('syncs.rejects', { sync: syncId, limit: 5 }))
}

async function nameOf(visit: Visit, kind: 'source' | 'destination', id: string): Promise<string> {
  return (await visit.run<{ name: string }>(`${kind}s.get`, { [kind]: id })).name
}

export const syncNow: PostHandler = async (visit, { id }) => {
  const { syncId } = await visit.run<{ syncId: number }>('connections.sync', { connection: id })
  return `${visit.base}/syncs/${syncId}`
}

export const pause: PostHandler = async (visit, { id }) => {
  await visit.run('connections.pause', { connection: id })
  return `${visit.base}/connections/${id}`
}

export const resume: PostHandler = async (visit, { id }) => {
  await visit.run('connections.resume', { connection: id })
  return `${visit.base}/connections/${id}`
}

export const acceptEmpty: PostHandler = async (visit, { id }, form) => {
  if (form.get('confirm') !== 'yes') {
    const message = 'Nothing was replaced: the box that confirms it was not ticked.'
    throw new AirbyteError('CONFIRMATION_REQUIRED', message)
  }
  const { syncId } = await visit.run<{ syncId: number }>('connections.acceptEmpty', {
    connection: id,
  })
  return `${visit.base}/syncs/${syncId}`
}

export const saveSettings: PostHandler = async (visit, { id }, form) => {
  await visit.run('connections.update', {
    connection: id,
    schedule: scheduleOf(form),
    freshnessSeconds: Number(form.get('freshness') ?? 0),
  })
  return `${visit.base}/connections/${id}`
}

/** The schedule that `ScheduleFields` asks for. */
export function scheduleOf(form: URLSearchParams) {
  switch (form.get('schedule')) {
    case 'interval':
      return { intervalSeconds: Math.round(Number(form.get('minutes')) * 60) }
    case 'continuous':
      return { continuous: true as const }
    case 'cron':
      return { cron: form.get('cron') ?? '', timezone: form.get('timezone') || 'UTC' }
    default:
      return { manual: true as const }
  }
}
