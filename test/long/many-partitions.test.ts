import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { byQuarters, sampleEvery } from '../../bench/heap-samples.ts'
import { openInspector } from '../../bench/inspector.ts'
import { openWorkbench } from '../../bench/syncs.ts'
import { startServer } from '../support/dev-server.ts'
import { ordersManifest, startShop } from './support/shop-server.ts'

/** What a slice may take above idle. */
const MOST_MB = 40
/** Seldom: each sample collects the heap, which costs time. */
const EVERY_MS = 2000

/** By hand up to what docs/scale.md says: `PARTITIONS=100000`, some ten minutes. */
const SIZES = process.env.PARTITIONS?.split(',').map(Number) ?? [3_000, 15_000]

it.each(SIZES)(
  'a sync of %i partitions takes no more memory at its end than at its beginning',
  async (partitions) => {
    const stateDirectory = mkdtempSync(join(tmpdir(), 'airbyte-partitions-'))
    const shop = await startShop(partitions, () => 1, 100)
    const server = await startServer({ stateDirectory, inspectorPort: 0 })
    try {
      const bench = await openWorkbench(server.url)
      await bench.declarative('shop', ordersManifest(100), { url: shop.url })
      await bench.parquet('warehouse')
      await bench.connect('orders', 'shop', 'warehouse', {
        streams: [{ name: 'orders', syncMode: 'incremental', destinationSyncMode: 'append' }],
      })
      const inspector = await openInspector(server.inspectorUrl ?? '', async () =>
        (await fetch(`${server.url}/health`)).text(),
      )
      const idle = await inspector.liveHeap()
      const began = performance.now()
      const samples = await sampleEvery(inspector.liveHeap, () => bench.sync('orders'), EVERY_MS)
      const seconds = (performance.now() - began) / 1000
      inspector.close()
      const heap = byQuarters(samples.map((megabytes) => megabytes - idle))
      const requests = shop.requests.length
      console.log({ partitions, requests, seconds: Math.round(seconds), 'heap over idle MB': heap })
      // As often as there are partitions, and those again that a slice had begun when it ended.
      expect(requests).toBeGreaterThanOrEqual(partitions)
      expect(requests).toBeLessThan(partitions * 1.02)
      expect(Math.max(...heap)).toBeLessThan(MOST_MB)
      await bench.close()
    } finally {
      await server.stop()
      shop.stop()
      rmSync(stateDirectory, { recursive: true, force: true })
    }
  },
  1_800_000,
)
