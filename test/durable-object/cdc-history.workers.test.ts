import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { closePostgres } from '../../src/runtime/postgres/client.ts'
import { type CdcDatabase, killReader, openDatabase } from './cdc-support.ts'
import { seeded } from './cdc-writer.ts'
import { connect, ended, settled, start } from './harness.ts'

const KEYS = 30
const SYNCS = 4

/** What the writer did to one row, in order: its versions, and null where it deleted it. */
type History = (number | null)[]

let db: CdcDatabase
let watcher: pg.Client
beforeAll(async () => {
  db = await openDatabase('cdc_history')
  watcher = await db.connect()
})
afterAll(async () => {
  await closePostgres(watcher)
  await db.close()
})
beforeEach(async () => {
  await db.reset()
  await db.sql(`
    create table src.rows (id int primary key, version int not null);
    insert into src.rows select n, 1 from generate_series(1, ${KEYS}) n`)
})

/** Updates, deletes and brings back rows, each version once; a row is in its history before it is committed. */
function startWriter(seed: number) {
  const random = seeded(seed)
  const histories = Array.from({ length: KEYS }, (): History => [1])
  const versions = histories.map(() => 1)
  let running = true
  const change = (key: number) => {
    const history = histories[key] as History
    const id = key + 1
    const gone = history.at(-1) === null
    if (!gone && random() < 0.2) {
      history.push(null)
      return `delete from src.rows where id = ${id}`
    }
    const version = (versions[key] as number) + 1
    versions[key] = version
    history.push(version)
    return gone
      ? `insert into src.rows values (${id}, ${version})`
      : `update src.rows set version = ${version} where id = ${id}`
  }
  const done = (async () => {
    const session = await db.connect()
    try {
      while (running) {
        const first = Math.floor(random() * KEYS)
        const keys = new Set([first, (first + 7) % KEYS])
        await session.query(`begin; ${[...keys].map(change).join('; ')}; commit`)
        await new Promise((resolve) => setTimeout(resolve, random() * 4))
      }
    } finally {
      await closePostgres(session)
    }
  })()
  return {
    histories,
    /** How much of each history has been committed, but for what is being committed now. */
    lengths: () => histories.map((history) => history.length - 1),
    async stop() {
      running = false
      await done
    },
  }
}

/** Follows the table through some syncs with a reader that dies between, and looks at what arrived all the time. */
async function follow(destinationSyncMode: 'append' | 'append_dedup', seed: number, look: Look) {
  const writer = startWriter(seed)
  try {
    const made = await connect(db.setup([{ name: 'rows', destinationSyncMode }]))
    for (let n = 0; n < SYNCS; n++) {
      const least = writer.lengths()
      const sync = await start(made.connection)
      let over = false
      const record = ended(sync).finally(() => {
        over = true
      })
      if (n === 2) await killReader(made.id)
      while (!over) {
        await look(writer.histories)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      const { syncId, streams } = await record
      expect(streams.map(({ error }) => error)).toEqual([undefined])
      await settled(made.connection, syncId)
      await look(writer.histories, least)
    }
  } finally {
    await writer.stop()
  }
  return writer.histories
}

/** `least`: how much of each history must have arrived. */
type Look = (histories: History[], least?: number[]) => Promise<void>

const exists = async () =>
  (await watcher.query(`select to_regclass('dst.rows') is not null as it`)).rows[0]?.it === 't'

describe('each row of a table that is written to while it is followed', () => {
  it('has a version of its history at any moment, never an older one than before', async () => {
    const seen = Array.from({ length: KEYS }, () => 0)
    let looks = 0
    await follow('append_dedup', 1, async (histories, least) => {
      if (!(await exists())) return
      const { rows } = await watcher.query('select id, version from dst.rows')
      // Of the first sync all rows come at once.
      if (looks === 0 && rows.length === 0) return
      const versions = new Map(rows.map(({ id, version }) => [Number(id), Number(version)]))
      looks++
      histories.forEach((history, key) => {
        const from = Math.max(seen[key] as number, least?.[key] ?? 0)
        // A deletion has no version of its own: the first one that can be meant is taken.
        const place = history.indexOf(versions.get(key + 1) ?? null, from)
        expect({ key, from, place, of: versions.get(key + 1) }).toMatchObject({
          place: expect.toSatisfy((n: number) => n >= from),
        })
        seen[key] = place
      })
    })
    expect(looks).toBeGreaterThan(SYNCS)
    expect(seen.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(KEYS)
  }, 120_000)

  it('has all of its history up to some moment, in its order, where nothing is merged', async () => {
    let changes = 0
    await follow('append', 2, async (histories, least) => {
      if (!(await exists())) return
      const { rows } = await watcher.query(`
        select id, min(version) filter (where not logged) as snapshot,
          coalesce(string_agg(coalesce(version::text, 'gone'), ' ' order by lsn) filter (where logged), '') as log
        from (select distinct id, _ab_cdc_lsn as lsn, _ab_cdc_updated_at is not null as logged,
                case when _ab_cdc_deleted_at is null then version end as version
              from dst.rows) t
        group by id`)
      changes = 0
      for (const { id, snapshot, log } of rows) {
        const history = (histories[Number(id) - 1] as History).map((v) => String(v ?? 'gone'))
        const arrived: string[] = log ? log.split(' ') : []
        const begin = placeOf(arrived, history)
        expect({ id, arrived, history: begin < 0 && history }).toMatchObject({ history: false })
        // The log begins before the row was read for the snapshot, or right after that.
        const read = snapshot ? history.indexOf(snapshot) : history.indexOf('gone', begin - 1)
        if (arrived.length > 0) expect(begin).toBeLessThanOrEqual(read + 1)
        const end = Math.max(read, begin + arrived.length - 1)
        expect(end).toBeGreaterThanOrEqual(least?.[Number(id) - 1] ?? 0)
        changes += arrived.length
      }
    })
    expect(changes).toBeGreaterThan(KEYS)
  }, 120_000)
})

/** Where a part of a history stands in it, -1 where it is none. */
function placeOf(part: string[], whole: string[]): number {
  for (let at = whole.length - part.length; at >= 0; at--)
    if (part.every((entry, n) => entry === whole[at + n])) return at
  return -1
}
