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
  big: table(
    [
      { name: 'id', type: 'integer' },
      { name: 'text', type: 'string' },
    ],
    Array.from({ length: 160_000 }, (_, i) => [i, `text ${i}`]),
  ),
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
    expect(await query('SELECT sum(total) FROM "shop.orders"')).toMatchObject({ rounded: true })
    expect(await query('SELECT count(*) FROM "shop.orders"')).toMatchObject({ rounded: false })
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
