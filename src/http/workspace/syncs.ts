import { fragment } from '../pages/layout.tsx'
import { type Line, Progress, type SyncPage, syncPage } from '../pages/workspace/sync.tsx'
import { orNone } from './or-none.ts'
import type { Handler, PostHandler } from './types.ts'
import type { Visit } from './visit.ts'

/** Lines of the log that a page shows: the newest. */
const LINES = 200

export const sync: Handler = async (visit, { id, query }) => {
  const isPart = query.get('part') === 'progress'
  const found = await visit.run<SyncPage['sync']>('syncs.get', { sync: id })
  if (isPart && found.finished) {
    return fragment('', { headers: new Headers({ 'x-followed': 'to-the-end' }) })
  }
  const lines = await logOf(visit, id)
  if (isPart) return fragment(Progress({ sync: found, lines }))
  const connection = found.connectionId
  const { name } = await nameOf(visit, connection)
  const rejects = query.get('rejects') ?? undefined
  return syncPage(visit, {
    ...{ sync: found, lines, connection: { id: connection, name } },
    receipt: found.finished ? await orNone(visit.run('syncs.receipt', { sync: id })) : undefined,
    rejects: visit.can('data:read')
      ? await orNone(visit.run('syncs.rejects', { sync: id, limit: 20, cursor: rejects }))
      : undefined,
  })
}

export const cancel: PostHandler = async (visit, { id }) => {
  await visit.run('syncs.cancel', { sync: id })
  return `${visit.base}/syncs/${id}`
}

/** The log is read from its start in pages; the newest lines are at its end. */
async function logOf(visit: Visit, sync: string): Promise<Line[]> {
  let lines: Line[] = []
  let after: number | undefined
  do {
    const page = await orNone(
      visit.run<{ lines: Line[]; next?: number }>('syncs.logs', { sync, after, limit: 500 }),
    )
    lines = [...lines, ...(page?.lines ?? [])].slice(-LINES)
    after = page?.lines.length === 500 ? page.next : undefined
  } while (after !== undefined)
  return lines
}

/** The connection of an old sync may be gone. */
async function nameOf(visit: Visit, id: string): Promise<{ name: string }> {
  return (
    (await orNone(visit.run<{ name: string }>('connections.get', { connection: id }))) ?? {
      name: 'a deleted connection',
    }
  )
}
