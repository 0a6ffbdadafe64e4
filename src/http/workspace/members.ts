import { type MembersPage, membersPage } from '../pages/workspace/members.tsx'
import type { Handler, PostHandler } from './types.ts'
import type { Visit } from './visit.ts'

export const members: Handler = async (visit) => membersPage(visit, await listed(visit))

async function listed(visit: Visit): Promise<MembersPage> {
  const { items } = await visit.run<{ items: MembersPage['members'] }>('members.list')
  const mayInvite = visit.can('workspace:admin') && !visit.isLocal
  const open = mayInvite
    ? await visit.run<{ items: MembersPage['invitations'] }>('members.invitations')
    : { items: [] }
  return { members: items, invitations: open.items }
}

/** The link is in the answer and nowhere else. */
export const invite: PostHandler = async (visit, _params, form) => {
  const invited = await visit.run<{ url: string }>('members.invite', {
    level: form.get('level'),
    note: form.get('note') ?? '',
  })
  return membersPage(visit, { ...(await listed(visit)), invited: invited.url })
}

export const withdraw: PostHandler = async (visit, _params, form) => {
  await visit.run('members.withdraw', { invitation: form.get('invitation') })
  return `${visit.base}/members`
}

export const setLevel: PostHandler = async (visit, _params, form) => {
  await visit.run('members.setLevel', { member: form.get('member'), level: form.get('level') })
  return `${visit.base}/members`
}

/** Who removes themselves has no page of the workspace to go back to. */
export const remove: PostHandler = async (visit, _params, form) => {
  const member = form.get('member')
  await visit.run('members.remove', { member })
  return member === visit.person.userId ? '/' : `${visit.base}/members`
}
