import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createEgress } from '../../../src/egress/index.ts'
import { nodeEgressHost } from '../../../src/egress/node-host.ts'
import {
  type ConfiguredStream,
  type JsonObject,
  toAirbyteError,
} from '../../../src/protocol/index.ts'
import type { HttpClient } from '../../../src/runtime/contract.ts'
import { declarativeSource } from '../../../src/runtime/declarative/index.ts'
import { loadManifest } from '../../../src/runtime/declarative/manifest/load.ts'
import { newRun } from '../../../src/runtime/declarative/run.ts'
import { buildStream } from '../../../src/runtime/declarative/stream/build.ts'
import { listStreams } from '../../../src/runtime/declarative/stream/list.ts'
import { readPages } from '../../../src/runtime/declarative/stream/read-pages.ts'
import { fromAirbyteState, type SavedState } from '../../../src/runtime/declarative/stream/state.ts'
import { testContext } from '../../conformance/context.ts'
import { manifestOf } from './oracle.ts'

const read = (body: string | Uint8Array, stream: JsonObject = {}) =>
  readFrom(async () => new Response(body as string), stream)

async function readFrom(fetch: HttpClient['fetch'], stream: JsonObject = {}) {
  const { pages, lines, slept } = await pagesFrom(fetch, stream)
  const records: unknown[] = []
  for await (const page of pages) records.push(...page.records)
  return { records, lines, slept }
}

async function pagesFrom(
  fetch: HttpClient['fetch'],
  stream: JsonObject,
  saved: SavedState = fromAirbyteState({}),
) {
  const ctx = testContext({ http: { fetch }, now: () => NOW })
  const slept: number[] = []
  const sleep = async (ms: number) => void slept.push(ms)
  const env = { config: {}, ctx, run: newRun(ctx, { sleep }) }
  const [found] = await listStreams(loadManifest(manifestOf({ name: '', stream })), env)
  if (!found) throw new Error('no stream')
  const built = buildStream(found.component, { ...env, stream: 'items' })
  return { pages: readPages(built, saved), lines: ctx.lines, slept }
}

const INFO = {
  ...{ name: 'bad', title: 'Bad', definitionId: '00000000-0000-0000-0000-000000000000' },
  ...{ version: '1.0.0', evidence: 'fixtures' as const },
}

const NOW = Date.parse('2026-03-10T12:00:00Z')

const failure = (reading: Promise<unknown>) =>
  reading.then(
    () => undefined,
    (error: unknown) => toAirbyteError(error),
  )

