import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabaseActor } from '../../scripts/lib/database-actor.ts'
import { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import type { ToolCall } from '../../scripts/lib/tool-call.ts'
import { type FaultPoint, LOG_FAULT_POINTS } from '../../src/core/fault-points.ts'
import { tableOf, WRITTEN_COLUMNS, write } from '../durable-object/cdc-writer.ts'
import { runAndCrash } from './support/crash-run.ts'

/** Of a segment of the log, and of what is loaded from it. */
const POINTS: FaultPoint[] = [
  ...LOG_FAULT_POINTS,
  'load.committed',
  'load.reported',
  'finish.swapped',
  'sync.state-committed',
]
const ROWS = 5000

let postgres: RunningPostgres
let databases = 0
beforeAll(async () => {
  postgres = await startPostgres(['max_wal_size=4GB'])
})
afterAll(() => postgres?.stop())

describe('kill -9 while a table that is written to is snapshotted and followed', () => {
  for (const point of POINTS) {
    it.concurrent(`at ${point}: nothing is lost, nothing doubled`, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'airbyte-cdc-crash-'))
      const url = await postgres.createDatabase(`crash${++databases}`)
      const [client, writer] = [new Client(url), new Client(url)]
      await Promise.all([client.connect(), writer.connect()])
      try {
        await client.query(`create schema src; create schema dst; ${tableOf('t', ROWS)}`)
        let running = true
        const written = write(writer, 't', databases, {
          ...{ rows: ROWS, pauseMs: 20, goesOn: () => running },
        })
        const outcome = await runAndCrash({
          ...{ stateDirectory: directory, kill: { point, hit: 1 } },
          create: (call) => createFollowed(call, url),
          async after(sync) {
            running = false
            await written
            expect(await sync()).toEqual({ status: 'succeeded' })
          },
        }).finally(() => {
          running = false
        })
        expect(outcome).toEqual({ killed: true, status: 'succeeded' })
        expect(await contents(client, 'dst.t')).toEqual(await contents(client, 'src.t'))
      } finally {
        await Promise.all([client.end(), writer.end()])
        rmSync(directory, { recursive: true, force: true })
      }
    })
  }
})

async function createFollowed(call: ToolCall, url: string) {
  await createDatabaseActor(call, 'source', 'source', url, {
    ...{ schemas: ['src'], chunk_rows: 500, replication_method: { method: 'CDC' } },
  })
  await createDatabaseActor(call, 'destination', 'destination', url, { schema: 'dst' })
  const stream = { name: 't', namespace: 'src', syncMode: 'incremental', primaryKey: [['id']] }
  await call('create_connection', {
    ...{ name: 'crash', source: 'source', destination: 'destination', namespace: 'dst' },
    streams: [{ ...stream, destinationSyncMode: 'append_dedup' }],
  })
}

async function contents(client: Client, table: string) {
  const { rows } = await client.query(
    `select count(*)::int as n, md5(string_agg(t::text, '|' order by id)) as hash
     from (select ${WRITTEN_COLUMNS} from ${table}) t`,
  )
  return rows[0]
}
