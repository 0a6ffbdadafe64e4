import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configure, createDatabase, discover, freeze, sync, type TestDatabase } from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase('source_full_refresh')
})
afterAll(() => db.close())

const small = (chunk_rows = 7, checkpoint_rows = 3) => ({
  ...db.config,
  chunk_rows,
  checkpoint_rows,
})

const configured = async (table: string, options = {}) =>
  configure((await discover(db.config)).get(`public.${table}`), options)

const ALL_KEYS: Record<string, { key: string; order: string; rows: string }> = {
  bigints: {
    key: 'id bigint',
    order: 'id',
    rows: 'SELECT 9007199254740990 + n AS id FROM generate_series(1, 50) n',
  },
  composite: {
    key: 'a int, b text, c date',
    order: 'a, b, c',
    rows: "SELECT n % 3, 'x' || n % 5, date '2026-01-01' + n FROM generate_series(1, 50) n",
  },
  uuids: {
    key: 'id uuid',
    order: 'id',
    rows: 'SELECT md5(n::text)::uuid FROM generate_series(1, 50) n',
  },
  collated: {
    key: 'id text COLLATE "en-x-icu"',
    order: 'id',
    rows: "SELECT (ARRAY['a','A','ä','Z','z','-b','b','_','É','é'])[1 + n % 10] || n FROM generate_series(1, 50) n",
  },
  insensitive: {
    key: 'id text COLLATE any_case',
    order: 'id',
    rows: "SELECT CASE WHEN n % 2 = 0 THEN 'Key' ELSE 'kEY' END || n FROM generate_series(1, 50) n",
  },
  escapes: {
    key: 'id text',
    order: 'id',
    rows: "SELECT n || E'\\t\\n\\\\N''\"\\r\\u00e9' FROM generate_series(1, 50) n",
  },
  padded: { key: 'id char(5)', order: 'id', rows: 'SELECT n::text FROM generate_series(1, 50) n' },
  moments: {
    key: 'id timestamptz',
    order: 'id',
    rows: "SELECT timestamptz '2026-01-01 00:00:00.000001+02' + n * interval '1 microsecond' FROM generate_series(1, 50) n",
  },
  bytes: {
    key: 'id bytea',
    order: 'id',
    rows: "SELECT decode(md5(n::text), 'hex') FROM generate_series(1, 50) n",
  },
  floats: {
    key: 'id float8',
    order: 'id',
    rows: "SELECT n / 3.0 FROM generate_series(1, 47) n UNION ALL VALUES ('NaN'::float8), ('Infinity'), ('-Infinity')",
  },
  decimals: {
    key: 'id numeric',
    order: 'id',
    rows: 'SELECT n / 7.0 FROM generate_series(1, 50) n',
  },
  enums: {
    key: 'mood mood, id int',
    order: 'mood, id',
    rows: 'SELECT (enum_range(NULL::mood))[1 + n % 3], n FROM generate_series(1, 50) n',
  },
  domains: { key: 'id positive', order: 'id', rows: 'SELECT n FROM generate_series(1, 50) n' },
  addresses: {
    key: 'id inet',
    order: 'id',
    rows: "SELECT inet '10.0.0.0' + n FROM generate_series(1, 50) n",
  },
  flags: {
    key: 'f bool, id "char", n int',
    order: 'f, id, n',
    rows: "SELECT n % 2 = 0, 'x', n FROM generate_series(1, 50) n",
  },
  'interval keys': {
    key: 'id interval',
    order: 'id',
    rows: "SELECT n * interval '1 hour' FROM generate_series(1, 50) n",
  },
  bits: { key: 'id bit(8)', order: 'id', rows: 'SELECT n::bit(8) FROM generate_series(1, 50) n' },
}

