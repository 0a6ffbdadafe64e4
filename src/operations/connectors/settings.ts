/** What the operator may set about imports: in wrangler.toml, or for `npm start` in the environment. */
interface ImportSettings {
  CONNECTOR_REGISTRY_URL?: string
  CONNECTOR_GIT_HOSTS?: string
  ALLOWED_CONNECTOR_LICENSES?: string
}

const REGISTRY = 'https://connectors.airbyte.com/files'
const GIT_HOSTS = 'github=https://raw.githubusercontent.com/{repo}/{ref}/{path}'

export function importSettings(env: Env) {
  const given = env as ImportSettings
  return {
    registryUrl: (given.CONNECTOR_REGISTRY_URL ?? REGISTRY).replace(/\/$/, ''),
    gitHosts: given.CONNECTOR_GIT_HOSTS ?? GIT_HOSTS,
    allowedLicenses: given.ALLOWED_CONNECTOR_LICENSES ?? '',
  }
}
