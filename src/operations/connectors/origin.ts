import { AirbyteError } from '../../protocol/index.ts'
import type { ConnectorOrigin } from '../tenant.ts'

/** Where the files of a connector are; `location` is how a caller names it. */
export type RemoteOrigin = Extract<ConnectorOrigin, { location: string }>

/** Files of the connector by name, beside each other. */
export interface FileUrls {
  manifest: string
  metadata?: string
  components?: string
}

const REGISTRY_NAME = /^(?:source-)?([a-z0-9][a-z0-9-]{0,80})(?:@([\w.+-]{1,60}))?$/
const GIT = /^([a-z][a-z0-9-]*):([\w.-]+(?:\/[\w.-]+)+)@([\w./-]+):(.+)$/

/**
 * What `from` means: `https://host/path/manifest.yaml`, `github:owner/repo@ref:path/manifest.yaml`,
 * or `source-name@version` of the registry.
 *
 * @throws VALIDATION_FAILED
 */
export function parseOrigin(from: string): { origin: RemoteOrigin; version?: string } {
  if (/^https?:\/\//i.test(from)) {
    if (!URL.canParse(from)) throw invalid('That is not a valid URL.')
    const { origin, pathname, username } = new URL(from)
    if (username !== '') throw invalid('A URL with credentials in it is not taken.')
    // What follows the path may be a token: it is used once and not kept.
    return { origin: { from: 'url', location: `${origin}${pathname}` } }
  }
  if (GIT.test(from)) return { origin: { from: 'git', location: from } }
  if (from.startsWith('destination-')) {
    throw invalid(`'${from}' is a destination; only sources can be imported.`)
  }
  const [, name, version] = REGISTRY_NAME.exec(from) ?? []
  if (name === undefined) throw invalid(`'${from.slice(0, 100)}' names no connector.`)
  return {
    origin: { from: 'registry', location: `source-${name}` },
    ...(version !== undefined && { version }),
  }
}

/** `github=https://host/{repo}/{ref}/{path}` and others, with blanks between them. */
export function gitUrl(location: string, hosts: string): string {
  const [, host = '', repo = '', ref = '', path = ''] = GIT.exec(location) ?? []
  const known = hosts.split(/\s+/).filter((entry) => entry.includes('='))
  const entry = known.find((one) => one.startsWith(`${host}=`))
  if (!entry) {
    const names = known.map((one) => one.slice(0, one.indexOf('=')))
    throw new AirbyteError('VALIDATION_FAILED', `'${host}' is no git host that is known here.`, {
      ...{ field: 'from', didYouMean: names },
      hint: `Known are ${names.join(', ')}. Give the URL of the raw file instead, or let the operator add the host to CONNECTOR_GIT_HOSTS.`,
    })
  }
  const parts = { repo, ref, path: path.replace(/^\/+/, '') }
  return entry
    .slice(entry.indexOf('=') + 1)
    .replaceAll(/\{(repo|ref|path)\}/g, (_, name: keyof typeof parts) => pathOf(parts[name]))
}

/** The files beside a manifest; a file of another name stands alone. */
export function filesBeside(url: string): FileUrls {
  const beside = (name: string) => {
    const other = new URL(url)
    other.pathname = other.pathname.replace(/manifest\.ya?ml$/, name)
    return other.href
  }
  if (!/\/manifest\.ya?ml$/.test(new URL(url).pathname)) return { manifest: url }
  return {
    manifest: url,
    metadata: beside('metadata.yaml'),
    components: beside('components.py'),
  }
}

function pathOf(path: string): string {
  const segments = path.split('/')
  if (segments.some((segment) => segment === '..' || segment === '.' || segment === '')) {
    throw invalid(`'${path}' is not a path within a repository.`)
  }
  return segments.map(encodeURIComponent).join('/')
}

const invalid = (message: string) =>
  new AirbyteError('VALIDATION_FAILED', message, {
    field: 'from',
    hint: 'Give a URL, github:owner/repo@ref:path/manifest.yaml, or a name of the registry such as source-pokeapi.',
  })
