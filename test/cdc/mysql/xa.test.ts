import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BinlogPosition } from '../../../src/cdc/mysql/index.ts'
import { toAirbyteError } from '../../../src/protocol/index.ts'
import { connectMysql } from '../../../src/runtime/mysql/client.ts'
import { runMysql } from '../../support/mysql-statement.ts'
import {
  type Capture,
  capture,
  changesOf,
  ctx,
  SERVER_START_MS,
  useServer,
  xaOf,
} from './support.ts'

let db: Awaited<ReturnType<typeof useServer>>
beforeAll(async () => {
  db = await useServer()
}, SERVER_START_MS)
afterAll(() => db?.stop())
beforeEach(() => db.run('CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, v VARCHAR(5000))'))

const orders = { orders: ['id'] }
const read = (from: BinlogPosition, options = {}) => capture(db.config, from, orders, options)
const rows = (...captured: Capture[]) =>
  captured.flatMap(({ batches }) => changesOf(batches).map(({ op, row }) => `${op}${row.id}`))
const xa = (xid: string) => xaOf(db.config, xid)
const prepared = async (xid: string, ...statements: string[]) =>
  (await xa(xid)).prepare(...statements)
const insert = (...ids: number[]) =>
  `INSERT INTO orders VALUES ${ids.map((id) => `(${id}, 'v')`).join(', ')}`
const many = (from: number, count: number) =>
  `INSERT INTO orders SELECT seq + ${from - 1}, REPEAT('x', 4500) FROM seq_1_to_${count}`
const inserted = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => `i${from + n}`)

describe('XA transactions of the binlog', () => {
  it('have their rows where they are committed, and none where they are rolled back', async () => {
    const from = await db.end()
    const a = await prepared("'a'", insert(1, 2), 'DELETE FROM orders WHERE id = 2')
    await db.run(insert(3))
    const b = await prepared("X'00ff27','q',7", insert(4))
    await db.run(insert(5))
    await b.rollback()
    await a.commit()
    await db.run(insert(4))
    const captured = await read(from)
    expect(rows(captured)).toEqual(['i3', 'i5', 'i1', 'i2', 'd2', 'i4'])
    const cursors = captured.batches.flatMap(({ schema, columns }) => {
      const at = schema.findIndex(({ name }) => name === '_ab_cdc_cursor')
      return columns[at] as number[]
    })
    expect(cursors).toEqual([...cursors].sort((x, y) => x - y))
    expect(captured.end.prepared).toBeUndefined()
  })

  it('count at once where one phase is both, and under a name that was used before', async () => {
    const from = await db.end()
    for (const id of [1, 2]) await (await prepared("'again'", insert(id))).commit()
    const session = await connectMysql(ctx, db.config)
    const once = [insert(3), "XA END 'again'", "XA COMMIT 'again' ONE PHASE", insert(4)]
    await runMysql(session, "XA START 'again'", ...once)
    await (await prepared("'again'", insert(5))).rollback()
    await session.close()
    expect(rows(await read(from))).toEqual(['i1', 'i2', 'i3', 'i4'])
  })

  it('are read again where they are more than is held, without a gap and without a double', async () => {
    const from = await db.end()
    const large = await prepared("'large'", many(1, 2000))
    const less = await prepared("'less'", many(10_000, 1000))
    const late = await prepared("'late'", many(20_000, 1000))
    for (const one of [less, late, large]) await one.commit()
    await db.run(insert(30_000))
    const all = [
      ...inserted(10_000, 1000),
      ...inserted(20_000, 1000),
      ...inserted(1, 2000),
      'i30000',
    ]
    expect(rows(await read(from))).toEqual(all)
    // Readers that stop after so much, each where the one before did.
    const parts: Capture[] = []
    for (let at = from; rows(...parts).length < all.length; at = (parts.at(-1) as Capture).end) {
      parts.push(await read(at, { lingerMs: 300, stopAfter: 1 }))
      if (parts.length > 30) break
    }
    expect(parts.some(({ end }) => end.events > 0)).toBe(true)
    expect(rows(...parts)).toEqual(all)
  })

  it('are lost with a file that is purged before they are committed', async () => {
    const from = await db.end()
    const late = await prepared("'late'", insert(1))
    await db.run('FLUSH BINARY LOGS', insert(2))
    const { end } = await read(from)
    await late.commit()
    const { file } = await db.end()
    const purged = async () => {
      await db.run(`PURGE BINARY LOGS TO '${file}'`)
      return (await db.client.query('SHOW BINARY LOGS')).length
    }
    await expect.poll(purged, { timeout: 20_000 }).toBe(1)
    const error = toAirbyteError(await read(end).catch((thrown) => thrown))
    expect(error).toMatchObject({
      code: 'CDC_POSITION_LOST',
      message: expect.stringContaining(end.prepared?.[0]?.file ?? 'a prepared transaction'),
      hint: expect.stringContaining('Refresh'),
    })
  })

  it('are read again by a reader that comes back, from another file, after a restart', async () => {
    const from = await db.end()
    const kept = await prepared("'kept'", insert(1))
    const gone = await prepared("'gone'", insert(2))
    await db.run(insert(3))
    const first = await read(from)
    expect(first.end.prepared).toHaveLength(2)
    await Promise.all([kept.close(), gone.close()])
    await db.restart()
    const session = await connectMysql(ctx, db.config)
    await runMysql(session, "XA ROLLBACK 'gone'", insert(4), "XA COMMIT 'kept'", insert(5))
    await session.close()
    const second = await read(first.end)
    expect(rows(first, second)).toEqual(['i3', 'i4', 'i1', 'i5'])
    expect(second.end.prepared).toBeUndefined()
  })
})
