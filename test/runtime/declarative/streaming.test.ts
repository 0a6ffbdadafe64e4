import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ConfiguredStream, JsonObject, StreamState } from '../../../src/protocol/index.ts'
import { declarativeSource } from '../../../src/runtime/declarative/index.ts'
import { loadManifest } from '../../../src/runtime/declarative/manifest/load.ts'
import { newRun } from '../../../src/runtime/declarative/run.ts'
import { buildStream } from '../../../src/runtime/declarative/stream/build.ts'
import { listStreams } from '../../../src/runtime/declarative/stream/list.ts'
import { type ReadPage, readPages } from '../../../src/runtime/declarative/stream/read-pages.ts'
import { fromAirbyteState, type SavedState } from '../../../src/runtime/declarative/stream/state.ts'
import { testContext } from '../../conformance/context.ts'
import { manifestOf } from './oracle.ts'

const INFO = {
  ...{ name: 'shop', title: 'Shop', definitionId: '00000000-0000-0000-0000-000000000000' },
  ...{ version: '1.0.0', evidence: 'fixtures' as const },
}

const SCHEMA: JsonObject = {
  schema_loader: { schema: { properties: { id: { type: 'integer' }, n: { type: 'string' } } } },
}

const JSONL: JsonObject = { retriever: { decoder: { type: 'JsonlDecoder' } } }

/** A server whose body is made as it is pulled, and that notes how far it got. */
function server(rows: number, { etag = 'v1', breaksAt = rows } = {}) {
  const told = { pulled: 0, requests: 0, cancelled: false }
  const encoder = new TextEncoder()
  const note = 'x'.repeat(100)
  async function fetch() {
    told.requests++
    told.pulled = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (told.pulled >= breaksAt && breaksAt < rows) throw new Error('the connection broke')
        if (told.pulled >= rows) return controller.close()
        const lines = Array.from({ length: 100 }, () => `{"id":${told.pulled++},"n":"${note}"}\n`)
        controller.enqueue(encoder.encode(lines.join('')))
      },
      cancel() {
        told.cancelled = true
      },
    })
    return new Response(body, { headers: { etag } })
  }
  return { told, fetch }
}

async function open(fetch: () => Promise<Response>, from?: SavedState, stream = JSONL) {
  const ctx = testContext({ http: { fetch } })
  const env = { config: {}, ctx, run: newRun(ctx, { sleep: async () => {} }) }
  const [found] = await listStreams(loadManifest(manifestOf({ name: '', stream })), env)
  if (!found) throw new Error('no stream')
  const built = buildStream(found.component, { ...env, stream: 'items' })
  return readPages(built, from ?? fromAirbyteState({}))
}

async function all(pages: AsyncIterable<ReadPage>): Promise<unknown[]> {
  const ids: unknown[] = []
  for await (const { records } of pages) for (const { id } of records) ids.push(id)
  return ids
}

const upTo = (count: number, from = 0) =>
  Array.from({ length: count - from }, (_, index) => from + index)

describe('a body larger than a batch', () => {
  it('is handed on in batches, never far ahead of its reader', async () => {
    const { told, fetch } = server(50_000)
    let read = 0
    let pages = 0
    for await (const { records } of await open(fetch)) {
      read += records.length
      pages++
      expect(told.pulled - read).toBeLessThan(3_000)
    }
    expect(read).toBe(50_000)
    expect(pages).toBeGreaterThan(9)
    expect(told.requests).toBe(1)
  })

  it('goes on behind the records that were had, in another isolate', async () => {
    const { told, fetch } = server(20_000)
    const first = await open(fetch)
    const { value: page } = await first.next()
    const { value: second } = await first.next()
    await first.return(undefined)
    expect(told.cancelled).toBe(true)
    const saved = JSON.parse(JSON.stringify((second as ReadPage).after())) as SavedState
    const had = (page as ReadPage).records.length + (second as ReadPage).records.length
    expect(await all(await open(fetch, saved))).toEqual(upTo(20_000, had))
    expect(told.requests).toBe(2)
  })

  it('is read from its start when the server has another version of it', async () => {
    const first = await open(server(20_000).fetch)
    const { value: page } = await first.next()
    await first.return(undefined)
    const { fetch } = server(20_000, { etag: 'v2' })
    expect(await all(await open(fetch, (page as ReadPage).after()))).toEqual(upTo(20_000))
  })

  it('that breaks off is an error, and goes on from the last batch', async () => {
    const { fetch } = server(20_000, { breaksAt: 12_000 })
    let saved: SavedState | undefined
    let had = 0
    const reading = (async () => {
      for await (const page of await open(fetch)) {
        had += page.records.length
        saved = page.after()
      }
    })()
    await expect(reading).rejects.toThrow('the connection broke')
    expect(had).toBeGreaterThan(0)
    expect(await all(await open(server(20_000).fetch, saved))).toEqual(upTo(20_000, had))
  })

  it('counts what filters drop, so that no batch is read twice', async () => {
    const stream: JsonObject = {
      retriever: {
        ...(JSONL.retriever as JsonObject),
        record_selector: {
          record_filter: { type: 'RecordFilter', condition: "{{ record['id'] % 1000 == 0 }}" },
        },
      },
    }
    const { fetch } = server(20_000)
    const first = await open(fetch, undefined, stream)
    const { value: page } = await first.next()
    await first.return(undefined)
    const had = (page as ReadPage).records.map(({ id }) => id)
    const rest = await all(await open(fetch, (page as ReadPage).after(), stream))
    expect([...had, ...rest]).toEqual(upTo(20).map((thousand) => thousand * 1000))
    expect(rest.length).toBeGreaterThan(0)
  })

  it('is bounded when it is packed: what unpacks to much is handed on in batches', async () => {
    const packed = gzipSync(`{"id":1,"n":"${'x'.repeat(1000)}"}\n`.repeat(30_000))
    expect(packed.length).toBeLessThan(200_000)
    const decoder = { type: 'GzipDecoder', decoder: { type: 'JsonlDecoder' } }
    let largest = 0
    let read = 0
    const pages = await open(async () => new Response(packed), undefined, {
      retriever: { decoder },
    })
    for await (const { records } of pages) {
      largest = Math.max(largest, records.length)
      read += records.length
    }
    expect(read).toBe(30_000)
    expect(largest).toBeLessThan(5_000)
  })
})

