import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { JsonObject } from '../../src/protocol/index.ts'
import { type CdcDatabase, killReader, logOf, openDatabase } from './cdc-support.ts'
import { connect, settled } from './harness.ts'

let db: CdcDatabase
beforeAll(async () => {
  db = await openDatabase('cdc_continuous')
})
afterAll(() => db.close())

beforeEach(async () => {
  await db.reset()
  await db.sql(`
    create table src.items (id int primary key, v text);
    insert into src.items select n, 'first' from generate_series(1, 100) n`)
})

const follow = async (method: JsonObject = {}) => {
  const setup = db.setup([{ name: 'items' }], method)
  return connect({ ...setup, change: { ...setup.change, schedule: { type: 'continuous' } } })
}

/** Nobody starts anything: it comes by itself. */
const arrives = () =>
  vi.waitFor(
    async () => {
      const [there, here] = await Promise.all([
        db.contents('src.items', 'id, v'),
        db.contents('dst.items', 'id, v'),
      ])
      expect(here).toEqual(there)
    },
    { timeout: 100_000, interval: 250 },
  )

const isRead = async () => {
  const { rows } = await db.sql(
    'select active from pg_replication_slots where database = current_database()',
  )
  return rows.map(({ active }) => active === 't')
}

describe('a continuous connection', { timeout: 200_000 }, () => {
  it('brings what is committed by itself, over a reader that dies, until it is paused', async () => {
    const { connection, id } = await follow()
    await arrives()
    await db.sql(
      `update src.items set v = 'second' where id < 10; delete from src.items where id = 50`,
    )
    await arrives()
    const [newest] = await connection.syncs({ limit: 1 })
    await settled(connection, newest?.syncId ?? 0)
    expect((await connection.get()).lastSync).toMatchObject({ status: 'succeeded', rows: 10 })
    expect(await isRead()).toEqual([true])
    expect((await connection.get()).nextRunAt).toBeGreaterThan(Date.now() + 60_000)

    // Only another database writes: the server must not keep that for us.
    const { rows } = await db.admin.query(
      `select pg_logical_emit_message(false, 'test', repeat('x', 1000000)) as "end"`,
    )
    const letGo = async () => {
      const slot = await db.sql(
        `select confirmed_flush_lsn >= '${rows[0]?.end}' as moved from pg_replication_slots
         where database = current_database()`,
      )
      expect(slot.rows).toEqual([{ moved: 't' }])
    }
    await vi.waitFor(letGo, { timeout: 100_000, interval: 250 })

    await killReader(id)
    await db.sql(`insert into src.items values (1000, 'after a crash')`)
    await arrives()

    await connection.pause()
    const asleep = async () => expect(await isRead()).toEqual([false])
    await vi.waitFor(asleep, { timeout: 60_000, interval: 100 })
    expect((await connection.get()).nextRunAt).toBeUndefined()
    const before = await connection.syncs({ limit: 1 })
    await db.sql(`update src.items set v = 'while paused'`)
    await connection.resume()
    await arrives()
    expect(await connection.syncs({ limit: 1 })).not.toEqual(before)

    await connection.update({ schedule: { type: 'manual' } })
    await vi.waitFor(asleep, { timeout: 60_000, interval: 100 })
    expect((await logOf(id))?.followed).toBeFalsy()
  })

  it('is paused with the reason when its source does not read a log any more', async () => {
    const { connection } = await connect({ change: { schedule: { type: 'continuous' } } })
    const paused = async () =>
      expect(await connection.get()).toMatchObject({
        status: 'paused',
        pausedReason: { code: 'SCHEDULE_INVALID', field: 'schedule.continuous' },
      })
    await vi.waitFor(paused, { timeout: 100_000, interval: 100 })
  })
})
