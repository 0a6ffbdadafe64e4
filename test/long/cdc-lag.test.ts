/** How far a destination is behind a table that is written to all the while, by a continuous connection. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { expect, inject, it } from 'vitest'
import { startServer } from '../support/dev-server.ts'
import { openDesk, until } from './support/cdc-pipeline.ts'

const RUN_MS = 45_000
/** What docs/cdc.md promises. */
const MOST_MS = 30_000

it('is at most 30 seconds', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'airbyte-cdc-lag-'))
  const server = await startServer({ stateDirectory: directory })
  const url = inject('pgUrl')
  const [writer, reader] = [new Client(url), new Client(url)]
  await Promise.all([writer.connect(), reader.connect()])
  const desk = await openDesk(server.url)
  try {
    await writer.query(`drop schema if exists lag_here cascade; create schema lag_here;
      drop table if exists lagging; create table lagging (id int primary key, at timestamptz not null)`)
    await writer.query('insert into lagging values (0, clock_timestamp())')
    await desk.connect(
      'lagging',
      {
        source: { type: 'postgres', url, config: { replication_method: { method: 'CDC' } } },
        destination: { type: 'postgres', url, config: { schema: 'lag_here' } },
      },
      {
        streams: [{ name: 'lagging', syncMode: 'cdc', destinationSyncMode: 'append_dedup' }],
        ...{ namespace: 'lag_here', schedule: { continuous: true } },
      },
    )
    const newest = async () => {
      const { rows } = await reader.query('select max(id)::int as id from lag_here.lagging')
      return rows[0].id as number
    }
    await until('the first sync is over', () =>
      newest().then(
        (id) => id === 0,
        () => false,
      ),
    )

    const committed = [Date.now()]
    const seen = new Set<number>()
    let most = 0
    for (const end = Date.now() + RUN_MS; Date.now() < end; await sleep(200)) {
      await writer.query(`insert into lagging values (${committed.length}, clock_timestamp())`)
      committed.push(Date.now())
      const id = await newest()
      seen.add(id)
      // The oldest commit that is not there yet.
      const missing = committed[id + 1]
      if (missing !== undefined) most = Math.max(most, Date.now() - missing)
    }
    await until('the rest arrives', async () => (await newest()) === committed.length - 1)
    console.log({ 'most behind, ms': most, rows: committed.length, syncs: seen.size })
    expect(seen.size).toBeGreaterThan(2)
    expect(most).toBeLessThan(MOST_MS)
  } finally {
    await desk.call('update_connection', { connection: 'lagging', status: 'paused' })
    await sleep(2000)
    await desk.close()
    await server.stop()
    await writer.query(`select pg_drop_replication_slot(slot_name) from pg_replication_slots
      where database = current_database() and not active`)
    await Promise.all([writer.end(), reader.end()])
    rmSync(directory, { recursive: true, force: true })
  }
})
