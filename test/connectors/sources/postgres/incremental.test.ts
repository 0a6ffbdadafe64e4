import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StreamState } from '../../../../src/protocol/index.ts'
import { configure, createDatabase, discover, freeze, sync, type TestDatabase } from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase('source_incremental')
})
afterAll(() => db.close())

const configured = async (table: string, cursor: string, options = {}) =>
  configure((await discover(db.config)).get(`public.${table}`), {
    syncMode: 'incremental',
    cursorField: [cursor],
    ...options,
  })

const ids = ({ rows }: { rows: Record<string, unknown>[] }) => rows.map(({ id }) => id)

/** A second session with an open transaction. */
async function session() {
  const client = new pg.Client({
    host: String(db.config.host),
    port: Number(db.config.port),
    database: String(db.config.database),
    user: String(db.config.username),
    password: String(db.config.password),
  })
  await client.connect()
  return client
}

describe('an incremental read', () => {
  it('reads what came after the last run, and an unchanged table gives nothing', async () => {
    await db.sql(
      "CREATE TABLE events (id int PRIMARY KEY, at timestamptz(6)); INSERT INTO events VALUES (1, '2026-01-01 00:00:00.000001Z'), (2, '2026-01-01 00:00:00.000002Z')",
    )
    const stream = await configured('events', 'at')
    const first = await sync(db.config, stream)
    expect(ids(first)).toEqual([1, 2])
    expect(first.state).toMatchObject({
      v: 1,
      type: 'cursor',
      cursor_field: ['at'],
      cursor: '2026-01-01 00:00:00.000002+00',
      stream_name: 'events',
      stream_namespace: 'public',
    })
    const idle = await sync(db.config, stream, first.state)
    expect(idle).toMatchObject({ rows: [], statuses: ['started', 'complete'] })
    await db.sql("INSERT INTO events VALUES (3, '2026-01-01 00:00:00.000003Z')")
    expect(ids(await sync(db.config, stream, idle.state))).toEqual([3])
  })

  it.each([
    ['with a key', 'PRIMARY KEY'],
    ['without a key', ''],
  ])('finds rows that arrive later with an equal cursor, once each, %s', async (name, key) => {
    const table = `ties_${name.replaceAll(' ', '_')}`
    await db.sql(
      `CREATE TABLE ${table} (id int ${key}, day date, v int DEFAULT 0); INSERT INTO ${table} VALUES (5, '2026-01-02'), (6, '2026-01-02'), (1, '2026-01-01')`,
    )
    const stream = await configured(table, 'day')
    let run = await sync(db.config, stream)
    expect(ids(run)).toEqual([1, 5, 6])
    await db.sql(`INSERT INTO ${table} VALUES (2, '2026-01-02'), (9, '2026-01-02')`)
    run = await sync(db.config, stream, run.state)
    expect(ids(run).sort()).toEqual([2, 9])
    await db.sql(`UPDATE ${table} SET v = 1 WHERE id = 5`)
    run = await sync(db.config, stream, run.state)
    expect(run.rows).toEqual([{ id: 5, day: '2026-01-02', v: 1 }])
    await db.sql('VACUUM FREEZE')
    run = await sync(db.config, stream, run.state)
    expect(run.rows).toEqual([])
  })

  it('leaves ties that commit after the freeze to the next run, and never reads them twice', async () => {
    await db.sql(
      "CREATE TABLE racing (id int PRIMARY KEY, day date); INSERT INTO racing VALUES (1, '2026-01-01')",
    )
    const stream = await configured('racing', 'day')
    const bound = await freeze(db.config, stream)
    await db.sql("INSERT INTO racing VALUES (2, '2026-01-01')")
    const first = await sync(db.config, stream, undefined, bound)
    expect(ids(first)).toEqual([1])
    const second = await sync(db.config, stream, first.state)
    expect(ids(second)).toEqual([2])
    expect(ids(await sync(db.config, stream, second.state))).toEqual([])
  })

  it('does not lose ties of a transaction that was open at the freeze, subtransactions too', async () => {
    await db.sql(
      "CREATE TABLE open_ties (id int PRIMARY KEY, day date); INSERT INTO open_ties VALUES (1, '2026-01-01')",
    )
    const other = await session()
    await other.query('BEGIN')
    await other.query("INSERT INTO open_ties VALUES (2, '2026-01-01')")
    await other.query('SAVEPOINT s')
    await other.query("INSERT INTO open_ties VALUES (3, '2026-01-01')")
    await db.sql("INSERT INTO open_ties VALUES (4, '2026-01-01')")
    const stream = await configured('open_ties', 'day')
    const first = await sync(db.config, stream)
    expect(ids(first)).toEqual([1, 4])
    await other.query('COMMIT')
    await other.end()
    const second = await sync(db.config, stream, first.state)
    expect(ids(second)).toEqual([2, 3])
    expect(ids(await sync(db.config, stream, second.state))).toEqual([])
  })

  it.each([
    ['timestamp', "'2026-01-01 00:00:10'", "'2026-01-01 00:00:05'", 6],
    ['timestamptz', "'2026-01-01 00:00:10Z'", "'2026-01-01 00:00:05Z'", 6],
    ['date', "'2026-01-02'", "'2026-01-01'", 3600],
    ['int', '100', '95', 6],
    ['bigint', '9007199254740993', '9007199254740990', 6],
    ['numeric', '10.5', '5.5', 6],
  ])(
    'looks back for late commits over a %s cursor, without reading rows twice',
    async (type, now, late, lookbackSeconds) => {
      const table = `late_${type}`
      await db.sql(
        `CREATE TABLE ${table} (id int PRIMARY KEY, c ${type}); INSERT INTO ${table} VALUES (2, ${late}), (9, ${now})`,
      )
      const stream = await configured(table, 'c', { lookbackSeconds })
      const first = await sync(db.config, stream)
      await db.sql(`INSERT INTO ${table} VALUES (1, ${late})`)
      const second = await sync(db.config, stream, first.state)
      expect(ids(second)).toEqual([1])
      expect(ids(await sync(db.config, stream, second.state))).toEqual([])
      // Without the lookback the late row is behind the cursor.
      const strict = await sync(db.config, await configured(table, 'c'))
      await db.sql(`INSERT INTO ${table} VALUES (3, ${late})`)
      expect(ids(await sync(db.config, await configured(table, 'c'), strict.state))).toEqual([])
    },
  )

  it.each(['records', 'pg-copy-text'] as const)(
    'resumes from every state with exactly the rows that remain, over ties (%s)',
    async (format) => {
      const table = `resume_${format.replaceAll('-', '_')}`
      for (const key of ['PRIMARY KEY', '']) {
        await db.sql(
          `DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (id int ${key}, at timestamp, note text); INSERT INTO ${table} SELECT n, CASE WHEN n % 10 > 0 THEN timestamp '2026-01-01' + n / 7 * interval '1 s' END, E'a\\tb' FROM generate_series(1, 60) n ORDER BY md5(n::text)`,
        )
        const config = { ...db.config, checkpoint_rows: 4 }
        const stream = await configured(table, 'at', { format })
        const whole = await sync(config, stream)
        const all = format === 'records' ? whole.rows : whole.lines
        expect(all).toHaveLength(60)
        expect(new Set(all.map((row) => JSON.stringify(row))).size).toBe(60)
        expect(whole.states.length).toBeGreaterThan(10)
        for (const { state, rowsBefore } of whole.states) {
          const rest = await sync(config, stream, state)
          expect(format === 'records' ? rest.rows : rest.lines).toEqual(all.slice(rowsBefore))
        }
      }
    },
  )

  it('finishes an interrupted window before the next, and loses nothing that came between', async () => {
    await db.sql(
      "CREATE TABLE cut (id int PRIMARY KEY, day date); INSERT INTO cut SELECT n, date '2026-01-01' + n / 4 FROM generate_series(1, 15) n",
    )
    const stream = await configured('cut', 'day')
    const config = { ...db.config, checkpoint_rows: 2 }
    const bound = await freeze(config, stream)
    await db.sql("INSERT INTO cut VALUES (100, '2026-01-04')")
    const first = await sync(config, stream, undefined, bound)
    const middle = first.states.at(-2) as { state: StreamState; rowsBefore: number }
    expect(middle.state.window).toBeDefined()
    await db.sql("INSERT INTO cut VALUES (101, '2026-01-05'), (102, '2026-01-04')")
    const rest = await sync(config, stream, middle.state)
    const seen = [...ids(first).slice(0, middle.rowsBefore), ...ids(rest)]
    expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual([
      ...Array.from({ length: 15 }, (_, i) => i + 1),
      100,
      101,
      102,
    ])
  })

  it.each([
    ['of a table', ''],
    ['of partitions', 'PARTITION BY HASH (id)'],
  ])('reads rows %s without a cursor value once each, whenever they come', async (name, how) => {
    const table = `holes_${name.replaceAll(' ', '_')}`
    await db.sql(`CREATE TABLE ${table} (id int PRIMARY KEY, c int, v int DEFAULT 0) ${how}`)
    if (how) {
      await db.sql(`CREATE TABLE ${table}_a PARTITION OF ${table}
        FOR VALUES WITH (MODULUS 1, REMAINDER 0)`)
    }
    await db.sql(`INSERT INTO ${table} VALUES (1, NULL), (2, NULL)`)
    const stream = await configured(table, 'c')
    const first = await sync(db.config, stream)
    expect(ids(first).sort()).toEqual([1, 2])
    await db.sql(`INSERT INTO ${table} VALUES (3, NULL), (4, 6)`)
    const second = await sync(db.config, stream, first.state)
    expect(ids(second)).toEqual([3, 4])
    const idle = await sync(db.config, stream, second.state)
    expect(ids(idle)).toEqual([])
    await db.sql(`UPDATE ${table} SET v = 1 WHERE id = 1`)
    await db.sql(`VACUUM FREEZE ${table}`)
    const third = await sync(db.config, stream, idle.state)
    expect(third.rows).toEqual([{ id: 1, c: null, v: 1 }])
    expect(ids(await sync(db.config, stream, third.state))).toEqual([])
  })

  it('leaves rows without a cursor value that commit after the freeze to the next run', async () => {
    await db.sql('CREATE TABLE late_holes (id int PRIMARY KEY, c int)')
    await db.sql('INSERT INTO late_holes VALUES (1, NULL)')
    const other = await session()
    await other.query('BEGIN; INSERT INTO late_holes VALUES (2, NULL)')
    await db.sql('INSERT INTO late_holes VALUES (3, NULL)')
    const stream = await configured('late_holes', 'c')
    const bound = await freeze(db.config, stream)
    await other.query('COMMIT')
    await other.end()
    await db.sql('INSERT INTO late_holes VALUES (4, NULL)')
    const first = await sync(db.config, stream, undefined, bound)
    expect(ids(first)).toEqual([1, 3])
    const second = await sync(db.config, stream, first.state)
    expect(ids(second)).toEqual([2, 4])
  })

  it('goes on behind the rows without a cursor value that a run has read when it is interrupted', async () => {
    await db.sql(
      'CREATE TABLE half (id int PRIMARY KEY, c int); INSERT INTO half VALUES (1, NULL), (2, 1)',
    )
    const stream = await configured('half', 'c')
    const first = await sync(db.config, stream)
    await db.sql('INSERT INTO half VALUES (3, NULL), (4, 2), (5, 3)')
    const bound = await freeze(db.config, stream)
    const second = await sync(db.config, stream, first.state, bound)
    const after = second.states[0] as { state: StreamState; rowsBefore: number }
    expect(after.rowsBefore).toBe(1)
    expect(ids(await sync(db.config, stream, after.state, bound))).toEqual([4, 5])
    await db.sql('INSERT INTO half VALUES (6, NULL)')
    expect(ids(await sync(db.config, stream, after.state))).toEqual([4, 5, 6])
    await db.sql('CREATE TABLE bare (id int PRIMARY KEY, c int); INSERT INTO bare VALUES (1, NULL)')
    const bare = await configured('bare', 'c')
    const all = await sync(db.config, bare)
    expect(ids(await sync(db.config, bare, all.states[0]?.state))).toEqual([])
  })

  it('reads all rows of a view without a cursor value at each run where they are merged, and says so where not', async () => {
    await db.sql(`CREATE TABLE open (id int, c int); INSERT INTO open VALUES (1, NULL), (2, 5);
      CREATE VIEW opened AS SELECT * FROM open`)
    const appended = await configured('opened', 'c')
    const first = await sync(db.config, appended)
    expect(ids(first)).toEqual([1, 2])
    await db.sql('INSERT INTO open VALUES (3, NULL)')
    const second = await sync(db.config, appended, first.state)
    expect(ids(second)).toEqual([2])
    const warned = second.events.find(({ type }) => type === 'log')
    expect(warned).toMatchObject({ level: 'warn', warning: 'ROWS_WITHOUT_CURSOR' })
    expect(warned).toMatchObject({ message: expect.stringMatching(/opened.*2 rows.*'c'.*\(1\)/s) })
    const merged = { ...appended, destinationSyncMode: 'append_dedup' as const }
    expect(ids(await sync(db.config, merged, second.state))).toEqual([1, 3, 2])
  })

  it('reads a view from its last cursor value on, so that no tie is lost', async () => {
    await db.sql(
      'CREATE TABLE base (id int, c int); INSERT INTO base VALUES (1, 1), (2, 2); CREATE VIEW over AS SELECT * FROM base',
    )
    const stream = await configured('over', 'c')
    const first = await sync(db.config, stream)
    await db.sql('INSERT INTO base VALUES (3, 2)')
    expect(ids(await sync(db.config, stream, first.state)).sort()).toEqual([2, 3])
  })

  it('reads partitioned tables by cursor', async () => {
    await db.sql(`CREATE TABLE log (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
      CREATE TABLE log_a PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
      CREATE TABLE log_b PARTITION OF log FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
      INSERT INTO log VALUES (2, '2026-02-05'), (1, '2026-01-05')`)
    const stream = await configured('log', 'at')
    const first = await sync(db.config, stream)
    expect(ids(first)).toEqual([1, 2])
    await db.sql("INSERT INTO log VALUES (0, '2026-02-05')")
    expect(ids(await sync(db.config, stream, first.state))).toEqual([0])
  })

  it('starts from a cursor state of Airbyte', async () => {
    const stream = await configured('events', 'at')
    const state = {
      cursor_field: ['at'],
      cursor: '2026-01-01T00:00:00.000002Z',
      stream_name: 'events',
    }
    expect(ids(await sync(db.config, stream, state))).toEqual([2, 3])
  })

  it('refuses a cursor that does not exist, cannot be one, or differs from the state', async () => {
    const errorOf = async (cursor: string, state?: StreamState) =>
      (await sync(db.config, await configured('events', cursor), state)).events.find(
        (e) => e.type === 'error',
      )
    expect(await errorOf('nope')).toMatchObject({
      error: { code: 'CURSOR_MISSING', didYouMean: ['id', 'at'] },
    })
    const state = (await sync(db.config, await configured('events', 'at'))).state
    expect(await errorOf('id', state)).toMatchObject({ error: { code: 'STATE_INVALID' } })
  })

  it('lets no statement in through a state', async () => {
    const stream = await configured('events', 'at')
    const state = { ...(await sync(db.config, stream)).state, horizon: '0) OR (SELECT true' }
    const { events } = await sync(db.config, stream, state)
    expect(events.find((e) => e.type === 'error')).toBeDefined()
  })
})
