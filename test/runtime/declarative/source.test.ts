import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEgress } from '../../../src/egress/index.ts'
import { nodeEgressHost } from '../../../src/egress/node-host.ts'
import {
  type ConfiguredStream,
  type JsonObject,
  type ReadEvent,
  streamKey,
  toAirbyteError,
} from '../../../src/protocol/index.ts'
import type { ConnectorContext, Source } from '../../../src/runtime/contract.ts'
import {
  declarativeSource,
  fromAirbyteState,
  toAirbyteState,
} from '../../../src/runtime/declarative/index.ts'
import { testContext } from '../../conformance/context.ts'

const INFO = {
  ...{ name: 'shop', title: 'Shop', definitionId: '00000000-0000-0000-0000-000000000000' },
  ...{ version: '1.0.0', evidence: 'fixtures' as const },
}

const MANIFEST = `
version: 7.0.0
type: DeclarativeSource
check: { type: CheckStream, stream_names: [orders] }
definitions:
  requester: { type: HttpRequester, url_base: "{{ config['url'] }}" }
  schema:
    type: InlineSchemaLoader
    schema:
      type: object
      properties:
        id: { type: [integer, 'null'] }
        price: { type: [number, 'null'] }
        updated: { type: [string, 'null'], format: date-time }
        lines: { type: [array, 'null'] }
  selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [data] } }
streams:
  - type: DeclarativeStream
    name: orders
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: orders }
      record_selector: { $ref: '#/definitions/selector' }
      paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
        pagination_strategy: { type: PageIncrement, page_size: 2 }
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: updated
      datetime_format: '%Y-%m-%dT%H:%M:%SZ'
      start_datetime: '2026-01-01T00:00:00Z'
    schema_loader: { $ref: '#/definitions/schema' }
  - type: DeclarativeStream
    name: busy
    retriever:
      type: SimpleRetriever
      requester:
        $ref: '#/definitions/requester'
        path: busy
        error_handler:
          type: DefaultErrorHandler
          backoff_strategies: [{ type: WaitTimeFromHeader, header: Retry-After }]
      record_selector: { $ref: '#/definitions/selector' }
    schema_loader: { $ref: '#/definitions/schema' }
  - type: DeclarativeStream
    name: custom
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: orders }
      record_selector: { type: RecordSelector, extractor: { type: CustomRecordExtractor, class_name: source_shop.components.Fancy } }
    schema_loader: { $ref: '#/definitions/schema' }
  - type: DeclarativeStream
    name: stuck
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: stuck }
      record_selector: { $ref: '#/definitions/selector' }
      paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: after }
        pagination_strategy: { type: CursorPagination, cursor_value: '{{ response.next }}' }
    schema_loader: { $ref: '#/definitions/schema' }
  - type: DeclarativeStream
    name: breaks
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: breaks }
      record_selector: { $ref: '#/definitions/selector' }
      paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
        pagination_strategy: { type: PageIncrement, page_size: 1 }
    schema_loader: { $ref: '#/definitions/schema' }
  - type: DeclarativeStream
    name: get_with_body
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: orders, request_body_json: { a: 1 } }
      record_selector: { $ref: '#/definitions/selector' }
    schema_loader: { $ref: '#/definitions/schema' }
  - type: DeclarativeStream
    name: schemaless
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: orders }
      record_selector: { $ref: '#/definitions/selector' }
    schema_loader: { type: JsonFileSchemaLoader, file_path: ./schemas/x.json }
spec:
  type: Spec
  documentation_url: https://example.test
  config_normalization_rules:
    type: ConfigNormalizationRules
    config_migrations:
      - type: ConfigMigration
        transformations:
          - type: ConfigAddFields
            condition: "{{ 'old_url' in config }}"
            fields: [{ path: [url], value: "{{ config['old_url'] }}" }]
          - { type: ConfigRemoveFields, field_pointers: [[old_url]] }
    transformations:
      - { type: ConfigRemapField, field_path: [mode], map: { fast: quick } }
  connection_specification: { type: object, required: [url], properties: { url: { type: string } } }
`

const PAGES: Record<string, string> = {
  '/orders':
    '{"data": [{"id": 9007199254740993, "price": 2.0, "updated": "2026-02-01T00:00:00Z", "lines": [{"n": 9007199254740993}]}, {"id": 2, "extra": 1, "updated": "2026-03-01T00:00:00Z"}]}',
  '/orders?page=1': '{"data": [{"id": 3, "updated": "2026-01-15T00:00:00Z"}]}',
  '/breaks': '{"data": [{"id": 1}]}',
  '/stuck': '{"data": [{"id": 1}], "next": "t"}',
  '/stuck?after=t': '{"data": [{"id": 1}], "next": "t"}',
}

