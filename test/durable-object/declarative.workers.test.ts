import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ConnectionStore } from '../../src/durable-object/connection-store.ts'
import type { JsonObject, JsonValue } from '../../src/protocol/index.ts'
import { rows, serveShop, setShop } from '../support/shop.ts'
import { childrenOf, shopManifest } from '../support/shop-manifest.ts'
import { connect, run, stream, TENANT } from './harness.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Every checkpoint ends a chunk, every chunk a slice. */
const TINY = { limits: { chunkBytes: 0, sliceRows: 1 } }

const CURSOR = {
  ...{ type: 'DatetimeBasedCursor', cursor_field: 'updated_at' },
  ...{ datetime_format: '%Y-%m-%dT%H:%M:%SZ', start_datetime: '2026-01-01T00:00:00Z' },
}

const incremental = (change: object = {}) =>
  stream({ name: 'items', syncMode: 'incremental', destinationSyncMode: 'append', ...change })

it('reads what is new after a read whose last page was empty', async () => {
  const item = (id: number, day: number) => ({ id, updated_at: `2026-01-0${day}T00:00:00Z` })
  const pages = [[item(1, 2), item(2, 3)], []]
  serveShop({ '/items': (query) => rows(...(pages[Number(query.get('page'))] ?? [])) })
  setShop(shopManifest([{ name: 'items', stream: { incremental_sync: CURSOR } }]))
  const { connection } = await connect({
    source: { type: 'shop', config: {} },
    streams: [incremental()],
    change: TINY,
  })
  expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 2 })
  expect(await connection.state()).toMatchObject([
    { state: { airbyte: { updated_at: '2026-01-03T00:00:00Z' } } },
  ])

  // The cursor is inclusive: the newest row comes again.
  pages[0] = [item(2, 3), item(3, 5)]
  expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 2 })
  const [kept] = await connection.state()
  expect(kept?.state).toMatchObject({ airbyte: { updated_at: '2026-01-05T00:00:00Z' } })
  expect(kept?.state).not.toHaveProperty('at')
})

/** Partitions of the shop's items, each with one row and a cursor of its own. */
const PARTITIONED = (values: JsonValue) =>
  shopManifest([
    {
      name: 'items',
      stream: { incremental_sync: CURSOR },
      retriever: {
        partition_router: {
          ...{ type: 'ListPartitionRouter', values, cursor_field: 'shelf' },
          request_option: {
            ...{ type: 'RequestOption', inject_into: 'request_parameter', field_name: 'shelf' },
          },
        },
      },
    },
  ])

const shelves = (count: number) => Array.from({ length: count }, (_, i) => `shelf ${i}`)

const storedPartitions = (id: string) =>
  runInDurableObject(env.CONNECTION.getByName(`${TENANT}:${id}`), (_object, { storage }) => ({
    header: storage.sql.exec('select state from streams').toArray()[0]?.state,
    rows: storage.sql.exec('select * from partitions').toArray(),
  }))

describe('a full refresh of which a partition fails', () => {
  const alone = ({ retriever }: { retriever: JsonObject }) =>
    shopManifest([{ name: 'items', retriever }])
  const router = {
    ...{ type: 'ListPartitionRouter', values: shelves(4), cursor_field: 'shelf' },
    request_option: {
      ...{ type: 'RequestOption', inject_into: 'request_parameter', field_name: 'shelf' },
    },
  }

  it('loads the others, and the next sync reads it alone', async () => {
    let isClosed = true
    const asked: string[] = []
    serveShop({
      '/items': (query) => {
        const shelf = query.get('shelf') ?? ''
        asked.push(shelf)
        const isRefused = isClosed && shelf === 'shelf 1'
        return isRefused ? new Response('{}', { status: 403 }) : rows({ id: asked.length })
      },
    })
    setShop(alone({ retriever: { partition_router: router } }))
    const { id, connection } = await connect({
      source: { type: 'shop', config: {} },
      streams: [stream({ name: 'items', destinationSyncMode: 'append' })],
    })
    const first = await run(connection)
    expect(first).toMatchObject({ status: 'incomplete', rows: 3 })
    expect(first.streams[0]?.error?.message).toContain('1 partition could not be read')
    expect((await storedPartitions(id)).rows).toHaveLength(1)

    isClosed = false
    asked.length = 0
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 1 })
    expect(asked).toEqual(['shelf 1'])
    expect((await storedPartitions(id)).rows).toHaveLength(0)
  })
})

