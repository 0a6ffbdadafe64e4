import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Batch, Column } from '../../../../src/protocol/index.ts'
import {
  chunk,
  createTestDatabase,
  encoded,
  gate,
  records,
  type TestDatabase,
  USERS,
} from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase('dest_load')
})
afterAll(() => db.drop())
beforeEach(() => db.sql.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'))

const ann = [1, 'Ann', '2026-01-01T00:00:00Z']
const bob = [2, 'Bob', '2026-01-02T00:00:00Z']
const names = () => db.rows('SELECT id::int, name FROM users ORDER BY id, name')

describe('load in append mode', () => {
  it('appends rows with their metadata', async () => {
    const loader = await db.open({ generationId: 3 })
    expect(await loader.prepare(1)).toBeNull()
    expect(await loader.count()).toBe(0)
    const result = await loader.load(chunk('c1', [records(USERS, [ann, bob])]), 1)
    expect(result).toEqual({
      duplicate: false,
      rows: 2,
      end: { state: { at: 'c1' }, complete: false },
      rejects: [],
      nulled: 0,
    })
    await loader.finish(1)
    expect(await loader.count()).toBe(2)
    expect(await db.rows('SELECT * FROM users WHERE id = 1')).toEqual([
      {
        id: '1',
        name: 'Ann',
        updated: new Date('2026-01-01'),
        _airbyte_raw_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        _airbyte_extracted_at: new Date(Date.UTC(2026, 10, 23)),
        _airbyte_meta: { sync_id: 7, changes: [] },
        _airbyte_generation_id: '3',
      },
    ])
  })

  it('moves COPY bytes with the same metadata from defaults', async () => {
    const loader = await db.open({ generationId: 3, format: 'pg-copy-text' })
    await loader.prepare(1)
    const text = '1\tAnn\t2026-01-01 00:00:00+00\n2\t\\N\t\\N\n'
    expect((await loader.load(chunk('c1', [encoded(USERS, text)]), 1)).rows).toBe(2)
    const [row] = await db.rows('SELECT * FROM users WHERE id = 2')
    expect(row).toMatchObject({
      name: null,
      _airbyte_extracted_at: new Date(Date.UTC(2026, 10, 23)),
      _airbyte_meta: { sync_id: 7, changes: [] },
      _airbyte_generation_id: '3',
    })
    const back: string[] = []
    for await (const batch of loader.readBack?.() ?? [])
      if (batch.kind === 'encoded') back.push(new TextDecoder().decode(batch.bytes))
    expect(back.join('')).toBe(text)
  })

  it('takes encoded columns in the order in which the batch has them', async () => {
    const loader = await db.open({})
    await loader.prepare(1)
    const [id, name] = USERS as [Column, Column]
    await loader.load(chunk('c1', [encoded([name, id], 'Ann\t1\n')]), 1)
    expect(await names()).toEqual([{ id: 1, name: 'Ann' }])
  })

  it('writes a changed value into _airbyte_meta', async () => {
    const loader = await db.open({})
    await loader.prepare(1)
    const changes = [{ row: 1, field: 'name', change: 'NULLED', reason: 'too long' }] as const
    await loader.load(
      chunk('c1', [records(USERS, [ann, [2, null, null]], { changes: [...changes] })]),
      1,
    )
    expect(await db.rows('SELECT _airbyte_meta AS m FROM users ORDER BY id')).toEqual([
      { m: { sync_id: 7, changes: [] } },
      { m: { sync_id: 7, changes: [{ field: 'name', change: 'NULLED', reason: 'too long' }] } },
    ])
  })

  it('loads an empty chunk and records its position', async () => {
    const loader = await db.open({})
    await loader.prepare(1)
    expect((await loader.load(chunk('c1', []), 1)).rows).toBe(0)
    expect((await loader.prepare(2))?.chunkId).toBe('c1')
  })

  it('returns the ledger end of a chunk loaded before, and reads none of its rows', async () => {
    const loader = await db.open({})
    await loader.prepare(1)
    await loader.load(chunk('c1', [records(USERS, [ann])]), 1)
    const again = await db.open({})
    expect(await again.prepare(2)).toEqual({
      chunkId: 'c1',
      end: { state: { at: 'c1' }, complete: false },
      rows: 1,
      fence: 1,
    })
    const result = await again.load(
      chunk('c1', [records(USERS, [bob])], { end: () => ({ state: {}, complete: true }) }),
      2,
    )
    expect(result).toMatchObject({ duplicate: true, rows: 1, end: { state: { at: 'c1' } } })
    expect(await names()).toEqual([{ id: 1, name: 'Ann' }])
  })

  it('refuses a lower fence in every method', async () => {
    const loader = await db.open({})
    await loader.prepare(5)
    const lost = { code: 'FENCE_LOST', stream: 'users' }
    await expect(loader.prepare(4)).rejects.toMatchObject(lost)
    await expect(loader.load(chunk('c1', [records(USERS, [ann])]), 4)).rejects.toMatchObject(lost)
    await expect(loader.finish(4)).rejects.toMatchObject(lost)
    await expect(loader.abort(4)).rejects.toMatchObject(lost)
    expect(await loader.count()).toBe(0)
    await loader.load(chunk('c1', [records(USERS, [ann])]), 5)
    expect(await loader.count()).toBe(1)
  })

  it.each(['append', 'append_dedup', 'overwrite', 'overwrite_dedup'] as const)(
    'changes nothing when a superseded %s loader wakes up in the middle of its COPY',
    async (mode) => {
      const zombie = await db.open({ mode })
      await zombie.prepare(1)
      const { opened, open } = gate()
      const { opened: started, open: start } = gate()
      async function* slow(): AsyncGenerator<Batch> {
        yield records(USERS, [[1, 'zombie', null]])
        start()
        await opened
        yield records(USERS, [[2, 'zombie', null]])
      }
      const late = zombie.load(chunk('c1', slow()), 1).then(
        (result) => (result.duplicate ? 'duplicate' : 'loaded'),
        (error) => error.code,
      )
      await started
      const successor = await db.open({ mode })
      await successor.prepare(2)
      await successor.load(chunk('c1', [records(USERS, [ann, bob])]), 2)
      await successor.finish(2)
      open()
      expect(['FENCE_LOST', 'duplicate']).toContain(await late)
      expect(await names()).toEqual([
        { id: 1, name: 'Ann' },
        { id: 2, name: 'Bob' },
      ])
    },
  )

  it.each([
    ['FENCE_LOST', 'UPDATE _airbyte_heads SET fence = 2'],
    [
      'duplicate',
      `INSERT INTO _airbyte_ledger (connection_id, stream, generation_id, chunk_id, fence, end_state, rows)
       SELECT connection_id, stream, 1, 'c1', 1, '{}', 0 FROM _airbyte_heads`,
    ],
  ])(
    'answers %s at the commit when another loader committed meanwhile',
    async (answer, meanwhile) => {
      const loader = await db.open({})
      await loader.prepare(1)
      async function* body(): AsyncGenerator<Batch> {
        yield records(USERS, [ann])
        await db.sql.query(meanwhile)
        yield records(USERS, [bob])
      }
      const outcome = await loader.load(chunk('c1', body()), 1).then(
        (result) => (result.duplicate ? 'duplicate' : 'loaded'),
        (error) => error.code,
      )
      expect(outcome).toBe(answer)
      expect(await loader.count()).toBe(0)
    },
  )

  it('keeps one of three loaders with the same fence that load the same chunk at once', async () => {
    const loaders = await Promise.all([1, 2, 3].map(() => db.open({})))
    await Promise.all(loaders.map((loader) => loader.prepare(1)))
    const results = await Promise.all(
      loaders.map((loader) => loader.load(chunk('c1', [records(USERS, [ann])]), 1)),
    )
    expect(results.map(({ duplicate }) => duplicate).sort()).toEqual([false, true, true])
    expect(await names()).toHaveLength(1)
  })

  it('leaves nothing of a chunk whose body fails half-way, and goes on', async () => {
    const loader = await db.open({})
    await loader.prepare(1)
    async function* broken(): AsyncGenerator<Batch> {
      yield records(USERS, [ann])
      throw Object.assign(new Error('the source went away'), { code: '22003' })
    }
    await expect(loader.load(chunk('c1', broken()), 1)).rejects.toMatchObject({
      message: expect.stringContaining('the source went away'),
      code: 'INTERNAL',
    })
    expect(await loader.count()).toBe(0)
    expect(await loader.prepare(1)).toBeNull()
    await loader.load(chunk('c1', [records(USERS, [bob])]), 1)
    expect(await names()).toEqual([{ id: 2, name: 'Bob' }])
  })

  it('names a full disk, and goes on once there is room', async () => {
    const loader = await db.open({})
    await loader.prepare(1)
    await db.sql.query(
      `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.id > 1 THEN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END IF;
         RETURN NEW;
       END $$;
       CREATE TRIGGER full_disk BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION full_disk()`,
    )
    const load = () => loader.load(chunk('c1', [records(USERS, [ann, bob])]), 1)
    await expect(load()).rejects.toMatchObject({ code: 'DESTINATION_FULL', stream: 'users' })
    expect(await loader.count()).toBe(0)
    await db.sql.query('DROP TRIGGER full_disk ON users')
    expect((await load()).rows).toBe(2)
  })

  it('connects again after the server cut the connection', async () => {
    const loader = await db.open({})
    await loader.prepare(1)
    async function* cut(): AsyncGenerator<Batch> {
      yield records(USERS, [ann])
      const cutOff = () =>
        db.sql.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name LIKE 'airbyte %' AND datname = current_database() AND query LIKE 'COPY%'`,
        )
      await expect.poll(async () => (await cutOff()).rowCount).toBeGreaterThan(0)
      for (let i = 0; i < 200; i++) yield records(USERS, Array(1000).fill(bob))
    }
    await expect(loader.load(chunk('c1', cut()), 1)).rejects.toMatchObject({ kind: 'transient' })
    await loader.load(chunk('c1', [records(USERS, [ann])]), 1)
    expect(await loader.count()).toBe(1)
  })

  it('keeps the newest hundred entries of a ledger that finished', async () => {
    const loader = await db.open({})
    await loader.prepare(1)
    for (let i = 1; i <= 105; i++) {
      await loader.load(chunk(`c${i}`, []), 1)
      if (i === 3) await loader.finish(1)
    }
    await loader.finish(1)
    expect(await db.rows('SELECT count(*)::int AS n FROM _airbyte_ledger')).toEqual([{ n: 100 }])
    expect((await loader.prepare(2))?.chunkId).toBe('c105')
  })

  it('goes on after a reader stopped half-way', async () => {
    const loader = await db.open({})
    await loader.prepare(1)
    await loader.load(chunk('c1', [records(USERS, Array(50_000).fill(ann))]), 1)
    for await (const batch of loader.readBack?.() ?? []) {
      expect(batch.kind).toBe('encoded')
      break
    }
    expect(await loader.count()).toBe(50_000)
  })

  it('holds a column that is called like one of ours', async () => {
    const columns: Column[] = [
      { name: 'id', type: 'integer' },
      { name: '_airbyte_meta', type: 'string' },
      { name: '_airbyte_op', type: 'string' },
    ]
    for (const mode of ['append', 'append_dedup'] as const) {
      const plan = { columns, mode, stream: { name: mode }, target: { table: mode } }
      const loader = await db.open(plan)
      await loader.prepare(1)
      await loader.load(chunk('c1', [records(columns, [[1, '\ufeffmine', 'd']])]), 1)
      const back: string[] = []
      for await (const batch of loader.readBack?.() ?? [])
        if (batch.kind === 'encoded') back.push(new TextDecoder().decode(batch.bytes))
      expect(back).toEqual(['1\t\ufeffmine\td\n'])
    }
  })

  it('deletes rows below the minimum generation only in finish', async () => {
    const before = await db.open({ generationId: 1 })
    await before.prepare(1)
    await before.load(chunk('c1', [records(USERS, [ann])]), 1)
    await before.finish(1)
    const refresh = await db.open({ generationId: 2, minimumGenerationId: 2 })
    expect(await refresh.prepare(2)).toBeNull()
    await refresh.load(chunk('c2', [records(USERS, [bob])]), 2)
    expect(await names()).toHaveLength(2)
    await refresh.finish(2)
    await refresh.finish(2)
    expect(await names()).toEqual([{ id: 2, name: 'Bob' }])
  })

  it('stores each row as one JSON value under raw normalization', async () => {
    const columns: Column[] = [
      { name: 'id', type: 'integer' },
      { name: 'price', type: 'number' },
      { name: 'tags', type: 'array' },
      { name: 'at', type: 'date' },
    ]
    const loader = await db.open({ columns, normalization: 'raw' })
    await loader.prepare(1)
    const row = [9223372036854775807n, '1.50', '["a"]', null]
    await loader.load(chunk('c1', [records(columns, [row])]), 1)
    await loader.load(chunk('c2', [encoded(columns, '1\tNaN\t\\N\t2026-01-01\n')]), 1)
    expect(await db.rows('SELECT _airbyte_data::text AS d FROM users')).toEqual([
      { d: '{"at": null, "id": 9223372036854775807, "tags": ["a"], "price": 1.50}' },
      { d: '{"at": "2026-01-01", "id": 1, "tags": null, "price": "NaN"}' },
    ])
    await expect(db.open({ normalization: 'raw', mode: 'append_dedup' })).rejects.toMatchObject({
      code: 'MODE_UNSUPPORTED',
    })
  })
})

describe('bad rows', () => {
  const columns: Column[] = [
    { name: 'id', type: 'integer' },
    { name: 'born', type: 'date' },
    { name: 'note', type: 'string' },
  ]
  const rows = Array.from({ length: 500 }, (_, i) => [i, '2026-01-01', 'x'] as (string | number)[])
  rows[17] = [17, 'next tuesday', 'x']
  rows[99] = ['many', '2026-01-01', 'x']
  rows[400] = [400, '2026-01-01', 'nul\0']

  it.each(['append', 'append_dedup'] as const)(
    'are refused together, then set aside one by one (%s)',
    async (mode) => {
      const loader = await db.open({ columns, mode })
      await loader.prepare(1)
      await expect(loader.load(chunk('c1', [records(columns, rows)]), 1)).rejects.toMatchObject({
        code: 'VALUE_REJECTED',
      })
      expect(await loader.count()).toBe(0)
      const isolated = chunk('c1', [records(columns, rows)], { isolateBadRows: true })
      const result = await loader.load(isolated, 1)
      if (mode === 'append_dedup') {
        expect(result).toMatchObject({ rows: 499, rejects: [{ field: 'id' }], nulled: 2 })
        expect(JSON.parse(result.rejects[0]?.row ?? '')).toMatchObject({ id: 'many', note: 'x' })
      } else expect(result).toMatchObject({ rows: 500, rejects: [], nulled: 3 })
      expect(
        await db.rows(
          `SELECT id::int, born, note, _airbyte_meta->'changes'->0->>'field' AS field FROM users
           WHERE _airbyte_meta->'changes' <> '[]' AND id IS NOT NULL ORDER BY id`,
        ),
      ).toEqual([
        { id: 17, born: null, note: 'x', field: 'born' },
        { id: 400, born: expect.any(Date), note: null, field: 'note' },
      ])
    },
  )

  it('are found in COPY bytes too', async () => {
    const loader = await db.open({ columns, format: 'pg-copy-text' })
    await loader.prepare(1)
    const text = '1\t2026-01-01\tx\n2\tsoon\ty\\n\n'
    const load = (isolateBadRows: boolean) =>
      loader.load(chunk('c1', [encoded(columns, text)], { isolateBadRows }), 1)
    await expect(load(false)).rejects.toMatchObject({ code: 'VALUE_REJECTED', field: 'born' })
    expect(await load(true)).toMatchObject({ rows: 2, rejects: [] })
    expect(await db.rows('SELECT note FROM users WHERE born IS NULL')).toEqual([{ note: 'y\n' }])
  })

  it('fail the chunk when there are more than a thousand', async () => {
    const bad = Array.from({ length: 1002 }, () => ['x', null, null])
    const loader = await db.open({ columns, mode: 'append_dedup' })
    await loader.prepare(1)
    const isolated = chunk('c1', [records(columns, bad)], { isolateBadRows: true })
    await expect(loader.load(isolated, 1)).rejects.toMatchObject({ code: 'REJECTS_OVER_THRESHOLD' })
    expect(await loader.count()).toBe(0)
  })
})
