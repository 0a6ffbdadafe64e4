import { page } from './layout.tsx'

/** One button for each way to sign in. */
export function signInPage(providers: { id: string; title: string }[], returnTo: string): Response {
  return page(
    'Sign in',
    <>
      <h1>Sign in</h1>
      <p>
        {returnTo === '/'
          ? 'Sign in to work with your data pipelines.'
          : 'Sign in to go on; you come back to the page that you opened.'}
      </p>
      {providers.map(({ id, title }) => (
        <form method="post" action={`/sign-in/${id}`}>
          <input type="hidden" name="return_to" value={returnTo} />
          <p>
            <button class="primary whole" type="submit">
              Continue with {title}
            </button>
          </p>
        </form>
      ))}
    </>,
  )
}

/** Where somebody opens the sign-in page who is signed in. */
export function signedInPage(name: string): Response {
  return page(
    'Signed in',
    <>
      <h1>You are signed in as {name}</h1>
      <SignOut label="Sign out" />
    </>,
  )
}

/** A button that ends the session and asks anew for the page it stands on. */
export function SignOut({ label, returnTo }: { label: string; returnTo?: string }) {
  return (
    <form method="post" action="/sign-out">
      {returnTo && <input type="hidden" name="return_to" value={returnTo} />}
      <p>
        <button type="submit">{label}</button>
      </p>
    </form>
  )
}

/**
 * Shown where a person is needed and no way to sign in is configured.
 * @param missing settings without which those that are there cannot be used
 */
export function signInNotConfiguredPage(missing: string[] = []): Response {
  return page(
    'Sign-in is not configured',
    <>
      <h1>Sign-in is not configured</h1>
      <p>
        This server asks people to sign in, but no identity provider is set up, so nobody can
        authorize an app from here yet.
      </p>
      <h2>If you run this server</h2>
      {missing.length > 0 && (
        <p class="problem">
          Set <code>{missing.join(', ')}</code>: without it the other settings cannot be used.
        </p>
      )}
      <p>
        On your own machine, start it with <code>npm start</code>: it then runs in local mode, for
        one person, without sign-in.
      </p>
      <p>
        Hosted, set <code>OIDC_ISSUER</code> and <code>OIDC_CLIENT_ID</code>, or{' '}
        <code>GITHUB_CLIENT_ID</code> and <code>GITHUB_CLIENT_SECRET</code>;{' '}
        <code>docs/identity.md</code> says how.
      </p>
    </>,
    { status: 503 },
  )
}
