import { env } from 'cloudflare:workers'
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { syncStub } from '../../src/durable-object/platform.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import { connectMysql, type MysqlClient } from '../../src/runtime/mysql/client.ts'
import { closePostgres, connectPostgres } from '../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../src/runtime/postgres/config.ts'
import { runMysql } from '../support/mysql-statement.ts'
import { workerdContext } from '../support/workerd-context.ts'
import { connect, postgresConfig, run, stream, TENANT } from './harness.ts'

const DATABASE = 'cdc_sync'
const SCHEMA = 'from_mysql'
const url = new URL((env as unknown as { MARIADB_URL: string }).MARIADB_URL)
const server = {
  host: url.hostname,
  port: Number(url.port),
  database: 'test',
  username: url.username,
  password: url.password,
}
let source: MysqlClient
let target: pg.Client

beforeAll(async () => {
  source = await connectMysql(workerdContext(), server)
  target = await connectPostgres(
    workerdContext(),
    postgresConfig(SCHEMA) as unknown as PostgresConfig,
  )
})
afterAll(async () => {
  await source.query(`DROP DATABASE IF EXISTS ${DATABASE}`)
  await target.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`)
  await source.close()
  await closePostgres(target)
})

const write = (...statements: string[]) => runMysql(source, ...statements)

beforeEach(async () => {
  await target.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE; CREATE SCHEMA ${SCHEMA}`)
  await write(
    `CREATE OR REPLACE DATABASE ${DATABASE} CHARACTER SET utf8mb4`,
    `USE ${DATABASE}`,
    'CREATE TABLE items (id INT PRIMARY KEY, name VARCHAR(50), big BIGINT UNSIGNED, amount DECIMAL(20,6), at DATETIME(6), ok BOOLEAN)',
    `INSERT INTO items SELECT seq, CONCAT('näme ', seq), 18446744073709550000 + seq, seq / 7,
       TIMESTAMP '2024-01-01 00:00:00' + INTERVAL seq SECOND, seq MOD 2 FROM seq_1_to_1000`,
  )
})

const config = (more: JsonObject = {}): JsonObject => ({
  ...server,
  database: DATABASE,
  ssl_mode: { mode: 'disabled' },
  chunk_rows: 300,
  replication_method: { method: 'CDC' },
  ...more,
})

const setup = (change: Parameters<typeof stream>[0] = {}, more: JsonObject = {}) => ({
  source: { type: 'mysql', config: config(more) },
  destination: { type: 'postgres', config: postgresConfig(SCHEMA) },
  streams: [
    stream({
      ...{ name: 'items', namespace: DATABASE, syncMode: 'incremental' },
      ...{ destinationSyncMode: 'append_dedup', primaryKey: [['id']], ...change },
    }),
  ],
  change: { namespace: SCHEMA },
})

/** How PostgreSQL prints as MySQL does. */
const PRINTED: Record<string, string> = {
  amount: 'amount::numeric(20,6)',
  at: "to_char(at, 'YYYY-MM-DD HH24:MI:SS.US')",
  ok: 'ok::int',
}

/** Both sides as texts, in one form. */
async function bothSides(columns: string[] = ['id', 'name', 'big', 'amount', 'at', 'ok']) {
  const there = await source.query(`SELECT ${columns.join(', ')} FROM items ORDER BY id`)
  const printed = columns.map((column) => PRINTED[column] ?? column).join(', ')
  const { rows: here } = await target.query<string[]>({
    text: `SELECT ${printed} FROM ${SCHEMA}.items ORDER BY id`,
    rowMode: 'array',
  })
  return { here, there }
}

async function expectEqual(columns?: string[]) {
  const { here, there } = await bothSides(columns)
  expect(here).toEqual(there)
}

