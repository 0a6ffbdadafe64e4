import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openWorkbench, type Workbench } from '../../bench/syncs.ts'
import { createNodeContext } from '../../src/egress/node-context.ts'
import { connectMysql, type MysqlClient } from '../../src/runtime/mysql/client.ts'
import { type WrittenTable, writeTo } from '../durable-object/cdc-writer.ts'
import { type RunningServer, startServer } from '../support/dev-server.ts'
import { runMysql } from '../support/mysql-statement.ts'
import { serverFields } from '../support/server-fields.ts'
import { PAUSE_MS, ROWS, seedGroups, streamsOf, underTrouble } from './support/handover.ts'

/** `SEEDS` in the environment asks for more. */
const SEEDS = 12

let source: MysqlClient
let target: Client
let server: RunningServer
let bench: Workbench
let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'airbyte-handover-mysql-'))
  source = await session()
  target = new Client(inject('pgUrl'))
  await target.connect()
  server = await startServer({ stateDirectory: directory })
  bench = await openWorkbench(server.url)
})
afterAll(async () => {
  await bench?.close()
  await server?.stop()
  await source?.close()
  await target?.end()
  rmSync(directory, { recursive: true, force: true })
})

const session = (): Promise<MysqlClient> =>
  connectMysql(createNodeContext(), {
    ...serverFields(inject('mariadbUrl')),
    ssl_mode: { mode: 'disabled' },
  })

describe('tables of MariaDB or MySQL that are written to while they are copied and followed', () => {
  it.each(seedGroups(SEEDS))(
    'become what they are at the source, seeds from %i on',
    async (group, seeds) => {
      const name = `handover_${group}`
      await runMysql(source, `CREATE OR REPLACE DATABASE ${name} CHARACTER SET utf8mb4`)
      await target.query(`drop schema if exists ${name} cascade; create schema ${name}`)
      for (const seed of seeds) await makeTable(`${name}.t${seed}`)
      await bench.database('source', `${name}-source`, addressOf(name), {
        ...{ chunk_rows: 70, replication_method: { method: 'CDC' } },
      })
      await bench.database('destination', `${name}-target`, inject('pgUrl'), { schema: name })
      await bench.connect(name, `${name}-source`, `${name}-target`, {
        ...{ namespace: name, streams: streamsOf(seeds, name) },
      })
      const { transactions, cuts } = await underTrouble(
        seeds,
        { write: (seed, goesOn) => writeFrom(name, seed, goesOn), cut: () => cut(name) },
        () => bench.sync(name),
      )
      expect(transactions).toBeGreaterThan(seeds.length * 3)
      await bench.sync(name)
      for (const seed of seeds) {
        const table = `${name}.t${seed}`
        expect({ seed, rows: await here(table) }).toEqual({ seed, rows: await there(table) })
      }
      console.log({ seeds: `${seeds[0]}-${seeds.at(-1)}`, transactions, cuts })
      await bench.remove(name)
      await source.query(`DROP DATABASE ${name}`)
      await target.query(`drop schema ${name} cascade`)
    },
  )
})

function addressOf(database: string): string {
  const url = new URL(inject('mariadbUrl'))
  url.pathname = `/${database}`
  return url.href
}

const makeTable = (table: string) =>
  runMysql(
    source,
    `CREATE TABLE ${table} (id INT PRIMARY KEY, v VARCHAR(40), n INT, large LONGTEXT)`,
    `INSERT INTO ${table} SELECT seq, 'first', seq, REPEAT(LPAD(seq, 32, '-'), 80) FROM seq_1_to_${ROWS}`,
  )

const writtenBy = (client: MysqlClient, name: string): WrittenTable => ({
  name,
  async run(statements) {
    for (const statement of statements) await client.query(statement)
  },
  insert: (values) => `INSERT IGNORE INTO ${name} VALUES (${values})`,
  // A subquery of the same table has to be a table of its own.
  move: (from) =>
    `UPDATE ${name}, (SELECT MAX(id) + 1 AS next FROM ${name}) last SET id = next WHERE id = ${from}`,
})

async function writeFrom(database: string, seed: number, goesOn: () => boolean): Promise<number> {
  const client = await session()
  try {
    const table = writtenBy(client, `${database}.t${seed}`)
    return await writeTo(table, seed, { rows: ROWS, goesOn, pauseMs: PAUSE_MS })
  } finally {
    await client.close()
  }
}

async function cut(database: string): Promise<number> {
  const readers = await source.query(
    `SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' AND DB = '${database}'`,
  )
  // One that has ended meanwhile cannot be ended.
  for (const [id] of readers) await source.query(`KILL ${id}`).catch(() => {})
  return readers.length
}

/** Each row as its key and a hash of it: not every MySQL has md5(). */
const there = (table: string) =>
  source.query(`SELECT id, SHA2(CONCAT_WS('|', id, v, n, large), 256) FROM ${table} ORDER BY id`)

async function here(table: string) {
  const { rows } = await target.query<string[]>({
    text: `select id::text, encode(sha256(convert_to(concat_ws('|', id, v, n, large), 'UTF8')), 'hex')
      from ${table} t order by t.id`,
    rowMode: 'array',
  })
  return rows
}
