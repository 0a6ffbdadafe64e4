import { personObject } from '../identity/objects.ts'
import { LOCAL_WORKSPACE } from '../identity/session.ts'
import { AirbyteError } from '../protocol/index.ts'
import type { OperationContext } from './define.ts'

/**
 * A stolen key must not be able to make itself successors, or lock its owner out.
 * @throws FORBIDDEN
 */
export function requirePerson({ caller }: OperationContext, what: 'API keys' | 'members'): void {
  if (caller.kind !== 'api_key') return
  throw new AirbyteError('FORBIDDEN', `API keys cannot manage ${what}.`, {
    hint: 'Sign in as a person (airbyte login) to do that.',
  })
}

/** The caller's membership of the workspace: who they are there, and what it is called. */
export async function ownMembership({ env, tenantId, caller }: OperationContext) {
  if (tenantId === LOCAL_WORKSPACE.tenantId) return LOCAL_WORKSPACE
  const memberships = await personObject(env, caller.subject).memberships()
  return memberships.find((membership) => membership.tenantId === tenantId)
}
