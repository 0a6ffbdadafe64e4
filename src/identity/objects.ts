import type { IdentityDO } from './IdentityDO.ts'

export function personObject(env: Env, userId: string): DurableObjectStub<IdentityDO> {
  return env.IDENTITY.getByName(`person:${userId}`)
}

export function workspaceObject(env: Env, tenantId: string): DurableObjectStub<IdentityDO> {
  return env.IDENTITY.getByName(`workspace:${tenantId}`)
}

/** Ends a membership: the person's tokens fail at their next call and their API keys are gone. */
export async function removeMember(env: Env, tenantId: string, userId: string): Promise<void> {
  await personObject(env, userId).leave(tenantId)
  await workspaceObject(env, tenantId).revokeKeysOf(userId)
}
