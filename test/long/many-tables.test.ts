/** A connection of very many tables that follows a log: what its first sync costs, and the next ones. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { byQuarters, sampleEvery } from '../../bench/heap-samples.ts'
import { openInspector } from '../../bench/inspector.ts'
import { cpuSeconds } from '../../bench/process-stats.ts'
import { openWorkbench } from '../../bench/syncs.ts'
import { connectMcp } from '../../scripts/lib/mcp-client.ts'
import { toolsOf } from '../../scripts/lib/tool-call.ts'
import { startServer } from '../support/dev-server.ts'
import { startPostgres } from '../support/embedded-postgres.ts'
import {
  changeTables,
  difference,
  type Load,
  largestValues,
  loadOf,
  makeTables,
  rowsIn,
  tableNames,
  tasksOfSyncs,
} from './support/many-tables.ts'

/** By hand more: `TABLES=3000`. */
const TABLES = Number(process.env.TABLES ?? 150)
const CHANGED = 5
/** Seldom: each sample collects the heap, which costs time. */
const EVERY_MS = 5000
const MOST_MB = 60
/** Of a row of a Durable Object: the platform's limit is 2 MB. */
const LARGEST_ROW = 1_500_000

it(`a sync of ${TABLES} tables of which ${CHANGED} changed takes up those ${CHANGED}`, async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'airbyte-tables-'))
  // Publishing a table and making it take locks, of which a transaction has so many.
  const postgres = await startPostgres(['max_locks_per_transaction=512'])
  const source = await postgres.createDatabase('many')
  const target = await postgres.createDatabase('target')
  const server = await startServer({ stateDirectory, inspectorPort: 0 })
  const names = tableNames(TABLES)
  try {
    await makeTables(source, TABLES)
    const bench = await openWorkbench(server.url)
    const method = { schemas: ['many'], replication_method: { method: 'CDC' } }
    await bench.database('source', 'many', source, method)
    await bench.database('destination', 'target', target)
    await bench.connect('many', 'many', 'target', {
      streams: names.map((name) => ({ ...{ name, syncMode: 'cdc' }, ...DEDUP })),
      namespace: 'here',
    })
    const inspector = await openInspector(server.inspectorUrl ?? '', async () =>
      (await fetch(`${server.url}/health`)).text(),
    )
    const client = await connectMcp(server.url, 'many')
    const call = toolsOf(client)
    const sync = async () => {
      // Short waits: a busy machine has the rest of a minute to answer.
      let seen = await call<SyncView>('run_sync', { connection: 'many' })
      while (!seen.finished)
        seen = await call<SyncView>('get_sync', { sync: seen.syncId, waitSeconds: 5 })
      expect(seen).toMatchObject({ status: 'succeeded' })
    }
    const idle = await inspector.liveHeap()
    const measured = async (what: string) => {
      const before = [await loadOf(source), await loadOf(target), cpuOf(server)] as const
      const began = performance.now()
      const samples = await sampleEvery(inspector.liveHeap, sync, EVERY_MS)
      const seconds = (performance.now() - began) / 1000
      // A session is counted once it has ended.
      await sleep(1500)
      const heap = byQuarters(samples.map((megabytes) => megabytes - idle))
      const cost = {
        seconds: Math.round(seconds),
        cpu: Number((cpuOf(server) - before[2]).toFixed(1)),
        source: difference(before[0], await loadOf(source)),
        target: difference(before[1], await loadOf(target)),
        heap,
      }
      console.log(what, JSON.stringify(cost))
      return cost
    }

    const first = await measured('first')
    expect(await rowsIn(target, 'here', names)).toBe(TABLES * 3)
    expect(Math.max(...first.heap)).toBeLessThan(MOST_MB)
    // A table takes so many sessions, and no more if there are more tables.
    expect(perTable(first.source)).toBeLessThan(3)
    expect(perTable(first.target)).toBeLessThan(3)

    await changeTables(source, names.slice(0, CHANGED))
    const next = await measured('five changed')
    expect(await rowsIn(target, 'here', names)).toBe(TABLES * 3)
    expect(next.target.sessions).toBeLessThan(CHANGED * 3)
    expect(next.source.sessions).toBeLessThan(15 + CHANGED * 3)

    await measured('none changed')
    inspector.close()
    await Promise.all([bench.close(), client.close()])
    await server.stop()
    // Planning; then for each stream reading it into its table, and making that visible.
    expect(tasksOfSyncs(stateDirectory)).toEqual([1 + TABLES * 2, 1 + CHANGED * 2, 1])
    const largest = largestValues(stateDirectory)
    console.log('largest values of a row', JSON.stringify(largest))
    for (const bytes of Object.values(largest)) expect(bytes).toBeLessThan(LARGEST_ROW)
  } finally {
    await server.stop()
    await postgres.stop()
    rmSync(stateDirectory, { recursive: true, force: true })
  }
}, 3_600_000)

interface SyncView {
  syncId: number
  finished: boolean
}

const DEDUP = { destinationSyncMode: 'append_dedup' }

const perTable = ({ sessions }: Load) => (sessions - 20) / TABLES

const cpuOf = (server: { workerdPids(): number[] }) => cpuSeconds(server.workerdPids())
