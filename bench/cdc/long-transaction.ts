import { Client } from 'pg'
import type { RunningPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { byQuarters, sampleEvery } from '../heap-samples.ts'
import { openInspector } from '../inspector.ts'
import type { Bench } from './figures.ts'

/** Seldom: each sample collects the heap, which costs time. */
const EVERY_MS = 1000

/**
 * A sync of a table through one transaction of so many changes: live megabytes over idle of the product,
 * which reads the log, stages it and loads it in one isolate, the most of each quarter of the time.
 */
export async function measureLongTransaction(
  { server, workbench }: Pick<Bench, 'server' | 'workbench'>,
  { source, other }: { source: RunningPostgres; other: RunningPostgres },
  changes: number,
): Promise<Record<string, number[]>> {
  const url = await source.createDatabase('long_transaction')
  const client = new Client(url)
  await client.connect()
  await client.query(
    'CREATE TABLE events (id int PRIMARY KEY, name text, n bigint, at timestamptz)',
  )
  await workbench.database('source', 'long-source', url, {
    ...{ schemas: ['public'], replication_method: { method: 'CDC' } },
  })
  await workbench.database('destination', 'long-target', await other.createDatabase('long'))
  const stream = { name: 'events', namespace: 'public', syncMode: 'incremental' }
  await workbench.connect('long', 'long-source', 'long-target', {
    streams: [{ ...stream, destinationSyncMode: 'append_dedup', primaryKey: [['id']] }],
  })
  await workbench.sync('long')
  await client.query(
    `BEGIN; INSERT INTO events SELECT n, 'event ' || n, n * 7, now() FROM generate_series(1, ${changes / 2}) n;
     UPDATE events SET n = n + 1; COMMIT`,
  )
  const wake = async () => (await fetch(`${server.url}/health`)).text()
  const inspector = await openInspector(server.inspectorUrl ?? '', wake)
  const idle = await inspector.liveHeap()
  let loaded = 0
  const sync = async () => {
    const { streams } = await workbench.sync('long')
    loaded = streams.reduce((sum, { rowsLoaded }) => sum + rowsLoaded, 0)
  }
  const samples = await sampleEvery(inspector.liveHeap, sync, EVERY_MS)
  inspector.close()
  await client.end()
  if (loaded !== changes) throw new Error(`${loaded} of ${changes} changes were loaded.`)
  return { 'a sync': byQuarters(samples.map((megabytes) => megabytes - idle)) }
}
