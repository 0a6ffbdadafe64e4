import { z } from 'zod'
import type { Invitation } from '../src/identity/members.ts'
import { removeMember, setMemberLevel, workspaceObject } from '../src/identity/objects.ts'
import { ACCESS_LEVEL_NAMES, type AccessLevel } from '../src/identity/scopes.ts'
import { LOCAL_PERSON, LOCAL_WORKSPACE } from '../src/identity/session.ts'
import {
  DESTROY,
  defineOperation,
  type OperationContext,
  READ,
  SET,
  WRITE,
} from '../src/operations/define.ts'
import { time } from '../src/operations/fields.ts'
import { ownMembership, requirePerson } from '../src/operations/people.ts'
import { iso } from '../src/operations/views.ts'
import { AirbyteError } from '../src/protocol/index.ts'

const level = z.enum(ACCESS_LEVEL_NAMES as [AccessLevel, ...AccessLevel[]])
const userId = z
  .string()
  .regex(/^u[0-9a-f]{32}$/, 'must be the userId of a member, as members.list shows it')

const memberOutput = z.looseObject({
  userId: z.string(),
  name: z.string(),
  level,
  joinedAt: time.optional(),
})
const invitationOutput = z.looseObject({
  id: z.string(),
  level,
  note: z.string(),
  invitedBy: z.string(),
  createdAt: time,
  expiresAt: time,
})

export const listMembers = defineOperation({
  id: 'members.list',
  title: 'List members',
  description: 'Who may do what in this workspace.',
  input: z.strictObject({}),
  output: z.looseObject({ items: z.array(memberOutput), total: z.number() }),
  scopes: ['workspace:read'],
  effect: READ,
  http: { method: 'GET', path: '/members' },
  cli: { command: 'members list', positional: [] },
  handler: async (ctx) => {
    if (isLocal(ctx)) {
      return { items: [{ ...LOCAL_PERSON, level: LOCAL_WORKSPACE.level }], total: 1 }
    }
    const members = await workspaceOf(ctx).listMembers()
    const items = members.map(({ joinedAt, ...member }) => ({ ...member, joinedAt: iso(joinedAt) }))
    return { items, total: items.length }
  },
})

export const listInvitations = defineOperation({
  id: 'members.invitations',
  title: 'List invitations',
  description: 'Invitations that nobody has accepted yet. Their links are not shown again.',
  input: z.strictObject({}),
  output: z.looseObject({ items: z.array(invitationOutput), total: z.number() }),
  scopes: ['workspace:admin'],
  effect: READ,
  http: { method: 'GET', path: '/members/invitations' },
  cli: { command: 'members invitations', positional: [] },
  handler: async (ctx) => {
    const items = (await workspaceOf(ctx).listInvitations()).map(invitationView)
    return { items, total: items.length }
  },
})

export const invite = defineOperation({
  id: 'members.invite',
  title: 'Invite a member',
  description:
    'A link by which one person joins this workspace with a level, within seven days. Send it yourself; it is shown once, in this answer.',
  input: z.strictObject({
    level,
    note: z.string().trim().max(100).default('').describe('For whom'),
  }),
  output: z.looseObject({ url: z.string(), ...invitationOutput.shape }),
  scopes: ['workspace:admin'],
  effect: WRITE,
  http: { method: 'POST', path: '/members/invitations' },
  cli: { command: 'members invite', positional: ['level', 'note'] },
  handler: async (ctx, wanted) => {
    requirePerson(ctx, 'members')
    if (isLocal(ctx)) {
      throw new AirbyteError('UNSUPPORTED', 'Local mode has one user.', {
        hint: 'Deploy the server and configure sign-in (docs/identity.md) to work together.',
      })
    }
    const members = await workspaceOf(ctx).listMembers()
    const inviter = members.find((member) => member.userId === ctx.caller.subject)
    const workspace = (await ownMembership(ctx))?.name ?? ctx.tenantId
    const { secret, invitation } = await workspaceOf(ctx).invite({
      ...{ ...wanted, workspace, invitedBy: inviter?.name ?? '' },
    })
    const url = `${ctx.publicUrl}/invitations/${ctx.tenantId}.${invitation.id}.${secret}`
    return { url, ...invitationView(invitation) }
  },
})

export const withdrawInvitation = defineOperation({
  id: 'members.withdraw',
  title: 'Withdraw an invitation',
  description: 'Ends an invitation that nobody has accepted yet.',
  input: z.strictObject({ invitation: z.string().min(1).max(100) }),
  output: z.looseObject({ id: z.string(), deleted: z.literal(true) }),
  scopes: ['workspace:admin'],
  effect: DESTROY,
  http: { method: 'DELETE', path: '/members/invitations/:invitation' },
  cli: { command: 'members withdraw', positional: ['invitation'] },
  handler: async (ctx, { invitation }) => {
    requirePerson(ctx, 'members')
    if (!(await workspaceOf(ctx).withdrawInvitation(invitation))) {
      const message = `There is no open invitation '${invitation}'.`
      throw new AirbyteError('NOT_FOUND', message, { field: 'invitation' })
    }
    return { id: invitation, deleted: true as const }
  },
})

export const setLevel = defineOperation({
  id: 'members.setLevel',
  title: "Set a member's level",
  description:
    'Changes what a member may do, at once. Their API keys lose what the level does not have. One owner must stay.',
  input: z.strictObject({ member: userId, level }),
  output: z.looseObject({ userId: z.string(), level }),
  scopes: ['workspace:admin'],
  effect: SET,
  http: { method: 'PATCH', path: '/members/:member' },
  cli: { command: 'members set-level', positional: ['member', 'level'] },
  handler: async (ctx, { member, level: wanted }) => {
    requirePerson(ctx, 'members')
    refuse(member, await setMemberLevel(ctx.env, ctx.tenantId, member, wanted))
    return { userId: member, level: wanted }
  },
})

export const remove = defineOperation({
  id: 'members.remove',
  title: 'Remove a member',
  description:
    'Ends a membership at once: the tokens, pages and API keys of the person work no longer here. One owner must stay.',
  input: z.strictObject({ member: userId }),
  output: z.looseObject({ id: z.string(), deleted: z.literal(true) }),
  scopes: ['workspace:admin'],
  effect: DESTROY,
  http: { method: 'DELETE', path: '/members/:member' },
  cli: { command: 'members remove', positional: ['member'] },
  handler: async (ctx, { member }) => {
    requirePerson(ctx, 'members')
    refuse(member, await removeMember(ctx.env, ctx.tenantId, member))
    return { id: member, deleted: true as const }
  },
})

function refuse(member: string, change: 'done' | 'unknown' | 'last_owner'): void {
  if (change === 'unknown') {
    throw new AirbyteError('NOT_FOUND', `There is no member '${member}'.`, { field: 'member' })
  }
  if (change === 'last_owner') {
    throw new AirbyteError('CONFLICT', 'This is the only owner of the workspace.', {
      ...{ field: 'member', hint: 'Make somebody else an owner first.' },
    })
  }
}

const isLocal = ({ tenantId }: OperationContext) => tenantId === LOCAL_WORKSPACE.tenantId
const workspaceOf = ({ env, tenantId }: OperationContext) => workspaceObject(env, tenantId)

function invitationView({ createdAt, expiresAt, workspace: _, ...invitation }: Invitation) {
  return { ...invitation, createdAt: iso(createdAt), expiresAt: iso(expiresAt) }
}
