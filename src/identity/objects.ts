import type { IdentityDO } from './IdentityDO.ts'
import type { MemberChange } from './members.ts'
import type { Membership, Person } from './people.ts'
import type { AccessLevel } from './scopes.ts'

export function personObject(env: Env, userId: string): DurableObjectStub<IdentityDO> {
  return env.IDENTITY.getByName(`person:${userId}`)
}

export function workspaceObject(env: Env, tenantId: string): DurableObjectStub<IdentityDO> {
  return env.IDENTITY.getByName(`workspace:${tenantId}`)
}

/**
 * Ends a membership: the person's tokens and pages fail at their next call, and their API keys are
 * gone. Can be repeated after a crash in between.
 */
export async function removeMember(
  env: Env,
  tenantId: string,
  userId: string,
): Promise<MemberChange> {
  const change = await workspaceObject(env, tenantId).dropMember(userId)
  if (change === 'last_owner') return change
  const wasMember = await personObject(env, userId).leave(tenantId)
  return wasMember ? 'done' : change
}

/** Changes what a member may do, from the next call on. */
export async function setMemberLevel(
  env: Env,
  tenantId: string,
  userId: string,
  level: AccessLevel,
): Promise<MemberChange> {
  const change = await workspaceObject(env, tenantId).setMemberLevel(userId, level)
  if (change !== 'done') return change
  const person = personObject(env, userId)
  const known = (await person.memberships()).find((membership) => membership.tenantId === tenantId)
  if (!known) return 'unknown'
  await person.join({ ...known, level })
  return 'done'
}

/**
 * Makes a person a member by an invitation, which then is used up. Who is a member already keeps
 * what they have. Null: the invitation does not hold (any more).
 */
export async function acceptInvitation(
  env: Env,
  tenantId: string,
  id: string,
  person: Person,
): Promise<Membership | null> {
  const object = personObject(env, person.userId)
  const before = (await object.memberships()).find((known) => known.tenantId === tenantId)
  if (before) return before
  const accepted = await workspaceObject(env, tenantId).acceptInvitation(id, person)
  if (!accepted) return null
  const membership: Membership = { tenantId, name: accepted.workspace, level: accepted.level }
  await object.join(membership)
  return membership
}