describe('a full refresh by primary key', () => {
  beforeAll(async () => {
    await db.sql(
      "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN positive AS int CHECK (value > 0); CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    )
    for (const [name, { key, order, rows }] of Object.entries(ALL_KEYS)) {
      await db.sql(
        `CREATE TABLE "${name}" (${key}, note text, PRIMARY KEY (${order})); INSERT INTO "${name}" SELECT *, 'n' FROM (${rows}) r; ANALYZE "${name}"`,
      )
    }
  })

  it.each(Object.keys(ALL_KEYS))(
    'pages over %s, and every state resumes with exactly the rows that remain',
    async (table) => {
      const stream = await configured(table, { format: 'pg-copy-text' })
      const bound = await freeze(db.config, stream)
      const whole = await sync(small(), stream, undefined, bound)
      expect(whole.statuses).toEqual(['started', 'running', 'complete'])
      expect(whole.lines).toHaveLength(50)
      expect(new Set(whole.lines).size).toBe(50)
      const expected = await db.sql(`SELECT count(DISTINCT t) AS n FROM "${table}" t`)
      expect(Number(expected.rows[0].n)).toBe(50)
      expect(whole.states).toHaveLength(15)
      for (const { state, rowsBefore } of whole.states) {
        const rest = await sync(small(11, 4), stream, state, bound)
        expect(rest.lines).toEqual(whole.lines.slice(rowsBefore))
      }
      const records = await sync(small(), { ...stream, format: 'records' })
      expect(records.rows).toHaveLength(50)
    },
  )

  it('does not go beyond the frozen key', async () => {
    await db.sql('CREATE TABLE growing (id int PRIMARY KEY); INSERT INTO growing VALUES (1), (2)')
    const stream = await configured('growing')
    const bound = await freeze(db.config, stream)
    await db.sql('INSERT INTO growing VALUES (3)')
    expect((await sync(db.config, stream, undefined, bound)).rows).toEqual([{ id: 1 }, { id: 2 }])
  })

  it('reads the key although it is not selected', async () => {
    const all = await sync(small(), await configured('composite', { format: 'pg-copy-text' }))
    for (const format of ['pg-copy-text', 'records'] as const) {
      const stream = await configured('composite', { format, selectedFields: ['note', 'b'] })
      const whole = await sync(small(), stream)
      expect(whole.batches[0]?.schema.map(({ name }) => name)).toEqual(['b', 'note'])
      if (format === 'records') expect(whole.rows[0]).toEqual({ b: 'x0', note: 'n' })
      else
        expect(whole.lines).toEqual(
          all.lines.map((l) => l.split('\t').toSpliced(2, 1).toSpliced(0, 1).join('\t')),
        )
      const middle = whole.states[5]
      const rest = await sync(small(), stream, middle?.state)
      expect(rest.rows.length + rest.lines.length).toBe(50 - (middle?.rowsBefore ?? 0))
    }
  })

  it('says complete for an empty table, and for one that is done', async () => {
    await db.sql('CREATE TABLE empty_table (id int PRIMARY KEY)')
    const stream = await configured('empty_table')
    const first = await sync(db.config, stream)
    expect(first.statuses).toEqual(['started', 'complete'])
    const again = await sync(
      small(),
      await configured('bigints'),
      (await sync(small(), await configured('bigints'))).state,
    )
    expect(again).toMatchObject({ rows: [], statuses: ['started', 'complete'] })
  })
})

describe('a full refresh without a key', () => {
  it('reads a table by its pages and resumes at each', async () => {
    await db.sql(
      "CREATE TABLE keyless AS SELECT n, repeat('x', 500) AS filler FROM generate_series(1, 1000) n",
    )
    const stream = await configured('keyless')
    const config = { ...db.config, chunk_bytes: 8192 * 7 }
    const whole = await sync(config, stream)
    expect(whole.rows.map(({ n }) => n)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1))
    expect(whole.states.length).toBeGreaterThan(5)
    for (const { state, rowsBefore } of whole.states) {
      expect((await sync(config, stream, state)).rows).toHaveLength(1000 - rowsBefore)
    }
  })

  it('refuses to resume in a table that was rewritten', async () => {
    const stream = await configured('keyless')
    const { states } = await sync({ ...db.config, chunk_bytes: 8192 * 7 }, stream)
    await db.sql('VACUUM FULL keyless')
    const result = await sync(db.config, stream, states[1]?.state)
    expect(result.events).toContainEqual(
      expect.objectContaining({
        type: 'error',
        error: expect.objectContaining({ code: 'STATE_INVALID' }),
      }),
    )
    expect(result.statuses).toEqual(['started', 'incomplete'])
  })

  it('reads views, materialized views, partitioned tables, and parents without their heirs', async () => {
    await db.sql(`
      CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
      CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
      CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
      INSERT INTO parts VALUES (1, '2026-01-05'), (2, '2026-02-05');
      CREATE VIEW part_view AS SELECT * FROM parts;
      CREATE MATERIALIZED VIEW part_copy AS SELECT * FROM parts;
      CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE heir () INHERITS (parent);
      INSERT INTO parent VALUES (1); INSERT INTO heir VALUES (1)`)
    expect((await discover(db.config)).has('public.parts_a')).toBe(false)
    for (const table of ['parts', 'part_view', 'part_copy']) {
      const { rows } = await sync(db.config, await configured(table))
      expect(rows.map(({ id }) => id).sort()).toEqual([1, 2])
    }
    expect((await sync(db.config, await configured('parent'))).rows).toEqual([{ id: 1 }])
  })
})