describe('the states of partitions', () => {
  const day = (n: number) => `2026-01-0${n}T00:00:00Z`

  it('are rows, and only those that changed are written', async () => {
    const days: Record<string, number> = {}
    serveShop({
      '/items': (query) => {
        const shelf = query.get('shelf') ?? ''
        return rows({ id: 1, updated_at: day(days[shelf] ?? 2) })
      },
    })
    setShop(PARTITIONED(shelves(30)))
    const { id, connection } = await connect({
      source: { type: 'shop', config: {} },
      streams: [incremental()],
      change: { limits: { chunkBytes: 0, sliceRows: 7 } },
    })
    const first = await run(connection)
    expect(first).toMatchObject({ status: 'succeeded', rows: 30 })
    const { header, rows: stored } = await storedPartitions(id)
    expect(stored).toHaveLength(30)
    expect(header).not.toContain('shelf')
    const [{ state } = { state: {} }] = await connection.state()
    expect(state).toMatchObject({
      airbyte: {
        use_global_cursor: false,
        state: { updated_at: day(2) },
        states: expect.arrayContaining([
          { partition: { shelf: 'shelf 29' }, cursor: { updated_at: day(2) } },
        ]),
      },
    })
    // The receipt shows the position, not each partition's.
    expect(JSON.stringify(first.receipt).length).toBeLessThan(20_000)

    days['shelf 4'] = 5
    const applied = vi.spyOn(ConnectionStore.prototype, 'applyDelta')
    expect(await run(connection)).toMatchObject({ status: 'succeeded' })
    const after = await storedPartitions(id)
    const changed = after.rows.filter(({ entry }) => String(entry).includes(day(5)))
    expect(changed.map(({ key }) => key)).toEqual(['{"shelf":"shelf 4"}'])
    const written = applied.mock.calls.flatMap(([, delta]) => Object.values(delta))
    expect(written.flatMap(({ set }) => set)).toHaveLength(1)
  })

  it.each(['direct', 'staged'] as const)('are kept from slice to slice, %s', async (transfer) => {
    serveShop({ '/items': () => rows({ id: 1, updated_at: day(2) }) })
    setShop(PARTITIONED(shelves(30)))
    const { id, connection } = await connect({
      source: { type: 'shop', config: {} },
      destination: { type: 'r2', config: {} },
      streams: [incremental()],
      change: { transfer, limits: { chunkBytes: 300, sliceRows: 5 } },
    })
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 30 })
    expect((await storedPartitions(id)).rows).toHaveLength(30)
  })

  it('come with the state when it is taken to another connection', async () => {
    serveShop({ '/items': () => rows({ id: 1, updated_at: day(2) }) })
    setShop(PARTITIONED(shelves(5)))
    const setup = {
      source: { type: 'shop', config: {} },
      streams: [incremental()],
    }
    const one = await connect(setup)
    await run(one.connection)
    const states = await one.connection.state()
    const other = await connect(setup)
    // Also in the format of the CDK, as Airbyte's own `get state` gives it.
    const airbyte = (states[0] as unknown as { state: { airbyte: JsonObject } }).state.airbyte
    await other.connection.setState([{ stream: { name: 'items' }, state: airbyte }])
    expect((await storedPartitions(other.id)).rows).toHaveLength(5)
    expect((await other.connection.state())[0]?.state).toEqual(airbyte)
    const page = await other.connection.statePage({ stream: { name: 'items' } })
    expect(page).toEqual({ states: [{ stream: { name: 'items' }, state: airbyte }] })

    const requests = serveShop({ '/items': () => rows() })
    await run(other.connection)
    expect(requests).toHaveLength(5)
    expect((await other.connection.state())[0]?.state).toMatchObject({
      airbyte: { states: { length: 5 } },
    })
    await other.connection.refresh({ remove: false })
    expect((await storedPartitions(other.id)).rows).toEqual([])
  })

  it('are in the ledger of the destination too, where the sync died before it heard of a chunk', async () => {
    serveShop({ '/items': () => rows({ id: 1, updated_at: day(2) }) })
    setShop(PARTITIONED(shelves(6)))
    const { connection } = await connect({
      source: { type: 'shop', config: {} },
      destination: {
        type: 'dev-null',
        config: { fail_at: { when: 'answer', chunk: 3, times: 1 } },
      },
      streams: [incremental()],
      change: { limits: { chunkBytes: 0, sliceRows: 2 } },
    })
    const record = await run(connection)
    expect(record).toMatchObject({ status: 'succeeded', rows: 6 })
    const [{ state } = { state: {} }] = await connection.state()
    expect((state as { airbyte: { states: unknown[] } }).airbyte.states).toHaveLength(6)
  })

  it('are taken from a ledger that is a chunk ahead of what the connection knows', async () => {
    serveShop({ '/items': () => rows({ id: 1, updated_at: day(2) }) })
    setShop(PARTITIONED(shelves(3)))
    const { id, connection } = await connect({
      source: { type: 'shop', config: {} },
      streams: [incremental()],
      change: TINY,
    })
    const { syncId } = await run(connection)
    const before = await runInDurableObject(
      env.SYNC.getByName(`${TENANT}:${syncId}`),
      (_object, { storage }) =>
        storage.sql.exec('select report from chunks order by seq').toArray(),
    )
    const { id: chunk, end } = JSON.parse(String(before.at(-2)?.report))
    await runInDurableObject(
      env.CONNECTION.getByName(`${TENANT}:${id}`),
      (_object, { storage }) => {
        const known = [JSON.stringify(end.state), chunk]
        storage.sql.exec('update streams set state = ?, last_chunk = ?', ...known)
        storage.sql.exec(`delete from partitions where key like '%shelf 2%'`)
      },
    )
    const requests = serveShop({})
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 0 })
    expect(requests).toEqual([])
    expect((await storedPartitions(id)).rows.map(({ entry }) => String(entry))).toEqual(
      shelves(3).map((shelf) => expect.stringContaining(shelf)),
    )
  })

  it('keep the digits of a partition that is a large number', async () => {
    serveShop({ '/items': () => rows({ id: 1, updated_at: day(2) }) })
    const large = '9007199254740993'
    setShop(PARTITIONED(`{{ [${large}, 1] }}`))
    const { id, connection } = await connect({
      source: { type: 'shop', config: {} },
      streams: [incremental()],
      change: TINY,
    })
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 2 })
    const { rows: stored } = await storedPartitions(id)
    expect(stored.map(({ key }) => key).sort()).toEqual(['{"shelf":1}', `{"shelf":${large}}`])
    const requests = serveShop({ '/items': () => rows() })
    expect(await run(connection)).toMatchObject({ status: 'succeeded' })
    expect(requests).toContain(`/items?page=0&shelf=${large}`)
    expect((await storedPartitions(id)).rows).toHaveLength(2)
  })
})

it('ends the children of a stream that fails with an error that names it, and no others', async () => {
  serveShop({
    '/parents': () => Response.json({ message: 'gone' }, { status: 404 }),
    '/others': () => rows(1),
  })
  const partition_router = childrenOf({ name: 'parents' })
  setShop(shopManifest([{ name: 'children', retriever: { partition_router } }, { name: 'others' }]))
  const { connection } = await connect({
    source: { type: 'shop', config: {} },
    streams: [stream({ name: 'children' }), stream({ name: 'others' })],
  })
  const { status, streams } = await run(connection)
  expect(status).toBe('incomplete')
  expect(streams).toMatchObject([
    {
      stream: 'children',
      status: 'failed',
      error: { message: expect.stringContaining("its parent stream 'parents' failed") },
    },
    { stream: 'others', status: 'succeeded' },
  ])
})
