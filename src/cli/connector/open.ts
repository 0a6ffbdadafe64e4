import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createDestinationRegistry } from '../../core/destination-registry.ts'
import { createSourceRegistry } from '../../core/source-registry.ts'
import { AirbyteError } from '../../protocol/index.ts'
import type { ConnectorInfo, Destination, Source } from '../../runtime/contract.ts'
import type { CustomComponents } from '../../runtime/declarative/custom/index.ts'
import { declarativeSource, readMetadata } from '../../runtime/declarative/index.ts'
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
export async function openConnector(args: ConnectorArguments): Promise<OpenConnector> {
  const { verb, name, manifest } = args
  if (manifest !== undefined) return openManifest(manifest, args)
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

async function openManifest(
  path: string,
  { components, replay }: ConnectorArguments,
): Promise<OpenConnector> {
  const manifest = textOf(path)
  const folder = dirname(resolve(path))
  const name = basename(folder)
  const metadata = existsSync(join(folder, 'metadata.yaml'))
    ? readMetadata(textOf(join(folder, 'metadata.yaml')), name)
    : undefined
  const connector = declarativeSource(manifest, metadata?.info ?? unknownInfo(name), {
    ...{ captures: metadata?.captures, ranWith: metadata?.ranWith },
    components: components === undefined ? [] : [await classesOf(components)],
    // Answers that were recorded need no patience.
    ...(replay !== undefined && { sleep: async () => {} }),
  })
  return { kind: 'source', connector }
}

const unknownInfo = (name: string): ConnectorInfo => ({
  ...{ name, title: name, version: '0.0.0', evidence: 'docs' },
  definitionId: '00000000-0000-0000-0000-000000000000',
})

/** The person names the file, so its code may run. */
async function classesOf(path: string): Promise<CustomComponents> {
  let module: { components?: CustomComponents }
  try {
    module = await import(pathToFileURL(resolve(path)).href)
  } catch (error) {
    throw unusable(path, error instanceof Error ? error.message : String(error))
  }
  if (module.components) return module.components
  throw unusable(path, "it exports no 'components'")
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw unusable(path, 'it cannot be read')
  }
}

const unusable = (path: string, reason: string) =>
  new AirbyteError('VALIDATION_FAILED', `${path} cannot be used: ${reason.split('\n')[0]}.`)
