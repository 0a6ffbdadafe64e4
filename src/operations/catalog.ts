/** Connectors as the catalog shows them: those of the product, and the workspace's own. */
import { searchConnectors } from '../core/connector-registry.ts'
import type { ConnectorInfo, Destination, Source } from '../runtime/contract.ts'
import type { ActorKind } from './actors.ts'
import type { OperationContext } from './define.ts'
import type { WorkspaceConnector } from './tenant.ts'

export interface CatalogEntry extends ConnectorInfo {
  kind: ActorKind
  origin: 'built-in' | 'imported'
  license: string
  /** Of an imported connector. */
  id?: string
  contentHash?: string
}

/** A name that the workspace gave to a connector of its own hides the built-in one. */
export async function listSources(ctx: OperationContext, query = ''): Promise<CatalogEntry[]> {
  const { builtIn, own } = ctx.registries.sources
  const mine = (await own()).map((connector) => ownEntry(connector))
  const hidden = new Set(mine.map(({ name }) => name))
  const others = builtIn
    .list()
    .filter(({ info }) => !hidden.has(info.name))
    .map(({ info }) => entryOf('source', info))
  const all = [...mine, ...others].map((entry) => ({ info: entry }))
  return searchConnectors(all, query).map(({ info }) => info)
}

export const listDestinations = ({ registries }: OperationContext, query = ''): CatalogEntry[] =>
  registries.destinations.list({ query }).map(({ info }) => entryOf('destination', info))

/** @throws CONNECTOR_NOT_FOUND with the nearest names */
export async function findConnector(
  { registries }: OperationContext,
  kind: ActorKind,
  name: string,
): Promise<{ connector: Source | Destination; entry: CatalogEntry }> {
  if (kind === 'destination') {
    const connector = registries.destinations.get(name)
    return { connector, entry: entryOf(kind, connector.info) }
  }
  const { connector, own } = await registries.sources.get(name)
  return { connector, entry: own ? ownEntry(own) : entryOf(kind, connector.info) }
}

const entryOf = (kind: ActorKind, info: ConnectorInfo): CatalogEntry => ({
  ...{ kind, ...info, origin: 'built-in', license: 'MIT' },
})

function ownEntry({ id, kind, release }: WorkspaceConnector): CatalogEntry {
  const { pin, license } = release
  return { kind, ...pin.info, origin: 'imported', id, license, contentHash: pin.hash }
}
