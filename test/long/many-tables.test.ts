/** A connection of very many tables that follows a log: what its first sync costs, and the next ones. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { byQuarters, sampleEvery } from '../../bench/heap-samples.ts'
import { openInspector } from '../../bench/inspector.ts'
import { cpuSeconds, peakMegabytes } from '../../bench/process-stats.ts'
import { openWorkbench } from '../../bench/syncs.ts'
import { connectMcp } from '../../scripts/lib/mcp-client.ts'
import { type ToolCall, toolsOf } from '../../scripts/lib/tool-call.ts'
import { startServer } from '../support/dev-server.ts'
import { startPostgres } from '../support/embedded-postgres.ts'
import {
  changeTables,
  contentsOf,
  difference,
  duckdbQuestion,
  type Load,
  largestValues,
  loadOf,
  makeTables,
  tableNames,
  tasksOfSyncs,
} from './support/many-tables.ts'
import { askTables } from './support/warehouse.ts'

/** By hand more: `TABLES=3000 CHANGED=20`. */
const TABLES = Number(process.env.TABLES ?? 150)
const CHANGED = Number(process.env.CHANGED ?? 5)
const TABLES_TO_R2 = Number(process.env.TABLES_TO_R2 ?? 40)
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
    const expectSame = async () =>
      expect(await contentsOf(target, 'here', names)).toEqual(
        await contentsOf(source, 'many', names),
      )
    const idle = await inspector.liveHeap()
    const measured = async (what: string) => {
      const before = [await loadOf(source), await loadOf(target), cpuOf(server)] as const
      const began = performance.now()
      const samples = await sampleEvery(inspector.liveHeap, () => syncOf(call), EVERY_MS)
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
        resident: Math.round(Math.max(...server.workerdPids().map(peakMegabytes))),
      }
      console.log(what, JSON.stringify(cost))
      return cost
    }

    const first = await measured('first')
    await expectSame()
    expect(Math.max(...first.heap)).toBeLessThan(MOST_MB)
    // Many tables share a session: on a slow machine few, as slices go on for so many seconds.
    expect(perTable(first.source)).toBeLessThan(1)
    expect(perTable(first.target)).toBeLessThan(1)

    await changeTables(source, names.slice(0, CHANGED))
    const next = await measured(`${CHANGED} changed`)
    await expectSame()
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

it(`${TABLES_TO_R2} tables that are followed into r2 are there as they are at the source`, async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'airbyte-tables-'))
  const postgres = await startPostgres(['max_locks_per_transaction=512'])
  const source = await postgres.createDatabase('many')
  const server = await startServer({ stateDirectory })
  const names = tableNames(TABLES_TO_R2)
  try {
    await makeTables(source, TABLES_TO_R2)
    const bench = await openWorkbench(server.url)
    const method = { schemas: ['many'], replication_method: { method: 'CDC' } }
    await bench.database('source', 'many', source, method)
    await bench.parquet('files')
    await bench.connect('many', 'many', 'files', {
      streams: names.map((name) => ({ ...{ name, syncMode: 'cdc' }, ...DEDUP })),
      namespace: 'here',
    })
    const client = await connectMcp(server.url, 'many')
    const call = toolsOf(client)
    const before = cpuOf(server)
    await syncOf(call)
    await changeTables(source, names.slice(0, names.length / 2))
    await syncOf(call)
    console.log('into r2: seconds of CPU', (cpuOf(server) - before).toFixed(1))
    await Promise.all([bench.close(), client.close()])
    await server.stop()
    const targets = names.map((table) => ({ namespace: 'here', table }))
    const found = await askTables(stateDirectory, targets, (queries) =>
      duckdbQuestion(names, queries),
    )
    expect(found.map(({ contents }) => contents)).toEqual(await contentsOf(source, 'many', names))
  } finally {
    await server.stop()
    await postgres.stop()
    rmSync(stateDirectory, { recursive: true, force: true })
  }
}, 1_800_000)

/** One sync, to its end. */
async function syncOf(call: ToolCall): Promise<void> {
  // Short waits: a busy machine has the rest of a minute to answer.
  let seen = await call<SyncView>('run_sync', { connection: 'many' })
  while (!seen.finished)
    seen = await call<SyncView>('get_sync', { sync: seen.syncId, waitSeconds: 5 })
  expect(seen).toMatchObject({ status: 'succeeded' })
}

interface SyncView {
  syncId: number
  finished: boolean
}

const DEDUP = { destinationSyncMode: 'append_dedup' }

const perTable = ({ sessions }: Load) => (sessions - 20) / TABLES

const cpuOf = (server: { workerdPids(): number[] }) => cpuSeconds(server.workerdPids())