describe('a response', () => {
  it('with NaN and infinities has nulls there, and texts as they are', async () => {
    const { records } = await read('[{"a": NaN, "b": -Infinity, "c": "NaN \\" Infinity"}]')
    expect(records).toEqual([{ a: null, b: null, c: 'NaN " Infinity' }])
  })

  it('that is a web page is an error, other text a warning', async () => {
    expect(await failure(read('<!DOCTYPE html><p>login'))).toMatchObject({ code: 'UPSTREAM_ERROR' })
    const { records, lines } = await read('nothing here')
    expect(records).toEqual([])
    expect(lines.join()).toContain('not JSON')
  })

  it('with a key __proto__ keeps it a key through transformations', async () => {
    const transformations: JsonObject[] = [
      { type: 'KeysReplace', old: 'x', new: 'y' },
      { type: 'AddFields', fields: [{ path: ['__proto__', 'polluted'], value: 'yes' }] },
    ]
    const { records } = await read('[{"id": 1, "__proto__": {"a": 1}}]', { transformations })
    expect(JSON.stringify(records)).toBe('[{"id":1,"__proto__":{"a":1,"polluted":"yes"}}]')
    expect(({} as { polluted?: string }).polluted).toBeUndefined()
  })

  it('of XML with an element __proto__ keeps it an element', async () => {
    const retriever = { decoder: { type: 'XmlDecoder' } }
    const { records } = await read('<rows><__proto__><a>1</a></__proto__></rows>', { retriever })
    expect(JSON.stringify(records)).toBe('[{"rows":{"__proto__":{"a":"1"}}}]')
  })

  it.each([
    ['that the manifest has', { properties: JSON.parse('{"__proto__":{"type":"object"}}') }],
    ['that the first page tells', null],
  ])('with a key __proto__ has it in the schema %s', async (_, schema) => {
    const schema_loader = schema && { type: 'InlineSchemaLoader', schema }
    const manifest = manifestOf({ name: '', stream: { schema_loader } })
    const fetch = async () => new Response('[{"id": 1, "__proto__": {"a": 1}}]')
    const source = declarativeSource(manifest, INFO)
    const { streams } = await source.discover(testContext({ http: { fetch } }), {})
    const properties = streams[0]?.json_schema.properties ?? {}
    expect(Object.keys(properties)).toContain('__proto__')
    expect(Object.getPrototypeOf(properties)).toBe(Object.prototype)
  })

  it('nested fifty deep is read, flattened and cleaned', async () => {
    const deep = `${'{"a":'.repeat(50)}{"b":1}${'}'.repeat(50)}`
    const transformations = [{ type: 'KeysToSnakeCase' }, { type: 'FlattenFields' }]
    const { records } = await read(`[${deep}]`, { transformations })
    expect(records).toEqual([{ b: 1 }])
  })

  it('with lone surrogates is read', async () => {
    const { records } = await read('[{"id": "\\ud800"}]')
    expect(records).toEqual([{ id: '\ud800' }])
  })

  it('of gzip that is cut is an error', async () => {
    const packed = gzipSync('{"id":1}\n'.repeat(1000))
    const retriever = { decoder: { type: 'GzipDecoder', decoder: { type: 'JsonlDecoder' } } }
    const cut = read(packed.subarray(0, 30), { retriever })
    expect(await failure(cut)).toMatchObject({ code: 'UPSTREAM_ERROR' })
    const whole = await read(packed, { retriever })
    expect(whole.records).toHaveLength(1000)
  })
})

describe('an answer of 429', () => {
  const patient = (field: string, header: string): JsonObject => ({
    retriever: {
      requester: {
        error_handler: {
          type: 'DefaultErrorHandler',
          backoff_strategies: [{ type: field, header }],
        },
      },
    },
  })
  const asking = (headers: Record<string, string>) =>
    readFrom(busyOnce(headers), patient('WaitTimeFromHeader', 'Retry-After'))
  const busyOnce = (headers: Record<string, string>): HttpClient['fetch'] => {
    let asked = 0
    return async () =>
      asked++ === 0 ? new Response('', { status: 429, headers }) : new Response('[{"id": 1}]')
  }

  it.each(['-5', 'soon', 'NaN', 'Infinity', '1e400', '', '0'])(
    'that asks to wait %j is waited for like one that does not say how long',
    async (wait) => {
      const { records, slept } = await asking({ 'Retry-After': wait })
      expect(records).toEqual([{ id: 1 }])
      expect(slept).toEqual((await asking({})).slept)
    },
  )

  it.each([
    ['WaitTimeFromHeader', '99999999999'],
    ['WaitTimeFromHeader', '1e300'],
    ['WaitUntilTimeFromHeader', '99999999999999'],
  ])('that asks to wait for years ends the read with the time: %s %s', async (type, wait) => {
    const fetch = busyOnce({ 'Retry-After': wait })
    const error = await failure(readFrom(fetch, patient(type, 'Retry-After')))
    expect(error).toMatchObject({ code: 'RATE_LIMITED', kind: 'transient', stream: 'items' })
    expect(error?.retryAt).toBeGreaterThan(NOW)
    expect(error?.message).toMatch(/until [\d+-]+T/)
  })
})

