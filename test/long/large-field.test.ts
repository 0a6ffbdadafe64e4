/** Fields of 1 GB, in snapshots and in logs: the row arrives without them, and says so. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { sampleEvery } from '../../bench/heap-samples.ts'
import { residentMegabytes } from '../../bench/process-stats.ts'
import { startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { createNodeContext } from '../../src/egress/node-context.ts'
import { connectMysql } from '../../src/runtime/mysql/client.ts'
import { type RunningServer, startServer } from '../support/dev-server.ts'
import { startOwnMariadb } from '../support/mariadb.ts'
import { serverFields } from '../support/server-fields.ts'
import { type Desk, openDesk } from './support/cdc-pipeline.ts'

const FIELD_BYTES = Number(process.env.FIELD_BYTES ?? 1_000_000_000)
/** Of the whole runtime over what it has before: a field is some 950. */
const MOST_MB = 300
const SCHEMA = 'large_field'
const directory = mkdtempSync(join(tmpdir(), 'airbyte-large-field-'))
let server: RunningServer
let desk: Desk
let target: Client

beforeAll(async () => {
  server = await startServer({ stateDirectory: directory })
  desk = await openDesk(server.url)
  target = new Client(inject('pgUrl'))
  await target.connect()
  await target.query(`drop schema if exists ${SCHEMA} cascade; create schema ${SCHEMA}`)
})

afterAll(async () => {
  await desk?.close()
  await server?.stop()
  await target?.end()
  rmSync(directory, { recursive: true, force: true })
})

interface Source {
  type: 'postgres' | 'mysql'
  url: string
  sql(text: string): Promise<unknown>
  stop(): Promise<void>
}

async function postgresSource(): Promise<Source> {
  const postgres = await startPostgres()
  const url = await postgres.createDatabase('large')
  const client = new Client(url)
  await client.connect()
  const stop = () => client.end().then(() => postgres.stop())
  return { type: 'postgres', url, sql: (text) => client.query(text), stop }
}

async function mariadbSource(): Promise<Source> {
  const { url, stop } = await startOwnMariadb(['--max-allowed-packet=1G'])
  const config = { ...serverFields(url), ssl_mode: { mode: 'disabled' } }
  const client = await connectMysql(createNodeContext(), config as never)
  const both = () => client.close().then(stop)
  return { type: 'mysql', url, sql: (text) => client.query(text), stop: both }
}

/** The rows that arrived, a long value as its length, with what is recorded of them. */
async function landed(table: string) {
  const { rows } = await target.query(
    `select id, a, coalesce(length(v), 0) as v, c, _airbyte_meta->'changes' as changes
     from ${SCHEMA}.${table} order by id`,
  )
  return rows.map(({ id, a, v, c, changes }) => [Number(id), a, v, c, changes])
}

const LEFT_OUT = [
  { field: 'v', change: 'NULLED', reason: expect.stringContaining(`${FIELD_BYTES} bytes`) },
]

it.each([
  ['PostgreSQL', postgresSource, 'text'],
  ['MariaDB', mariadbSource, 'longtext'],
] as const)(
  'a field of 1 GB in the snapshot and in the log of %s is bounded and recorded, and its row arrives',
  async (_, open, type) => {
    const source = await open()
    const [pid = 0] = server.workerdPids()
    const name = `large_${source.type}`
    const figures: Record<string, number> = {}
    const seconds: Record<string, number> = {}
    const sync = async (what: string) => {
      const idle = residentMegabytes(pid)
      const began = performance.now()
      const run = async () => {
        const { status, streams } = await desk.sync(name)
        expect(streams[0]?.error).toBeUndefined()
        expect(status).toBe('succeeded')
      }
      const samples = await sampleEvery(async () => residentMegabytes(pid), run, 50)
      figures[what] = Math.round(Math.max(...samples) - idle)
      seconds[what] = Math.round((performance.now() - began) / 1000)
    }
    try {
      await source.sql(`create table ${name} (id int primary key, a text, v ${type}, c text)`)
      await source.sql(`insert into ${name} values (1, 'a', 'small', 'c'), (3, 'a', 'small', 'c')`)
      await source.sql(`insert into ${name} values (2, 'a', repeat('x', ${FIELD_BYTES}), 'c')`)
      await desk.connect(
        name,
        {
          source: {
            ...{ type: source.type, url: source.url },
            config: { replication_method: { method: 'CDC' } },
          },
          destination: { type: 'postgres', url: inject('pgUrl'), config: { schema: SCHEMA } },
        },
        {
          streams: [{ name, syncMode: 'cdc', destinationSyncMode: 'append_dedup' }],
          namespace: SCHEMA,
        },
      )
      await sync('snapshot')
      expect(await landed(name)).toEqual([
        [1, 'a', 5, 'c', []],
        [2, 'a', 0, 'c', LEFT_OUT],
        [3, 'a', 5, 'c', []],
      ])
      await source.sql(`update ${name} set v = repeat('y', ${FIELD_BYTES}), c = 'd' where id = 3`)
      await source.sql(`update ${name} set c = 'e' where id = 1`)
      await sync('log')
      expect(await landed(name)).toEqual([
        [1, 'a', 5, 'e', []],
        [2, 'a', 0, 'c', LEFT_OUT],
        [3, 'a', 0, 'd', LEFT_OUT],
      ])
      console.log({ source: source.type, 'MB over idle': figures, seconds })
      expect(Math.max(...Object.values(figures))).toBeLessThan(MOST_MB)
    } finally {
      await source.stop()
    }
  },
  600_000,
)
