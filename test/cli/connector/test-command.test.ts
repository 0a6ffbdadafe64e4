import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ended, runHere, serve, type TestServer, workFolder } from './process.ts'

const MANIFEST = `
version: 6.0.0
type: DeclarativeSource
check: { type: CheckStream, stream_names: [orders] }
definitions:
  requester:
    type: HttpRequester
    url_base: "{{ config['base'] }}"
    authenticator:
      type: OAuthAuthenticator
      token_refresh_endpoint: "{{ config['base'] }}/token"
      client_id: "{{ config['id'] }}"
      client_secret: "{{ config['secret'] }}"
      grant_type: client_credentials
  selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [data] } }
streams:
  - type: DeclarativeStream
    name: orders
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester:
        $ref: '#/definitions/requester'
        path: orders
        # Another text at each moment, so that only a clock that stands still can repeat it.
        request_parameters: { at: "{{ now_utc() }}", key: "{{ config['secret'] }}" }
      record_selector: { $ref: '#/definitions/selector' }
      paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
        pagination_strategy: { type: PageIncrement, page_size: 2, start_from_page: 1 }
    schema_loader: { type: InlineSchemaLoader, schema: { type: object, properties: { id: { type: integer } } } }
  - type: DeclarativeStream
    name: broken
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: broken }
      record_selector: { $ref: '#/definitions/selector' }
    schema_loader: { type: InlineSchemaLoader, schema: { type: object, properties: { id: { type: integer } } } }
  - type: DeclarativeStream
    name: own
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: orders }
      record_selector: { type: RecordSelector, extractor: { type: CustomRecordExtractor, class_name: source_shop.components.Doubled } }
    schema_loader: { type: InlineSchemaLoader, schema: { type: object, properties: { id: { type: integer } } } }
spec:
  type: Spec
  connection_specification:
    type: object
    required: [id, secret]
    properties:
      base: { type: string }
      id: { type: string }
      secret: { type: string, airbyte_secret: true }
`
const METADATA = `# Kept as it is.
data:
  name: Shop
  definitionId: 2d2f6b1c-7d43-4f7e-9c5d-0e6a3a1b4c5d
  connectorType: source
  dockerImageTag: 1.2.3
  license: MIT
  evidence: docs # so far
`
const SECRET = 'hush-hush/2026'
const TOKEN = 'granted-token-77'

let folder: ReturnType<typeof workFolder>
let api: TestServer
let manifest: string
let config: string
const cases = () => join(folder.path, 'cases')

beforeAll(async () => {
  folder = workFolder()
  api = await serve((request, response) => {
    const url = new URL(request.url ?? '', 'http://api')
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'r1' })
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    }
    if (url.pathname === '/token') return answer(200, { access_token: TOKEN, expires_in: 3600 })
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return answer(401, {})
    if (url.pathname === '/broken') return answer(403, { message: `not with ${SECRET}` })
    if (url.searchParams.has('page')) return answer(200, { data: [{ id: 3 }] })
    return answer(200, `{"data":[{"id":9007199254740993,"note":"${SECRET}"},{"id":2}]}`)
  })
  manifest = folder.write('manifest.yaml', MANIFEST)
  folder.write('metadata.yaml', METADATA)
  config = folder.write('config.json', { base: api.url, id: 'me', secret: SECRET })
})
afterAll(() => {
  api?.stop()
  folder?.remove()
})

const test = (...more: string[]): Promise<Ended> =>
  runHere(['test', '--manifest', manifest, ...more])
const report = (ended: Ended) => JSON.parse(ended.stdout)

