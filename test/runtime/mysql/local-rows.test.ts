import { Buffer } from 'node:buffer'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { createNodeContext } from '../../../src/egress/node-context.ts'
import { connectMysql, type MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { runMysql } from '../../support/mysql-statement.ts'
import { serverFields } from '../../support/server-fields.ts'

const DATABASE = 'local_rows'
const config = () => ({
  ...serverFields(inject('mariadbUrl')),
  ssl_mode: { mode: 'disabled' as const },
})
const INTO = `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${DATABASE}.rows CHARACTER SET utf8mb4`
const ctx = createNodeContext()
let client: MysqlClient

beforeAll(async () => {
  client = await connectMysql(ctx, config(), [], true)
  await runMysql(client, `CREATE OR REPLACE DATABASE ${DATABASE} CHARACTER SET utf8mb4`)
  await client.query(`CREATE TABLE ${DATABASE}.rows (id INT, note LONGTEXT)`)
})
afterAll(async () => {
  await client.query(`DROP DATABASE ${DATABASE}`)
  await client.close()
})

it('gives the rows that the server asks for, and says how many it took', async () => {
  const rows = await client.load(INTO)
  await rows.write(Buffer.from('1\tone\n2\tzw'))
  await rows.write(Buffer.from('ölf\n'))
  expect(await rows.end()).toEqual({ rows: 2, warnings: 0 })
  const found = await client.query(`SELECT * FROM ${DATABASE}.rows ORDER BY id`)
  expect(found).toEqual([
    ['1', 'one'],
    ['2', 'zwölf'],
  ])
})

it('counts what the server bent to fit, and goes on with the next statement', async () => {
  const rows = await client.load(INTO)
  await rows.write(Buffer.from('x\tnot a number\n'))
  expect(await rows.end()).toEqual({ rows: 1, warnings: 1 })
  expect(await client.execute(`DELETE FROM ${DATABASE}.rows`)).toMatchObject({ rows: 3 })
})

it('rejects with what the server says of a statement that it does not take', async () => {
  const refused = client.load(INTO.replace('.rows', '.nothing'))
  await expect(refused).rejects.toMatchObject({ errno: 1146 })
  expect(await client.query('SELECT 1')).toEqual([['1']])
})

it('is asked for no rows in a session that did not say it has some', async () => {
  const plain = await connectMysql(ctx, config())
  await expect(plain.load(INTO)).rejects.toThrow(/not allowed|disabled/)
  await plain.close()
})

it('sends a statement that is larger than a packet', async () => {
  const [[limit] = []] = await client.query('SELECT @@GLOBAL.max_allowed_packet')
  await client.query('SET GLOBAL max_allowed_packet = 64 << 20')
  const other = await connectMysql(ctx, config())
  try {
    const note = 'x'.repeat(17 << 20)
    expect(await other.query(`SELECT LENGTH('${note}')`)).toEqual([[String(note.length)]])
  } finally {
    await other.close()
    await client.query(`SET GLOBAL max_allowed_packet = ${limit}`)
  }
})
