import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deflateRawSync } from 'node:zlib'
import { itemsManifest } from './items-manifest.ts'
import { largeManifest } from './large-manifest.ts'

/** The key that the API takes; tests look for it where it must not be. */
export const API_KEY = 'canary-api-key-5d1f'

/**
 * A real HTTP server with an API of items, a registry of connectors that read it, laid out as
 * Airbyte's, and raw files as git hosts have them.
 */
export async function startConnectorRegistry(): Promise<{ url: string; stop(): void }> {
  let files = new Map<string, string | Uint8Array>()
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (url.pathname === '/api/items') return items(request, response, url)
    if (url.pathname.startsWith('/private')) {
      return response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end()
    }
    if (url.pathname.startsWith('/down')) return response.writeHead(500).end('out of order')
    const file = files.get(url.pathname)
    if (file === undefined) return json(response, 404, {})
    response.writeHead(200).end(file)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  files = filesOf(url)
  return {
    url,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const ITEMS = [
  { id: 1, name: 'first', updated_at: '2024-01-01', size: 7 },
  { id: 2, name: 'second', updated_at: '2024-01-02', size: 8 },
  { id: 3, name: 'third', updated_at: '2024-01-03', size: 9 },
]

function items(request: IncomingMessage, response: ServerResponse, { searchParams }: URL): void {
  const given = request.headers.authorization
  const isKnown = given === `Bearer ${API_KEY}`
  const since = searchParams.get('since')
  const found = ITEMS.filter(({ updated_at: at }) => since === null || at >= since)
  json(
    response,
    isKnown ? 200 : 401,
    isKnown ? { items: found } : { message: `no such key: ${given}` },
  )
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function filesOf(url: string): Map<string, string | Uint8Array> {
  const files = new Map<string, string | Uint8Array>()
  const add = (name: string, versions: string[], manifest: string | undefined, meta: object = {}) =>
    versions.forEach((version) => {
      const folder = `/files/metadata/airbyte/${name}/${version}`
      const dockerImageTag = version === 'latest' ? versions[0] : version
      files.set(`${folder}/metadata.yaml`, metadata({ name, dockerImageTag, ...meta }))
      if (manifest !== undefined) files.set(`${folder}/manifest.yaml`, manifest)
    })
  const second = {
    fields: ['size: { type: integer }'],
    config: ['team: { type: string, order: 1 }'],
    streams: ['tags'],
  }
  add('source-items', ['1.0.0'], itemsManifest(url))
  add('source-items', ['2.0.0', 'latest'], itemsManifest(url, second), { releases: RELEASES })
  add('source-large', ['1.0.0', 'latest'], largeManifest(`${url}/api`))
  add('source-elastic', ['1.0.0', 'latest'], itemsManifest(url), { license: 'Elv2' })
  add('source-nameless', ['1.0.0', 'latest'], itemsManifest(url), { license: undefined })
  add('source-python', ['1.0.0', 'latest'], undefined)
  add('source-warehouse', ['1.0.0', 'latest'], itemsManifest(url), { connectorType: 'destination' })
  add('source-classes', ['1.0.0', 'latest'], itemsManifest(url, { custom: 'special' }))
  const zip = zipOf({ 'manifest.yaml': 'x', 'components.py': COMPONENTS })
  files.set('/files/metadata/airbyte/source-classes/1.0.0/components.zip', zip)
  files.set('/raw/acme/connectors/main/items/manifest.yaml', itemsManifest(url))
  files.set('/raw/acme/connectors/main/items/metadata.yaml', metadata({ name: 'source-git-items' }))
  files.set('/text/manifest.yaml', itemsManifest(url))
  files.set('/text/page.html', '<!doctype html><p>not a manifest</p>')
  files.set('/text/bytes.yaml', new Uint8Array([0xff, 0xfe, 0x00]))
  files.set('/text/huge.yaml', `# ${'x'.repeat(5 * 1024 * 1024)}`)
  return files
}

export const COMPONENTS = 'class ItemExtractor:\n    pass\n'

const RELEASES = {
  breakingChanges: {
    '2.0.0': {
      message: 'Items have a size; refresh them.',
      upgradeDeadline: '2024-06-01',
      scopedImpact: [{ scopeType: 'stream', impactedScopes: ['items'] }],
    },
    '0.9.0': { message: 'Long ago.', upgradeDeadline: '2023-01-01' },
  },
}

/** As JSON, which is YAML too. */
function metadata({ name, ...over }: { name: string; [field: string]: unknown }): string {
  const data = {
    ...{ name: `The ${name}`, dockerRepository: `airbyte/${name}`, dockerImageTag: '1.0.0' },
    ...{ definitionId: '3f2b1c40-0000-4000-8000-00000000aa01', license: 'MIT' },
    ...{ connectorType: 'source', documentationUrl: 'https://docs.example.com', ...over },
  }
  return JSON.stringify({ data, metadataSpecVersion: '1.0' })
}

/** A ZIP archive; only what a reader of its directory looks at is filled in. */
function zipOf(entries: Record<string, string>): Uint8Array {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(entries)) {
    const packed = deflateRawSync(text)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(8, 8)
    local.writeUInt16LE(name.length, 26)
    locals.push(local, Buffer.from(name), packed)
    const header = Buffer.alloc(46)
    header.writeUInt32LE(0x02014b50, 0)
    header.writeUInt16LE(8, 10)
    header.writeUInt32LE(packed.length, 20)
    header.writeUInt16LE(name.length, 28)
    header.writeUInt32LE(offset, 42)
    central.push(header, Buffer.from(name))
    offset += 30 + name.length + packed.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Object.keys(entries).length, 10)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}
