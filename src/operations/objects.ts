import {
  connectionStub,
  destinationStub,
  logReaderStub,
  sourceStub,
  syncStub,
  tenantStub,
} from '../durable-object/platform.ts'
import type { EntityObjects } from './define.ts'
import type { TenantAgentApi } from './tenant.ts'

/** Stubs of a workspace's entity objects, by id. */
export function entityObjects(env: Env, tenantId: string): EntityObjects {
  return {
    source: (id) => sourceStub(env, tenantId, id),
    destination: (id) => destinationStub(env, tenantId, id),
    connection: (id) => connectionStub(env, tenantId, id),
    log: (sourceId) => logReaderStub(env, tenantId, sourceId),
    sync: (syncId) => syncStub(env, tenantId, syncId),
  }
}

export const tenantAgent = (env: Env, tenantId: string) =>
  tenantStub(env, tenantId) as unknown as TenantAgentApi
