import { env } from 'cloudflare:workers'
import { describe, expect, inject, it } from 'vitest'
import { COMPONENTS } from '../support/connector-registry.ts'
import { itemsManifest } from '../support/items-manifest.ts'
import { callerOf } from './support.ts'

let n = 0
const fresh = (over: Record<string, string> = {}) =>
  callerOf({ ...env, ...over } as Env, `connectors-${++n}`)
const url = (path: string) => `${inject('registryUrl')}${path}`
const manifest = () => itemsManifest(inject('registryUrl'))

describe('importing a connector', () => {
  it('by name pins the version, and shows licence, origin and streams', async () => {
    const call = fresh()
    const made = await call('connectors.import', { from: 'source-items@1.0.0' })
    expect(made).toMatchObject({
      ...{ name: 'items', title: 'The source-items', version: '1.0.0', license: 'MIT' },
      ...{ evidence: 'none', shadows: false, streams: { runs: ['items'], refused: [] } },
      origin: { from: 'registry', location: 'source-items' },
      definitionId: '3f2b1c40-0000-4000-8000-00000000aa01',
      contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    const latest = await call('connectors.import', { from: 'items', name: 'items-two' })
    expect(latest).toMatchObject({ name: 'items-two', version: '2.0.0' })
    expect(await call('connectors.list')).toMatchObject({
      ...{ total: 2, items: [{ name: 'items' }, { name: 'items-two' }] },
    })
  })

  it('lets sources name it by its definition id, while only one has that', async () => {
    const call = fresh()
    const { definitionId: type } = await call('connectors.import', { from: 'source-items' })
    const made = await call('sources.create', { name: 's', type, config: {} })
    expect(made).toMatchObject({ type: 'items', connector: { version: '2.0.0' } })
    await call('connectors.import', { from: 'source-items@1.0.0', name: 'older' })
    await expect(call('sources.create', { name: 't', type, config: {} })).rejects.toMatchObject({
      ...{ code: 'CONNECTOR_NOT_FOUND', didYouMean: ['items', 'older'] },
    })
  })

  it('by a git reference or a URL takes the metadata beside it', async () => {
    const call = fresh()
    const git = 'github:acme/connectors@main:items/manifest.yaml'
    expect(await call('connectors.import', { from: git })).toMatchObject({
      ...{ name: 'git-items', license: 'MIT', origin: { from: 'git', location: git } },
    })
    const from = url('/text/manifest.yaml?token=once')
    const stated = { from, name: 'mine', license: 'own', version: '0.3.0' }
    expect(await call('connectors.import', stated)).toMatchObject({
      ...{ name: 'mine', version: '0.3.0', license: 'own' },
      origin: { from: 'url', location: url('/text/manifest.yaml') },
    })
  })

  it('as a text needs a name and a licence, and has its hash for a version', async () => {
    const call = fresh()
    const given = { manifest: manifest(), license: 'mit license' }
    await expect(call('connectors.import', given)).rejects.toMatchObject({ field: 'name' })
    const made = await call('connectors.import', { ...given, name: 'mine' })
    expect(made).toMatchObject({ license: 'MIT', definitionId: made.id, origin: { from: 'text' } })
    expect(String(made.contentHash)).toContain(String(made.version))
  })

  it('of a megabyte and a quarter works', async () => {
    const call = fresh()
    const made = await call('connectors.import', { from: 'source-large' })
    expect(made.bytes).toBeGreaterThan(1_250_000)
    expect((made.streams as unknown as { runs: string[] }).runs).toHaveLength(340)
    const config = { api_key: 'k' }
    await call('sources.create', { name: 's', type: 'large', config })
    expect(await call('sources.discover', { source: 's' })).toMatchObject({ total: 340 })
  }, 60_000)

  it('says which streams need Python, and keeps it without running it', async () => {
    const call = fresh()
    const made = await call('connectors.import', { from: 'source-classes' })
    expect(made.streams).toMatchObject({
      runs: ['items'],
      refused: [{ name: 'special', reason: expect.stringContaining('ItemExtractor') }],
    })
    const whole = await call('connectors.get', { connector: 'classes', texts: true })
    expect(whole).toMatchObject({
      ...{ components: COMPONENTS, releases: [{ version: '1.0.0' }] },
      manifest: expect.stringContaining('DeclarativeSource'),
    })
  })

  it.each([
    ['not YAML', { manifest: 'a: [', name: 'x' }, { code: 'VALIDATION_FAILED', field: 'manifest' }],
    [
      'no source',
      { manifest: '{ version: 6.0.0, type: DeclarativeDestination }', name: 'x' },
      { field: 'manifest.type' },
    ],
    [
      'no streams',
      { manifest: '{ version: 6.0.0, type: DeclarativeSource }', name: 'x' },
      { field: 'manifest.streams' },
    ],
    ['nothing', {}, { code: 'VALIDATION_FAILED', field: 'from' }],
    ['two places', { manifest: 'a: 1', from: 'source-items' }, { field: 'from' }],
    ['a destination by name', { from: 'destination-s3' }, { field: 'from' }],
    [
      'a destination by its metadata',
      { from: 'source-warehouse' },
      { field: 'metadata.data.connectorType' },
    ],
    ['no such connector', { from: 'source-nothing' }, { code: 'CONNECTOR_NOT_FOUND' }],
    ['no such version', { from: 'source-items@9.9.9' }, { code: 'CONNECTOR_NOT_FOUND' }],
    ['two versions', { from: 'source-items@1.0.0', version: '2.0.0' }, { field: 'version' }],
    ['no manifest', { from: 'source-python' }, { code: 'UNSUPPORTED' }],
    ['an unknown git host', { from: 'nohub:a/b@c:d' }, { field: 'from', didYouMean: ['github'] }],
    ['a way out of a repository', { from: 'github:a/b@c:../../d' }, { field: 'from' }],
    [
      'a URL with a password',
      { from: 'https://me:secret-word@host/manifest.yaml' },
      { field: 'from' },
    ],
    ['a name that is none', { from: 'source-items', name: 'Mine!' }, { field: 'name' }],
    ['a built-in name', { from: 'source-items', name: 'postgres' }, { code: 'NAME_TAKEN' }],
    ['ELv2', { from: 'source-elastic' }, { code: 'LICENSE_REFUSED' }],
    ['no licence', { from: 'source-nameless' }, { code: 'LICENSE_REFUSED' }],
    [
      'another licence than its own',
      { from: 'source-elastic', license: 'MIT' },
      { field: 'license' },
    ],
  ])('refuses %s', async (_, input, problem) => {
    const call = fresh()
    await expect(call('connectors.import', input)).rejects.toMatchObject(problem)
    expect(await call('connectors.list')).toMatchObject({ total: 0 })
    const { objects } = await env.STAGING.list({ prefix: `connectors-${n}/` })
    expect(objects).toEqual([])
  })

  it.each([
    ['a missing file', '/text/missing.yaml', 'NOT_FOUND'],
    ['a page', '/text/page.html', 'VALIDATION_FAILED'],
    ['bytes that are no text', '/text/bytes.yaml', 'VALIDATION_FAILED'],
    ['a file that is too large', '/text/huge.yaml', 'TOO_LARGE'],
    ['a redirect to a private address', '/private/manifest.yaml', 'EGRESS_REFUSED'],
    ['a server that is out of order', '/down/manifest.yaml', 'UPSTREAM_ERROR'],
  ])('refuses %s', async (_, path, code) => {
    const input = { from: url(path), name: 'x', license: 'own' }
    await expect(fresh()('connectors.import', input)).rejects.toMatchObject({ code })
  })

  it('goes nowhere but over https where private networks are closed', async () => {
    const call = fresh({ ALLOW_PRIVATE_NETWORKS: 'off' })
    const inputs = [
      { from: url('/text/manifest.yaml'), name: 'x', license: 'own' },
      { from: 'https://127.0.0.1/manifest.yaml', name: 'x', license: 'own' },
      { from: 'source-items' },
    ]
    for (const input of inputs) {
      await expect(call('connectors.import', input)).rejects.toMatchObject({
        code: 'EGRESS_REFUSED',
      })
    }
  })

  it('says that the registry is down, and who names another', async () => {
    const call = fresh({ CONNECTOR_REGISTRY_URL: 'http://127.0.0.1:9' })
    await expect(call('connectors.import', { from: 'source-items' })).rejects.toMatchObject({
      code: 'HOST_UNREACHABLE',
      message: 'The connector registry http://127.0.0.1:9 cannot be reached.',
      hint: expect.stringMatching(/mirror.* CONNECTOR_REGISTRY_URL/),
    })
  })

  it('of a licence that is not free needs the operator and the caller', async () => {
    const call = fresh({ ALLOWED_CONNECTOR_LICENSES: 'Elastic-2.0, unknown' })
    const elastic = { from: 'source-elastic' }
    await expect(call('connectors.import', elastic)).rejects.toMatchObject({
      ...{ code: 'CONFIRMATION_REQUIRED', field: 'acceptLicense' },
    })
    const made = await call('connectors.import', { ...elastic, acceptLicense: 'elv2' })
    expect(made).toMatchObject({ license: 'ELv2' })
    expect((await call('catalog.search', { query: 'elastic' })).items).toMatchObject([
      { name: 'elastic', license: 'ELv2', evidence: 'none' },
    ])
  })

  it('under a name that is taken leaves the first one as it is', async () => {
    const call = fresh()
    const first = await call('connectors.import', { from: 'source-items@1.0.0' })
    await expect(call('connectors.import', { from: 'source-items' })).rejects.toMatchObject({
      ...{ code: 'NAME_TAKEN', field: 'name' },
    })
    expect(await call('connectors.get', { connector: 'items' })).toMatchObject({
      contentHash: first.contentHash,
    })
  })

  it('shadows a built-in name when asked to', async () => {
    const call = fresh()
    const input = { from: 'source-items', name: 'sample-data' }
    await call('connectors.import', { ...input, shadow: true })
    const made = await call('sources.create', { name: 's', type: 'sample-data', config: {} })
    expect(made).toMatchObject({ missingSecrets: ['api_key'] })
  })
})

describe('removing a connector', () => {
  it('is refused while sources have it, and leaves nothing behind', async () => {
    const call = fresh()
    const { id } = await call('connectors.import', { from: 'source-items' })
    const config = { api_key: 'k' }
    await call('sources.create', { name: 's', type: 'items', config })
    await expect(call('connectors.remove', { connector: 'items' })).rejects.toMatchObject({
      ...{ code: 'IN_USE', message: expect.stringContaining("'s'") },
    })
    await call('sources.delete', { source: 's' })
    expect(await call('connectors.remove', { connector: id })).toMatchObject({ deleted: true })
    const { objects } = await env.STAGING.list({ prefix: `connectors-${n}/connectors/` })
    expect(objects).toEqual([])
    await expect(call('connectors.get', { connector: 'items' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await call('connectors.import', { from: 'source-items' })
  })

  it('by chat takes its name for a confirmation, and never the source of that name', async () => {
    const call = fresh()
    const chat = callerOf(env, `connectors-${n}`, { face: 'mcp' })
    const { id } = await call('connectors.import', { from: 'source-items' })
    await call('sources.create', { name: 'items', type: 'sample-data', config: {} })
    await expect(chat('resources.delete', { id: 'items', confirm: 'items' })).rejects.toMatchObject(
      { code: 'VALIDATION_FAILED', hint: expect.stringContaining(String(id)) },
    )
    await expect(chat('resources.delete', { id })).rejects.toMatchObject({
      code: 'CONFIRMATION_REQUIRED',
    })
    await chat('resources.delete', { id, confirm: 'items' })
    expect(await call('connectors.list')).toMatchObject({ total: 0 })
    expect(await call('sources.get', { source: 'items' })).toMatchObject({ status: 'active' })
  })
})
