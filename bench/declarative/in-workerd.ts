import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '../../scripts/lib/local-server.ts'
import { byQuarters, sampleEvery } from '../heap-samples.ts'
import { openInspector } from '../inspector.ts'
import { cpuSeconds } from '../process-stats.ts'
import { openWorkbench } from '../syncs.ts'
import { MANIFEST } from './manifest.ts'
import type { Run } from './run.ts'

const CONNECTION = 'people → parquet'

/**
 * The same stream by the whole product: imported, read and loaded into r2 by queue consumers in
 * workerd, which plays the buckets here too. CPU is that of all of it.
 */
export async function runInWorkerd(url: string, records: number): Promise<Run> {
  const directory = mkdtempSync(join(tmpdir(), 'airbyte-bench-'))
  const server = await startServer({ stateDirectory: directory, inspectorPort: 0 })
  try {
    const bench = await openWorkbench(server.url)
    await bench.declarative('people', MANIFEST, { url, token: 'bench', total: records })
    await bench.parquet('parquet')
    await bench.connect(CONNECTION, 'people', 'parquet', {
      streams: [{ name: 'people', syncMode: 'full_refresh', destinationSyncMode: 'overwrite' }],
    })
    const before = cpuSeconds(server.workerdPids())
    const { startedAt, endedAt, streams } = await bench.sync(CONNECTION)
    const spent = cpuSeconds(server.workerdPids()) - before
    const loaded = streams.reduce((sum, stream) => sum + stream.rowsLoaded, 0)
    if (loaded !== records) throw new Error(`workerd: ${loaded} of ${records} records were loaded.`)

    // Again, for the heap: collecting costs time.
    const inspector = await openInspector(server.inspectorUrl ?? '', async () =>
      (await fetch(`${server.url}/health`)).text(),
    )
    const idle = await inspector.liveHeap()
    const samples = await sampleEvery(inspector.liveHeap, () => bench.sync(CONNECTION))
    inspector.close()
    await bench.close()
    return {
      ...{ road: 'workerd', records, cpuMicros: (spent * 1e6) / records },
      seconds: (Date.parse(endedAt) - Date.parse(startedAt)) / 1000,
      heap: byQuarters(samples.map((megabytes) => megabytes - idle)),
    }
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
