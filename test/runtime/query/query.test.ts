import { describe, expect, it } from 'vitest'
import type { Cell, Column } from '../../../src/protocol/index.ts'
import type { TableReader } from '../../../src/runtime/contract.ts'
import { type QueryLimits, runQuery } from '../../../src/runtime/query/index.ts'

function table(columns: Column[], rows: Cell[][]): TableReader {
  return {
    columns,
    rows: rows.length,
    async *read(wanted) {
      const places = wanted.map((name) => columns.findIndex((column) => column.name === name))
      for (let at = 0; at < rows.length; at += 1000) {
        const part = rows.slice(at, at + 1000)
        const cells = places.map((place) => part.map((row) => row[place] ?? null))
        yield { length: part.length, columns: cells }
      }
    },
  }
}

const numbered = (count: number) =>
  table(
    [
      { name: 'id', type: 'integer' },
      { name: 'text', type: 'string' },
    ],
    Array.from({ length: count }, (_, i) => [i, `text ${i}`]),
  )

const TABLES: Record<string, TableReader> = {
  users: table(
    [
      { name: 'id', type: 'integer' },
      { name: 'name', type: 'string' },
    ],
    [
      [1, 'Ada'],
      [2, 'Grace'],
      [3, null],
    ],
  ),
  'shop.orders': table(
    [
      { name: 'id', type: 'integer' },
      { name: 'user_id', type: 'integer' },
      { name: 'total', type: 'number' },
      { name: 'at', type: 'timestamp_with_timezone' },
    ],
    [
      [9007199254740993n, 1, 10.5, '2026-01-01T00:00:00Z'],
      [2, 1, '12345678901234567890.12', '2026-02-01T00:00:00Z'],
      [3, 2, 1, null],
    ],
  ),
  cents: table([{ name: 'v', type: 'number' }], [[0.1], [0.2], [0.3], [1e-7], [-1e-7]]),
  some: numbered(3000),
  big: numbered(160_000),
}

function query(
  sql: string,
  limits: Partial<QueryLimits> = {},
  signal = new AbortController().signal,
) {
  return runQuery({
    ...{ sql, limits, signal },
    open: async (names) =>
      Object.fromEntries(names.map((name) => [name, TABLES[name] as TableReader])),
  })
}
const refusal = (sql: string) =>
  query(sql).then(
    () => expect.fail(`it ran: ${sql}`),
    ({ code, message }) => `${code}: ${message}`,
  )

