import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { createDestinationRegistry } from '../../core/destination-registry.ts'
import { createSourceRegistry } from '../../core/source-registry.ts'
import { AirbyteError } from '../../protocol/index.ts'
import type { Destination, Source } from '../../runtime/contract.ts'
import { declarativeSource } from '../../runtime/declarative/index.ts'
import type { ConnectorArguments } from './arguments.ts'

export type OpenConnector =
  | { kind: 'source'; connector: Source }
  | { kind: 'destination'; connector: Destination }

/**
 * The connector that the command line names: a manifest, or one of the catalog. `source-postgres`
 * and `destination-postgres` say which; a bare name is the source where both exist, but for `write`.
 *
 * @throws CONNECTOR_NOT_FOUND, VALIDATION_FAILED
 */
export async function openConnector({
  verb,
  name,
  manifest,
}: ConnectorArguments): Promise<OpenConnector> {
  if (manifest !== undefined) return openManifest(manifest)
  // Loading all of them takes longest.
  const { destinations, sources } = await import('../../../connectors/index.ts')
  const [, kind, bare = ''] = /^(?:(source|destination)-)?(.*)$/.exec(name ?? '') ?? []
  const registries = {
    source: createSourceRegistry(sources),
    destination: createDestinationRegistry(destinations),
  }
  const wantsSource = verb === 'discover' || verb === 'read'
  const isDestination =
    verb === 'write' ||
    kind === 'destination' ||
    (!kind && !wantsSource && !registries.source.has(bare) && registries.destination.has(bare))
  if (isDestination && !wantsSource) {
    const connector = registries.destination.get(bare)
    return { kind: 'destination', connector }
  }
  return { kind: 'source', connector: registries.source.get(bare) }
}

function openManifest(path: string): OpenConnector {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new AirbyteError('VALIDATION_FAILED', `The manifest ${path} cannot be read.`)
  }
  const name = basename(dirname(resolve(path)))
  const connector = declarativeSource(text, {
    ...{ name, title: name, version: '0.0.0', evidence: 'docs' },
    definitionId: '00000000-0000-0000-0000-000000000000',
  })
  return { kind: 'source', connector }
}
