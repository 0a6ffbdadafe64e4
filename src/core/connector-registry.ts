import { AirbyteError } from '../protocol/index.ts'
import type { ConnectorInfo } from '../runtime/contract.ts'
import { nearest } from './nearest.ts'

export interface ConnectorRegistry<C extends { info: ConnectorInfo }> {
  /** By type name or by Airbyte definition id. Throws CONNECTOR_NOT_FOUND with the nearest names. */
  get(name: string): C
  has(name: string): boolean
  /** Sorted by name; `query` matches name, title or definition id, best first. */
  list(options?: { query?: string }): C[]
}

/**
 * Connectors by name. The one place where a name that a user typed becomes a connector.
 * Throws when two connectors share a name or a definition id.
 */
export function createRegistry<C extends { info: ConnectorInfo }>(
  what: 'source' | 'destination',
  connectors: readonly C[],
): ConnectorRegistry<C> {
  const byName = new Map<string, C>()
  for (const connector of connectors) {
    for (const key of [connector.info.name, connector.info.definitionId]) {
      if (byName.has(key)) throw new Error(`two ${what} connectors are called ${key}`)
      byName.set(key, connector)
    }
  }
  const sorted = searchConnectors(connectors, '')
  const names = sorted.map((connector) => connector.info.name)

  return {
    get(name) {
      const connector = byName.get(name) ?? byName.get(name.trim().toLowerCase())
      if (connector) return connector
      throw connectorNotFound(what, name, names)
    },
    has: (name) => byName.has(name) || byName.has(name.trim().toLowerCase()),
    list: ({ query = '' } = {}) => searchConnectors(sorted, query),
  }
}

/** Those whose name, title or definition id matches, best first; else those of the nearest names. */
export function searchConnectors<C extends { info: ConnectorInfo }>(
  connectors: readonly C[],
  query: string,
): C[] {
  const sorted = [...connectors].sort((a, b) => (a.info.name < b.info.name ? -1 : 1))
  const wanted = query.trim().toLowerCase()
  if (wanted === '') return sorted
  const rank = new Map(sorted.map((c) => [c, rankOf(c.info, wanted)]))
  const found = sorted.filter((c) => rank.get(c) !== undefined)
  if (found.length > 0) return found.sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0))
  const near = nearest(
    wanted,
    sorted.map(({ info }) => info.name),
  )
  return near.flatMap((name) => sorted.filter(({ info }) => info.name === name))
}

/** 0 exact, 1 begins so, 2 contains it; undefined: does not match. */
function rankOf({ name, title, definitionId }: ConnectorInfo, wanted: string): number | undefined {
  const texts = [name, title, definitionId].map((text) => text.toLowerCase())
  if (texts.includes(wanted)) return 0
  if (texts.some((text) => text.startsWith(wanted))) return 1
  return texts.some((text) => text.includes(wanted)) ? 2 : undefined
}

/** Offers the nearest of the names that exist. */
export function connectorNotFound(what: string, name: string, names: string[]): AirbyteError {
  const didYouMean = nearest(name, names)
  const suggestion = didYouMean.length > 0 ? ` Did you mean ${didYouMean.join(' or ')}?` : ''
  return new AirbyteError('CONNECTOR_NOT_FOUND', `There is no ${what} '${name}'.${suggestion}`, {
    field: 'type',
    didYouMean,
    hint: didYouMean.length > 0 ? undefined : `Available: ${names.slice(0, 20).join(', ')}.`,
  })
}
