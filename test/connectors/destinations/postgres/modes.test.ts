import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { Cell, Column, RowOp } from '../../../../src/protocol/index.ts'
import type { Loader, StreamPlan } from '../../../../src/runtime/contract.ts'
import {
  chunk,
  createTestDatabase,
  encoded,
  planOf,
  records,
  type TestDatabase,
  USERS,
} from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase('dest_modes')
})
afterAll(() => db.drop())
beforeEach(() => db.sql.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'))

const at = (day: number) => `2026-01-0${day}T00:00:00Z`
const names = () => db.rows('SELECT id::int, name FROM users ORDER BY id, name')
const tables = async () =>
  (
    await db.rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%users%'")
  ).map(({ relname }) => relname)

let fence = 0
/** One whole sync of one chunk. */
async function sync(plan: Partial<StreamPlan>, rows: Cell[][], extra = {}): Promise<Loader> {
  fence++
  const loader = await db.open(plan)
  await loader.prepare(fence)
  const columns = planOf(plan).columns
  if (rows.length > 0) await loader.load(chunk(`c${fence}`, [records(columns, rows, extra)]), fence)
  await loader.finish(fence)
  return loader
}

describe('append_dedup', () => {
  const dedup: Partial<StreamPlan> = { mode: 'append_dedup', cursorField: ['updated'] }

  it('leaves alone what somebody else added to the table, and nulls what the stream had', async () => {
    const wide = [...USERS, { name: 'age', type: 'integer' as const }]
    const first = await db.open({ ...dedup, columns: wide })
    await first.prepare(1)
    await first.load(chunk('c1', [records(wide, [[1, 'a', '2026-01-01T00:00:00Z', 7]])]), 1)
    await db.sql.query(`ALTER TABLE users ADD note text; UPDATE users SET note = 'mine'`)
    const again = async (fence: number) => {
      const loader = await db.open(dedup)
      await loader.prepare(fence)
      const rows = [[1, `v${fence}`, `2026-01-0${fence}T00:00:00Z`]]
      await loader.load(chunk(`c${fence}`, [records(USERS, rows)]), fence)
      return db.rows('SELECT name, age, note FROM users')
    }
    expect(await again(2)).toEqual([{ name: 'v2', age: null, note: 'mine' }])
    // Of a table that an earlier version made nobody knows: what is there counts as the stream's.
    await db.sql.query('DROP TABLE _airbyte_columns')
    expect(await again(3)).toEqual([{ name: 'v3', age: null, note: null }])
    await db.sql.query(
      `ALTER TABLE users ADD late text; UPDATE users SET note = 'x', late = 'mine'`,
    )
    expect(await again(4)).toEqual([{ name: 'v4', age: null, note: null }])
    expect(await db.rows('SELECT late FROM users')).toEqual([{ late: 'mine' }])
  })

  it('keeps one row per key: the larger cursor, of equal ones the later', async () => {
    await sync(dedup, [
      [1, 'old', at(1)],
      [1, 'newest', at(3)],
      [1, 'late', at(2)],
      [2, 'first', at(1)],
      [2, 'second', at(1)],
      [3, 'no cursor', null],
    ])
    expect(await names()).toEqual([
      { id: 1, name: 'newest' },
      { id: 2, name: 'second' },
      { id: 3, name: 'no cursor' },
    ])
    await sync(dedup, [
      [1, 'older', at(2)],
      [2, 'third', at(1)],
      [3, 'with cursor', at(1)],
      [4, 'new', at(1)],
    ])
    expect(await names()).toEqual([
      { id: 1, name: 'newest' },
      { id: 2, name: 'third' },
      { id: 3, name: 'with cursor' },
      { id: 4, name: 'new' },
    ])
  })

  it('keeps the later row where there is no cursor', async () => {
    await sync({ mode: 'append_dedup' }, [
      [1, 'a', at(2)],
      [1, 'b', at(1)],
    ])
    await sync({ mode: 'append_dedup' }, [[1, 'c', null]])
    expect(await names()).toEqual([{ id: 1, name: 'c' }])
  })

  it('deletes rows marked so, and takes one that comes back', async () => {
    await sync(dedup, [
      [1, 'a', at(1)],
      [2, 'b', at(1)],
    ])
    const marked = [
      [1, null, null],
      [2, null, null],
      [2, 'again', at(1)],
      [9, null, null],
    ]
    await sync(dedup, marked, { op: ['d', 'd', 'u', 'd'] })
    expect(await names()).toEqual([{ id: 2, name: 'again' }])
  })

  it('deletes rows with _ab_cdc_deleted_at, on the byte path', async () => {
    const columns: Column[] = [
      ...USERS,
      { name: '_ab_cdc_deleted_at', type: 'timestamp_with_timezone' },
    ]
    const loader = await db.open({ mode: 'append_dedup', columns })
    await loader.prepare(++fence)
    const load = (id: string, text: string) =>
      loader.load(chunk(id, [encoded(columns, text)]), fence)
    await load('d1', '1\ta\t\\N\t\\N\n2\tb\t\\N\t\\N\n')
    await load('d2', '1\ta\t\\N\t2026-01-01 00:00:00+00\n3\tc\t\\N\t\\N\n')
    expect(await names()).toEqual([
      { id: 2, name: 'b' },
      { id: 3, name: 'c' },
    ])
  })

  it('rejects a row without its key and loads the others', async () => {
    const columns: Column[] = [
      { name: 'a', type: 'integer' },
      { name: 'b', type: 'string' },
      { name: 'v', type: 'number' },
    ]
    const loader = await db.open({ mode: 'append_dedup', columns, primaryKey: [['b'], ['a']] })
    await loader.prepare(++fence)
    const rows = [
      [1, 'x', '12345678901234567890.5'],
      [2, null, '1.50'],
      [null, 'y', 1],
    ]
    const result = await loader.load(chunk('n1', [records(columns, rows)]), fence)
    expect(result.rows).toBe(1)
    expect(result.rejects).toEqual([
      { reason: 'a primary key column is null', field: 'b', row: '{"a":2,"b":null,"v":1.50}' },
      { reason: 'a primary key column is null', field: 'a', row: '{"a":null,"b":"y","v":1}' },
    ])
  })

  it('keeps a row that it rejects under the names of the stream, whatever its table calls them', async () => {
    const long = 'n'.repeat(70)
    const columns: Column[] = [
      { name: 'id', type: 'integer' },
      { name: long, type: 'string' },
    ]
    // A mark for deleted rows is the destination's own.
    const soft = { cdc_deletion_mode: 'Soft delete' }
    const loader = await db.open({ mode: 'append_dedup', columns, primaryKey: [['id']] }, soft)
    await loader.prepare(++fence)
    await db.sql.query('ALTER TABLE users ADD CONSTRAINT few CHECK (id < 5)')
    const rows = [
      [null, 'a'],
      [9, 'b\'"\\'],
    ]
    const body = [records(columns, rows)]
    const { rejects } = await loader.load(chunk('n2', body, { isolateBadRows: true }), fence)
    expect(rejects.map(({ row }) => JSON.parse(row))).toEqual([
      { id: null, [long]: 'a' },
      { id: 9, [long]: 'b\'"\\' },
    ])
  })

  describe('with soft deletion', () => {
    const columns: Column[] = [
      ...USERS.slice(0, 2),
      { name: '_ab_cdc_lsn', type: 'integer' },
      { name: '_ab_cdc_deleted_at', type: 'timestamp_with_timezone' },
    ]
    const plan: Partial<StreamPlan> = {
      ...{ mode: 'append_dedup', columns, cursorField: ['_ab_cdc_lsn'] },
    }
    const soft = { cdc_deletion_mode: 'Soft delete' }
    const shown = () =>
      db.rows('SELECT id::int, name, _ab_cdc_deleted_at IS NOT NULL AS gone FROM users ORDER BY id')
    let n = 0
    const load = async (loader: Loader, rows: Cell[][], op: RowOp[], of = columns) =>
      loader.load(chunk(`soft${++n}`, [records(of, rows, { op })]), fence)

    it('keeps deleted rows and their values, with the time of deletion', async () => {
      const loader = await db.open(plan, soft)
      await loader.prepare(++fence)
      await load(
        loader,
        [
          [1, 'a', 1, null],
          [2, 'b', 1, null],
        ],
        ['u', 'u'],
      )
      const deletions: Cell[][] = [
        [1, null, 2, at(2)],
        [9, null, 2, at(2)],
      ]
      await load(loader, deletions, ['d', 'd'])
      const deleted = [
        { id: 1, name: 'a', gone: true },
        { id: 2, name: 'b', gone: false },
        { id: 9, name: null, gone: true },
      ]
      expect(await shown()).toEqual(deleted)
      await load(loader, [[1, 'a', 1, null]], ['u'])
      expect(await shown(), 'a replay').toEqual(deleted)
      await load(
        loader,
        [
          [1, 'again', 3, null],
          [null, null, 4, at(4)],
        ],
        ['u', 't'],
      )
      expect((await shown()).map(({ gone }) => gone)).toEqual([true, true, true])
      await load(loader, [[2, 'again', 5, null]], ['u'])
      expect((await shown())[1]).toEqual({ id: 2, name: 'again', gone: false })
    })

    it('adds the column for the time where the stream has none, and does not read it back', async () => {
      const loader = await db.open({ mode: 'append_dedup' }, soft)
      await loader.prepare(++fence)
      await load(
        loader,
        [
          [1, 'a', null],
          [1, null, null],
        ],
        ['u', 'd'],
        USERS,
      )
      const [row] = await db.rows('SELECT _ab_cdc_deleted_at FROM users')
      expect(row?._ab_cdc_deleted_at).toEqual(new Date(Date.UTC(2026, 10, 23)))
      for await (const batch of loader.readBack?.() ?? []) expect(batch.schema).toEqual(USERS)
    })
  })

  it('keeps tombstones for as long as the generation', async () => {
    const plan: Partial<StreamPlan> = { mode: 'append_dedup', cursorField: ['updated'] }
    const buried = () =>
      db.rows('SELECT generation_id::int AS g FROM _airbyte_tombstones WHERE length(key) = 32')
    await sync(plan, [[1, null, at(2)]], { op: ['d'] })
    expect(await buried()).toEqual([{ g: 1 }])
    await sync(plan, [[1, 'late', at(1)]])
    expect(await names()).toEqual([])
    await sync(plan, [[1, 'back', at(3)]])
    await sync(plan, [[1, 'late', at(1)]])
    expect(await names()).toEqual([{ id: 1, name: 'back' }])
    await sync(plan, [[1, null, null]], { op: ['d'] })
    expect(await names(), 'a deletion without a cursor').toEqual([])
    await sync(plan, [[1, 'back again', at(3)]])
    await sync(plan, [[1, null, at(4)]], { op: ['d'] })
    await sync({ ...plan, generationId: 2, minimumGenerationId: 2 }, [[1, 'read again', at(1)]])
    expect(await names()).toEqual([{ id: 1, name: 'read again' }])
    expect(await buried()).toEqual([])
  })

  it('tells late rows by the highest position of a deletion, also where that is forgotten', async () => {
    const plan: Partial<StreamPlan> = { mode: 'append_dedup', cursorField: ['updated'] }
    const highest = () => db.rows('SELECT position FROM _airbyte_tombstones WHERE length(key) = 1')
    const deleted = [
      [1, null, at(3)],
      [2, null, at(5)],
      [3, null, at(4)],
    ]
    await sync(plan, deleted, { op: ['d', 'd', 'd'] })
    const known = await highest()
    expect(known).toEqual([{ position: expect.stringContaining('2026-01-05') }])
    const late = [
      [1, 'late', at(2)],
      [2, 'late', at(4)],
      [3, 'back', at(4)],
      [4, 'new', at(1)],
      [5, 'no cursor', null],
    ]
    await sync(plan, late)
    const standing = [
      { id: 3, name: 'back' },
      { id: 4, name: 'new' },
      { id: 5, name: 'no cursor' },
    ]
    expect(await names()).toEqual(standing)
    await db.sql.query('DELETE FROM _airbyte_tombstones WHERE length(key) = 1')
    await sync(plan, [[1, 'late', at(2)]])
    expect(await names()).toEqual(standing)
    expect(await highest()).toEqual(known)
    await sync(plan, [[2, 'back', at(6)]])
    expect(await names()).toEqual([{ id: 2, name: 'back' }, ...standing])
  })

  it('takes a log of bytes whose rows tell by their time that they are gone, and what moved from there', async () => {
    const columns: Column[] = [
      { name: 'id', type: 'integer' },
      { name: 'name', type: 'string' },
      { name: '_ab_cdc_lsn', type: 'integer' },
      { name: '_ab_cdc_deleted_at', type: 'timestamp_with_timezone' },
    ]
    const loader = await db.open({ mode: 'append_dedup', cursorField: ['_ab_cdc_lsn'], columns })
    await loader.prepare(1)
    const bytes = (lines: string[], op: RowOp[]) => ({
      ...encoded(columns, lines.map((line) => `${line}\n`).join('')),
      op,
    })
    const stands = [1, 2, 3].map((id) => `${id}\tname ${id}\t7\t\\N`)
    const gone = [2, 3].map((id) => `${id}\t\\N\t8\t${at(2)}`)
    const unchanged = [{ row: 0, field: 'name', change: 'UNCHANGED', reason: 'LEFT_OUT' } as const]
    const log = [
      bytes([...stands, ...gone], ['u', 'u', 'u', 'd', 'd']),
      records(columns, [[4, null, 8, null]], { op: ['m'], changes: unchanged }),
      bytes(['5\tname 5\t9\t\\N'], ['u']),
    ]
    await loader.load(chunk('c1', log), 1)
    expect(await names()).toEqual([
      { id: 1, name: 'name 1' },
      { id: 4, name: 'name 3' },
      { id: 5, name: 'name 5' },
    ])
    await loader.load(chunk('c2', [bytes(['\\N\t\\N\t10\t\\N'], ['t'])]), 1)
    expect(await names()).toEqual([])
  })

  it('refuses deletes in a log that has no place for them, and tells their time where it has', async () => {
    await expect(sync({}, [[1, null, null]], { op: ['d'] })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    })
    const columns: Column[] = [
      ...USERS,
      { name: '_ab_cdc_deleted_at', type: 'timestamp_with_timezone' },
    ]
    const unchanged = { row: 0, field: 'name', change: 'UNCHANGED', reason: 'LEFT_OUT' }
    const rows: Cell[][] = [
      [1, null, null, null],
      [1, null, null, null],
    ]
    await sync({ columns }, rows, { op: ['u', 'd'], changes: [unchanged] })
    const found = await db.rows(
      `SELECT _ab_cdc_deleted_at IS NULL AS lives, _airbyte_meta -> 'changes' -> 0 ->> 'change' AS change
       FROM users ORDER BY 1`,
    )
    expect(found).toEqual([
      { lives: false, change: null },
      { lives: true, change: 'UNCHANGED' },
    ])
  })

  it('follows a change of the primary key', async () => {
    await sync(dedup, [
      [1, 'a', at(1)],
      [2, 'b', at(1)],
    ])
    await sync({ ...dedup, primaryKey: [['name']] }, [[1, 'b', at(2)]])
    expect(await names()).toEqual([
      { id: 1, name: 'a' },
      { id: 1, name: 'b' },
    ])
  })

  it('explains why a table with duplicates cannot be deduplicated as it is', async () => {
    await sync({}, [
      [1, 'a', at(1)],
      [1, 'b', at(1)],
    ])
    await expect(sync(dedup, [])).rejects.toMatchObject({
      code: 'SCHEMA_CHANGED',
      field: 'primaryKey',
    })
  })

  it('refuses a key that rows of the table lack, unless their generation goes', async () => {
    await sync(dedup, [[1, 'a', at(1)]])
    const columns: Column[] = [...USERS, { name: 'code', type: 'string' }]
    const next = { ...dedup, columns, primaryKey: [['code']] }
    await expect(sync(next, [[1, 'a', at(2), 'x']])).rejects.toMatchObject({
      ...{
        code: 'SCHEMA_CHANGED',
        message: expect.stringContaining('rows without the primary key'),
      },
    })
    await sync({ ...next, generationId: 2, minimumGenerationId: 2 }, [[1, 'a', at(2), 'x']])
    expect(await names()).toEqual([{ id: 1, name: 'a' }])
  })

  it('refuses a stream without a key, and a key that is no column', async () => {
    await expect(db.open({ ...dedup, primaryKey: [] })).rejects.toMatchObject({
      code: 'PRIMARY_KEY_MISSING',
    })
    await expect(db.open({ ...dedup, primaryKey: [['nope']] })).rejects.toMatchObject({
      code: 'PRIMARY_KEY_MISSING',
    })
  })
})

