import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  type CdcPosition,
  ensureSlot,
  freezeBound,
  openChangeFeed,
  orderOf,
  parseLsn,
} from '../../../src/cdc/postgres/index.ts'
import type { Cell, Column } from '../../../src/protocol/index.ts'
import { parserOf } from '../../../src/runtime/formats/pg-cell-text.ts'
import { closePostgres, connectPostgres } from '../../../src/runtime/postgres/client.ts'
import { startPostgres } from '../../support/embedded-postgres.ts'
import { createHandover, type Handover } from './handover-model.ts'
import { createDatabase, ctx, feedOptions, type TestDatabase } from './support.ts'

const SLOT = 'cdc_live'
const ROWS = 3000
const CHUNK = 100

const COLUMNS: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'n', type: 'integer' },
  { name: 'at', type: 'timestamp_with_timezone' },
  { name: 'amount', type: 'number', native: { dialect: 'postgres', type: 'numeric(12,3)' } },
  { name: 'large', type: 'string' },
]
const PARSERS = COLUMNS.map(parserOf)

/** Some 4 kB that compression does not make small: kept beside the row. */
const LARGE = `(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 130) n WHERE n > -o)`

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase(inject('pgUrl'), 'cdc_live')
  await db.sql(
    `CREATE TABLE t (id int PRIMARY KEY, n int, at timestamptz DEFAULT now(), amount numeric(12,3), large text);
     ALTER TABLE t ALTER large SET STORAGE EXTERNAL;
     INSERT INTO t SELECT o, 0, now(), o / 7.0, ${LARGE} FROM generate_series(2, ${2 * ROWS}, 2) o;
     CREATE PUBLICATION ${SLOT} FOR TABLE t`,
  )
})
afterAll(() => db.close())

describe('a snapshot in chunks, of a table that is written to all the while', () => {
  it.each(['as it is', 'and emptied in between'])(
    'becomes that table with its log, %s',
    async (way) => {
      const name = way === 'as it is' ? SLOT : `${SLOT}_2`
      const { position } = await ensureSlot(db.client, name)
      const writer = await startWriter(way !== 'as it is')
      const table = createHandover([0], COLUMNS.length)
      const chunks = await readChunks()
      await writer.stop()
      for (const { rows, readBy } of chunks) table.snapshot(rows, readBy)
      let end = await applyLog(table, name, position)
      for (let missing = table.missing(); missing.length > 0; missing = table.missing()) {
        const ids = missing.map(([id]) => id).join(', ')
        const { rows, readBy } = await readRows(`WHERE id IN (${ids})`)
        table.repair(rows, readBy)
        end = await applyLog(table, name, end)
      }
      const { rows } = await readRows('')
      expect(chunks.length).toBeGreaterThan(10)
      expect(writer.transactions()).toBeGreaterThan(100)
      expect(byId(table.rows())).toEqual(byId(rows))
    },
  )
})

describe('an update that is in the log while it waits for its standby', () => {
  it('is not lost to a snapshot that reads the old row after it', async () => {
    // Every session but the writer's commits without its standby, which there is none of.
    const server = await startPostgres([
      'synchronous_standby_names=nobody',
      'synchronous_commit=local',
    ])
    const main = await createDatabase(await server.createDatabase('outer'), 'standby')
    const writer = await connectPostgres(ctx, main.config)
    try {
      await main.sql(
        `CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'old');
         CREATE PUBLICATION standby FOR TABLE t`,
      )
      const { position } = await ensureSlot(main.client, 'standby')
      await writer.query('SET synchronous_commit = on')
      const update = writer.query(`UPDATE t SET v = 'new'`).catch(() => {})
      await until(async () => {
        const waits = `SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'`
        return (await main.sql(waits)).rows.length === 1
      })
      const { rows } = await main.sql('SELECT id, v FROM t')
      expect(rows).toEqual([{ id: '1', v: 'old' }])
      const readBy = parseLsn((await main.sql('SELECT pg_current_wal_insert_lsn() AS l')).rows[0].l)
      const table = createHandover([0], 2)
      table.snapshot([[1, 'old']], readBy)
      const bound = await freezeBound(main.client)
      const options = feedOptions('standby', position, { bound })
      let commit = 0n
      for await (const event of await openChangeFeed(ctx, main.config, options)) {
        if (event.type !== 'changes') continue
        commit = orderOf(event.batch, 0).commit
        table.apply(event.batch)
      }
      // A fence at the end of the log would have thrown the change away.
      expect(commit).toBeLessThan(readBy)
      expect(table.rows()).toEqual([[1, 'new']])
      await main.sql(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
      )
      await update
    } finally {
      await closePostgres(writer)
      await main.close()
      await server.stop()
    }
  })
})

