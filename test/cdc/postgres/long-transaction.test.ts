import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  type CdcPosition,
  type ChangeEvent,
  compareOrder,
  ensureSlot,
  freezeBound,
  openChangeFeed,
  orderOf,
  parseLsn,
  positionFromJson,
  positionToJson,
  printLsn,
  SNAPSHOT_ORDER,
  takeOverSlot,
} from '../../../src/cdc/postgres/index.ts'
import { openReplication } from '../../../src/cdc/postgres/protocol/replication-stream.ts'
import { createDatabase, ctx, feedOptions, type TestDatabase } from './support.ts'

const ROWS = 200_000
const SLOT = 'cdc_long'

let db: TestDatabase
let start: CdcPosition
let bound: bigint
beforeAll(async () => {
  db = await createDatabase(inject('pgUrl'), 'cdc_long')
  await db.sql(
    `CREATE TABLE t (id int PRIMARY KEY, v text); CREATE PUBLICATION ${SLOT} FOR TABLE t`,
  )
  start = (await ensureSlot(db.client, SLOT)).position
  await db.sql('INSERT INTO t VALUES (0)')
  await db.sql(
    `BEGIN; INSERT INTO t SELECT n, repeat('x', 100) FROM generate_series(1, ${ROWS}) n;
     UPDATE t SET id = -id WHERE id % 1000 = 999; COMMIT`,
  )
  bound = await freezeBound(db.client)
})
afterAll(() => db.close())

const open = (position: CdcPosition) =>
  openChangeFeed(ctx, db.config, feedOptions(SLOT, position, { bound }))

describe('a transaction longer than a slice', () => {
  it('comes in bounded batches, with a checkpoint after each', async () => {
    let rows = 0
    let largest = 0
    let checkpoints = 0
    let last = SNAPSHOT_ORDER
    const idle = heapUsed()
    let peak = 0
    for await (const event of await open(start)) {
      if (event.type === 'checkpoint') {
        checkpoints++
        if (checkpoints % 10 === 0) peak = Math.max(peak, heapUsed() - idle)
      }
      if (event.type !== 'changes') continue
      const { batch } = event
      for (let row = 0; row < batch.length; row++) {
        const order = orderOf(batch, row)
        if (compareOrder(last, order) > 0) throw new Error(`row ${row} is out of order`)
        last = order
      }
      rows += batch.length
      largest = Math.max(largest, batch.length)
    }
    expect(rows).toBe(1 + ROWS + 2 * (ROWS / 1000))
    expect(largest).toBeLessThanOrEqual(5001)
    expect(checkpoints).toBeGreaterThan(ROWS / 5001)
    expect(peak).toBeLessThan(40 << 20)
  })

  it('is taken up again where it was left, however often the connection is lost', async () => {
    const ids = new Map<unknown, number>()
    let position = start
    let slices = 0
    let deletes = 0
    for (let done = false; !done; slices++) {
      const feed = await open(position)
      let staged: ChangeEvent[] = []
      let checkpoints = 0
      done = true
      for await (const event of feed) {
        staged.push(event)
        if (event.type !== 'checkpoint') continue
        for (const event of staged) {
          if (event.type !== 'changes') continue
          event.batch.op.forEach((op, row) => {
            const id = event.batch.columns[0]?.[row]
            if (op === 'd') deletes++
            else ids.set(id, (ids.get(id) ?? 0) + 1)
          })
        }
        staged = []
        position = positionFromJson(JSON.parse(JSON.stringify(positionToJson(event.position))))
        feed.acknowledge(position)
        // The socket goes while more rows are on their way.
        if (++checkpoints < 7) continue
        await db.client.query('SELECT pg_terminate_backend($1)', [feed.pid])
        done = false
        break
      }
      await takeOverSlot(db.client, SLOT, { applicationName: `airbyte cdc ${SLOT}` })
    }
    expect(slices).toBeGreaterThan(5)
    expect(deletes).toBe(ROWS / 1000)
    expect(ids.size).toBe(1 + ROWS + ROWS / 1000)
    expect([...ids.values()].every((times) => times === 1)).toBe(true)
  })

  it('holds the server back while nobody takes the rows', async () => {
    const name = `${SLOT}_idle`
    const { position } = await ensureSlot(db.client, name)
    await db.sql(`UPDATE t SET v = repeat('y', 1000)`)
    const stream = await openReplication(ctx, db.config, {
      slot: name,
      publications: [SLOT],
      applicationName: 'idle',
      start: position.confirmed,
    })
    let seen = 0n
    for (; stream.received !== seen || seen === position.confirmed; await pause(200)) {
      seen = stream.received
    }
    const { rows } = await db.sql('SELECT pg_current_wal_lsn() AS lsn')
    expect(parseLsn(rows[0].lsn) - seen).toBeGreaterThan(50n << 20n)
    await stream.close()
  })

  it('is not read beyond a bound, also where another commits after it', async () => {
    const later = `${SLOT}_later`
    await db.sql(
      `CREATE TABLE small (id int PRIMARY KEY); CREATE PUBLICATION ${later} FOR TABLE small`,
    )
    const { position } = await ensureSlot(db.client, later)
    await db.sql('INSERT INTO small VALUES (1)')
    const end = await freezeBound(db.client)
    await db.sql('INSERT INTO small VALUES (2)')
    const feed = await openChangeFeed(ctx, db.config, feedOptions(later, position, { bound: end }))
    const ids: unknown[] = []
    for await (const event of feed) {
      if (event.type === 'changes') ids.push(...(event.batch.columns[0] ?? []))
      if (event.type === 'checkpoint') {
        expect(event.position.confirmed, printLsn(event.position.confirmed)).toBeLessThanOrEqual(
          end,
        )
      }
    }
    expect(ids).toEqual([1])
  })

  it('that is no longer in the log is reported, not passed over', async () => {
    const position = { confirmed: start.confirmed, transaction: { commit: 1n, sequence: 5 } }
    const read = async () => {
      for await (const _ of await open(position)) {
      }
    }
    // The slot went on with the second test; the transaction it was left in is not the first to come.
    await expect(read()).rejects.toMatchObject({ code: 'CDC_POSITION_LOST' })
  })
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes that are in use, not those that wait to be collected. */
function heapUsed() {
  collectGarbage()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}