describe.each(['overwrite', 'overwrite_dedup'] as const)('%s', (mode) => {
  const generation = (generationId: number): Partial<StreamPlan> => ({
    mode,
    generationId,
    minimumGenerationId: generationId,
  })

  it('shows the new rows only when the generation is complete', async () => {
    await sync(generation(1), [[1, 'old', null]])
    const loader = await db.open(generation(2))
    await loader.prepare(++fence)
    await loader.load(chunk('o1', [records(USERS, [[2, 'new', null]])]), fence)
    expect(await names()).toEqual([{ id: 1, name: 'old' }])
    expect(await loader.count()).toBe(1)
    await loader.finish(fence)
    await loader.finish(fence)
    expect(await names()).toEqual([{ id: 2, name: 'new' }])
    expect(await tables()).toEqual(['users'])
  })

  it('continues an unfinished generation, and forgets it when a newer one begins', async () => {
    const first = await db.open(generation(1))
    await first.prepare(++fence)
    await first.load(chunk('u1', [records(USERS, [[1, 'a', null]])]), fence)
    const second = await db.open(generation(1))
    expect(await second.prepare(++fence)).toMatchObject({ chunkId: 'u1' })
    await second.load(chunk('u2', [records(USERS, [[2, 'b', null]])]), fence)
    const third = await db.open(generation(2))
    expect(await third.prepare(++fence)).toBeNull()
    await third.load(chunk('u3', [records(USERS, [[3, 'c', null]])]), fence)
    await third.finish(fence)
    expect(await names()).toEqual([{ id: 3, name: 'c' }])
    expect(await tables()).toEqual(['users'])
  })

  it('drops on abort what was loaded, and keeps what readers see', async () => {
    await sync(generation(1), [[1, 'old', null]])
    const loader = await db.open(generation(2))
    await loader.prepare(++fence)
    await loader.load(chunk('a1', [records(USERS, [[2, 'new', null]])]), fence)
    await loader.abort(fence)
    await loader.abort(fence)
    expect(await tables()).toEqual(['users'])
    expect(await names()).toEqual([{ id: 1, name: 'old' }])
    expect(await loader.prepare(fence)).toBeNull()
  })

  it('empties the table when the generation is empty', async () => {
    await sync(generation(1), [[1, 'old', null]])
    const loader = await sync(generation(2), [])
    expect(await loader.count()).toBe(0)
  })

  it('keeps grants, of the table and of columns', async () => {
    await db.sql.query('DROP ROLE IF EXISTS reader; CREATE ROLE reader')
    await sync(generation(1), [[1, 'old', null]])
    await db.sql.query(
      'GRANT SELECT, INSERT ON users TO reader WITH GRANT OPTION; GRANT SELECT ON users TO PUBLIC; GRANT UPDATE (name) ON users TO reader',
    )
    const acl = () =>
      db.rows(
        "SELECT relacl::text, (SELECT attacl::text FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'name') FROM pg_class WHERE oid = 'users'::regclass",
      )
    const before = await acl()
    await sync(generation(2), [[2, 'new', null]])
    expect(await acl()).toEqual(before)
    await db.sql.query('DROP OWNED BY reader; DROP ROLE reader')
  })

  it('keeps a dependent view, indexes and comments, and the rows are new', async () => {
    await sync(generation(1), [[1, 'old', null]])
    await db.sql.query(
      "CREATE VIEW v AS SELECT name FROM users; CREATE INDEX mine ON users (name); COMMENT ON TABLE users IS 'people'",
    )
    const columns: Column[] = [...USERS, { name: 'added', type: 'boolean' }]
    await sync({ ...generation(2), columns }, [[2, 'new', null, true]])
    expect(await db.rows('SELECT * FROM v')).toEqual([{ name: 'new' }])
    expect(
      await db.rows("SELECT added, obj_description('users'::regclass) AS c FROM users"),
    ).toEqual([{ added: true, c: 'people' }])
    expect(await tables()).toEqual(['users'])
  })

  it.each(['without', 'with'])(
    'lets a concurrent reader see the old rows or the new, never some of each (%s a view)',
    async (view) => {
      const rows = (value: string) => Array.from({ length: 2000 }, (_, i) => [i, value, null])
      await sync(generation(1), rows('1'))
      if (view === 'with') await db.sql.query('CREATE VIEW v AS SELECT * FROM users')
      const reader = new pg.Client(new URL('/dest_modes', inject('pgUrl')).href)
      await reader.connect()
      const seen: unknown[] = []
      let done = false
      const reading = (async () => {
        while (!done)
          seen.push(
            (await reader.query('SELECT name, count(*)::int AS n FROM users GROUP BY name')).rows,
          )
      })()
      for (const g of [2, 3, 4]) await sync(generation(g), rows(String(g)))
      done = true
      await reading
      await reader.end()
      for (const groups of seen) expect(groups).toEqual([{ name: expect.any(String), n: 2000 }])
      expect(new Set(seen.map((groups) => JSON.stringify(groups))).size).toBeGreaterThan(1)
    },
  )

  it('keeps a column that the source dropped, with nulls, and takes a new type', async () => {
    await sync(generation(1), [[1, 'old', at(1)]])
    const columns: Column[] = [
      { name: 'id', type: 'string' },
      { name: 'name', type: 'string' },
    ]
    await sync({ ...generation(2), columns }, [['x', 'new']])
    expect(await db.rows('SELECT id, name, updated FROM users')).toEqual([
      { id: 'x', name: 'new', updated: null },
    ])
  })
})
