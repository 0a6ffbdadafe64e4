import {
  type AuthorizationServer,
  authorizationCodeGrantRequest,
  type Client,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  discoveryRequest,
  getValidatedIdTokenClaims,
  None,
  processAuthorizationCodeResponse,
  processDiscoveryResponse,
  processUserInfoResponse,
  userInfoRequest,
  validateApplicationLevelSignature,
  validateAuthResponse,
} from 'oauth4webapi'
import { authorizationUrl } from './authorization-url.ts'
import { displayName } from './display-name.ts'
import { httpOptions } from './http-options.ts'
import { SignInProblem, talking } from './problem.ts'
import type { SignedIn, SignInProvider } from './provider.ts'

export interface OidcSettings {
  /** As its discovery document names it. */
  issuer: string
  clientId: string
  /** Absent: a public client, which PKCE alone protects. */
  clientSecret?: string
  /** For the button; default: the issuer's host. */
  name?: string
}

type Claims = Record<string, unknown>

/**
 * Any issuer with OpenID Connect discovery. Its metadata and keys are read anew for each sign-in:
 * people sign in rarely, and a rotated key then never locks anybody out.
 */
export function oidcProvider(settings: OidcSettings): SignInProvider {
  const issuer = new URL(settings.issuer)
  const client: Client = { client_id: settings.clientId }
  const options = httpOptions(issuer)
  const discover = async () =>
    processDiscoveryResponse(issuer, await discoveryRequest(issuer, { ...options }))

  return {
    id: 'oidc',
    title: settings.name || issuer.host,

    begin: (redirectUri, challenge) =>
      talking(async () =>
        authorizationUrl(await discover(), client, redirectUri, 'openid profile email', challenge),
      ),

    finish: (answer, redirectUri, { state, nonce, verifier }) =>
      talking(async () => {
        const server = await discover()
        const code = validateAuthResponse(server, client, answer, state)
        const response = await authorizationCodeGrantRequest(
          server,
          client,
          authenticationFor(server, settings.clientSecret),
          code,
          redirectUri,
          verifier,
          options,
        )
        const tokens = await processAuthorizationCodeResponse(server, client, response, {
          expectedNonce: nonce,
          requireIdToken: true,
        })
        // The TLS connection already vouches for the token; the signature also holds a proxy honest.
        await validateApplicationLevelSignature(server, response, options)
        const claims = getValidatedIdTokenClaims(tokens)
        if (!claims) throw new SignInProblem('unconfirmed', 'no id_token')
        const more = await userInfo(server, tokens.access_token, claims)
        return personOf(server.issuer, claims.sub, [claims, more])
      }),
  }

  /**
   * Many issuers keep the id_token thin and tell name and address at the userinfo endpoint only.
   * Who it is does not depend on the answer; one about somebody else is not used (Core 5.3.2).
   */
  async function userInfo(
    server: AuthorizationServer,
    accessToken: string,
    claims: Claims & { sub: string },
  ): Promise<Claims> {
    const complete = claims.name && claims.email && claims.email_verified !== undefined
    if (complete || !server.userinfo_endpoint) return {}
    try {
      return await talking(async () => {
        const response = await userInfoRequest(server, client, accessToken, options)
        return processUserInfoResponse(server, client, claims.sub, response)
      })
    } catch (error) {
      const detail = error instanceof SignInProblem ? error.detail : undefined
      console.warn('sign-in', { provider: 'oidc', reason: 'no userinfo', detail })
      return {}
    }
  }
}

function authenticationFor(server: AuthorizationServer, secret: string | undefined): ClientAuth {
  if (!secret) return None()
  // Discovery 1.0: where nothing is said, it is client_secret_basic.
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  return methods.includes('client_secret_basic')
    ? ClientSecretBasic(secret)
    : ClientSecretPost(secret)
}

/** The first of the answers that tells something is believed; an address only with its own mark. */
function personOf(issuer: string, subject: string, answers: Claims[]): SignedIn {
  const tell = (claim: string) =>
    answers.map((answer) => answer[claim]).find((value) => typeof value === 'string' && value)
  const name = displayName(tell('name'), tell('preferred_username'), tell('email'))
  const verified = answers.find(({ email, email_verified }) => email && email_verified === true)
  const email = typeof verified?.email === 'string' ? verified.email : undefined
  return { issuer, subject, name, email }
}
