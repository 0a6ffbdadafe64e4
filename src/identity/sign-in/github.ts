import {
  type AuthorizationServer,
  authorizationCodeGrantRequest,
  type Client,
  ClientSecretPost,
  processAuthorizationCodeResponse,
  protectedResourceRequest,
  validateAuthResponse,
} from 'oauth4webapi'
import { z } from 'zod'
import { authorizationUrl } from './authorization-url.ts'
import { displayName } from './display-name.ts'
import { httpOptions } from './http-options.ts'
import { SignInProblem, talking } from './problem.ts'
import type { SignInProvider } from './provider.ts'

export interface GitHubSettings {
  clientId: string
  clientSecret: string
  /** Of a GitHub Enterprise Server; default `https://github.com`. */
  url?: string
}

const User = z.object({ id: z.int(), login: z.string().min(1), name: z.string().nullish() })
/** GitHub tells what was wrong with a code or secret with status 200. */
const Refusal = z.object({ error: z.string() })
const Emails = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }))

/**
 * GitHub's OAuth API, which is not OpenID Connect: the person is asked for with the access token,
 * which is then forgotten. The subject is the account's number; names can be given to others.
 * @see https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 */
export function githubProvider(settings: GitHubSettings): SignInProvider {
  const origin = new URL(settings.url || 'https://github.com').origin
  const api = origin === 'https://github.com' ? 'https://api.github.com' : `${origin}/api/v3`
  const server: AuthorizationServer = {
    // What GitHub sends as `iss` (RFC 9207) since 2026; older Enterprise Servers send none.
    issuer: `${origin}/login/oauth`,
    authorization_endpoint: `${origin}/login/oauth/authorize`,
    token_endpoint: `${origin}/login/oauth/access_token`,
  }
  const client: Client = { client_id: settings.clientId }
  const options = httpOptions(new URL(origin))

  return {
    id: 'github',
    title: origin === 'https://github.com' ? 'GitHub' : `GitHub at ${new URL(origin).host}`,

    begin: (redirectUri, challenge) =>
      talking(() =>
        authorizationUrl(server, client, redirectUri, 'read:user user:email', challenge),
      ),

    finish: (answer, redirectUri, { state, verifier }) =>
      talking(async () => {
        const code = validateAuthResponse(server, client, answer, state)
        const response = await authorizationCodeGrantRequest(
          server,
          client,
          ClientSecretPost(settings.clientSecret),
          code,
          redirectUri,
          verifier,
          options,
        )
        const refusal = Refusal.safeParse(await response.clone().json())
        if (refusal.success) throw new SignInProblem('unconfirmed', refusal.data.error)
        const tokens = await processAuthorizationCodeResponse(server, client, response)
        const user = await read(tokens.access_token, '/user', User)
        const emails = await read(tokens.access_token, '/user/emails?per_page=100', Emails)
        return {
          issuer: origin,
          subject: String(user.id),
          name: displayName(user.name, user.login),
          email: emails.find(({ primary, verified }) => primary && verified)?.email,
        }
      }),
  }

  async function read<T>(accessToken: string, path: string, shape: z.ZodType<T>): Promise<T> {
    const headers = new Headers({
      accept: 'application/vnd.github+json',
      // GitHub refuses requests that do not say who sends them.
      'user-agent': 'airbyte',
      'x-github-api-version': '2022-11-28',
    })
    const url = new URL(`${api}${path}`)
    const response = await protectedResourceRequest(accessToken, 'GET', url, headers, null, options)
    if (!response.ok) throw new SignInProblem('unavailable', `status ${response.status}`)
    const parsed = shape.safeParse(await response.json())
    if (!parsed.success) throw new SignInProblem('unavailable', 'another shape')
    return parsed.data
  }
}
