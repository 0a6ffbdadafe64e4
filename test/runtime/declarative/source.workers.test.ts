import { describe, expect, it } from 'vitest'
import type { ConfiguredStream, JsonObject, ReadEvent } from '../../../src/protocol/index.ts'
import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import { declarativeSource } from '../../../src/runtime/declarative/index.ts'

const INFO = {
  ...{ name: 'shop', title: 'Shop', definitionId: '00000000-0000-0000-0000-000000000000' },
  ...{ version: '1.0.0', evidence: 'fixtures' as const },
}

const manifest = (requester: object, retriever: object = {}): JsonObject => ({
  version: '7.0.0',
  type: 'DeclarativeSource',
  check: { type: 'CheckStream', stream_names: ['items'] },
  streams: [
    {
      type: 'DeclarativeStream',
      name: 'items',
      retriever: {
        type: 'SimpleRetriever',
        requester: { type: 'HttpRequester', url_base: 'https://api.test', path: 'x', ...requester },
        record_selector: { extractor: { type: 'DpathExtractor', field_path: [] } },
        ...retriever,
      },
      schema_loader: {
        type: 'InlineSchemaLoader',
        schema: { type: 'object', properties: { id: { type: 'integer' } } },
      },
    },
  ],
})

async function read(source: JsonObject, answer: () => Response) {
  const requests: Headers[] = []
  const ctx: ConnectorContext = {
    http: {
      async fetch(_url, init) {
        requests.push(new Headers(init?.headers))
        return answer()
      },
    },
    connect: () => Promise.reject(new Error('no sockets')),
    ...{ log: () => {}, now: () => Date.now(), signal: new AbortController().signal },
    budget: { deadline: Number.POSITIVE_INFINITY, exhausted: () => false },
  }
  const shop = declarativeSource(source, INFO)
  const { streams } = await shop.discover(ctx, {})
  const configured = streams.map(
    (stream): ConfiguredStream => ({
      ...{ stream, syncMode: 'full_refresh', destinationSyncMode: 'append', cursorField: [] },
      ...{ primaryKey: [], generationId: 1, minimumGenerationId: 0, syncId: 1, format: 'records' },
    }),
  )
  const events: ReadEvent[] = []
  for await (const event of shop.read(ctx, {}, configured, { streams: new Map() })) {
    events.push(event)
  }
  const cells = events.flatMap((event) =>
    event.type === 'batch' && event.batch.kind === 'records' ? event.batch.columns : [],
  )
  return { cells, requests, last: events.at(-1) }
}

describe('a declarative source in workerd', () => {
  it('keeps the digits of integers', async () => {
    const { cells, last } = await read(
      manifest({}),
      () => new Response('[{"id":9007199254740993}]'),
    )
    expect(cells).toEqual([[9007199254740993n]])
    expect(last).toMatchObject({ type: 'status', status: 'complete' })
  })

  it('asks for page after page', async () => {
    const pagination_strategy = { type: 'PageIncrement', page_size: 1 }
    const pages = ['[{"id":1}]', '[{"id":2}]', '[]']
    const { cells, last } = await read(
      manifest({}, { paginator: { type: 'DefaultPaginator', pagination_strategy } }),
      () => new Response(pages.shift()),
    )
    expect(cells).toEqual([[1], [2]])
    expect(last).toMatchObject({ type: 'status', status: 'complete' })
  })

  it('unpacks gzip', async () => {
    const packed = new Response('{"id":1}\n{"id":2}\n').body?.pipeThrough(
      new CompressionStream('gzip'),
    )
    const decoder = { type: 'GzipDecoder', decoder: { type: 'JsonlDecoder' } }
    const { cells } = await read(manifest({}, { decoder }), () => new Response(packed))
    expect(cells).toEqual([[1, 2]])
  })

  it('says so when gzip is cut', async () => {
    const whole = new Response('{"id":1}\n'.repeat(1000)).body?.pipeThrough(
      new CompressionStream('gzip'),
    )
    const packed = (await new Response(whole).arrayBuffer()).slice(0, 25)
    const decoder = { type: 'GzipDecoder', decoder: { type: 'JsonlDecoder' } }
    const reading = read(manifest({}, { decoder }), () => new Response(packed))
    await expect(reading).rejects.toMatchObject({ code: 'UPSTREAM_ERROR' })
  })

  it('signs tokens', async () => {
    const authenticator = {
      ...{ type: 'JwtAuthenticator', algorithm: 'HS256', secret_key: 'k', header_prefix: 'Bearer' },
      jwt_payload: { iss: 'me' },
    }
    const { requests } = await read(manifest({ authenticator }), () => new Response('[]'))
    const [head, body] = (requests[0]?.get('authorization') ?? '').slice(7).split('.')
    expect(JSON.parse(atob(head ?? ''))).toEqual({ typ: 'JWT', alg: 'HS256' })
    expect(JSON.parse(atob(body ?? ''))).toMatchObject({ iss: 'me' })
  })

  it('renders templates without evaluating code', async () => {
    const { requests } = await read(
      manifest({ request_headers: { 'X-Test': "{{ 'a,b'.split(',')[1] | upper }}" } }),
      () => new Response('[]'),
    )
    expect(requests[0]?.get('x-test')).toBe('B')
  })
})
