import { githubProvider } from './github.ts'
import { oidcProvider } from './oidc.ts'
import type { SignInProvider } from './provider.ts'

/** Vars and secrets of the Worker; docs/identity.md says how to set them. */
interface SignInVars {
  OIDC_ISSUER?: string
  OIDC_CLIENT_ID?: string
  OIDC_CLIENT_SECRET?: string
  OIDC_NAME?: string
  GITHUB_CLIENT_ID?: string
  GITHUB_CLIENT_SECRET?: string
  GITHUB_URL?: string
  ALLOWED_EMAILS?: string
}

export interface SignInConfig {
  providers: SignInProvider[]
  /** Settings that are needed to complete others that are there. */
  missing: string[]
  /** Whether the account is one that this server is for. */
  allows(email: string | undefined): boolean
}

export function signInConfig(env: Env): SignInConfig {
  const vars = env as Env & SignInVars
  const config: SignInConfig = {
    providers: [],
    missing: [],
    allows: allowedBy(vars.ALLOWED_EMAILS ?? ''),
  }
  const oidc = { issuer: vars.OIDC_ISSUER, clientId: vars.OIDC_CLIENT_ID }
  if (oidc.issuer && oidc.clientId && URL.canParse(oidc.issuer)) {
    const { OIDC_CLIENT_SECRET: clientSecret, OIDC_NAME: name } = vars
    const { issuer, clientId } = oidc
    config.providers.push(oidcProvider({ issuer, clientId, clientSecret, name }))
  } else if (oidc.issuer || oidc.clientId || vars.OIDC_CLIENT_SECRET) {
    config.missing.push(oidc.clientId ? 'OIDC_ISSUER' : 'OIDC_CLIENT_ID')
  }
  const { GITHUB_CLIENT_ID: clientId, GITHUB_CLIENT_SECRET: clientSecret, GITHUB_URL: url } = vars
  if (clientId && clientSecret) {
    config.providers.push(githubProvider({ clientId, clientSecret, url }))
  } else if (clientId || clientSecret) {
    config.missing.push(clientId ? 'GITHUB_CLIENT_SECRET' : 'GITHUB_CLIENT_ID')
  }
  return config
}

/**
 * `ann@example.com, @example.org`: single addresses and whole domains. Empty: everybody whom the
 * provider vouches for. A list lets nobody in whose address is not verified.
 */
function allowedBy(list: string): SignInConfig['allows'] {
  const entries = list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
  return (email) => {
    if (entries.length === 0) return true
    const address = email?.toLowerCase()
    if (!address) return false
    return entries.includes(address) || entries.includes(address.slice(address.lastIndexOf('@')))
  }
}
