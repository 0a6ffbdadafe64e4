import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConfiguredStream, JsonObject, StreamState } from '../../../../src/protocol/index.ts'
import { startPostgres } from '../../../support/embedded-postgres.ts'
import { configure, createDatabase, ctx, discover, sync, type TestDatabase } from './support.ts'

type RunningPostgres = Awaited<ReturnType<typeof startPostgres>>

/** A server that has done few transactions, and one that has done more of them. */
let young: RunningPostgres
let old: RunningPostgres
beforeAll(async () => {
  ;[young, old] = await Promise.all([startPostgres(), startPostgres()])
})
afterAll(() => Promise.all([young.stop(), old.stop()]))

let databases = 0
const databaseOn = async (server: RunningPostgres) =>
  createDatabase(`other_${++databases}`, await server.createDatabase(`at_${databases}`))

const transactions = (db: TestDatabase, count: number) =>
  db.sql(`DO $$ BEGIN FOR i IN 1..${count} LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$`)

const nextOf = async (db: TestDatabase) =>
  Number((await db.sql('SELECT txid_snapshot_xmax(txid_current_snapshot()) AS next')).rows[0].next)

const streamOf = async (config: JsonObject, options: Partial<ConfiguredStream> = {}) =>
  configure((await discover(config)).get('public.events'), {
    syncMode: 'incremental',
    cursorField: ['day'],
    ...options,
  })

const TABLE = 'CREATE TABLE events (id int PRIMARY KEY, day date)'
const FIRST = "INSERT INTO events VALUES (1, '2026-01-01'), (2, '2026-01-02'), (3, NULL)"

/** Two servers with the rows of one table, and the state of a cursor from the first. */
async function restored(numbers: 'stay below' | 'have passed', options = {}) {
  const [from, to] = [await databaseOn(old), await databaseOn(young)]
  await transactions(from, 5000)
  await from.sql(`${TABLE}; ${FIRST}`)
  const stream = await streamOf(from.config, options)
  const before = await sync(from.config, stream)
  // Came after the last sync, and are in the dump.
  await to.sql(`${TABLE}; ${FIRST}; INSERT INTO events VALUES (4, '2026-01-02'), (5, NULL)`)
  await to.sql("INSERT INTO events VALUES (6, '2026-01-02'), (7, NULL), (8, '2026-01-03')")
  const ahead = (await nextOf(from)) - (await nextOf(to))
  expect(ahead).toBeGreaterThan(0)
  if (numbers === 'have passed') await transactions(to, ahead + 100)
  return { from, to, stream, state: before.state as StreamState }
}

const idsOf = ({ rows }: { rows: Record<string, unknown>[] }) =>
  rows.map(({ id }) => Number(id)).sort()

