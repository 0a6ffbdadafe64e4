import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseLsn } from '../../src/cdc/postgres/index.ts'
import { armFaultPoint, LOG_FAULT_POINTS } from '../../src/core/fault-points.ts'
import { closePostgres } from '../../src/runtime/postgres/client.ts'
import { type CdcDatabase, killReader, logOf, openDatabase } from './cdc-support.ts'
import { tableOf, WRITTEN_COLUMNS, write } from './cdc-writer.ts'
import { connect, ended, run, settled, start } from './harness.ts'

/** Of each: a table, a writer of its own, and chunks that meet the writer at other places. */
const SEEDS = Array.from({ length: 10 }, (_, n) => n + 1)
const ROWS = 300

let db: CdcDatabase
beforeAll(async () => {
  db = await openDatabase('cdc_handover')
})
afterAll(() => db.close())
beforeEach(() => db.reset())

/** Writes to all tables at once while `work` runs. */
async function underWriters(work: () => Promise<void>): Promise<number> {
  let running = true
  const goesOn = () => running
  const writers = SEEDS.map(async (seed) => {
    const session = await db.connect()
    try {
      return await write(session, `t${seed}`, seed, { rows: ROWS, goesOn })
    } finally {
      await closePostgres(session)
    }
  })
  try {
    await work()
  } finally {
    running = false
  }
  return (await Promise.all(writers)).reduce((sum, n) => sum + n, 0)
}

async function compare() {
  for (const seed of SEEDS) {
    const [there, here] = await Promise.all([
      db.contents(`src.t${seed}`, WRITTEN_COLUMNS),
      db.contents(`dst.t${seed}`, WRITTEN_COLUMNS),
    ])
    expect({ seed, ...here }).toEqual({ seed, ...there })
  }
}

describe('tables that are written to while they are snapshotted and followed', () => {
  it('become what they are at the source, over cut connections, a lost reader and every gap of a segment', async () => {
    for (const seed of SEEDS) await db.sql(tableOf(`t${seed}`, ROWS))
    const streams = SEEDS.map((seed) => ({ name: `t${seed}` }))
    const made = await connect(db.setup(streams, {}, { chunk_rows: 70 }))
    const transactions = await underWriters(async () => {
      const sync = await start(made.connection)
      let over = false
      const record = ended(sync, 100_000).finally(() => {
        over = true
      })
      const trouble = [
        (pid: string) => db.sql(`select pg_terminate_backend(${pid})`),
        ...LOG_FAULT_POINTS.map((point) => async () => {
          armFaultPoint(point, 1, () => Promise.reject(new Error('the reader died')))
        }),
        () => killReader(made.id),
      ]
      for (let n = 0, before = ''; !over; ) {
        await new Promise((resolve) => setTimeout(resolve, 250))
        const { rows } = await db.sql(
          'select active_pid as pid, confirmed_flush_lsn as at from pg_replication_slots where database = current_database()',
        )
        const [slot] = rows as { pid: string | null; at: string | null }[]
        const log = await logOf(made.id).catch(() => undefined)
        if (!slot?.at || !slot.pid || !log) continue
        // What the server may forget is never more than what is staged.
        const staged = String(log.place.position.confirmed)
        expect(parseLsn(slot.at) <= parseLsn(staged)).toBe(true)
        // Trouble comes again once the last is got over.
        if (staged === before) continue
        before = staged
        await trouble[n++ % trouble.length]?.(slot.pid)
      }
      const { syncId, streams: first } = await record
      await settled(made.connection, syncId)
      expect(first.map(({ error }) => error)).toEqual(first.map(() => undefined))
    })
    expect(transactions).toBeGreaterThan(SEEDS.length * 5)
    const second = await run(made.connection)
    expect(second.streams.map(({ error }) => error)).toEqual(second.streams.map(() => undefined))
    await compare()
    expect((await logOf(made.id))?.lastSegment).toBeGreaterThan(0)
  }, 150_000)
})

describe('a transaction that is larger than a segment', () => {
  it('is staged in parts, and arrives whole', async () => {
    await db.sql(
      'create table src.big (id int primary key, v text); insert into src.big values (0)',
    )
    const made = await connect(db.setup([{ name: 'big' }]))
    await run(made.connection)
    const before = (await logOf(made.id))?.lastSegment ?? 0
    await db.sql(`insert into src.big select n, repeat('v', 50) from generate_series(1, 40000) n`)
    const { streams } = await run(made.connection)
    expect(streams[0]?.error).toBeUndefined()
    expect((await logOf(made.id))?.lastSegment).toBeGreaterThan(before + 3)
    expect(await db.contents('dst.big', 'id, v')).toEqual(await db.contents('src.big', 'id, v'))
  }, 60_000)
})
