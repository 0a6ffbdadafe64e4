import { page } from './layout.tsx'

/** Shown where a person is needed and no way to sign in is configured. */
export function signInNotConfiguredPage(): Response {
  return page(
    'Sign-in is not configured',
    <>
      <h1>Sign-in is not configured</h1>
      <p>
        This server asks people to sign in, but no identity provider is set up, so nobody can
        authorize an app from here yet.
      </p>
      <h2>If you run this server</h2>
      <p>
        On your own machine, start it with <code>npm start</code>: it then runs in local mode, for
        one person, without sign-in.
      </p>
      <p>Hosted, programs can already use API keys, which need no sign-in.</p>
    </>,
    { status: 503 },
  )
}
