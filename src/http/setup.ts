import { workspaceObject } from '../identity/objects.ts'
import type { CreateSetup, GetSetup } from './setup-contract.ts'

export const SETUP_PATH = '/setup/'

/** A link to the page where a person enters the credentials of a source or destination. */
export const createSetup: CreateSetup = async (env, request) => {
  const { setupId, expiresAt } = await workspaceObject(env, request.tenantId).createSetup(request)
  return { setupId, expiresAt, setupUrl: urlOf(env, setupId) }
}

/** How far a setup is; null for an unknown id and for another workspace's. */
export const getSetup: GetSetup = async (env, tenantId, setupId) => {
  if (tenantOf(setupId) !== tenantId) return null
  const details = await workspaceObject(env, tenantId).getSetup(setupId)
  if (!details) return null
  const { entity, entityId, expiresAt, status } = details
  return { setupId, setupUrl: urlOf(env, setupId), entity, entityId, expiresAt, status }
}

/** The workspace that a setup id belongs to: its part before the last dot. */
export function tenantOf(setupId: string): string {
  return setupId.slice(0, setupId.lastIndexOf('.'))
}

function urlOf(env: Env, setupId: string): string {
  return new URL(`${SETUP_PATH}${setupId}`, env.PUBLIC_URL).href
}
