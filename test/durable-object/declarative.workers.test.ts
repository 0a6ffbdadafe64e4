import { afterEach, expect, it, vi } from 'vitest'
import { rows, serveShop, setShop } from '../support/shop.ts'
import { shopManifest } from '../support/shop-manifest.ts'
import { connect, run, stream } from './harness.ts'

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

it.each(['staged', 'direct'] as const)(
  'reads what is new after a read whose last page was empty, %s',
  async (transfer) => {
    const item = (id: number, day: number) => ({ id, updated_at: `2026-01-0${day}T00:00:00Z` })
    const pages = [[item(1, 2), item(2, 3)], []]
    serveShop({ '/items': (query) => rows(...(pages[Number(query.get('page'))] ?? [])) })
    setShop(shopManifest([{ name: 'items', stream: { incremental_sync: CURSOR } }]))
    const { connection } = await connect({
      source: { type: 'shop', config: {} },
      streams: [incremental()],
      change: { ...TINY, transfer },
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
  },
)