describe('a query', () => {
  it('joins, groups and orders', async () => {
    const answer = await query(`SELECT u.name, count(*) AS orders, max(o.at) AS latest
      FROM users u JOIN "shop.orders" o ON u.id = o.user_id GROUP BY u.name ORDER BY orders DESC`)
    expect(answer).toMatchObject({
      columns: ['name', 'orders', 'latest'],
      rows: [
        ['Ada', 2, '2026-02-01T00:00:00Z'],
        ['Grace', 1, null],
      ],
      truncated: false,
    })
  })

  it('takes CTEs, outer joins, subqueries, HAVING and unions', async () => {
    const without = await query(`WITH buyers AS (SELECT user_id FROM "shop.orders")
      SELECT u.id FROM users u LEFT JOIN buyers b ON u.id = b.user_id WHERE b.user_id IS NULL`)
    expect(without.rows).toEqual([[3]])
    const inner = await query(
      'SELECT id FROM users WHERE id IN (SELECT user_id FROM "shop.orders") ORDER BY id',
    )
    expect(inner.rows).toEqual([[1], [2]])
    const having = await query(
      'SELECT user_id FROM "shop.orders" GROUP BY user_id HAVING count(*) > 1',
    )
    expect(having.rows).toEqual([[1]])
    const union = await query('SELECT id FROM users UNION SELECT user_id AS id FROM "shop.orders"')
    expect(union.rows).toHaveLength(3)
  })

  it('keeps every digit of what it hands through, and says when a sum has fewer', async () => {
    const whole = await query('SELECT id, total FROM "shop.orders" WHERE user_id = 1')
    expect(whole).toMatchObject({
      rows: [
        [9007199254740993n, 10.5],
        [2, '12345678901234567890.12'],
      ],
      rounded: false,
    })
    expect(await query('SELECT avg(total) FROM "shop.orders"')).toMatchObject({ rounded: true })
    expect(await query('SELECT sum(total + 1) FROM "shop.orders"')).toMatchObject({ rounded: true })
    expect(await query('SELECT count(*) FROM "shop.orders"')).toMatchObject({ rounded: false })
  })

  it.each([
    [
      'a whole column',
      'SELECT sum(total) AS t, count(total) AS n, sum(id) AS i FROM "shop.orders"',
    ],
    ['twice', 'SELECT sum(total) AS t, max(user_id) + 1 AS n, sum(id) AS i FROM "shop.orders"'],
    [
      'what a filter leaves',
      'SELECT sum(total) AS t, count(*) AS n, sum(id) AS i FROM "shop.orders" WHERE id > 0',
    ],
    [
      'a CTE',
      'WITH o AS (SELECT * FROM "shop.orders") SELECT sum(total) AS t, count(*) AS n, sum(id) AS i FROM o',
    ],
  ])('adds up %s to the last digit', async (_, sql) => {
    const { columns, rows, rounded } = await query(sql)
    expect(columns).toEqual(['t', 'n', 'i'])
    expect(rows).toEqual([['12345678901234567901.62', 3, 9007199254740998n]])
    // The second one computes besides.
    expect(rounded).toBe(sql.includes('+ 1'))
  })

  it('adds up each group, orders by the sum, and keeps its name', async () => {
    const grouped = (rest: string, as = '') =>
      query(`SELECT user_id, sum(total)${as} FROM "shop.orders" GROUP BY user_id ${rest}`)
    const large = [1, '12345678901234567900.62']
    const small = [2, 1]
    const plain = await grouped('ORDER BY user_id')
    expect(plain.columns).toEqual(['user_id', 'sum_total'])
    expect(plain.rows).toEqual([large, small])
    expect((await grouped('ORDER BY sum(total)')).rows).toEqual([small, large])
    expect((await grouped('ORDER BY t DESC', ' AS t')).rows).toEqual([large, small])
    expect((await grouped('HAVING sum(total) > 5')).rows).toEqual([large])
    const filtered = 'SELECT sum(total) FILTER (WHERE id = 2) FROM "shop.orders"'
    expect((await query(filtered)).rows).toEqual([['12345678901234567890.12']])
  })

  it('adds up nothing to null, and fractions as they are written', async () => {
    expect((await query('SELECT sum(id) FROM users WHERE id > 9')).rows).toEqual([[null]])
    expect((await query('SELECT sum(name) FROM users')).rows).toEqual([[null]])
    const cents = (await query('SELECT sum(v) FROM cents')).rows
    expect(cents).toEqual([[0.6]])
  })

  it('stops at the rows that were asked for, and says that there are more', async () => {
    const answer = await query('SELECT id FROM big', { rows: 10 })
    expect(answer).toMatchObject({ truncated: true })
    expect(answer.rows).toHaveLength(10)
    expect(answer.rowsRead).toBeLessThan(2000)
    expect(await query('SELECT id FROM users', { rows: 3 })).toMatchObject({ truncated: false })
  })
})

