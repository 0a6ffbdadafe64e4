import { Buffer } from 'node:buffer'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import type { ChangeEvent } from '../../../src/cdc/postgres/index.ts'
import { OversizedMessage } from '../../../src/cdc/postgres/protocol/oversized-message.ts'
import { createDatabase, describeAll, follow, type TestDatabase } from './support.ts'

describe('a change too large to hold', () => {
  let db: TestDatabase
  beforeAll(async () => {
    db = await createDatabase(inject('pgUrl'), 'cdc_oversized')
  })
  afterEach(() => db.dropSlots())
  afterAll(() => db.close())

  const changes = (events: ChangeEvent[]) =>
    events.flatMap((event) => (event.type === 'changes' ? event.batch : []))

  it('loses the large value and says so; everything else comes', async () => {
    await db.sql('CREATE TABLE t (id int PRIMARY KEY, a text, b text, c text)')
    const feed = await follow(db, 't')
    await db.sql(
      `INSERT INTO t VALUES (1, 'a', repeat('é', 15000000), 'c');
       INSERT INTO t VALUES (2, 'a', repeat('x', 8000000), 'c'); UPDATE t SET a = 'b' WHERE id = 1`,
    )
    const [batch] = changes(await feed.catchUp({ batchBytes: 1 << 30 }))
    const [id, a, b, c] = batch?.columns ?? []
    expect([id, a, c]).toEqual([
      [1, 2, 1],
      ['a', 'a', 'b'],
      ['c', 'c', 'c'],
    ])
    expect(b?.map((cell) => (cell === null ? null : String(cell).length))).toEqual([
      null,
      8_000_000,
      null,
    ])
    expect(batch?.changes).toEqual([
      { row: 0, field: 'b', change: 'NULLED', reason: expect.stringContaining('30000000 bytes') },
    ])
  })

  it('is told also where the old row is sent with the new one', async () => {
    await db.sql('CREATE TABLE whole (id int PRIMARY KEY, n int, b text)')
    await db.sql('ALTER TABLE whole REPLICA IDENTITY FULL')
    await db.sql(`INSERT INTO whole VALUES (1, 1, repeat('x', 20000000))`)
    const feed = await follow(db, 'whole', (relation, columns) => ({
      ...describeAll(relation, columns),
      stream: 'whole',
      columns,
      key: ['id'],
    }))
    await db.sql(
      `UPDATE whole SET n = 2; UPDATE whole SET b = repeat('y', 10000000); DELETE FROM whole`,
    )
    const batches = changes(await feed.catchUp())
    expect(batches.flatMap(({ op }) => op)).toEqual(['u', 'u', 'd'])
    expect(batches.flatMap(({ columns }) => columns[1])).toEqual([2, 2, 2])
    const reasons = batches.flatMap(({ changes = [] }) => changes.map(({ reason }) => reason))
    expect(reasons).toEqual([expect.stringContaining('10000000 bytes')])
  })

  it.each([1, 2, 3, 7, 64, 1000])('is cut in the same way from pieces of %i bytes', (size) => {
    const value = (text: string) => {
      const bytes = Buffer.from(`t....${text}`)
      bytes.writeUInt32BE(text.length, 1)
      return bytes
    }
    const message = (b: Buffer) => {
      const old = [Buffer.from('K\0\u0002'), value('old'), Buffer.from('n')]
      const fresh = [Buffer.from('N\0\u0003'), value('kept'), b, Buffer.from('u')]
      const start = Buffer.from(`d....w${'.'.repeat(24)}U....`)
      const bytes = Buffer.concat([start, ...old, ...fresh])
      bytes.writeUInt32BE(bytes.length - 1, 1)
      return bytes
    }
    const large = message(value('x'.repeat(20_000)))
    const oversized = new OversizedMessage(large.length, 10_000)
    const input = Buffer.concat([large, Buffer.from('rest')])
    let rest: Buffer | undefined
    let at = 0
    for (; rest === undefined; at += size) rest = oversized.take(input.subarray(at, at + size))
    expect(Buffer.concat([rest, input.subarray(at)]).toString()).toBe('rest')
    const leftOut = Buffer.from('x....')
    leftOut.writeUInt32BE(20_000, 1)
    expect(oversized.message()).toEqual(message(leftOut))
  })
})
