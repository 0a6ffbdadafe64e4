import { generateKeyPairSync } from 'node:crypto'
import { Provider } from 'oidc-provider'
import { CLIENT, ORIGIN } from './client.ts'
import { listen, type RunningServer } from './listen.ts'

/** What the providers of the tests have in common: whoever signs in as `ann` is Ann. */
export function anybody() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    cookies: { keys: ['only for tests'] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
    pkce: { required: () => true },
    ttl: { AccessToken: 60, Grant: 600, IdToken: 60, Interaction: 600, Session: 600 },
    findAccount: (_: unknown, accountId: string) => ({
      accountId,
      claims: () => ({
        sub: accountId,
        name: accountId,
        email: `${accountId}@example.com`,
        email_verified: !accountId.startsWith('unverified'),
      }),
    }),
  }
}

/**
 * A certified OpenID provider on loopback, with its own pages for sign-in and consent. A login that
 * begins with `unverified` has an address nobody checked.
 */
export function startOidcProvider(): Promise<RunningServer> {
  return listen((url) => {
    const provider = new Provider(url, {
      ...anybody(),
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          redirect_uris: [`${ORIGIN}/sign-in/oidc/callback`],
        },
      ],
      claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    })
    return provider.callback()
  })
}
