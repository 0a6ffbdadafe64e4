import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cell, toAirbyteError } from '../../../src/protocol/index.ts'
import { connectMysql, type MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { ON_MYSQL, runMysql } from '../../support/mysql-statement.ts'
import { capture, changesOf, ctx, SERVER_START_MS, useServer } from './support.ts'

let db: Awaited<ReturnType<typeof useServer>>
beforeAll(async () => {
  db = await useServer()
}, SERVER_START_MS)
afterAll(() => db?.stop())

const orders = { orders: ['id'] }

async function changes(tables: Record<string, string[]>, ...statements: string[]) {
  const from = await db.end()
  await db.run(...statements)
  return changesOf((await capture(db.config, from, tables)).batches)
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error) => toAirbyteError(error),
  )

/** MySQL compresses whole transactions, session by session. */
const compress = (to: 'ON' | 'OFF') =>
  ON_MYSQL
    ? db.run(`SET SESSION binlog_transaction_compression = ${to}`)
    : db.run(`SET GLOBAL log_bin_compress = ${to}`, 'SET GLOBAL log_bin_compress_min_len = 10')

describe('changes from the binlog of a real server', () => {
  it('are inserts, updates, deletes and moves of a key, in their order', async () => {
    await db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, v VARCHAR(20), n INT)')
    const seen = await changes(
      orders,
      "INSERT INTO orders VALUES (1, 'a', NULL), (2, 'b', 7)",
      "UPDATE orders SET v = 'é' WHERE id = 1",
      'UPDATE orders SET id = 3 WHERE id = 2',
      'DELETE FROM orders WHERE id = 1',
    )
    expect(seen.map(({ op, row }) => [op, row.id, row.v, row.n])).toEqual([
      ['i', 1, 'a', null],
      ['i', 2, 'b', 7],
      ['u', 1, 'é', null],
      ['d', 2, 'b', 7],
      ['u', 3, 'b', 7],
      ['d', 1, 'é', null],
    ])
  })

  it('are moves where any part of the key changes, from null to empty too, and only there', async () => {
    await db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, v VARCHAR(20), n INT)')
    const seen = await changes(
      { orders: ['n', 'v'] },
      'INSERT INTO orders VALUES (1, NULL, 5)',
      "UPDATE orders SET v = '' WHERE id = 1",
      'UPDATE orders SET id = 9 WHERE id = 1',
      'UPDATE orders SET n = 6 WHERE id = 9',
    )
    expect(seen.map(({ op, row }) => [op, row.id, row.v, row.n])).toEqual([
      ['i', 1, null, 5],
      ['d', 1, null, 5],
      ['u', 1, '', 5],
      ['u', 9, '', 5],
      ['d', 9, '', 5],
      ['u', 9, '', 6],
    ])
  })

  it('bear a place that grows, the time of the change, and that of a deletion', async () => {
    await db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY)')
    const from = await db.end()
    await db.run('INSERT INTO orders VALUES (1)', 'DELETE FROM orders')
    const { batches } = await capture(db.config, from, orders)
    const cells = (name: string) =>
      batches.flatMap(
        ({ schema, columns }) => columns[schema.findIndex((column) => column.name === name)] ?? [],
      )
    const [first, second] = cells('_ab_cdc_cursor') as number[]
    expect(second).toBeGreaterThan(first as number)
    expect(cells('_ab_cdc_log_file')[0]).toBe(from.file)
    const time = expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(cells('_ab_cdc_updated_at')).toEqual([time, time])
    expect(cells('_ab_cdc_deleted_at')).toEqual([null, time])
  })

  it('leave out what was rolled back, other tables, and columns that nobody selected', async () => {
    await db.run(
      'CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, v TEXT, w TEXT)',
      'CREATE OR REPLACE TABLE others (id INT PRIMARY KEY)',
    )
    const from = await db.end()
    await db.run(
      'START TRANSACTION',
      "INSERT INTO orders VALUES (1, 'no', 'no')",
      'ROLLBACK',
      'INSERT INTO others VALUES (1)',
      "INSERT INTO orders VALUES (2, 'yes', 'no')",
    )
    const { batches } = await capture(db.config, from, orders, { selected: ['v'] })
    expect(changesOf(batches)).toEqual([{ op: 'i', stream: 'orders', row: { id: 2, v: 'yes' } }])
  })

  const MIXED = [
    'CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, n INT)',
    'CREATE OR REPLACE TABLE plain (id INT PRIMARY KEY) ENGINE = MyISAM',
    'INSERT INTO orders VALUES (1, 10), (2, 20), (3, 30)',
  ]
  const WRITES = [
    'UPDATE orders SET n = n + 1',
    'UPDATE orders SET id = 9 WHERE id = 2',
    'UPDATE orders SET n = 99 WHERE id = 9',
    'DELETE FROM orders WHERE id = 3',
    'INSERT INTO orders VALUES (3, 31), (4, 40)',
  ]
  /** The rows that stand after all changes. */
  const standing = (seen: ReturnType<typeof changesOf>) => {
    const rows = new Map<unknown, unknown>()
    for (const { op, row } of seen) {
      if (op === 'd') rows.delete(row.id)
      else rows.set(row.id, row.n)
    }
    return Object.fromEntries(rows)
  }

  it.skipIf(ON_MYSQL)(
    'are taken back where the log has a transaction that was rolled back',
    async () => {
      await db.run(...MIXED)
      const from = await db.end()
      const temporary = ['CREATE TEMPORARY TABLE made (id INT)', 'DROP TEMPORARY TABLE made']
      await db.run('UPDATE orders SET n = n * 1', 'INSERT INTO orders VALUES (5, 50)')
      await db.run('UPDATE orders SET n = n + 0 WHERE id < 4')
      await db.run('BEGIN', 'UPDATE orders SET n = n + 5', 'COMMIT')
      await db.run('BEGIN', ...WRITES, ...temporary, 'ROLLBACK')
      const { batches } = await capture(db.config, from, orders)
      const seen = changesOf(batches)
      expect(seen.length).toBeGreaterThan(10)
      expect(standing(seen)).toEqual({ 1: 15, 2: 25, 3: 35, 5: 55 })
    },
  )

  it.skipIf(ON_MYSQL)('are taken back up to a savepoint', async () => {
    await db.run(...MIXED)
    const from = await db.end()
    await db.run(
      ...['BEGIN', 'UPDATE orders SET n = n + 5', 'SAVEPOINT `a`', ...WRITES, 'SAVEPOINT b'],
      ...['DELETE FROM orders', 'INSERT INTO plain VALUES (1)', 'ROLLBACK TO b'],
      ...[
        'UPDATE orders SET n = 7',
        'ROLLBACK TO a',
        'INSERT INTO orders VALUES (6, 60)',
        'COMMIT',
      ],
    )
    const { batches } = await capture(db.config, from, orders)
    expect(standing(changesOf(batches))).toEqual({ 1: 15, 2: 25, 3: 35, 6: 60 })
  })

  it.skipIf(ON_MYSQL)(
    'are taken back beside large rows of other tables, but not with their own',
    async () => {
      await db.run(...MIXED, 'CREATE OR REPLACE TABLE large (id INT PRIMARY KEY, v LONGTEXT)')
      await db.run('SET GLOBAL max_allowed_packet = 1073741824')
      const own = await connectMysql(ctx, db.config)
      const from = await db.end()
      await runMysql(
        own,
        ...['BEGIN', ...WRITES, "INSERT INTO large VALUES (1, REPEAT('x', 20000000))"],
        ...['CREATE TEMPORARY TABLE made (id INT)', 'DROP TEMPORARY TABLE made', 'ROLLBACK'],
      )
      await own.close()
      const { batches } = await capture(db.config, from, orders)
      expect(standing(changesOf(batches))).toEqual({ 1: 10, 2: 20, 3: 30 })
      const unable = await failure(capture(db.config, from, { large: ['id'] }))
      expect(unable).toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringContaining('rolled back'),
      })
    },
  )

  it.skipIf(ON_MYSQL)('are taken back wherever reading stopped before', async () => {
    await db.run(
      ...MIXED,
      "CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, n INT, v TEXT DEFAULT REPEAT('x', 4000))",
      'INSERT INTO orders (id, n) SELECT seq, 0 FROM seq_1_to_200',
    )
    const from = await db.end()
    await db.run(
      ...['BEGIN', 'UPDATE orders SET n = 1', 'SAVEPOINT a', 'UPDATE orders SET n = 2'],
      ...['UPDATE orders SET id = id + 500', 'SAVEPOINT b', 'DELETE FROM orders WHERE id > 600'],
      ...['INSERT INTO plain VALUES (1)', 'ROLLBACK TO b', 'UPDATE orders SET n = 3'],
      ...['ROLLBACK TO a', 'UPDATE orders SET n = 4 WHERE id = 7', 'COMMIT'],
    )
    const seen: ReturnType<typeof changesOf> = []
    const stops: number[] = []
    for (let at = from, last = false; ; ) {
      const options = last ? {} : { lingerMs: 60_000, stopAfter: 1 }
      const part = await capture(db.config, at, orders, options)
      seen.push(...changesOf(part.batches))
      at = part.end
      stops.push(at.events)
      if (last) break
      last = stops.length === 2
    }
    expect(stops[0]).toBeGreaterThan(0)
    expect(stops[1]).toBeGreaterThan(stops[0] as number)
    const expected = Array.from({ length: 200 }, (_, i) => [i + 1, i === 6 ? 4 : 1])
    expect(standing(seen)).toEqual(Object.fromEntries(expected))
  })

  it('say that a table was truncated, wherever its name stands', async () => {
    await db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY)')
    const seen = await changes(
      orders,
      'INSERT INTO orders VALUES (1)',
      'TRUNCATE TABLE orders',
      'INSERT INTO orders VALUES (2)',
      '/* x */ TRUNCATE `test` . `orders`',
    )
    expect(seen.map(({ op, row }) => [op, row.id])).toEqual([
      ['i', 1],
      ['t', null],
      ['i', 2],
      ['t', null],
    ])
  })

  it('know from the position that a table was dropped, and take the old rows away when one is made', async () => {
    const MAKE = 'CREATE TABLE IF NOT EXISTS orders (id INT PRIMARY KEY)'
    const last = 'INSERT INTO orders VALUES (1)'
    await db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY)')
    let at = await db.end()
    const next = async (...statements: string[]) => {
      await db.run(...statements)
      const { batches, end } = await capture(db.config, at, orders)
      at = end
      return changesOf(batches).map(({ op }) => op)
    }
    const ANEW = 'CREATE OR REPLACE DATABASE test CHARACTER SET utf8mb4'
    for (const gone of [['DROP TABLE orders'], [ANEW, 'USE test']]) {
      expect(await next(...gone)).toEqual([])
      expect(at.dropped).toEqual(['orders'])
      expect(await next(MAKE, last)).toEqual(['t', 'i'])
      expect(at.dropped).toBeUndefined()
      expect(await next(MAKE)).toEqual([])
    }
  })

  it('have the columns that the table had when they were made', async () => {
    await db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, a INT, b VARCHAR(5))')
    const seen = await changes(
      orders,
      "INSERT INTO orders VALUES (1, 1, 'x')",
      'ALTER TABLE orders DROP COLUMN a, ADD COLUMN c BIGINT UNSIGNED FIRST',
      "INSERT INTO orders VALUES (18446744073709551615, 2, 'y')",
      'ALTER TABLE orders RENAME COLUMN b TO renamed, DROP COLUMN c',
      "INSERT INTO orders (id, renamed) VALUES (3, 'z')",
    )
    expect(seen.map(({ row }) => row)).toEqual([
      { id: 1, a: 1, b: 'x' },
      { c: '18446744073709551615', id: 2, b: 'y' },
      { id: 3, renamed: 'z' },
    ])
  })

  it.each<[what: string, a: string, before: string, altered: string, after: string, Cell[]]>([
    [
      'with members in another order',
      "ENUM('a','b','c')",
      "'a'",
      "ENUM('c','b','a')",
      "'a'",
      ['a', 'a'],
    ],
    ['with one more member', "ENUM('a','b')", "'b'", "ENUM('a','b','z')", "'z'", ['b', 'z']],
    ['with one more in the middle', "ENUM('a','b')", "'b'", "ENUM('a','z','b')", "'z'", ['b', 'z']],
    ['with one member less', "ENUM('a','b')", "'b'", "ENUM('b')", "'b'", ['b', 'b']],
    [
      'that is a set in another order',
      "SET('a','b','c')",
      "'a,b'",
      "SET('c','b','a')",
      "'a,c'",
      ['a,b', 'c,a'],
    ],
    [
      'of another character set',
      'VARCHAR(9) CHARACTER SET latin1',
      "'é'",
      'VARCHAR(9) CHARACTER SET utf8mb4',
      "'éж'",
      ['é', 'éж'],
    ],
    ['of another length', 'VARCHAR(10)', "'é'", 'VARCHAR(300)', "'é'", ['é', 'é']],
    ['that is a longer text', 'TEXT', "'é'", 'LONGTEXT', "'é'", ['é', 'é']],
    ['with more places', 'DECIMAL(6,2)', '1.5', 'DECIMAL(10,4)', '1.5678', [1.5, 1.5678]],
    [
      'of finer times',
      'TIME',
      "'10:00:00'",
      'TIME(3)',
      "'10:00:00.5'",
      ['10:00:00', '10:00:00.500'],
    ],
    ['with more bytes', 'BINARY(2)', "x'0001'", 'BINARY(4)', "x'0001'", ['AAE=', 'AAEAAA==']],
    ['without a sign', 'INT', '1', 'INT UNSIGNED', '4294967295', [1, 4_294_967_295]],
    ['with more digits', 'INT', '-1', 'BIGINT', '4294967296', [-1, 4_294_967_296]],
  ])('read a column %s as it was at their time', async (_, a, before, altered, after, seen) => {
    await db.run(`CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, a ${a}, b INT)`)
    const found = await changes(
      orders,
      `INSERT INTO orders VALUES (1, ${before}, 7)`,
      `ALTER TABLE orders MODIFY a ${altered}`,
      `INSERT INTO orders VALUES (2, ${after}, 7)`,
    )
    expect(found.map(({ row }) => row)).toEqual(
      seen.map((value, i) => ({ id: i + 1, a: value, b: 7 })),
    )
  })

  it('are found behind a new column that nobody selected', async () => {
    await db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, a INT, b INT)')
    const from = await db.end()
    await db.run(
      'INSERT INTO orders VALUES (1, 2, 3)',
      'ALTER TABLE orders ADD COLUMN x BIGINT DEFAULT 77 AFTER id',
      'INSERT INTO orders VALUES (2, 9, 4, 5)',
    )
    const { batches } = await capture(db.config, from, orders, { selected: ['a', 'b'] })
    expect(changesOf(batches).map(({ row }) => row)).toEqual([
      { id: 1, a: 2, b: 3 },
      { id: 2, a: 4, b: 5 },
    ])
  })

  it('are all read where a restarted server describes a table as it did before', async () => {
    const own = await useServer()
    await own.run('CREATE TABLE orders (id INT PRIMARY KEY, a INT)')
    const from = await own.end()
    const expected: number[] = []
    // Each time under another number; after the restart these are counted anew.
    const write = async (client: MysqlClient, times: number) => {
      for (let i = 0; i < times; i++) {
        expected.push(expected.length)
        await client.query('FLUSH TABLES orders')
        await client.query(`INSERT INTO orders VALUES (${expected.length - 1}, 7)`)
      }
    }
    await write(own.client, 20)
    await own.run('ALTER TABLE orders RENAME COLUMN a TO b')
    await write(own.client, 1)
    await own.restart()
    const client = await connectMysql(ctx, own.config)
    await client.query('ALTER TABLE orders RENAME COLUMN b TO a')
    await write(client, 40)
    const { batches } = await capture(own.config, from, orders)
    await client.close()
    await own.stop()
    expect(changesOf(batches).map(({ row }) => row.id)).toEqual(expected)
  })

  it('tell columns that are gone since, by what the log itself says', async () => {
    await db.run(
      'CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, a BIGINT UNSIGNED, b VARCHAR(5))',
    )
    const seen = await changes(
      orders,
      "INSERT INTO orders VALUES (1, 18446744073709551615, 'x')",
      'ALTER TABLE orders DROP COLUMN a, RENAME COLUMN b TO c',
    )
    expect(seen.map(({ row }) => row)).toEqual([{ id: 1, a: '18446744073709551615', b: 'x' }])
  })

  it('go on within a transaction that was read in part, without a gap and without a double', async () => {
    await db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, v CHAR(250))')
    const from = await db.end()
    await db.run("INSERT INTO orders SELECT seq, REPEAT('x', 250) FROM seq_1_to_60000")
    const first = await capture(db.config, from, orders, { lingerMs: 60_000, stopAfter: 1 })
    expect(first.end.events).toBeGreaterThan(0)
    const second = await capture(db.config, first.end, orders)
    const ids = changesOf([...first.batches, ...second.batches]).map(({ row }) => row.id)
    expect(ids).toEqual(Array.from({ length: 60_000 }, (_, i) => i + 1))
  })

  it('come from one file after the other', async () => {
    await db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY)')
    const seen = await changes(
      orders,
      'INSERT INTO orders VALUES (1)',
      'FLUSH BINARY LOGS',
      'INSERT INTO orders VALUES (2)',
    )
    expect(seen.map(({ row }) => row.id)).toEqual([1, 2])
  })

  it('are read from compressed events too, and refused in compressed transactions', async () => {
    await db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, v TEXT)')
    await compress('ON')
    try {
      const seen = changes(
        orders,
        "INSERT INTO orders VALUES (1, REPEAT('x', 5000))",
        "UPDATE orders SET v = 'y'",
        'DELETE FROM orders',
      ).then((all) => all.map(({ op, row }) => [op, String(row.v).length]))
      if (ON_MYSQL) {
        const hint = expect.stringContaining('binlog_transaction_compression = OFF')
        expect(await failure(seen)).toMatchObject({ code: 'CDC_SETUP_REQUIRED', hint })
        return
      }
      expect(await seen).toEqual([
        ['i', 5000],
        ['u', 1],
        ['d', 1],
      ])
    } finally {
      await compress('OFF')
    }
  })

  it('lose values that are too large to hold, and say so: compressed or not, in a statement of any length', async () => {
    await db.run(
      'SET GLOBAL max_allowed_packet = 1073741824',
      'CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, v LONGTEXT, n INT)',
      'CREATE OR REPLACE TABLE others (id INT PRIMARY KEY, v LONGTEXT)',
    )
    const own = await connectMysql(ctx, db.config)
    const from = await db.end()
    // Transactions that MySQL compresses are refused.
    const modes = ON_MYSQL ? (['OFF'] as const) : (['OFF', 'ON'] as const)
    for (const compressed of modes) {
      await compress(compressed)
      await own.query("INSERT INTO others VALUES (1, REPEAT('o', 20000000))")
      await own.query("INSERT INTO orders VALUES (1, REPEAT('x', 17000000), 1)")
      await own.query("UPDATE orders SET v = REPEAT('ä', 20000000)")
      await own.query('UPDATE orders SET n = 2')
      await own.query("UPDATE orders SET id = 2, v = 'small'")
      await runMysql(
        own,
        `CREATE OR REPLACE TABLE noted (id INT) COMMENT = 'x' /* ${'c'.repeat(17e6)} */`,
      )
      await own.query('DELETE FROM orders')
      await own.query('DELETE FROM others')
    }
    await compress('OFF')
    const { batches } = await capture(db.config, from, orders)
    await own.close()
    const short = (cell: unknown) =>
      typeof cell === 'string' && cell.length > 9 ? cell.length : cell
    const once = [
      ['i', 1, 17_000_000, 1],
      ['u', 1, null, 1],
      ['u', 1, null, 2],
      ['d', 1, null, 2],
      ['u', 2, 'small', 2],
      ['d', 2, 'small', 2],
    ]
    const seen = changesOf(batches).map(({ op, row }) => [op, row.id, short(row.v), row.n])
    expect(seen).toEqual(modes.flatMap(() => once))
    const recorded = batches.flatMap(({ changes = [] }) => changes)
    const large = {
      field: 'v',
      change: 'NULLED',
      reason: expect.stringContaining('40000000 bytes'),
    }
    expect(recorded).toMatchObject(modes.flatMap(() => [large, large, large]))
  }, 120_000)

  it('are refused where a session left the format or the image of rows', async () => {
    await db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, v TEXT)')
    const write = async (...statements: string[]) => {
      const from = await db.end()
      const session = await connectMysql(ctx, db.config)
      for (const statement of statements) await session.query(statement)
      await session.close()
      return failure(capture(db.config, from, orders))
    }
    const statement = await write(
      'SET SESSION binlog_format = STATEMENT',
      "INSERT INTO orders VALUES (1, 'x')",
    )
    expect(statement).toMatchObject({
      code: 'CDC_SETUP_REQUIRED',
      hint: expect.stringContaining('binlog_format = ROW'),
    })
    const minimal = await write(
      'SET SESSION binlog_row_image = MINIMAL',
      "UPDATE orders SET v = 'y'",
    )
    expect(minimal).toMatchObject({
      code: 'CDC_SETUP_REQUIRED',
      hint: expect.stringContaining('binlog_row_image = FULL'),
    })
  })

  it('are refused where the log does not name columns', async () => {
    await db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY)')
    await db.run('SET GLOBAL binlog_row_metadata = MINIMAL')
    try {
      const error = await failure(changes(orders, 'INSERT INTO orders VALUES (1)'))
      expect(error).toMatchObject({
        code: 'CDC_SETUP_REQUIRED',
        hint: expect.stringContaining('binlog_row_metadata = FULL'),
      })
    } finally {
      await db.run('SET GLOBAL binlog_row_metadata = FULL')
    }
  })

  it('are lost with a log that is purged, and that is said with the remedy', async () => {
    const from = await db.end()
    await db.run('FLUSH BINARY LOGS')
    const { file } = await db.end()
    // A file that a reader still has open stays.
    const purged = async () => {
      await db.run(`PURGE BINARY LOGS TO '${file}'`)
      return (await db.client.query('SHOW BINARY LOGS')).length
    }
    await expect.poll(purged, { timeout: 10_000 }).toBe(1)
    const error = await failure(capture(db.config, from, orders))
    expect(error).toMatchObject({
      code: 'CDC_POSITION_LOST',
      hint: expect.stringContaining('Refresh'),
    })
  })
})
