import { AirbyteError } from '../../protocol/index.ts'
import { type ResourcesPage, resourcesPage } from '../pages/workspace/resources.tsx'
import type { Handler, PostHandler } from './types.ts'
import type { Visit } from './visit.ts'

export const resources: Handler = async (visit) => resourcesPage(visit, await listed(visit))

async function listed(visit: Visit): Promise<ResourcesPage> {
  type List = { items: ResourcesPage['sources'] }
  const [sources, destinations] = await Promise.all([
    visit.run<List>('sources.list', { limit: 100 }),
    visit.run<List>('destinations.list', { limit: 100 }),
  ])
  return { sources: sources.items, destinations: destinations.items }
}

export const check: PostHandler = async (visit, { id, kind }) => {
  const found = await visit.run<{ ok: boolean }>(`${kindOf(kind)}s.check`, { [kind]: id })
  return resourcesPage(visit, { ...(await listed(visit)), tested: { id, ...found } })
}

/** A fresh link for this person, and straight to it. */
export const credentials: PostHandler = async (visit, { id, kind }) => {
  const entity = kindOf(kind)
  // An empty change: it finds the source or destination and checks the right to change it.
  const { id: entityId, name, type } = await visit.run<Named>(`${entity}s.update`, { [entity]: id })
  const { setupId } = await visit.ctx.setups.create({ entity, entityId, name, connector: type })
  return `/setup/${setupId}`
}

interface Named {
  /** Not the one of the address, which may be a name. */
  id: string
  name: string
  type: string
}

export function kindOf(kind: string): 'source' | 'destination' {
  if (kind === 'source' || kind === 'destination') return kind
  throw new AirbyteError('NOT_FOUND', `There are no ${kind}s.`)
}