describe('a sync that follows the binlog of MariaDB, in workerd', { timeout: 60_000 }, () => {
  it('copies the table, then its inserts, updates, moves of the key, deletes and truncate', async () => {
    const { connection } = await connect(setup())
    const first = await run(connection)
    expect(first.streams[0]?.error).toBeUndefined()
    expect(first).toMatchObject({ status: 'succeeded', rows: 1000 })
    await expectEqual()
    await write(
      "INSERT INTO items VALUES (2000, 'new', 1, 2, NULL, 1)",
      "UPDATE items SET name = 'chänged' WHERE id BETWEEN 10 AND 20",
      'UPDATE items SET id = 3000 WHERE id = 5',
      'DELETE FROM items WHERE id IN (1, 2, 15)',
      'UPDATE items SET amount = 0.000001 WHERE id = 30',
    )
    const second = await run(connection)
    expect(second.streams[0]?.error).toBeUndefined()
    expect(second.status).toBe('succeeded')
    await expectEqual()
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 0 })
    await write('TRUNCATE TABLE items', "INSERT INTO items VALUES (1, 'after', 1, 1, NULL, 0)")
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 2 })
    await expectEqual()
  })

  it('keeps the log itself in append mode, with what was deleted', async () => {
    const { connection } = await connect(setup({ destinationSyncMode: 'append' }))
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 1000 })
    await write("UPDATE items SET name = 'changed' WHERE id = 7", 'DELETE FROM items WHERE id = 8')
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 2 })
    const { rows } = await target.query(
      `SELECT id, name, _ab_cdc_updated_at IS NULL AS snapshot, _ab_cdc_deleted_at IS NOT NULL AS deleted
       FROM ${SCHEMA}.items WHERE id IN (7, 8) ORDER BY _ab_cdc_cursor, id`,
    )
    expect(rows).toEqual([
      { id: '7', name: 'näme 7', snapshot: 't', deleted: 'f' },
      { id: '8', name: 'näme 8', snapshot: 't', deleted: 'f' },
      { id: '7', name: 'changed', snapshot: 'f', deleted: 'f' },
      { id: '8', name: 'näme 8', snapshot: 'f', deleted: 't' },
    ])
  })

  it('rejects rows whose keys would become one, from the table and from the log', async () => {
    await write(
      'CREATE TABLE states (id INT, state TINYINT(1), PRIMARY KEY (id, state))',
      'INSERT INTO states VALUES (1, 0), (1, 1), (1, 2), (1, -3)',
    )
    const { connection } = await connect(setup({ name: 'states', primaryKey: [['id'], ['state']] }))
    const states = async () =>
      (await target.query(`SELECT state FROM ${SCHEMA}.states ORDER BY state`)).rows
    const first = await run(connection)
    expect(first.streams[0]).toMatchObject({ rowsLoaded: 2, rejected: 2 })
    expect(await states()).toEqual([{ state: 'f' }, { state: 't' }])
    await write('DELETE FROM states WHERE state = 2', 'INSERT INTO states VALUES (1, 5), (1, 6)')
    const second = await run(connection)
    expect(second.streams[0]).toMatchObject({ rowsLoaded: 0, rejected: 3 })
    expect(await states()).toEqual([{ state: 'f' }, { state: 't' }])
  })

  it('misses nothing of what is written while the table is copied', async () => {
    const { connection } = await connect(setup({}, { chunk_rows: 50, checkpoint_rows: 50 }))
    let copying = true
    const writer = (async () => {
      for (let n = 0; copying; n++) {
        const id = 1 + ((n * 37) % 1000)
        await write(
          `UPDATE items SET name = 'w${n}' WHERE id = ${id}`,
          `UPDATE items SET id = ${5000 + n} WHERE id = ${1 + ((id * 7) % 1000)}`,
          `DELETE FROM items WHERE id = ${1 + ((id * 11) % 1000)}`,
          `INSERT INTO items (id, name) VALUES (${10_000 + n}, 'inserted')`,
        )
      }
    })()
    const first = await run(connection)
    copying = false
    await writer
    expect(first.status).toBe('succeeded')
    expect((await run(connection)).status).toBe('succeeded')
    await expectEqual()
  })

  it('goes on when the server cuts the reader of its log, again and again', async () => {
    const { connection } = await connect(setup({}, { chunk_rows: 50, checkpoint_rows: 50 }))
    let running = true
    let cuts = 0
    const cutting = (async () => {
      // By time, or a fast machine would cut more often than a reader waits before it comes back.
      let nextCut = 0
      for (let n = 0; running; n++) {
        await write(`UPDATE items SET name = 'cut ${n}' WHERE id = ${1 + (n % 1000)}`)
        if (Date.now() < nextCut) continue
        const readers = await source.query(
          `SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump' AND DB = '${DATABASE}'`,
        )
        for (const [id] of readers) {
          await source.query(`KILL ${id}`).catch(() => {})
          nextCut = Date.now() + 700
          cuts++
        }
      }
    })()
    const first = await run(connection).finally(() => {
      running = false
    })
    await cutting
    expect(cuts).toBeGreaterThan(0)
    expect(first.status).toBe('succeeded')
    expect((await run(connection)).status).toBe('succeeded')
    await expectEqual()
  })

  it('goes on with columns that came while nobody read', async () => {
    const { connection } = await connect(setup())
    await run(connection)
    await write(
      "INSERT INTO items (id, name) VALUES (2000, 'before')",
      'ALTER TABLE items ADD COLUMN extra VARCHAR(10), DROP COLUMN big',
      "UPDATE items SET extra = 'é' WHERE id = 3",
    )
    let last = await run(connection)
    if (last.status !== 'succeeded') last = await run(connection)
    expect(last.status).toBe('succeeded')
    await expectEqual(['id', 'name', 'extra'])
  })

  it.each(['postgres', 'r2'])(
    'fails, to %s, where TINYINT(1) becomes an integer by option, until a refresh',
    async (type) => {
      await write(
        'CREATE TABLE flags (id INT, kind TINYINT(1), v INT, PRIMARY KEY (id, kind))',
        'INSERT INTO flags VALUES (1, 0, 1), (1, 1, 2), (2, 1, 3)',
      )
      const change = { name: 'flags', primaryKey: [['id'], ['kind']] }
      const destination =
        type === 'r2' ? { type, config: { path_prefix: 'flags' } } : setup().destination
      const { connection, source: owner } = await connect({ ...setup(change), destination })
      expect(await run(connection)).toMatchObject({ status: 'succeeded' })
      await write('INSERT INTO flags VALUES (3, 7, 4)')
      expect((await run(connection)).streams).toMatchObject([{ rejected: 1 }])
      await owner.update({ config: config({ tinyint1_is_bit: false }) })
      await write('INSERT INTO flags VALUES (4, 7, 5)')
      const refused = await run(connection)
      expect(refused.status).toBe('failed')
      expect(refused.streams).toMatchObject([{ error: { code: 'SCHEMA_CHANGED' } }])
      await connection.refresh({ remove: true })
      await connection.resume()
      await write('INSERT INTO flags VALUES (5, -8, 6)', 'DELETE FROM flags WHERE id = 2')
      const { status, receipt } = await run(connection)
      expect([status, receipt?.streams[0]?.truncated ?? 0]).toEqual(['succeeded', 0])
      await write(
        'UPDATE flags SET v = 9 WHERE id = 1 AND kind = 1',
        'DELETE FROM flags WHERE id = 3',
      )
      expect(await run(connection)).toMatchObject({
        status: 'succeeded',
        streams: [{ rejected: 0 }],
      })
      if (type === 'r2') return
      const { rows } = await target.query(`SELECT id, kind, v FROM ${SCHEMA}.flags ORDER BY v`)
      expect(rows).toEqual([
        { id: '1', kind: '0', v: '1' },
        { id: '4', kind: '7', v: '5' },
        { id: '5', kind: '-8', v: '6' },
        { id: '1', kind: '1', v: '9' },
      ])
    },
  )

  it.each(['log', 'cursor'])(
    'merges by a key that is hashed and renamed, with a renamed cursor and a filter, by the %s',
    async (road) => {
      const mapping = {
        hash: ['id'],
        rename: { id: 'person', big: 'position', name: 'label' },
        filter: { field: 'id', op: 'lte' as const, value: 500 },
      }
      const isLog = road === 'log'
      const change = isLog ? { mapping } : { mapping, cursorField: ['big'] }
      const standard = { replication_method: { method: 'STANDARD' } }
      const { connection } = await connect(setup(change, isLog ? {} : standard))
      expect(await run(connection)).toMatchObject({ status: 'succeeded' })
      await write(
        "UPDATE items SET name = 'again', big = big + 1000 WHERE id BETWEEN 100 AND 199",
        "INSERT INTO items VALUES (0, 'new', 18446744073709551300, 0.5, NULL, 0)",
        ...(isLog
          ? ['DELETE FROM items WHERE id = 7', 'UPDATE items SET id = -1 WHERE id = 8']
          : []),
      )
      expect(await run(connection)).toMatchObject({ status: 'succeeded' })
      const there = await source.query(
        'SELECT name, big FROM items WHERE id <= 500 ORDER BY big, name',
      )
      const { rows: here } = await target.query<string[]>({
        text: `SELECT label, position FROM ${SCHEMA}.items ORDER BY position, label`,
        rowMode: 'array',
      })
      expect(here).toEqual(there)
      const { rows: keys } = await target.query(
        `SELECT count(DISTINCT person) AS n, min(length(person)) AS l FROM ${SCHEMA}.items`,
      )
      expect(keys).toEqual([{ n: String(there.length), l: '64' }])
    },
  )

  it('warns of a column that was made anew, whose rows are not in the log, until a refresh', async () => {
    const { connection } = await connect(setup())
    await run(connection)
    await write('ALTER TABLE items DROP COLUMN big, DROP COLUMN ok')
    await write('ALTER TABLE items ADD COLUMN big BIGINT UNSIGNED DEFAULT 7')
    const { receipt, status } = await run(connection)
    expect(status).toBe('succeeded')
    expect(receipt?.warnings).toMatchObject([
      {
        ...{ code: 'CHANGES_NOT_IN_LOG', stream: 'cdc_sync.items' },
        message: expect.stringContaining(": column 'big' was made anew"),
      },
    ])
    await connection.refresh({ remove: true })
    expect(await run(connection)).toMatchObject({ status: 'succeeded' })
    await expectEqual(['id', 'name', 'big'])
  })

  it('fails when the binlog is purged, and begins anew only after a refresh', async () => {
    const { connection } = await connect(setup())
    await run(connection)
    await write("UPDATE items SET name = 'lost' WHERE id = 1", 'FLUSH BINARY LOGS')
    const [[file] = []] = await write('SHOW MASTER STATUS')
    const purged = async () => {
      await write(`PURGE BINARY LOGS TO '${file}'`)
      return (await source.query('SHOW BINARY LOGS')).length
    }
    await expect.poll(purged, { timeout: 10_000 }).toBe(1)
    const failed = await run(connection)
    expect(failed.status).not.toBe('succeeded')
    expect(JSON.stringify(failed)).toContain('CDC_POSITION_LOST')
    await connection.refresh({ remove: false })
    expect(await run(connection)).toMatchObject({ status: 'succeeded' })
    await expectEqual()
  })

  it('has the rows of a table that was dropped and made anew, and of no other', async () => {
    const { connection } = await connect(setup())
    expect(await run(connection)).toMatchObject({ status: 'succeeded' })
    const columns =
      '(id INT PRIMARY KEY, name VARCHAR(50), big BIGINT UNSIGNED, amount DECIMAL(20,6), at DATETIME(6), ok BOOLEAN)'
    await write(
      'UPDATE items SET name = NULL WHERE id = 7',
      'DROP TABLE items',
      `CREATE TABLE items ${columns}`,
      "INSERT INTO items VALUES (7, 'anew', 1, 1, NULL, 1)",
    )
    expect(await run(connection)).toMatchObject({ status: 'succeeded' })
    await expectEqual()
    // A program that makes sure of its tables when it starts takes nothing away.
    await write(`CREATE TABLE IF NOT EXISTS items ${columns}`, 'INSERT INTO items (id) VALUES (8)')
    expect(await run(connection)).toMatchObject({ status: 'succeeded' })
    await expectEqual()
    // One that makes the table that was dropped before does, and only once.
    for (const gone of ['DROP TABLE items', 'RENAME TABLE items TO elsewhere']) {
      await write(
        ...[gone, `CREATE TABLE IF NOT EXISTS items ${columns}`],
        ...['INSERT INTO items (id) VALUES (9)', 'FLUSH BINARY LOGS'],
        ...[`CREATE TABLE IF NOT EXISTS items ${columns}`, 'INSERT INTO items (id) VALUES (10)'],
      )
      expect(await run(connection)).toMatchObject({ status: 'succeeded' })
      await expectEqual()
    }
  })

  it('says in the log and the receipt of the sync what it was told without rows, and reads on', async () => {
    const { connection } = await connect(setup())
    await run(connection)
    await write(
      'CREATE TABLE ghost LIKE items',
      'INSERT INTO ghost SELECT * FROM items',
      'RENAME TABLE items TO before_items, ghost TO items',
      "UPDATE items SET name = 'after' WHERE id = 3",
    )
    const { syncId, status, receipt } = await run(connection)
    expect(status).toBe('succeeded')
    expect(receipt?.warnings).toMatchObject([
      {
        ...{ code: 'CHANGES_NOT_IN_LOG', stream: 'cdc_sync.items' },
        message: expect.stringContaining('another table has its name'),
      },
    ])
    expect((await run(connection)).receipt?.warnings).toEqual([])
    const { lines } = await syncStub(env, TENANT, syncId).logs({ limit: 100 })
    expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: expect.stringContaining('another table has its name'), stream: 'cdc_sync.items' },
    ])
    await expectEqual()
  })

  it('warns the person of what it cannot tell, and refuses a table that keeps its history', async () => {
    await write(
      'CREATE TABLE parents (id INT PRIMARY KEY)',
      'CREATE TABLE children (id INT PRIMARY KEY, parent INT, CONSTRAINT fk_of_parent FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE)',
      'INSERT INTO parents VALUES (1)',
      'INSERT INTO children VALUES (1, 1)',
    )
    const isMariadb = source.mariadb !== undefined && source.mariadb
    if (isMariadb) await write('ALTER TABLE items ADD SYSTEM VERSIONING')
    const { connection } = await connect({
      ...setup(),
      streams: [...setup().streams, ...setup({ name: 'children' }).streams],
    })
    const { syncId, streams, receipt } = await run(connection)
    const { lines } = await syncStub(env, TENANT, syncId).logs({ limit: 100 })
    const told = { message: expect.stringContaining('fk_of_parent') }
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', ...told }))
    const stream = 'cdc_sync.children'
    expect(receipt?.warnings).toMatchObject([{ code: 'CHANGES_NOT_IN_LOG', stream, ...told }])
    const [items, children] = streams
    expect(children?.status).toBe('succeeded')
    if (isMariadb) expect(items?.error).toMatchObject({ code: 'CDC_TABLE_UNSUITABLE' })
  })

  it('brings rows without a cursor value by a cursor where they are merged, and counts them where not', async () => {
    await write('UPDATE items SET at = NULL WHERE id <= 3')
    const standard = { replication_method: { method: 'STANDARD' } }
    const cursor = { cursorField: ['at'] }
    const merged = await connect(setup(cursor, standard))
    expect(await run(merged.connection)).toMatchObject({ status: 'succeeded', rows: 1000 })
    await write("INSERT INTO items (id, name) VALUES (5001, 'one'), (5002, 'more')")
    const second = await run(merged.connection)
    expect(second).toMatchObject({ status: 'succeeded', rows: 5, warnings: 0 })
    await expectEqual()
    await merged.connection.destroy()

    await target.query(`DROP SCHEMA ${SCHEMA} CASCADE; CREATE SCHEMA ${SCHEMA}`)
    const appended = await connect(setup({ ...cursor, destinationSyncMode: 'append' }, standard))
    expect(await run(appended.connection)).toMatchObject({ status: 'succeeded', warnings: 0 })
    await write("INSERT INTO items (id, name) VALUES (5003, 'late')")
    const { receipt } = await run(appended.connection)
    const message = expect.stringMatching(/6 rows.*\(5\)/)
    const stream = 'cdc_sync.items'
    expect(receipt?.warnings).toMatchObject([{ code: 'ROWS_WITHOUT_CURSOR', stream, message }])
    expect(await appended.connection.verify({ level: 'count' })).toMatchObject({
      ...{ ok: true, streams: [{ note: message }] },
    })
  })

  it('is followed by itself with a continuous schedule', async () => {
    const { change, ...ends } = setup()
    const { connection } = await connect({
      ...{ ...ends, change: { ...change, schedule: { type: 'continuous' } } },
    })
    const arrives = () => vi.waitFor(() => expectEqual(), { timeout: 50_000, interval: 250 })
    await arrives()
    await write("UPDATE items SET name = 'by itself' WHERE id < 100")
    await arrives()
    await connection.destroy()
  })
})
