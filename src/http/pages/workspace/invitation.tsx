import type { Invitation } from '../../../identity/members.ts'
import { ACCESS_LEVELS } from '../../../identity/scopes.ts'
import { page } from '../layout.tsx'

interface InvitationPage extends Invitation {
  person: string
  token: string
}

export function invitationPage(view: InvitationPage, headers: Headers): Response {
  const { workspace, invitedBy, level, person, token } = view
  const { title, description } = ACCESS_LEVELS[level]
  return page(
    `Join ${workspace}`,
    <>
      <h1>Join {workspace}?</h1>
      <p>
        {invitedBy || 'An owner'} invites you as {title.toLowerCase()}: {description}
      </p>
      <p>You are signed in as {person}.</p>
      <form method="post">
        <input type="hidden" name="form" value={token} />
        <button class="primary" type="submit">
          Join
        </button>
      </form>
    </>,
    { headers },
  )
}
