import { type Changes, changesPage } from '../pages/workspace/changes.tsx'
import type { Connection } from './connections.ts'
import type { Handler, PostHandler } from './types.ts'

/** What is different at the source, before a sync makes anything of it. */
export const changes: Handler = async (visit, { id }) => {
  const [connection, found] = await Promise.all([
    visit.run<Connection>('connections.get', { connection: id }),
    visit.run<Changes>('connections.schemaChanges', { connection: id }),
  ])
  return changesPage(visit, { connection, changes: found })
}

/** By a sync; where the connection's policy is against it, the policy is changed first. */
export const applyChanges: PostHandler = async (visit, { id }, form) => {
  if (form.get('policy') === 'propagate_columns') {
    await visit.run('connections.update', { connection: id, schemaChanges: 'propagate_columns' })
  }
  const { status } = await visit.run<Connection>('connections.get', { connection: id })
  if (status === 'paused') await visit.run('connections.resume', { connection: id })
  const { syncId } = await visit.run<{ syncId: number }>('connections.sync', { connection: id })
  return `${visit.base}/syncs/${syncId}`
}
