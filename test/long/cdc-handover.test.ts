import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorkbench, type Workbench } from '../../bench/syncs.ts'
import { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { tableOf, WRITTEN_COLUMNS, write } from '../durable-object/cdc-writer.ts'
import { type RunningServer, startServer } from '../support/dev-server.ts'

const SEEDS = 200
/** Of each: a table and a writer of its own. They share a sync, so that a seed costs a second. */
const PER_SYNC = 25
const ROWS = 300
/** Between a writer's transactions: a sync must get to the end of what all of them write. */
const PAUSE_MS = 100
/** How often the connection to the log is cut. */
const CUT_MS = 1500

const first = Number(process.env.FIRST_SEED ?? 1)
const groups = Array.from({ length: SEEDS / PER_SYNC }, (_, group) =>
  Array.from({ length: PER_SYNC }, (_, n) => first + group * PER_SYNC + n),
)

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
  it.each(groups.map((seeds) => [seeds[0] as number, seeds]))(
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
        streams: seeds.map((seed) => ({
          ...{ name: `t${seed}`, namespace: 'src', syncMode: 'incremental' },
          ...{ destinationSyncMode: 'append_dedup', primaryKey: [['id']] },
        })),
      })
      const { transactions, cuts } = await underTrouble(url, db, seeds, () => bench.sync(name))
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

/** Each seed's writer writes, and the reader of the log loses its connection, for as long as `work` takes. */
async function underTrouble(
  url: string,
  db: Client,
  seeds: number[],
  work: () => Promise<unknown>,
): Promise<{ transactions: number; cuts: number }> {
  let running = true
  const goesOn = () => running
  const writers = seeds.map(async (seed) => {
    const client = await session(url)
    try {
      return await write(client, `t${seed}`, seed, { rows: ROWS, goesOn, pauseMs: PAUSE_MS })
    } finally {
      await client.end()
    }
  })
  let cuts = 0
  const cutting = (async () => {
    for (; running; await sleep(CUT_MS)) {
      const { rowCount } = await db.query(
        `select pg_terminate_backend(active_pid) from pg_replication_slots
         where database = current_database() and active_pid is not null`,
      )
      cuts += rowCount ?? 0
    }
  })()
  try {
    await work()
  } finally {
    running = false
  }
  const counts = await Promise.all(writers)
  await cutting
  return { transactions: counts.reduce((sum, n) => sum + n, 0), cuts }
}