describe('what a query may not do', () => {
  it.each([
    ['DELETE FROM users', /Only one SELECT/],
    ['INSERT INTO users VALUES (1)', /Only one SELECT/],
    ['SELECT id FROM users; DROP TABLE users', /QUERY_INVALID/],
    ['SELECT nope FROM users', /"nope" not found/],
    ['SELECT unheard_of(id) FROM users', /unheard_of/i],
    ['SELECT id FROM shop.orders', /double quotes/],
    ['SELECT id FROM users WHERE', /QUERY_INVALID/],
    [`SELECT id FROM users WHERE regexp_matches(name, '(a+)+$')`, /Regular expressions/],
    [`SELECT id FROM users WHERE name LIKE '%a%a%a%a%a%a%b'`, /wildcards/],
    ['SELECT id FROM users WHERE name LIKE name', /wildcards/],
    ['SELECT a.id FROM big a JOIN big b ON 1 = 1', /begins with columns/],
    ['SELECT sum(DISTINCT id) FROM users', /SUM takes no DISTINCT/],
    [`SELECT id FROM read_parquet('https://example.com/x')`, /QUERY_INVALID/],
  ])('%s', async (sql, message) => {
    expect(await refusal(sql)).toMatch(message)
  })

  it('keeps no more rows than its memory, while sums over the same table pass', async () => {
    expect(await refusal('SELECT text FROM big ORDER BY text')).toMatch(/QUERY_LIMIT.*hold more/)
    expect(await refusal('SELECT text, count(*) FROM big GROUP BY text')).toMatch(/hold more/)
    expect(await refusal('SELECT count(DISTINCT text) FROM big')).toMatch(/hold more/)
    expect(await refusal('SELECT sum(id + 1) FROM big')).toMatch(/hold more/)
    expect((await query('SELECT count(id), max(id) FROM big')).rows).toEqual([[160_000, 159_999]])
    expect((await query('SELECT id FROM big WHERE id = 159999')).rows).toEqual([[159_999]])
  })

  it('holds only what passes the conditions on its table', async () => {
    const tight = (sql: string) => query(sql, { memory: 100_000 })
    await expect(tight('SELECT text FROM some ORDER BY text')).rejects.toThrow(/hold more/)
    const few = 'FROM some WHERE id >= 2990'
    expect((await tight(`SELECT text ${few} ORDER BY text DESC`)).rows[0]).toEqual(['text 2999'])
    expect((await tight(`SELECT text, count(*) ${few} GROUP BY text`)).rows).toHaveLength(10)
    const joined = `SELECT s.text FROM users u JOIN some s ON u.id = s.id
      WHERE s.text LIKE 'text 1%' AND s.id < 100`
    expect((await tight(joined)).rows).toEqual([['text 1']])
    const elsewhere = 'SELECT count(*) FROM some WHERE id IN (SELECT id FROM users)'
    await expect(tight(elsewhere)).rejects.toThrow(/hold more/)
  })

  it('leaves out no row that a join has to show', async () => {
    const anti = `SELECT u.id FROM users u LEFT JOIN "shop.orders" o ON u.id = o.user_id
      WHERE o.id IS NULL AND u.id > 0`
    expect((await query(anti)).rows).toEqual([[3]])
    const right = `SELECT o.id FROM users u RIGHT JOIN "shop.orders" o ON u.id = o.user_id AND u.id = 1
      WHERE u.id IS NULL`
    expect((await query(right)).rows).toEqual([[3]])
    const self = 'SELECT a.id FROM users a JOIN users b ON a.id = b.id WHERE a.id = 1 AND b.id > 0'
    expect((await query(self)).rows).toEqual([[1]])
  })

  it('ends after its time, its bytes, and its rows', async () => {
    await expect(query('SELECT sum(id) FROM big', { time: -1 })).rejects.toMatchObject({
      code: 'QUERY_LIMIT',
      message: expect.stringContaining('longer'),
    })
    const metered = runQuery({
      ...{ sql: 'SELECT id FROM users', limits: { bytes: 10 } },
      signal: new AbortController().signal,
      open: async (_, meter) => {
        const reader = TABLES.users as TableReader
        async function* read(columns: string[]) {
          meter().read(11)
          yield* reader.read(columns)
        }
        return { users: { ...reader, read } }
      },
    })
    await expect(metered).rejects.toMatchObject({
      code: 'QUERY_LIMIT',
      message: expect.stringContaining('read more'),
    })
  })

  it('ends after so many values, however little it reads', async () => {
    const pairs = 'SELECT count(*) FROM users a JOIN users b ON a.id < b.id'
    expect((await query(pairs)).rows).toEqual([[3]])
    await expect(query(pairs, { steps: 10 })).rejects.toMatchObject({ code: 'QUERY_LIMIT' })
  })

  it('ends when its caller goes away', async () => {
    const gone = AbortSignal.abort()
    await expect(query('SELECT id FROM big', {}, gone)).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
