import type { ConnectionApi, DestinationApi, SourceApi, SyncApi } from '../durable-object/rpc.ts'
import type { EntityObjects } from './define.ts'
import type { TenantAgentApi } from './tenant.ts'

/** Stubs of a workspace's entity objects. An object's name holds the workspace, so ids cannot cross. */
export function entityObjects(env: Env, tenantId: string): EntityObjects {
  const at = <T>(namespace: DurableObjectNamespace, id: string | number) =>
    namespace.getByName(`${tenantId}:${id}`) as unknown as T
  return {
    source: (id) => at<SourceApi>(env.SOURCE, id),
    destination: (id) => at<DestinationApi>(env.DESTINATION, id),
    connection: (id) => at<ConnectionApi>(env.CONNECTION, id),
    sync: (syncId) => at<SyncApi>(env.SYNC, syncId),
  }
}

export const tenantAgent = (env: Env, tenantId: string) =>
  env.TENANT_AGENT.getByName(tenantId) as unknown as TenantAgentApi
