import { githubProvider } from './github.ts'
import { oidcProvider } from './oidc.ts'
import type { SignInProvider } from './provider.ts'

/** Vars or secrets of the Worker; docs/identity.md says what they are. */
const SETTINGS = [
  'OIDC_ISSUER',
  'OIDC_CLIENT_ID',
  'OIDC_CLIENT_SECRET',
  'OIDC_NAME',
  'GITHUB_CLIENT_ID',
  'GITHUB_CLIENT_SECRET',
  'GITHUB_URL',
  'ALLOWED_EMAILS',
] as const

type Setting = (typeof SETTINGS)[number]
type Settings = Partial<Record<Setting, string>>

export interface SignInConfig {
  providers: SignInProvider[]
  /** Settings without which others that are there cannot be used. */
  missing: Setting[]
  /** Whether this server is for the account with this verified address. */
  allows(email: string | undefined): boolean
}

export function signInConfig(env: Env): SignInConfig {
  const settings = settingsOf(env)
  const oidc = oidcOf(settings)
  const github = githubOf(settings)
  return {
    providers: [oidc, github].filter((part) => typeof part === 'object'),
    missing: [oidc, github].filter((part) => typeof part === 'string'),
    allows: allowedBy(settings.ALLOWED_EMAILS),
  }
}

function settingsOf(env: Env): Settings {
  const vars = env as Env & Settings
  // A secret that came through a pipe often ends with a line break.
  return Object.fromEntries(SETTINGS.map((name) => [name, vars[name]?.trim() || undefined]))
}

/** The provider, the name of what it lacks, or nothing where nothing is set. */
function oidcOf(settings: Settings): SignInProvider | Setting | undefined {
  const {
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: clientId,
    OIDC_CLIENT_SECRET: clientSecret,
  } = settings
  if (!issuer && !clientId && !clientSecret) return undefined
  if (!clientId) return 'OIDC_CLIENT_ID'
  if (!issuer || !URL.canParse(issuer)) return 'OIDC_ISSUER'
  return oidcProvider({ issuer, clientId, clientSecret, name: settings.OIDC_NAME })
}

function githubOf(settings: Settings): SignInProvider | Setting | undefined {
  const {
    GITHUB_CLIENT_ID: clientId,
    GITHUB_CLIENT_SECRET: clientSecret,
    GITHUB_URL: url,
  } = settings
  if (!clientId && !clientSecret) return undefined
  if (!clientId) return 'GITHUB_CLIENT_ID'
  if (!clientSecret) return 'GITHUB_CLIENT_SECRET'
  if (url && !URL.canParse(url)) return 'GITHUB_URL'
  return githubProvider({ clientId, clientSecret, url })
}

/**
 * `ann@example.com, @example.org`: single addresses and whole domains. Empty: everybody whom the
 * provider vouches for. A list lets nobody in whose address is not verified.
 */
function allowedBy(list = ''): SignInConfig['allows'] {
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