describe('airbyte connector test', () => {
  it('prints what came of the check, the discovery and a little of each stream', async () => {
    const { code, stdout, stderr } = await test('--config', config)
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toMatch(/^check +ok/m)
    expect(stdout).toMatch(/^discover +ok +3/m)
    expect(stdout).toMatch(/^orders +ok +COMPLETE +3 +3$/m)
    expect(stdout).toMatch(/^broken +failed +INCOMPLETE/m)
    expect(stdout).toContain('source_shop.components.Doubled')
    expect(stdout).not.toContain(SECRET)
  }, 60_000)

  it('stops at the number of records, and reads what it is told to', async () => {
    const ended = await test('--config', config, '--streams', 'orders', '--records', '1', '--json')
    expect(ended.code).toBe(0)
    expect(
      report(ended).results.map(({ name, records }: { name: string; records: number }) => [
        name,
        records,
      ]),
    ).toEqual([
      ['check', undefined],
      ['discover', 3],
      ['orders', 2],
    ])
  }, 60_000)

  it('runs classes of the person in place of those in Python', async () => {
    const register = join(import.meta.dirname, '../../../src/runtime/declarative/custom/index.ts')
    const components = folder.write(
      'components.ts',
      `import { custom, type CustomComponents } from '${register}'
export const components: CustomComponents = {
  Doubled: custom('recordExtractor', () => ({ json }) =>
    (json as { data: { id: number }[] }).data.map(({ id }) => ({ id: Number(id) * 2 }))),
}
`,
    )
    const ended = await test(
      ...['--config', config, '--streams', 'own', '--json', '--components', components],
    )
    expect(report(ended).results.at(-1)).toMatchObject({ name: 'own', ok: true, records: 2 })
  }, 60_000)

  it('records what the API answered without any secret, and replays it without network', async () => {
    const recorded = await test('--config', config, '--record', cases(), '--records', '4')
    expect(recorded.stdout).toContain('5 fixtures written')
    expect(readdirSync(cases()).sort()).toEqual([
      ...['check.json', 'discover.json', 'read-broken.json', 'read-orders.json', 'read-own.json'],
    ])
    const texts = readdirSync(cases()).map((name) => readFileSync(join(cases(), name), 'utf8'))
    for (const text of texts)
      for (const secret of [SECRET, TOKEN]) expect(text).not.toContain(secret)
    const orders = readFileSync(join(cases(), 'read-orders.json'), 'utf8')
    expect(orders).toContain('9007199254740993')
    expect(JSON.parse(orders)).toMatchObject({
      manifest_ref: '../manifest.yaml',
      config: { id: 'me', secret: '**********' },
      steps: [{ command: 'read', records: 4 }],
      expect: { statuses: { orders: 'COMPLETE' }, requests_count: 3, errors: [] },
    })

    const elsewhere = await serve((_request, response) => response.writeHead(500).end())
    elsewhere.stop()
    const { code, stdout } = await test('--replay', cases())
    expect(stdout).toMatch(/^read-orders +ok +COMPLETE +3 +3$/m)
    expect(stdout).toMatch(/^read-broken +ok +INCOMPLETE/m)
    expect(code).toBe(0)
  }, 90_000)

  it('says where a replay departs from what was recorded', async () => {
    const changed = join(folder.path, 'changed.yaml')
    writeFileSync(changed, MANIFEST.replace('path: orders', 'path: orders_v2'))
    const other = await runHere(['test', '--manifest', changed, '--replay', cases()])
    expect(other.code).toBe(1)
    expect(other.stdout).toContain(`unknown request GET ${api.url}/orders_v2`)
    expect(other.stdout).toContain(`not asked for: GET ${api.url}/orders`)

    const path = join(cases(), 'read-orders.json')
    const original = readFileSync(path, 'utf8')
    writeFileSync(
      path,
      original
        .replaceAll('9007199254740993', '9007199254740995')
        .replace('9007199254740995', '9007199254740993'),
    )
    const { code, stdout } = await test('--replay', cases())
    writeFileSync(path, original)
    expect(code).toBe(1)
    expect(stdout).toContain('read-orders: records: expected')
  }, 90_000)

  it('marks a connector whose streams were read live', async () => {
    const ended = await test('--config', config, '--live', '--streams', 'orders')
    expect(ended.stdout).toMatch(/evidence: live\(\d{4}-\d\d-\d\d\)/)
    const metadata = readFileSync(join(folder.path, 'metadata.yaml'), 'utf8')
    const today = new Date().toISOString().slice(0, 10)
    expect(metadata).toBe(METADATA.replace('evidence: docs # so far', `evidence: live(${today})`))
    expect(readdirSync(join(folder.path, 'fixtures')).sort()).toEqual([
      ...['check.json', 'discover.json', 'read-orders.json'],
    ])
    const failed = await test('--config', config, '--live', '--streams', 'broken')
    expect(failed.code).toBe(1)
    expect(failed.stdout).not.toContain('evidence')
  }, 90_000)

  it('is told how to be used', async () => {
    const wrong = await test('--replay', cases(), '--record', cases())
    expect([wrong.code, wrong.stderr]).toEqual([2, '--replay goes without --record and --live.\n'])
  }, 60_000)
})
