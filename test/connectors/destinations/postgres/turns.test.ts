import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Batch } from '../../../../src/protocol/index.ts'
import type { Loader } from '../../../../src/runtime/contract.ts'
import { chunk, createTestDatabase, gate, records, type TestDatabase, USERS } from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase('dest_turns')
})
afterAll(() => db.drop())
beforeEach(() => db.sql.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'))

const row = (id: number, name: string) => records(USERS, [[id, name, null]])
const named = () => db.rows('SELECT id::int, name FROM users ORDER BY id')

/** A body, and when all of it was taken. */
function watched(...batches: Batch[]) {
  const { opened: taken, open } = gate()
  async function* body() {
    yield* batches
    open()
  }
  return { body: body(), taken }
}

/** Rows of which the second comes when it is let. */
function held() {
  const { opened: goOn, open } = gate()
  async function* rows() {
    yield row(1, 'first')
    await goOn
    yield row(2, 'first')
  }
  return { slow: rows(), open }
}

async function prepared(): Promise<Loader> {
  const loader = await db.open({ mode: 'append_dedup' })
  await loader.prepare(1)
  return loader
}

/** How many sessions hold rows that they have not merged. */
const waiting = async () =>
  (
    await db.rows(
      `SELECT count(*)::int AS n FROM pg_stat_activity
       WHERE datname = current_database() AND state = 'idle in transaction'`,
    )
  )[0]?.n

describe('a chunk that comes while the one before is loaded', () => {
  it('is copied at once, and merged when its turn has come', async () => {
    const loader = await prepared()
    const first = watched(row(1, 'first'), row(2, 'first'))
    const { slow, open } = held()
    const turn = Promise.withResolvers<void>()
    const before = loader.load(chunk('c1', slow), 1)
    const second = watched(row(2, 'second'), row(3, 'second'))
    const after = loader.load(chunk('c2', second.body, { turn: turn.promise }), 1)
    await second.taken
    open()
    expect(await before).toMatchObject({ duplicate: false, rows: 2 })
    expect(await named()).toEqual([
      { id: 1, name: 'first' },
      { id: 2, name: 'first' },
    ])
    turn.resolve()
    expect(await after).toMatchObject({ duplicate: false, rows: 2 })
    expect(await named()).toEqual([
      { id: 1, name: 'first' },
      { id: 2, name: 'second' },
      { id: 3, name: 'second' },
    ])
    await loader.load(chunk('c3', first.body), 1)
    expect((await named())[1]).toEqual({ id: 2, name: 'first' })
  })

  it('sees what that one did, whatever isolation the database has by default', async () => {
    await db.sql.query(`DROP ROLE IF EXISTS strict; CREATE ROLE strict LOGIN PASSWORD 'pw';
      ALTER ROLE strict SET default_transaction_isolation = 'repeatable read';
      GRANT ALL ON SCHEMA public TO strict`)
    const loader = await db.open({ mode: 'append_dedup' }, { username: 'strict', password: 'pw' })
    await loader.prepare(1)
    await loader.load(chunk('c0', [row(2, 'old')]), 1)
    const turn = Promise.withResolvers<void>()
    const { body, taken } = watched(row(2, 'second'))
    const { slow, open } = held()
    const before = loader.load(chunk('c1', slow), 1)
    const after = loader.load(chunk('c2', body, { turn: turn.promise }), 1)
    await taken
    open()
    await before
    turn.resolve()
    expect(await after).toMatchObject({ duplicate: false, rows: 1 })
    expect((await named())[1]).toEqual({ id: 2, name: 'second' })
  })

  it('waits for the connection of that one where the database has no other', async () => {
    await db.sql.query(`DROP ROLE IF EXISTS lone; CREATE ROLE lone LOGIN PASSWORD 'pw' CONNECTION LIMIT 1;
      GRANT ALL ON SCHEMA public TO lone`)
    const loader = await db.open({ mode: 'append_dedup' }, { username: 'lone', password: 'pw' })
    await loader.prepare(1)
    const { slow, open } = held()
    const before = loader.load(chunk('c1', slow), 1)
    const turn = Promise.withResolvers<void>()
    const after = loader.load(chunk('c2', [row(2, 'second')], { turn: turn.promise }), 1)
    open()
    expect(await before).toMatchObject({ rows: 2 })
    turn.resolve()
    expect(await after).toMatchObject({ rows: 1 })
    expect((await named())[1]).toEqual({ id: 2, name: 'second' })
  })

  it('leaves nothing when its turn never comes, and can be loaded afterwards', async () => {
    const loader = await prepared()
    const turn = Promise.withResolvers<void>()
    const { body, taken } = watched(row(1, 'dropped'))
    const dropped = loader.load(chunk('c2', body, { turn: turn.promise }), 1)
    await taken
    turn.promise.catch(() => {})
    turn.reject(new Error('the chunk before failed'))
    await expect(dropped).rejects.toThrow()
    expect(await waiting()).toBe(0)
    expect(await named()).toEqual([])
    for (const id of ['c1', 'c2']) {
      const result = await loader.load(chunk(id, [row(1, id)]), 1)
      expect(result).toMatchObject({ duplicate: false, rows: 1 })
    }
    expect(await named()).toEqual([{ id: 1, name: 'c2' }])
  })

  it('is refused when a newer loader took over before its turn', async () => {
    const loader = await prepared()
    const turn = Promise.withResolvers<void>()
    const { body, taken } = watched(row(1, 'late'))
    const late = loader.load(chunk('c2', body, { turn: turn.promise }), 1)
    late.catch(() => {})
    await taken
    const newer = await db.open({ mode: 'append_dedup' })
    await newer.prepare(2)
    turn.resolve()
    await expect(late).rejects.toMatchObject({ code: 'FENCE_LOST' })
    expect(await named()).toEqual([])
  })

  it('waits for its turn before anything where rows go straight into the table', async () => {
    const loader = await db.open({ mode: 'append' })
    await loader.prepare(1)
    const turn = Promise.withResolvers<void>()
    const second = watched(row(2, 'second'))
    const after = loader.load(chunk('c2', second.body, { turn: turn.promise }), 1)
    await loader.load(chunk('c1', [row(1, 'first')]), 1)
    turn.resolve()
    await after
    expect(await db.rows('SELECT name FROM users ORDER BY _airbyte_raw_id')).toEqual([
      { name: 'first' },
      { name: 'second' },
    ])
  })
})
