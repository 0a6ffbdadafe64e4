import { describe, expect, it } from 'vitest'
import {
  type ConfiguredStream,
  type JsonObject,
  type ReadEvent,
  withFileReference,
} from '../../../src/protocol/index.ts'
import { declarativeSource } from '../../../src/runtime/declarative/index.ts'
import { memoryStore } from '../../../src/staging/memory-store.ts'
import { testContext } from '../../conformance/context.ts'
import { manifestOf } from './oracle.ts'

const INFO = {
  ...{ name: 'shop', title: 'Shop', definitionId: '00000000-0000-0000-0000-000000000000' },
  ...{ version: '1.0.0', evidence: 'fixtures' as const },
}

const STREAM: JsonObject = {
  file_uploader: {
    type: 'FileUploader',
    requester: { type: 'HttpRequester', url: '{{ download_target }}' },
    download_target_extractor: { type: 'DpathExtractor', field_path: ['url'] },
    filename_extractor: '{{ record.name }}',
  },
  schema_loader: { schema: { properties: { id: { type: 'integer' }, url: { type: 'string' } } } },
}

const MIB = 1024 * 1024

interface Asked {
  files?: { prefix: string }
  stream?: JsonObject
  records?: JsonObject[]
  store?: ReturnType<typeof memoryStore> | null
}

/** Reads the stream; each file has as many mebibytes as its address says. */
async function read({ files, stream = STREAM, records, store = memoryStore() }: Asked) {
  const told = { largest: 0, ahead: 0, requests: [] as string[] }
  const rows = records ?? [{ id: 1, url: 'https://files.test/2', name: 'a/b.bin' }]
  const ctx = testContext({
    warehouse: store ?? undefined,
    http: {
      async fetch(url) {
        told.requests.push(String(url))
        if (String(url).startsWith('https://api.test')) return Response.json(rows)
        let left = Number(new URL(url).pathname.slice(1))
        const body = new ReadableStream<Uint8Array>({
          pull(controller) {
            if (left-- <= 0) return controller.close()
            controller.enqueue(new Uint8Array(MIB).fill(left))
          },
        })
        return new Response(body)
      },
    },
  })
  const source = declarativeSource(manifestOf({ name: '', stream }), INFO)
  const { streams } = await source.discover(ctx, {})
  const configured = streams.map(
    (found): ConfiguredStream => ({
      stream: files ? withFileReference(found) : found,
      ...{ syncMode: 'full_refresh', destinationSyncMode: 'append', cursorField: [] },
      ...{ primaryKey: [], generationId: 1, minimumGenerationId: 0, syncId: 1 },
      ...{ format: 'records', files },
    }),
  )
  const events: ReadEvent[] = []
  for await (const event of source.read(ctx, {}, configured, { streams: new Map() })) {
    events.push(event)
  }
  const batches = events.flatMap((event) =>
    event.type === 'batch' && event.batch.kind === 'records' ? [event.batch] : [],
  )
  const column = (name: string) =>
    batches.flatMap((batch) => {
      const at = batch.schema.findIndex((one) => one.name === name)
      return at === -1 ? [] : (batch.columns[at] ?? [])
    })
  const error = events.find((event) => event.type === 'error')
  return { ctx, streams, told, store, column, error }
}

const keys = async (store: ReturnType<typeof memoryStore> | null) =>
  ((await store?.list(''))?.objects ?? []).map(({ key }) => key)

describe('files that records stand for', () => {
  it('are stored below the prefix, and the record says where', async () => {
    const { store, column, streams } = await read({ files: { prefix: 'files/c1/' } })
    expect(streams[0]?.is_file_based).toBe(true)
    expect(column('file_reference').map((cell) => JSON.parse(String(cell)))).toEqual([
      {
        staging_file_url: 'files/c1/items/a/b.bin',
        source_file_relative_path: 'items/a/b.bin',
        file_size_bytes: 2 * MIB,
      },
    ])
    expect((await store?.head('files/c1/items/a/b.bin'))?.size).toBe(2 * MIB)
  })

  it('are handed on while they come in', async () => {
    const store = memoryStore()
    let pulled = 0
    let most = 0
    const watched = {
      ...store,
      async putStream(key: string, body: AsyncIterable<Uint8Array>) {
        let size = 0
        for await (const chunk of body) {
          most = Math.max(most, chunk.length)
          size += chunk.length
          pulled++
        }
        return { key, size, etag: '', uploaded: 0 }
      },
    }
    const records = [{ id: 1, url: 'https://files.test/64', name: 'large' }]
    const { column } = await read({ files: { prefix: '' }, store: watched, records })
    expect(JSON.parse(String(column('file_reference')[0])).file_size_bytes).toBe(64 * MIB)
    expect(most).toBeLessThanOrEqual(64 * 1024)
    expect(pulled).toBeGreaterThan(1000)
  })

  it('are not downloaded where nobody asks for them', async () => {
    const { told, store, column } = await read({})
    expect(told.requests).toEqual(['https://api.test/items'])
    expect(await keys(store)).toEqual([])
    expect(column('id')).toEqual([1])
    expect(column('file_reference')).toEqual([])
  })

  it('stay below their folder, whatever their names are', async () => {
    const records = [
      { id: 1, url: 'https://files.test/1', name: '../../../other/secret' },
      { id: 2, url: 'https://files.test/1', name: '/./x\\..\\y' },
    ]
    const { store } = await read({ files: { prefix: 'files/' }, records })
    expect(await keys(store)).toEqual(['files/items/other/secret', 'files/items/x/y'])
  })

  it('have the same name each time where the manifest gives none', async () => {
    const uploader = { ...(STREAM.file_uploader as JsonObject), filename_extractor: null }
    const stream = { ...STREAM, file_uploader: uploader }
    const at = (token: string) => [{ id: 1, url: `https://files.test/1?signed=${token}` }]
    const first = await read({ files: { prefix: '' }, stream, records: at('x') })
    const second = await read({ files: { prefix: '' }, stream, records: at('y') })
    expect(await keys(first.store)).toEqual(await keys(second.store))
    expect((await keys(first.store))[0]).toMatch(/^items\/[\da-f]{32}$/)
  })

  it('are refused by name where there is no store, or where the stream has none', async () => {
    const without = await read({ files: { prefix: '' }, store: null })
    expect(without.error).toMatchObject({ error: { code: 'UNSUPPORTED', stream: 'items' } })
    const { file_uploader: _, ...stream } = STREAM
    const plain = await read({ files: { prefix: '' }, stream })
    expect(plain.error).toMatchObject({ error: { message: expect.stringContaining('no files') } })
  })

  it('leave a record without one as it is, and say so', async () => {
    const { ctx, column } = await read({ files: { prefix: '' }, records: [{ id: 1 }] })
    expect(column('file_reference')).toEqual([null])
    expect(ctx.lines.join()).toContain('names no file')
  })
})
