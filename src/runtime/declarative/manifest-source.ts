import type { ConnectorInfo, Source } from '../contract.ts'
import type { CustomComponents } from './custom/register.ts'
import { readMetadata } from './metadata.ts'
import { DECLARATIVE_CAPABILITIES, declarativeSource } from './source.ts'
import { toAirbyteState } from './stream/state.ts'

/**
 * A source whose manifest is parsed at its first use: a catalog of hundreds costs a Worker nothing
 * when it starts.
 *
 * @param manifest text of the YAML file
 * @param metadata text of the `metadata.yaml` that `info` is from
 * @param components classes that the manifest names, of the folder's `components.ts`
 */
export function manifestSource(
  manifest: string,
  info: ConnectorInfo,
  metadata: string,
  components: CustomComponents = {},
): Source {
  let parsed: Source | undefined
  const source = () => {
    if (parsed) return parsed
    const { captures, ranWith, newestFirst } = readMetadata(metadata, info.name)
    parsed = declarativeSource(manifest, info, {
      ...{ captures, ranWith, newestFirst, components: [components] },
    })
    return parsed
  }
  return {
    info,
    capabilities: DECLARATIVE_CAPABILITIES,
    migrateConfig: (config) => source().migrateConfig?.(config) ?? config,
    toAirbyteState,
    spec: () => source().spec(),
    check: (...given) => source().check(...given),
    discover: (...given) => source().discover(...given),
    read: (...given) => source().read(...given),
  }
}