describe('a body that takes longer than many slices', () => {
  /** Reads in slices of a second by a clock that only the server moves; how long all took, and what. */
  async function readInSlices(rows: number, msPerPull: number) {
    const clock = { now: 0 }
    const { fetch } = server(rows)
    const slow = async () => {
      const { body, headers } = await fetch()
      const pieces = (body as ReadableStream<Uint8Array>).pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(piece, controller) {
            clock.now += msPerPull
            controller.enqueue(piece)
          },
        }),
      )
      return new Response(pieces, { headers })
    }
    const source = declarativeSource(
      manifestOf({ name: '', stream: { ...JSONL, ...SCHEMA } }),
      INFO,
    )
    let state: StreamState | undefined
    let read = 0
    for (let slices = 1; slices < 1000; slices++) {
      const end = clock.now + 1000
      const ctx = testContext({
        ...{ http: { fetch: slow }, now: () => clock.now },
        budget: { deadline: end, exhausted: () => clock.now >= end },
      })
      const { streams } = await source.discover(ctx, {})
      const configured = streams.map(
        (stream): ConfiguredStream => ({
          ...{ stream, syncMode: 'full_refresh', destinationSyncMode: 'append', cursorField: [] },
          ...{ primaryKey: [], generationId: 1, minimumGenerationId: 0, syncId: 1 },
          format: 'records',
        }),
      )
      const states = new Map(state ? [['items', state] as const] : [])
      for await (const event of source.read(ctx, {}, configured, { streams: states })) {
        if (event.type === 'batch' && event.batch.kind === 'records') read += event.batch.length
        if (event.type === 'state') state = JSON.parse(JSON.stringify(event.state))
        if (event.type === 'state' && ctx.budget.exhausted()) break
      }
      if (state?.done) return { read, ms: clock.now, slices }
    }
    throw new Error('no end')
  }

  it('is not mostly searched for the place to go on', async () => {
    // Twenty seconds if nothing were read twice; ten times as many if each slice searched for long.
    const { read, ms } = await readInSlices(50_000, 40)
    expect(read).toBe(50_000)
    expect(ms).toBeLessThan(4 * 20_000)
  })
})

describe('a small body', () => {
  it('of JSON lines is one page', async () => {
    const { fetch } = server(100)
    let pages = 0
    for await (const { records } of await open(fetch)) pages += records.length > 0 ? 1 : 0
    expect(pages).toBe(1)
  })

  it('with an error message that a filter looks for is found, though the decoder streams', async () => {
    const stream: JsonObject = {
      retriever: {
        ...(JSONL.retriever as JsonObject),
        requester: {
          error_handler: {
            type: 'DefaultErrorHandler',
            response_filters: [
              {
                type: 'HttpResponseFilter',
                action: 'FAIL',
                predicate: "{{ 'error' in response }}",
                error_message: 'no export: {{ response.error }}',
              },
            ],
          },
        },
      },
    }
    const pages = await open(async () => Response.json({ error: 'quota' }), undefined, stream)
    await expect(all(pages)).rejects.toThrow('no export: quota')
  })
})
