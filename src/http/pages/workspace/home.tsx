import type { Membership } from '../../../identity/people.ts'
import { ACCESS_LEVELS } from '../../../identity/scopes.ts'
import { page } from '../layout.tsx'

/** What a visitor sees who is not signed in. */
export function homePage(origin: string, canSignIn: boolean): Response {
  return page(
    'Airbyte',
    <>
      <h1>Airbyte</h1>
      <p>Data pipelines that your assistant builds and you can see.</p>
      {canSignIn && (
        <p>
          <a class="button primary" href="/sign-in?return_to=/">
            Sign in
          </a>
        </p>
      )}
      <p>
        Connect an MCP client to <code>{origin}/mcp</code>.
      </p>
    </>,
  )
}

export function workspacesPage(person: string, memberships: Membership[]): Response {
  return page(
    'Workspaces',
    <>
      <h1>Your workspaces</h1>
      <p>Signed in as {person}.</p>
      {memberships.length === 0 && <p>You are not a member of any workspace.</p>}
      <ul class="cards">
        {memberships.map(({ tenantId, name, level }) => (
          <li class="card idle">
            <h2>
              <a href={`/w/${tenantId}`}>{name}</a>
            </h2>
            <p class="route">you are {ACCESS_LEVELS[level].title.toLowerCase()}</p>
          </li>
        ))}
      </ul>
    </>,
  )
}