let server: Server
let config: JsonObject
const asked: string[] = []
const source = declarativeSource(MANIFEST, INFO)

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const sent = (await request.toArray()).join('')
    const body = sent ? `{"data": [{"id": ${sent.length}}]}` : PAGES[request.url ?? '']
    asked.push(request.url ?? '')
    if (request.url === '/busy') response.writeHead(429, { 'Retry-After': '600' }).end('slow')
    else response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  config = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
})

afterAll(() => server.close())

const network = createEgress(nodeEgressHost(), { allowPrivate: true })
const ctx = (more: Partial<ConnectorContext> = {}) => testContext({ ...network, ...more })

async function configured(name: string): Promise<ConfiguredStream> {
  const { streams } = await source.discover(ctx(), config)
  const stream = streams.find((known) => known.name === name)
  if (!stream) throw new Error(name)
  return {
    ...{ stream, syncMode: 'incremental', destinationSyncMode: 'append', cursorField: [] },
    ...{ primaryKey: [], generationId: 1, minimumGenerationId: 0, syncId: 1, format: 'records' },
  } as ConfiguredStream
}

async function read(
  name: string,
  state?: JsonObject,
  by: Source = source,
): Promise<{ events: ReadEvent[]; error?: ReturnType<typeof toAirbyteError> }> {
  const stream = await configured(name)
  const streams = new Map(state ? [[streamKey(stream.stream), state]] : [])
  const events: ReadEvent[] = []
  try {
    for await (const event of by.read(ctx(), config, [stream], { streams })) {
      events.push(event)
      if (event.type === 'wait') break
    }
  } catch (error) {
    return { events, error: toAirbyteError(error) }
  }
  return { events }
}

const kinds = (events: ReadEvent[]) =>
  events.map((event) => (event.type === 'status' ? event.status : event.type))

