/** What a name means in a workspace: a connector of its own, or one that is built in. */
import { connectorNotFound } from '../core/connector-registry.ts'
import type { SourceRegistry } from '../core/source-registry.ts'
import { sourceOf, sourceRegistry } from '../durable-object/platform.ts'
import type { ActorRecord } from '../durable-object/rpc.ts'
import { AirbyteError } from '../protocol/index.ts'
import type { Source } from '../runtime/contract.ts'
import type { TenantAgentApi, WorkspaceConnector } from './tenant.ts'

export interface FoundSource {
  connector: Source
  /** Absent: it is built in. */
  own?: WorkspaceConnector
}

/** The sources of one workspace. */
export interface WorkspaceSources {
  /** Those that every workspace has. */
  builtIn: SourceRegistry
  /** By name, id or Airbyte definition id. Throws CONNECTOR_NOT_FOUND with the nearest names. */
  get(name: string): Promise<FoundSource>
  /** The connector of an existing source. */
  of(record: Pick<ActorRecord, 'type' | 'connector'>): Promise<Source>
  /** The workspace's own, by name. */
  own(): Promise<WorkspaceConnector[]>
}

export function workspaceSources(
  env: Env,
  tenantId: string,
  tenant: TenantAgentApi,
): WorkspaceSources {
  const of: WorkspaceSources['of'] = (record) => sourceOf(env, tenantId, record)
  return {
    builtIn: sourceRegistry,
    of,
    own: () => tenant.connectors(),
    async get(name) {
      const own = await tenant.connectors()
      const found = named(own, name)
      if (!found) return { connector: builtInNamed(name, own) }
      const { pin } = found.release
      return { connector: await of({ type: found.name, connector: pin }), own: found }
    },
  }
}

/** A name of the workspace's own goes first: it is one that nobody else had, or that was to shadow. */
function named(own: WorkspaceConnector[], name: string): WorkspaceConnector | undefined {
  const wanted = name.trim().toLowerCase()
  const direct = own.find((connector) => connector.name === wanted || connector.id === wanted)
  if (direct) return direct
  const defined = own
    .filter(({ release }) => release.pin.info.definitionId.toLowerCase() === wanted)
    .filter(({ shadows }) => shadows || !sourceRegistry.has(wanted))
  if (defined.length <= 1) return defined[0]
  const message = `'${name}' is the definition of several connectors of this workspace.`
  throw new AirbyteError('CONNECTOR_NOT_FOUND', message, {
    field: 'type',
    didYouMean: defined.map((connector) => connector.name),
    hint: 'Use the name of one of them.',
  })
}

function builtInNamed(name: string, own: WorkspaceConnector[]): Source {
  if (sourceRegistry.has(name)) return sourceRegistry.get(name)
  const known = [...sourceRegistry.list().map(({ info }) => info), ...own]
  throw connectorNotFound(
    'source',
    name,
    known.map((connector) => connector.name),
  )
}
