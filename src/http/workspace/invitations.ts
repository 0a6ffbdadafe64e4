import { acceptInvitation, workspaceObject } from '../../identity/objects.ts'
import type { Person } from '../../identity/people.ts'
import { currentPerson } from '../../identity/session.ts'
import { messagePage } from '../pages/layout.tsx'
import { invitationPage } from '../pages/workspace/invitation.tsx'
import { readBody } from '../read-body.ts'
import { signInFirst } from '../sign-in.ts'
import { judgeForm, sealForms } from './forms.ts'

export const INVITATIONS = '/invitations/'
const MAX_FORM_BYTES = 16 * 1024
const LINK = /^([\w-]{1,64})\.([\w-]{12})\.([\w-]{43})$/

/** `/invitations/<workspace>.<id>.<secret>`: asks a person who is signed in whether to join. */
export async function showInvitation(request: Request, env: Env, link: string) {
  const person = await currentPerson(request, env)
  if (!person) return signInFirst(request, env)
  const found = await invitationOf(env, link, person)
  if (!found) return gone()
  const owner = { userId: person.userId, subject: link }
  const { token, cookie } = await sealForms(request, owner)
  const headers = new Headers(cookie ? { 'set-cookie': cookie } : {})
  return invitationPage({ ...found.invitation, person: person.name, token }, headers)
}

export async function joinByInvitation(request: Request, env: Env, link: string) {
  const person = await currentPerson(request, env)
  if (!person) return signInFirst(request, env)
  const found = await invitationOf(env, link, person)
  if (!found) return gone()
  const form = new URLSearchParams(await readBody(request, MAX_FORM_BYTES))
  const owner = { userId: person.userId, subject: link }
  const verdict = await judgeForm(request, env, owner, form.get('form') ?? '')
  if (verdict === 'refused') {
    return messagePage('Not accepted', 'Open the link again and join there.', { status: 403 })
  }
  const { tenantId, invitation } = found
  if (!(await acceptInvitation(env, tenantId, invitation.id, person))) return gone()
  return new Response(null, { status: 303, headers: { location: `/w/${tenantId}` } })
}

async function invitationOf(env: Env, link: string, { userId }: Person) {
  const [, tenantId, id, secret] = LINK.exec(link) ?? []
  if (!tenantId || !id || !secret) return null
  const invitation = await workspaceObject(env, tenantId).findInvitation(id, secret, userId)
  return invitation && { tenantId, invitation }
}

function gone(): Response {
  const text = 'It was used, withdrawn, or is older than seven days. Ask for a new one.'
  return messagePage('This invitation does not hold any more', text, { status: 410 })
}