describe('a cursor whose state is of another server', () => {
  it.each(['stay below', 'have passed'] as const)(
    'misses no tie and no row without a value where its numbers %s those of the state',
    async (numbers) => {
      const { from, to, stream, state } = await restored(numbers)
      const run = await sync(to.config, stream, state)
      expect(idsOf(run)).toEqual([2, 3, 4, 5, 6, 7, 8])
      expect(idsOf(await sync(to.config, stream, run.state))).toEqual([])
      await to.sql("INSERT INTO events VALUES (9, '2026-01-03'), (10, NULL)")
      expect(idsOf(await sync(to.config, stream, run.state))).toEqual([10, 9])
      await Promise.all([from.close(), to.close()])
    },
  )

  it('counts no number that the server has yet to give as done, if the state does not know its server', async () => {
    const { from, to, stream, state } = await restored('stay below')
    const { server, ...unknown } = state
    expect(server).toMatch(/^\d+\/1$/)
    expect(idsOf(await sync(to.config, stream, unknown))).toEqual([2, 3, 4, 5, 6, 7, 8])
    await Promise.all([from.close(), to.close()])
  })

  it('reads for a user who may not know which server it is', async () => {
    const db = await databaseOn(young)
    await db.sql(`${TABLE}; ${FIRST}; REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC;
      CREATE ROLE plain LOGIN PASSWORD 'plain'; GRANT SELECT ON events TO plain`)
    const config = { ...db.config, username: 'plain', password: 'plain' }
    const stream = await streamOf(config)
    const run = await sync(config, stream)
    expect(run.state).not.toHaveProperty('server')
    await db.sql("INSERT INTO events VALUES (4, '2026-01-02'), (5, NULL)")
    const next = await sync(config, stream, run.state)
    expect([idsOf(run), idsOf(next)]).toEqual([
      [1, 2, 3],
      [4, 5],
    ])
    await db.close()
  })

  it('goes by the numbers alone where a platform does not say which server it is, in whatever words', async () => {
    const db = await databaseOn(young)
    await db.sql(`SET allow_system_table_mods = on;
      ALTER FUNCTION pg_control_system() RENAME TO pg_control_system_of_old;
      CREATE FUNCTION pg_catalog.pg_control_system(OUT pg_control_version int,
        OUT catalog_version_no int, OUT system_identifier int8, OUT pg_control_last_modified timestamptz)
      LANGUAGE plpgsql AS $$ BEGIN RAISE 'not here' USING ERRCODE = 'P0001'; END $$;
      ${TABLE}; ${FIRST}`)
    const stream = await streamOf(db.config)
    const first = await sync(db.config, stream)
    expect(first.state).not.toHaveProperty('server')
    await db.sql("INSERT INTO events VALUES (4, '2026-01-02')")
    const second = await sync(db.config, stream, first.state)
    expect([idsOf(first), idsOf(second)]).toEqual([[1, 2, 3], [4]])
    const ahead = { ...second.state, horizon: '9000000' } as StreamState
    expect(idsOf(await sync(db.config, stream, ahead))).toEqual([2, 3, 4])
    await db.close()
  })

  it('finishes a window that was interrupted before, and loses nothing of it', async () => {
    const { from, to, stream } = await restored('have passed')
    const config = { ...from.config, checkpoint_rows: 1 }
    const { states, rows } = await sync(config, stream)
    for (const { state, rowsBefore } of states) {
      const read = rows.slice(0, rowsBefore)
      const run = await sync(to.config, stream, state)
      const ids = new Set([...idsOf({ rows: read }), ...idsOf(run)])
      expect([...ids].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    }
    await Promise.all([from.close(), to.close()])
  })

  it.each(['incremental', 'full_refresh'] as const)(
    'takes no row address of another server for one of its own (%s)',
    async (syncMode) => {
      const [from, to] = [await databaseOn(old), await databaseOn(young)]
      const rows = (order: string) =>
        `CREATE TABLE events (id int, day date, pad text STORAGE PLAIN); INSERT INTO events SELECT n, date '2026-01-01' + (n <= 10)::int, repeat('x', 2000) FROM generate_series(1, 40) n ORDER BY n ${order}`
      await from.sql(rows('ASC'))
      await to.sql(rows('DESC'))
      const config = { ...from.config, checkpoint_rows: 4, chunk_bytes: 16_384 }
      const stream = await streamOf(config, { syncMode })
      const first = await sync(config, stream)
      const { rowsBefore, state } = first.states[1] as { rowsBefore: number; state: StreamState }
      expect(rowsBefore).toBeLessThan(20)
      const file = "SELECT pg_relation_filenode('events') AS file"
      const { file: filenode } = (await to.sql(file)).rows[0] as { file: number }
      const chance = JSON.parse(
        JSON.stringify(state).replace(/"filenode":"\d+"/, `"filenode":"${filenode}"`),
      )
      const run = await sync(to.config, stream, chance)
      if (syncMode === 'full_refresh') {
        expect(run.events.find(({ type }) => type === 'error')).toMatchObject({
          error: { code: 'STATE_INVALID', message: expect.stringMatching(/server is another/) },
        })
        expect(run.rows).toEqual([])
      } else {
        const ids = new Set([...idsOf({ rows: first.rows.slice(0, rowsBefore) }), ...idsOf(run)])
        expect(ids.size).toBe(40)
      }
      await Promise.all([from.close(), to.close()])
    },
  )

  it('says of appended rows that they are doubled, and nothing where rows are merged', async () => {
    const { from, to, stream, state } = await restored('have passed')
    const told: string[] = []
    const { log } = ctx
    ctx.log = (level, message) => level === 'warn' && void told.push(message)
    try {
      const merged = { ...stream, destinationSyncMode: 'append_dedup' as const }
      expect(idsOf(await sync(to.config, merged, state))).toEqual([2, 3, 4, 5, 6, 7, 8])
      expect(told).toEqual([])
      await sync(to.config, stream, state)
      expect(told).toEqual([expect.stringMatching(/public\.events.*'day'.*doubled/s)])
    } finally {
      ctx.log = log
    }
    await Promise.all([from.close(), to.close()])
  })

  it('reads on with what it knows after a restart, and anew after a promotion, which gives numbers again', async () => {
    const db = await databaseOn(old)
    await db.sql(`${TABLE}; ${FIRST}`)
    const stream = await streamOf(db.config)
    const first = await sync(db.config, stream)
    const { data_directory } = (await db.sql('SHOW data_directory')).rows[0]
    await old.restart('fast')
    const second = await sync(db.config, stream, first.state)
    expect(idsOf(second)).toEqual([])
    writeFileSync(join(data_directory, 'recovery.signal'), '')
    await old.restart('fast', ['restore_command=false'])
    const third = await sync(db.config, stream, second.state)
    expect(third.state?.server).toMatch(/\/2$/)
    expect(idsOf(third)).toEqual([2, 3])
    expect(idsOf(await sync(db.config, stream, third.state))).toEqual([])
    await db.close()
  })
})
