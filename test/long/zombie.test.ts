import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { startServer } from '../support/dev-server.ts'
import { createPipeline, LEASE_MS, latest, session, untilEnded } from './support/crash-run.ts'
import { contentsOfTable, createEvents } from './support/events.ts'

/** Long enough for the paused slice to finish what it was doing, too short for a new claim. */
const WAKE_MS = 1500

let postgres: RunningPostgres
let source: string
let directory: string

beforeAll(async () => {
  postgres = await startPostgres(['shared_buffers=256MB', 'max_wal_size=4GB'])
  source = await postgres.createDatabase('source')
  directory = mkdtempSync(join(tmpdir(), 'airbyte-zombie-'))
  const client = new Client(source)
  await client.connect()
  await createEvents(client)
  await client.end()
})

afterAll(async () => {
  await postgres?.stop()
  rmSync(directory, { recursive: true, force: true })
})

it.each(['direct', 'staged'] as const)(
  'a %s loader that was paused over its lease and wakes up later changes nothing',
  async (transfer) => {
    const url = await postgres.createDatabase(`target_${transfer}`)
    const [there, here] = [new Client(source), new Client(url)]
    await Promise.all([there.connect(), here.connect()])
    const stateDirectory = join(directory, transfer)
    const paused = await startServer({ stateDirectory, vars: { LEASE_MS } })
    const { call } = await session(paused)
    await createPipeline(call, { source, transfer, destination: { type: 'postgres', url } })
    await call('run_sync', { connection: 'crash' })
    await copying(here, `target_${transfer}`)
    const pids = [paused.pid, ...paused.workerdPids()]
    for (const pid of pids) process.kill(pid, 'SIGSTOP')

    // The successor works on what was durable at that moment.
    const copy = join(directory, `${transfer}-copy`)
    cpSync(stateDirectory, copy, { recursive: true })
    const successor = await startServer({ stateDirectory: copy, vars: { LEASE_MS } })
    const after = await session(successor)
    await untilEnded(after.call)
    expect(await latest(after.call)).toEqual({ status: 'succeeded' })
    const expected = await contentsOfTable(there)
    expect(await contentsOfTable(here)).toEqual(expected)

    for (const pid of pids) process.kill(pid, 'SIGCONT')
    await sleep(WAKE_MS)
    await paused.kill9()
    await successor.stop()
    expect(await contentsOfTable(here)).toEqual(expected)
    await Promise.all([there.end(), here.end()])
  },
)

/** Resolves while a COPY into the target is under way. */
async function copying(client: Client, database: string): Promise<void> {
  const sql = `SELECT FROM pg_stat_activity
    WHERE datname = $1 AND pid <> pg_backend_pid() AND query ILIKE 'copy%' AND state = 'active'`
  for (let waited = 0; waited < 60_000; waited += 5) {
    const { rowCount } = await client.query(sql, [database])
    if (rowCount) return
    await sleep(5)
  }
  throw new Error('Nothing was copied within a minute.')
}
