import type { ConsentDescription } from '@cloudflare/workers-oauth-provider'
import type { Membership } from '../../identity/people.ts'
import { ACCESS_LEVELS, type AccessLevel } from '../../identity/scopes.ts'
import { page } from './layout.tsx'
import { LevelChoice } from './level-choice.tsx'
import { SignOut } from './sign-in.tsx'

export interface ConsentPage {
  client: ConsentDescription
  /** One-time handle of the library's consent transaction: also what makes the form unforgeable. */
  handle: string
  headers: Headers
  memberships: Membership[]
  /** The level that covers what the client asked for. */
  suggested: AccessLevel
  person: string
  /** This page's path, where it is possible to sign in as somebody else. */
  returnTo?: string
}

/** Asks whether this client may act for the person, in which workspace and how far. */
export function consentPage({
  client,
  handle,
  headers,
  memberships,
  suggested,
  person,
  returnTo,
}: ConsentPage) {
  const origin = client.clientDomain
    ? `Published by ${client.clientDomain}.`
    : 'The app registered itself: its name is not verified.'
  return page(
    `Connect ${client.clientName}`,
    <>
      <h1>Let {client.clientName} work with your data pipelines?</h1>
      <p>
        Signed in as {person}. {origin} Access will be sent to <code>{client.redirectHost}</code>.
      </p>
      {client.redirectIsLoopback && (
        <p class="notice">
          This sends access to an app on your computer. Continue only if you just started it.
        </p>
      )}
      <form method="post">
        <input type="hidden" name="handle" value={handle} />
        <Workspaces memberships={memberships} />
        <LevelChoice legend="Access" name="access" suggested={suggested} />
        <p>
          <button class="primary" type="submit" name="decision" value="approve">
            Allow
          </button>
          <button type="submit" name="decision" value="deny">
            Deny
          </button>
        </p>
      </form>
      {returnTo && <SignOut label="Use another account" returnTo={returnTo} />}
    </>,
    { headers },
  )
}

function Workspaces({ memberships }: { memberships: Membership[] }) {
  return (
    <fieldset>
      <legend>Workspace</legend>
      {memberships.map(({ tenantId, name, level }, index) => (
        <label class="choice">
          <input type="radio" name="workspace" value={tenantId} checked={index === 0} required />
          <div>
            {name} <small>you are {ACCESS_LEVELS[level].title.toLowerCase()}</small>
          </div>
        </label>
      ))}
    </fieldset>
  )
}
