import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import r2 from '../../connectors/destinations/r2/index.ts'
import { closePostgres } from '../../src/runtime/postgres/client.ts'
import { type CdcDatabase, ctx, killReader, openDatabase } from './cdc-support.ts'
import { seeded } from './cdc-writer.ts'
import { connect, ended, type Setup, settled, start } from './harness.ts'

const KEYS = 30
const SYNCS = 4

/** A value that PostgreSQL stores apart, and leaves out of the log of updates that do not touch it. */
const LARGE = 3000
const large = (version: number) => `lpad('${version}', ${LARGE}, '.')`

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
    create table src.rows (id int primary key, version int not null, large text);
    alter table src.rows alter large set storage external;
    insert into src.rows select n, 1, ${large(1)} from generate_series(1, ${KEYS}) n`)
})

/**
 * Updates, deletes and brings back rows, each version once; a row is in its history before it is
 * committed. One update in four writes the large value too.
 */
function startWriter(seed: number) {
  const random = seeded(seed)
  const histories = Array.from({ length: KEYS }, (): History => [1])
  const versions = histories.map(() => 1)
  /** By row and version: the version that wrote the large value. */
  const written = histories.map(() => [0, 1])
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
    const writes = gone || random() < 0.25
    const before = (written[key] as number[])[version - 1] as number
    written[key]?.push(writes ? version : before)
    if (gone) return `insert into src.rows values (${id}, ${version}, ${large(version)})`
    const set = writes ? `, large = ${large(version)}` : ''
    return `update src.rows set version = ${version}${set} where id = ${id}`
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
    written,
    /** How much of each history has been committed, but for what is being committed now. */
    lengths: () => histories.map((history) => history.length - 1),
    async stop() {
      running = false
      await done
    },
  }
}

type Writer = ReturnType<typeof startWriter>

/** Follows the table through some syncs with a reader that dies between, and looks at what arrived all the time. */
async function follow(
  destinationSyncMode: 'append' | 'append_dedup',
  seed: number,
  look: Look,
  destination?: Setup['destination'],
) {
  const writer = startWriter(seed)
  try {
    const setup = db.setup([{ name: 'rows', destinationSyncMode }])
    const made = await connect({ ...setup, ...(destination && { destination }) })
    for (let n = 0; n < SYNCS; n++) {
      const least = writer.lengths()
      const sync = await start(made.connection)
      let over = false
      const record = ended(sync).finally(() => {
        over = true
      })
      if (n === 2) await killReader(made.id)
      while (!over) {
        await look(writer)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      const { syncId, streams } = await record
      expect(streams.map(({ error }) => error)).toEqual([undefined])
      await settled(made.connection, syncId)
      await look(writer, least)
    }
  } finally {
    await writer.stop()
  }
}

/** `least`: how much of each history must have arrived. */
type Look = (writer: Writer, least?: number[]) => Promise<void>

interface Row {
  id: number
  version: number
  /** The large value, without its filling, and its length. */
  mark: string | null
  size: number
}

/** Looks at a table in which rows are merged: none is ever older than at the last look, and all are whole. */
function merged(read: () => Promise<Row[] | null>) {
  const seen = Array.from({ length: KEYS }, () => 0)
  const looks = { count: 0, keptOf: 0, seen }
  const look: Look = async ({ histories, written }, least) => {
    const rows = await read()
    // Of the first sync all rows come at once.
    if (!rows || (looks.count === 0 && rows.length === 0)) return
    const versions = new Map(rows.map(({ id, version }) => [id, version]))
    looks.count++
    histories.forEach((history, key) => {
      const from = Math.max(seen[key] as number, least?.[key] ?? 0)
      // A deletion has no version of its own: the first one that can be meant is taken.
      const place = history.indexOf(versions.get(key + 1) ?? null, from)
      expect({ key, from, place, of: versions.get(key + 1) }).toMatchObject({
        place: expect.toSatisfy((n: number) => n >= from),
      })
      seen[key] = place
    })
    const marks = rows.map(({ id, version }) => ({
      ...{ id, version, size: LARGE },
      mark: String(written[id - 1]?.[version]),
    }))
    expect(rows).toEqual(marks)
    looks.keptOf = Math.max(
      looks.keptOf,
      rows.filter(({ mark, version }) => mark !== String(version)).length,
    )
  }
  return { looks, look }
}

const exists = async () =>
  (await watcher.query(`select to_regclass('dst.rows') is not null as it`)).rows[0]?.it === 't'

async function fromPostgres(): Promise<Row[] | null> {
  if (!(await exists())) return null
  const { rows } = await watcher.query(
    `select id, version, ltrim(large, '.') as mark, length(large) as size from dst.rows order by id`,
  )
  return rows.map(({ id, version, mark, size }) => ({
    ...{ id: Number(id), version: Number(version), mark, size: Number(size) },
  }))
}

async function fromWarehouse(): Promise<Row[] | null> {
  const table = await r2.table?.(
    ctx,
    { path_prefix: 'history' },
    { namespace: 'dst', table: 'rows' },
  )
  if (!table) return null
  const rows: Row[] = []
  for await (const { length, columns } of table.read(['id', 'version', 'large'])) {
    for (let row = 0; row < length; row++) {
      const [id, version, large] = columns.map((cells) => cells[row])
      const text = String(large ?? '')
      rows.push({
        ...{ id: Number(id), version: Number(version), size: text.length },
        mark: text.replace(/^\.+/, ''),
      })
    }
  }
  return rows.sort((a, b) => a.id - b.id)
}

describe('each row of a table that is written to while it is followed', () => {
  it.each([
    ['PostgreSQL', undefined, fromPostgres, 1],
    ['the warehouse', { type: 'r2', config: { path_prefix: 'history' } }, fromWarehouse, 3],
  ] as const)(
    'has a version of its history at any moment in %s, whole, never an older one than before',
    async (_, destination, read, seed) => {
      const { looks, look } = merged(read)
      await follow('append_dedup', seed, look, destination)
      expect(looks.count).toBeGreaterThan(SYNCS)
      expect(looks.keptOf).toBeGreaterThan(0)
      expect(looks.seen.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(KEYS)
    },
    120_000,
  )

  it('has all of its history up to some moment, in its order, where nothing is merged', async () => {
    let changes = 0
    await follow('append', 2, async ({ histories }, least) => {
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
