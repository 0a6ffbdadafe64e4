import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { declarativeSource } from '../../../src/runtime/declarative/index.ts'
import { testContext } from '../../conformance/context.ts'
import { type SourceSetup, sourceConformance } from '../../conformance/source-suite.ts'

const PAGE = 7
const GROUPS = 3

const MANIFEST = `
version: 7.0.0
type: DeclarativeSource
check: { type: CheckStream, stream_names: [notes] }
definitions:
  requester:
    type: HttpRequester
    url_base: "{{ config['url'] }}"
    authenticator: { type: BearerAuthenticator, api_token: "{{ config['password'] }}" }
  paginator:
    type: DefaultPaginator
    page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
    pagination_strategy: { type: PageIncrement, page_size: ${PAGE} }
  selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [data] } }
streams:
  - &notes
    type: DeclarativeStream
    name: notes
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: notes }
      paginator: { $ref: '#/definitions/paginator' }
      record_selector: { $ref: '#/definitions/selector' }
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: updated
      datetime_format: '%Y-%m-%dT%H:%M:%SZ'
      start_datetime: '2026-01-01T00:00:00Z'
      step: P7D
      cursor_granularity: PT1S
      start_time_option: { type: RequestOption, inject_into: request_parameter, field_name: from }
      end_time_option: { type: RequestOption, inject_into: request_parameter, field_name: to }
    schema_loader: &schema
      type: InlineSchemaLoader
      schema:
        type: object
        properties:
          id: { type: integer }
          updated: { type: [string, 'null'], format: date-time }
          body: { type: [object, 'null'] }
  - type: DeclarativeStream
    name: members
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: "groups/{{ stream_partition.group }}/members" }
      paginator: { $ref: '#/definitions/paginator' }
      record_selector: { $ref: '#/definitions/selector' }
      partition_router:
        type: SubstreamPartitionRouter
        parent_stream_configs:
          - type: ParentStreamConfig
            parent_key: id
            partition_field: group
            stream:
              type: DeclarativeStream
              name: groups
              retriever:
                type: SimpleRetriever
                requester: { $ref: '#/definitions/requester', path: groups }
                record_selector: { $ref: '#/definitions/selector' }
              schema_loader: *schema
    schema_loader: *schema
spec:
  type: Spec
  connection_specification:
    type: object
    required: [url, password]
    properties:
      url: { type: string, title: URL }
      password: { type: string, title: Password, airbyte_secret: true }
`

const INFO = {
  ...{ name: 'notes', title: 'Notes', definitionId: '00000000-0000-0000-0000-000000000000' },
  ...{ version: '1.0.0', evidence: 'fixtures' as const },
}

interface Row {
  id: number
  updated: string
  body: object
}

/** An API that reads `from` as after. Notes of the last weeks and the members of some groups, a page at a time. */
async function setup(): Promise<SourceSetup> {
  const day = (index: number) => new Date(Date.now() - (60 - index) * 86_400_000)
  const row = (id: number): Row => ({
    ...{ id, updated: `${day(id).toISOString().slice(0, 10)}T12:34:56Z`, body: { n: id } },
  })
  const notes = Array.from({ length: 40 }, (_, id) => row(id))
  let members = 20
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x')
    const send = (status: number, body: unknown) =>
      response.writeHead(status).end(JSON.stringify(body))
    if (request.headers.authorization !== 'Bearer right') return send(401, { error: 'who?' })
    const [from, to] = [url.searchParams.get('from'), url.searchParams.get('to')]
    const all = url.pathname.startsWith('/groups/')
      ? Array.from({ length: members }, (_, id) =>
          row(id + Number(url.pathname.split('/')[2]) * 1000),
        )
      : url.pathname === '/groups'
        ? Array.from({ length: GROUPS }, (_, id) => row(id))
        : notes.filter(({ updated }) => (from ?? '') < updated && updated <= (to ?? ''))
    const first = Number(url.searchParams.get('page') ?? 0) * PAGE
    send(200, { data: url.pathname === '/groups' ? all : all.slice(first, first + PAGE) })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const config = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    password: 'right',
  }
  return {
    config,
    ctx: (signal) => testContext({ http: { fetch }, ...(signal ? { signal } : {}) }),
    badConfigs: [
      { title: 'password', config: { ...config, password: 'wrong' }, codes: ['AUTH_FAILED'] },
    ],
    async grow({ name }) {
      if (name === 'members') members++
      else for (const id of [57, 58, 59]) notes.push(row(id))
      return config
    },
    async dispose() {
      server.closeAllConnections()
      server.close()
    },
  }
}

sourceConformance(
  declarativeSource(MANIFEST, INFO),
  [
    { name: 'members', rows: 60 },
    { name: 'notes', rows: 40 },
  ],
  setup,
)
