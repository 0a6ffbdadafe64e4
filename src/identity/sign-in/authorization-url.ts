import { type AuthorizationServer, type Client, calculatePKCECodeChallenge } from 'oauth4webapi'
import { SignInProblem } from './problem.ts'
import type { Challenge } from './provider.ts'

/** The address that asks for a code (OpenID Connect Core 3.1.2.1 with PKCE S256). */
export async function authorizationUrl(
  server: AuthorizationServer,
  client: Client,
  redirectUri: string,
  scope: string,
  { state, nonce, verifier }: Challenge,
): Promise<URL> {
  const endpoint = server.authorization_endpoint
  if (!endpoint || !/^https?:\/\//i.test(endpoint)) {
    throw new SignInProblem('unavailable', 'no authorization endpoint')
  }
  const url = new URL(endpoint)
  const parameters = {
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url
}
