import { env } from 'cloudflare:workers'
import { beforeAll, expect, it } from 'vitest'
import { configOf, createDatabase, inDatabase } from './databases.ts'
import { callerOf, SAMPLE } from './support.ts'

const call = callerOf(env, 'query')
const query = (sql: string, more = {}) =>
  call('destinations.query', { destination: 'lake', sql, ...more })

async function sync(connection: string) {
  const { syncId } = await call('connections.sync', { connection })
  expect(await call('syncs.get', { sync: syncId, waitSeconds: 40 })).toMatchObject({
    status: 'succeeded',
  })
}

beforeAll(async () => {
  await createDatabase('query_test')
  await inDatabase(
    'query_test',
    `CREATE SCHEMA shop; CREATE TABLE shop.orders (id bigint PRIMARY KEY, user_id int, total numeric(20,2), at timestamptz);
     INSERT INTO shop.orders SELECT n, n % 5 + 1, n * 1.5, '2026-01-01'::timestamptz + n * interval '1 h' FROM generate_series(1, 100) n`,
  )
  await call('sources.create', { name: 'sample', ...SAMPLE })
  await call('sources.create', {
    name: 'pg',
    type: 'postgres',
    config: { ...configOf('query_test'), schemas: ['shop'] },
  })
  await call('destinations.create', { name: 'lake', type: 'r2', config: {} })
  await call('destinations.create', {
    name: 'copy',
    type: 'postgres',
    config: configOf('query_test'),
  })
  const streams = [{ name: 'orders', syncMode: 'incremental', cursorField: 'at' }]
  await call('connections.create', {
    name: 'users',
    source: 'sample',
    destination: 'lake',
    streams: [{ name: 'users' }],
  })
  await call('connections.create', { name: 'orders', source: 'pg', destination: 'lake', streams })
  await Promise.all([sync('users'), sync('orders')])
}, 60_000)

it('joins what two sources brought into the warehouse', async () => {
  const answer = await query(`SELECT u.id, count(*) AS n, sum(o.total) AS total
    FROM users u JOIN "shop.orders" o ON u.id = o.user_id GROUP BY u.id ORDER BY u.id`)
  const { rows } = await inDatabase(
    'query_test',
    'SELECT user_id, count(*)::int AS n, sum(total)::float8 AS total FROM shop.orders GROUP BY 1 ORDER BY 1',
  )
  expect(answer.rows).toEqual(
    rows.map(({ user_id, n, total }) => [Number(user_id), Number(n), Number(total)]),
  )
  expect(answer).toMatchObject({ rowCount: 5, truncated: false })
  expect(Number(answer.bytesRead)).toBeGreaterThan(100)
})

it('sees each row once, as it stands, after it was changed', async () => {
  await inDatabase('query_test', `UPDATE shop.orders SET total = 0, at = now() WHERE id <= 10`)
  await sync('orders')
  const answer = await query('SELECT count(*) AS n, min(total) AS least FROM orders')
  expect(answer.rows).toEqual([[100, 0]])
})

it('names the tables that there are, and the nearest to a misspelt one', async () => {
  await expect(query('SELECT id FROM user')).rejects.toMatchObject({
    ...{
      code: 'QUERY_INVALID',
      didYouMean: ['users'],
      message: expect.stringContaining('shop.orders'),
    },
  })
})

it('sees nothing of another workspace, whatever a table is called', async () => {
  const other = callerOf(env, 'query-stranger')
  await other('destinations.create', { name: 'lake', type: 'r2', config: {} })
  for (const name of ['users', '../query/_/users', 'query/_/users', 'shop.orders']) {
    const sql = `SELECT id FROM "${name}"`
    await expect(other('destinations.query', { destination: 'lake', sql })).rejects.toMatchObject({
      code: 'QUERY_INVALID',
    })
  }
})

it('is for warehouses only: a database speaks for itself', async () => {
  const sql = 'SELECT 1 AS one FROM orders'
  await expect(call('destinations.query', { destination: 'copy', sql })).rejects.toMatchObject({
    ...{ code: 'UNSUPPORTED', field: 'destination' },
  })
})

it('cuts long texts and the number of rows', async () => {
  const answer = await query('SELECT * FROM orders ORDER BY id', { limit: 7 })
  expect(answer).toMatchObject({ rowCount: 7, truncated: true })
  expect(answer.columns).toEqual(['id', 'user_id', 'total', 'at'])
})
