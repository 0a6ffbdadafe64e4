/** Fetches the files of a connector, through the same egress as connectors themselves. */
import { AirbyteError, toAirbyteError } from '../../protocol/index.ts'
import { readForeignMetadata, unzipEntries } from '../../runtime/declarative/index.ts'
import type { OperationContext } from '../define.ts'
import { filesBeside, gitUrl, type RemoteOrigin } from './origin.ts'
import { importSettings } from './settings.ts'

export interface ConnectorFiles {
  manifest: string
  metadata?: string
  /** Python that came along; it is kept to be shown and never run. */
  components?: string
}

export const MAX_MANIFEST = 4 * 1024 * 1024
export const MAX_METADATA = 256 * 1024
const MAX_COMPONENTS = 1024 * 1024
const LIMIT_MS = 30_000

/** @throws NOT_FOUND, CONNECTOR_NOT_FOUND, UNSUPPORTED, TOO_LARGE, EGRESS_REFUSED, HOST_UNREACHABLE, … */
export async function fetchFiles(
  ctx: OperationContext,
  origin: RemoteOrigin,
  { url, version }: { url?: string; version?: string },
): Promise<ConnectorFiles> {
  const get = getter(ctx)
  if (origin.from === 'registry') return fromRegistry(ctx, get, origin.location, version)
  const urls = filesBeside(
    origin.from === 'git'
      ? gitUrl(origin.location, importSettings(ctx.env).gitHosts)
      : (url as string),
  )
  const manifest = await get(urls.manifest, MAX_MANIFEST)
  if (manifest === null) {
    const message = `There is no file at ${origin.location}.`
    throw new AirbyteError('NOT_FOUND', message, {
      field: 'from',
      hint: 'Check the address, and that it can be read without signing in.',
    })
  }
  const [metadata, components] = await Promise.all([
    urls.metadata ? get(urls.metadata, MAX_METADATA) : null,
    urls.components && needsClasses(manifest) ? get(urls.components, MAX_COMPONENTS) : null,
  ])
  return { manifest, metadata: metadata ?? undefined, components: components ?? undefined }
}

/** Airbyte's layout: one folder a version, `latest` among them. */
async function fromRegistry(
  { env }: OperationContext,
  get: Get,
  name: string,
  version = 'latest',
): Promise<ConnectorFiles> {
  const { registryUrl } = importSettings(env)
  const folder = (of: string) => `${registryUrl}/metadata/airbyte/${name}/${of}`
  const metadata = await get(`${folder(version)}/metadata.yaml`, MAX_METADATA).catch(
    (error: AirbyteError) => {
      throw error.code === 'HOST_UNREACHABLE' ? registryUnreachable(registryUrl, error) : error
    },
  )
  if (metadata === null) {
    const latest =
      version === 'latest' ? null : await get(`${folder('latest')}/metadata.yaml`, MAX_METADATA)
    const what = latest === null ? `no connector '${name}'` : `no version '${version}' of ${name}`
    throw new AirbyteError('CONNECTOR_NOT_FOUND', `The registry has ${what}.`, {
      field: 'from',
      hint: latest === null ? 'Names are as in its documentation: source-pokeapi.' : LATEST,
    })
  }
  // `latest` may move between two requests.
  const pinned = folder(readForeignMetadata(metadata, name).info.version)
  const manifest = await get(`${pinned}/manifest.yaml`, MAX_MANIFEST)
  if (manifest === null) {
    const message = `${name} is not written as a manifest, so it cannot run here.`
    throw new AirbyteError('UNSUPPORTED', message, { field: 'from' })
  }
  const components = needsClasses(manifest)
    ? await componentsOf(get, `${pinned}/components.zip`)
    : null
  return { manifest, metadata, components: components ?? undefined }
}

function registryUnreachable(url: string, cause: AirbyteError): AirbyteError {
  const message = `The connector registry ${url} cannot be reached.`
  return new AirbyteError('HOST_UNREACHABLE', message, {
    hint: 'Whoever runs this installation can name a mirror of it in CONNECTOR_REGISTRY_URL. Or bring the manifest itself, as a file or from a URL.',
    cause,
  })
}

const LATEST = 'Leave the version out for the latest one.'

/** The archive holds the manifest as well. */
async function componentsOf(get: Get, url: string): Promise<string | null> {
  const archive = await get.bytes(url, MAX_COMPONENTS)
  if (archive === null) return null
  for (const { path, chunks } of unzipEntries(archive)) {
    if (!path.endsWith('components.py')) continue
    return textOf(await gathered(chunks, MAX_COMPONENTS, url), url)
  }
  return null
}

const needsClasses = (manifest: string) => manifest.includes('class_name')

interface Get {
  /** The text of a file; null where there is none. */
  (url: string, maxBytes: number): Promise<string | null>
  bytes(url: string, maxBytes: number): Promise<Uint8Array | null>
}

function getter(ctx: OperationContext): Get {
  const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(LIMIT_MS)])
  const { http } = ctx.connector(signal, LIMIT_MS)
  const bytes = async (url: string, maxBytes: number) => {
    const { host } = new URL(url)
    try {
      const response = await http.fetch(url, { maxBytes, attempts: 2, timeoutMs: 10_000 })
      if (response.status === 404 || response.status === 410) return null
      if (response.ok) return new Uint8Array(await response.arrayBuffer())
      throw new AirbyteError('UPSTREAM_ERROR', `${host} answered with status ${response.status}.`)
    } catch (error) {
      if (signal.aborted && !ctx.signal.aborted) {
        throw new AirbyteError('TIMEOUT', `${host} did not answer within ${LIMIT_MS / 1000} s.`)
      }
      throw toAirbyteError(error)
    }
  }
  return Object.assign(
    async (url: string, maxBytes: number) => {
      const found = await bytes(url, maxBytes)
      return found && textOf(found, url)
    },
    { bytes },
  )
}

async function gathered(chunks: AsyncIterable<Uint8Array>, max: number, url: string) {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > max) throw new AirbyteError('TOO_LARGE', `${url} unpacks to more than ${max} bytes.`)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

function textOf(bytes: Uint8Array, url: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    const message = `${new URL(url).pathname} is not UTF-8 text.`
    throw new AirbyteError('VALIDATION_FAILED', message, { field: 'from' })
  }
}
