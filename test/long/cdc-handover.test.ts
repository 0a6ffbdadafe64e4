import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorkbench, type Workbench } from '../../bench/syncs.ts'
import { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { tableOf, WRITTEN_COLUMNS, write } from '../durable-object/cdc-writer.ts'
import { type RunningServer, startServer } from '../support/dev-server.ts'
import { PAUSE_MS, ROWS, seedGroups, streamsOf, underTrouble } from './support/handover.ts'

let postgres: RunningPostgres
let server: RunningServer
let bench: Workbench
let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'airbyte-handover-'))
  postgres = await startPostgres(['max_wal_size=4GB', 'max_connections=300'])
  server = await startServer({ stateDirectory: directory })
  bench = await openWorkbench(server.url)
})
afterAll(async () => {
  await bench?.close()
  await server?.stop()
  await postgres?.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe('tables that are written to while they are snapshotted and followed', () => {
  it.each(seedGroups(200))(
    'become what they are at the source, seeds from %i on',
    async (group, seeds) => {
      const name = `group${group}`
      const url = await postgres.createDatabase(name)
      const db = await session(url)
      await db.query('create schema src; create schema dst')
      for (const seed of seeds) await db.query(tableOf(`t${seed}`, ROWS))
      await bench.database('source', `${name}-source`, url, {
        ...{ schemas: ['src'], chunk_rows: 70, replication_method: { method: 'CDC' } },
      })
      await bench.database('destination', `${name}-target`, url, { schema: 'dst' })
      await bench.connect(name, `${name}-source`, `${name}-target`, {
        namespace: 'dst',
        streams: streamsOf(seeds, 'src'),
      })
      const { transactions, cuts } = await underTrouble(
        seeds,
        { write: (seed, goesOn) => writeFrom(url, seed, goesOn), cut: () => cut(db) },
        () => bench.sync(name),
      )
      expect(transactions).toBeGreaterThan(seeds.length * 3)
      await bench.sync(name)
      for (const seed of seeds) {
        const [there, here] = await Promise.all([
          contents(db, `src.t${seed}`),
          contents(db, `dst.t${seed}`),
        ])
        expect({ seed, ...here }).toEqual({ seed, ...there })
      }
      console.log({ seeds: `${seeds[0]}-${seeds.at(-1)}`, transactions, cuts })
      await bench.remove(name)
      await db.end()
    },
  )
})

async function session(url: string): Promise<Client> {
  const client = new Client(url)
  await client.connect()
  return client
}

async function contents(client: Client, table: string) {
  const { rows } = await client.query(
    `select count(*)::int as n, md5(string_agg(t::text, '|' order by id)) as hash
     from (select ${WRITTEN_COLUMNS} from ${table}) t`,
  )
  return rows[0]
}

async function writeFrom(url: string, seed: number, goesOn: () => boolean): Promise<number> {
  const client = await session(url)
  try {
    return await write(client, `t${seed}`, seed, { rows: ROWS, goesOn, pauseMs: PAUSE_MS })
  } finally {
    await client.end()
  }
}

async function cut(db: Client): Promise<number> {
  const { rowCount } = await db.query(
    `select pg_terminate_backend(active_pid) from pg_replication_slots
     where database = current_database() and active_pid is not null`,
  )
  return rowCount ?? 0
}