async function until(done: () => Promise<boolean>) {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 20))
}

const byId = (rows: Cell[][]) => [...rows].sort((a, b) => Number(a[0]) - Number(b[0]))

async function readRows(condition: string): Promise<{ rows: Cell[][]; readBy: bigint }> {
  const { rows } = await db.client.query({
    text: `SELECT ${COLUMNS.map(({ name }) => name).join(', ')} FROM t ${condition}`,
    rowMode: 'array',
  })
  const { rows: end } = await db.sql('SELECT pg_current_wal_insert_lsn() AS lsn')
  return {
    rows: (rows as (string | null)[][]).map((row) =>
      row.map((text, at) => (text === null ? null : (PARSERS[at]?.(text) ?? null))),
    ),
    readBy: parseLsn(end[0].lsn),
  }
}

async function readChunks() {
  const chunks: { rows: Cell[][]; readBy: bigint }[] = []
  for (let after = -1; ; ) {
    const chunk = await readRows(`WHERE id > ${after} ORDER BY id LIMIT ${CHUNK}`)
    chunks.push(chunk)
    const last = chunk.rows.at(-1)
    if (!last) return chunks
    after = Number(last[0])
  }
}

async function applyLog(table: Handover, slot: string, position: CdcPosition) {
  const bound = await freezeBound(db.client)
  const feed = await openChangeFeed(
    ctx,
    db.config,
    feedOptions(slot, position, { publications: [SLOT], bound, batchRows: 50 }),
  )
  let end = position
  for await (const event of feed) {
    if (event.type === 'changes') table.apply(event.batch)
    if (event.type === 'truncate') table.truncate(event.order)
    if (event.type === 'checkpoint') end = event.position
  }
  return end
}

/** Writes over the whole range of keys, as fast as the server takes it. */
async function startWriter(truncates: boolean) {
  const client = await connectPostgres(ctx, db.config)
  let running = true
  let transactions = 0
  const any = (n: number) => Math.floor(Math.random() * n)
  const id = () => any(2 * ROWS)
  const statements = [
    () => `UPDATE t SET n = n + 1, at = clock_timestamp() WHERE id = ${id()}`,
    () => `UPDATE t SET n = n + 1 WHERE id BETWEEN ${id()} AND ${id()} AND id % 97 = 0`,
    () => `UPDATE t SET large = (SELECT ${LARGE} FROM (VALUES (${id()})) v(o)) WHERE id = ${id()}`,
    () => `DELETE FROM t WHERE id = ${id()}`,
    () => insert(id()),
    () => {
      const from = id()
      return `UPDATE t SET id = ${id()} WHERE id = ${from}; ${any(2) ? insert(from) : 'SELECT 1'}`
    },
  ]
  const write = async () => {
    while (running) {
      const few = Array.from({ length: 1 + any(3) }, () => statements[any(statements.length)]?.())
      if (truncates && transactions === 100) few.unshift('TRUNCATE t')
      // A key that is taken ends its transaction, which then is in no log.
      await client.query(`BEGIN; ${few.join('; ')}; COMMIT`).then(
        () => transactions++,
        () => client.query('ROLLBACK'),
      )
    }
  }
  const writing = write()
  return {
    transactions: () => transactions,
    async stop() {
      while (transactions < 150) await new Promise((resolve) => setTimeout(resolve, 10))
      running = false
      await writing
      await closePostgres(client)
    },
  }
}

const insert = (id: number) =>
  `INSERT INTO t SELECT o, -1, now(), 1.5, ${LARGE} FROM (VALUES (${id})) v(o) ON CONFLICT DO NOTHING`