describe('a declarative source', () => {
  it('gives the spec of its manifest', () => {
    expect(source.spec()).toEqual({
      connectionSpecification: {
        ...{ type: 'object', required: ['url'] },
        properties: { url: { type: 'string' } },
      },
      documentationUrl: 'https://example.test',
    })
  })

  it('checks the stream that its manifest names', async () => {
    expect(await source.check(ctx(), config)).toEqual({ ok: true })
    const unreachable = { url: 'http://127.0.0.1:1' }
    const impatient = declarativeSource(MANIFEST, INFO, { sleep: async () => {} })
    expect(await impatient.check(ctx(), unreachable)).toMatchObject({ ok: false })
  })

  it('discovers keys, cursors and schemas, also of streams that it cannot read', async () => {
    const { streams } = await source.discover(ctx(), config)
    expect(streams.map(({ name }) => name)).toEqual([
      'orders',
      'busy',
      'custom',
      'stuck',
      'breaks',
      'get_with_body',
      'schemaless',
    ])
    expect(streams[0]).toMatchObject({
      source_defined_primary_key: [['id']],
      source_defined_cursor: true,
      default_cursor_field: ['updated'],
      supported_sync_modes: ['full_refresh', 'incremental'],
    })
  })

  it('tells the fields from the records where the manifest brings no schema', async () => {
    const { streams } = await source.discover(ctx(), config)
    expect(streams.at(-1)?.json_schema.properties).toEqual({
      id: { type: ['integer', 'null'] },
      price: { type: ['number', 'null'] },
      updated: { type: ['string', 'null'] },
      lines: { type: ['array', 'null'] },
      extra: { type: ['integer', 'null'] },
    })
  })

  it('emits batches with every digit, and a state after each page', async () => {
    const { events } = await read('orders')
    expect(kinds(events)).toEqual([
      ...['started', 'running', 'batch', 'state', 'batch', 'state', 'state', 'complete'],
    ])
    const [first] = events.flatMap((event) => (event.type === 'batch' ? [event.batch] : []))
    expect(first?.kind === 'records' && first.columns).toEqual([
      [9007199254740993n, 2],
      [2, null],
      ['2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z'],
      ['[{"n":9007199254740993}]', null],
    ])
    const states = events.flatMap((event) => (event.type === 'state' ? [event.state] : []))
    expect(states.map(toAirbyteState)).toEqual([
      {},
      { updated: '2026-03-01T00:00:00Z' },
      { updated: '2026-03-01T00:00:00Z' },
    ])
  })

  it('gives whole records to who asks for them, with every digit', async () => {
    const orders = { ...(await configured('orders')), wholeRecords: true }
    const batches = []
    for await (const event of source.read(ctx(), config, [orders], { streams: new Map() })) {
      if (event.type === 'batch' && event.batch.kind === 'records') batches.push(event.batch)
    }
    const names = batches.map(({ schema }) => schema.map((column) => column.name))
    expect(names).toEqual([
      ['id', 'price', 'updated', 'lines', 'extra'],
      ['id', 'updated'],
    ])
    expect(batches[0]?.columns.map(([cell]) => cell)).toEqual([
      ...['9007199254740993', '2', '"2026-02-01T00:00:00Z"', '[{"n":9007199254740993}]', null],
    ])
  })

  it('brings an old config to its present form, and says so', async () => {
    const old = { old_url: config.url as string, mode: 'fast' }
    const events: ReadEvent[] = []
    const orders = await configured('orders')
    for await (const event of source.read(ctx(), old, [orders], { streams: new Map() })) {
      events.push(event)
    }
    expect(events[0]).toEqual({ type: 'control', config: { url: config.url, mode: 'fast' } })
    expect(kinds(events).at(-1)).toBe('complete')
  })

  it('asks for the next page while the reader still has this one, and for no other', async () => {
    asked.length = 0
    await source.check(ctx(), config)
    expect(asked).toEqual(['/orders'])
    const orders = await configured('orders')
    asked.length = 0
    for await (const event of source.read(ctx(), config, [orders], { streams: new Map() })) {
      if (event.type !== 'batch') continue
      while (asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
      break
    }
    expect(asked).toEqual(['/orders', '/orders?page=1'])
  })

  it('tells what is wrong with a page when its turn comes', async () => {
    const { events, error } = await read('breaks')
    expect(kinds(events)).toEqual([
      ...['started', 'running', 'batch', 'state', 'error', 'incomplete'],
    ])
    expect(error).toBeUndefined()
  })

  it('goes on from the state after a page', async () => {
    const { events } = await read('orders')
    const state = events.find((event) => event.type === 'state')
    const rest = await read('orders', state?.type === 'state' ? state.state : undefined)
    expect(rest.events.filter((event) => event.type === 'batch')).toHaveLength(1)
  })

  it('takes a state that Airbyte wrote', async () => {
    const airbyte = { updated: '2026-03-05T00:00:00Z' }
    const { events } = await read('orders', airbyte)
    const converted = await read('orders', { ...fromAirbyteState(airbyte) })
    expect(kinds(converted.events)).toEqual(kinds(events))
    const last = events.findLast((event) => event.type === 'state')
    expect(last?.type === 'state' && toAirbyteState(last.state)).toEqual({
      updated: '2026-03-05T00:00:00Z',
    })
  })

  it('says until when there is nothing to read, after the state to go on from', async () => {
    const { events } = await read('busy')
    expect(kinds(events)).toEqual(['started', 'running', 'state', 'wait'])
    const wait = events.at(-1)
    if (wait?.type !== 'wait') throw new Error('no wait')
    expect((wait.until - Date.now()) / 1000).toBeGreaterThan(590)
    expect((wait.until - Date.now()) / 1000).toBeLessThan(602)
    expect(events[1]).toMatchObject({ rateLimitedUntil: expect.any(Number) })
  })

  it('goes on with the attempt that follows, whoever waited', async () => {
    const attempts = []
    let state: JsonObject | undefined
    for (let run = 0; run < 3; run++) {
      const { events } = await read('busy', state)
      const saved = events.find((event) => event.type === 'state')
      state = saved?.type === 'state' ? saved.state : undefined
      const at = (state?.at ?? {}) as JsonObject
      attempts.push(at.progressOfPage)
    }
    expect(attempts).toEqual([
      { attempt: 2, waits: [1, 0, 0] },
      { attempt: 3, waits: [2, 0, 0] },
      { attempt: 4, waits: [3, 0, 0] },
    ])
  })

  it('waits itself when it is asked for more', async () => {
    const slept: number[] = []
    const patient = declarativeSource(MANIFEST, INFO, {
      sleep: async (ms) => void slept.push(Math.round(ms / 1000)),
    })
    let waits = 0
    const busy = await configured('busy')
    for await (const event of patient.read(ctx(), config, [busy], { streams: new Map() })) {
      if (event.type === 'wait' && ++waits === 2) break
    }
    expect(slept).toEqual([601])
  })

  it('refuses a stream of a custom class by the name of the class', async () => {
    const { events } = await read('custom')
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'error',
        error: expect.objectContaining({
          code: 'UNSUPPORTED',
          message: expect.stringContaining('source_shop.components.Fancy'),
        }),
      }),
    )
    expect(kinds(events).at(-1)).toBe('incomplete')
  })

  it('stops at the same page for ever', async () => {
    const { error } = await read('stuck')
    expect(error).toMatchObject({ code: 'UPSTREAM_ERROR' })
    expect(error?.message).toContain('same page again and again')
  })

  it('sends a body with GET', async () => {
    const { events } = await read('get_with_body')
    const batches = events.filter(({ type }) => type === 'batch')
    expect(JSON.stringify(batches)).toContain('"columns":[[7],')
  })
})