describe('a redirect', () => {
  it.each(['http://169.254.169.254/latest', 'https://10.0.0.8/', 'https://[::1]/', 'file:///etc'])(
    'to %s is refused, and ends the stream at once',
    async (location) => {
      const asked: string[] = []
      const platform = {
        ...nodeEgressHost(),
        resolve: async () => ['93.184.216.34'],
        fetch: async (url: string | URL | Request) => {
          asked.push(String(url))
          return new Response(null, { status: 302, headers: { location } })
        },
      }
      const { http } = createEgress(platform, { allowPrivate: false })
      const error = await failure(readFrom(http.fetch))
      expect(error).toMatchObject({ code: 'EGRESS_REFUSED', kind: 'config' })
      expect(asked).toEqual(['https://api.test/items'])
    },
  )
})

describe('a page that shrinks', () => {
  const lines = (count: number) =>
    Array.from({ length: count }, (_, id) => `{"id":${id}}`).join('\n')

  it('while it is read in parts ends where it ends now', async () => {
    const stream = { retriever: { decoder: { type: 'JsonlDecoder' } } }
    const first = await pagesFrom(async () => new Response(lines(12_000)), stream)
    const { value: page } = await first.pages.next()
    expect(page?.records.length).toBeLessThan(12_000)
    await first.pages.return(undefined)
    const rest = await pagesFrom(async () => new Response(lines(3000)), stream, page?.after())
    const left: unknown[] = []
    for await (const { records } of rest.pages) left.push(...records)
    expect(left).toEqual([])
  })

  it('below its size is the last one, however many the API has', async () => {
    const paginator = {
      type: 'DefaultPaginator',
      page_token_option: {
        ...{ type: 'RequestOption', inject_into: 'request_parameter', field_name: 'offset' },
      },
      pagination_strategy: { type: 'OffsetIncrement', page_size: 2 },
    }
    const bodies = ['[{"id": 1}, {"id": 2}]', '[{"id": 3}]', '[{"id": 4}, {"id": 5}]']
    const { records } = await readFrom(async () => new Response(bodies.shift()), {
      retriever: { paginator },
    })
    expect(records).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
  })
})

describe('a parent that fails', () => {
  it('is named by its child, and other streams go on', async () => {
    const [whole] = manifestOf({ name: '' }).streams as JsonObject[]
    const schema = { type: 'object', properties: { id: { type: 'integer' } } }
    const plain = (name: string, more: JsonObject = {}): JsonObject => {
      const retriever = whole?.retriever as JsonObject
      const requester = { ...(retriever.requester as JsonObject), path: name }
      const schema_loader = { type: 'InlineSchemaLoader', schema }
      return { ...whole, name, schema_loader, retriever: { ...retriever, requester, ...more } }
    }
    const configs = [
      {
        ...{ type: 'ParentStreamConfig', parent_key: 'id', partition_field: 'parent' },
        stream: plain('parents'),
      },
    ]
    const child = plain('children', {
      partition_router: { type: 'SubstreamPartitionRouter', parent_stream_configs: configs },
    })
    const streams = [plain('parents'), child, plain('others')]
    const source = declarativeSource({ ...manifestOf({ name: '' }), streams } as JsonObject, INFO)
    const fetch = async (url: string | URL) =>
      String(url).endsWith('/parents')
        ? new Response('{}', { status: 403 })
        : new Response('[{"id": 1}]')
    const ctx = testContext({ http: { fetch } })
    const { streams: found } = await source.discover(ctx, {})
    const configured = found.map((stream) => ({
      ...{ stream, syncMode: 'full_refresh', destinationSyncMode: 'append', cursorField: [] },
      ...{ primaryKey: [], generationId: 1, minimumGenerationId: 0, syncId: 1, format: 'records' },
    })) as unknown as ConfiguredStream[]
    const ended: string[] = []
    const errors: string[] = []
    for await (const event of source.read(ctx, {}, configured, { streams: new Map() })) {
      if (event.type === 'status' && event.status !== 'started' && event.status !== 'running') {
        ended.push(`${event.stream} ${event.status}`)
      }
      if (event.type === 'error') errors.push(`${event.stream}: ${event.error.message}`)
    }
    expect(ended).toEqual(['parents incomplete', 'children incomplete', 'others complete'])
    expect(errors[1]).toContain("children: its parent stream 'parents' failed: ")
  })
})
