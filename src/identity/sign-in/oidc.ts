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
        return personOf(server, claims, await profileClaims(server, tokens.access_token, claims))
      }),
  }

  /** Many issuers keep the id_token thin and tell name and address at the userinfo endpoint only. */
  async function profileClaims(
    server: AuthorizationServer,
    accessToken: string,
    claims: Claims & { sub: string },
  ): Promise<Claims> {
    if ((claims.name && claims.email) || !server.userinfo_endpoint) return claims
    const response = await userInfoRequest(server, client, accessToken, options)
    return { ...(await processUserInfoResponse(server, client, claims.sub, response)), ...claims }
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

function personOf(
  { issuer }: AuthorizationServer,
  { sub: subject }: { sub: string },
  claims: Claims,
): SignedIn {
  const email = claims.email_verified === true ? textOf(claims.email) : undefined
  const name = textOf(claims.name) ?? textOf(claims.preferred_username) ?? textOf(claims.email)
  return { issuer, subject, name: name ?? 'you', email }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}
