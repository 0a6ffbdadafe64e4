import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FieldRange } from '../../../../src/protocol/index.ts'
import { configure, createDatabase, discover, freeze, sync, type TestDatabase } from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase('source_range')
})
afterAll(() => db.close())

const small = (chunk_rows = 7, checkpoint_rows = 3) => ({
  ...db.config,
  chunk_rows,
  checkpoint_rows,
})

const configured = async (table: string, options = {}) =>
  configure((await discover(db.config)).get(`public.${table}`), options)

describe('a full refresh of a range', () => {
  const ids = ({ rows }: { rows: Record<string, unknown>[] }) => rows.map(({ id }) => Number(id))

  beforeAll(() =>
    db.sql(`
      CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
      CREATE TABLE spans (id int PRIMARY KEY, at timestamptz, label text, mood mood);
      INSERT INTO spans SELECT n, timestamptz '2026-01-01Z' + n * interval '1 day', 'l' || n, 'ok'
        FROM generate_series(1, 50) n;
      INSERT INTO spans VALUES (51, NULL, NULL, NULL);
      CREATE TABLE keyless AS SELECT id, at, label FROM spans;
      CREATE VIEW viewed AS SELECT id, at, label FROM spans;
      ANALYZE spans`),
  )

  it.each(['spans', 'keyless', 'viewed'])(
    'reads from its start to before its end: %s',
    async (table) => {
      const of = async (range: FieldRange) =>
        ids(await sync(small(), await configured(table, { range }))).sort((a, b) => a - b)
      expect(await of({ field: 'id', from: '10', to: '13' })).toEqual([10, 11, 12])
      expect(await of({ field: 'id', to: '3' })).toEqual([1, 2])
      expect(await of({ field: 'at', from: '2026-02-18' })).toEqual([48, 49, 50])
      expect(await of({ field: 'label', from: 'l49', to: 'l5' })).toEqual([49])
      expect(await of({ field: 'id', from: '5', to: '5' })).toEqual([])
    },
  )

  it('resumes at every state with exactly the rows that remain', async () => {
    const range = { field: 'at', from: '2026-01-11', to: '2026-02-05' }
    const stream = await configured('spans', {
      range,
      format: 'pg-copy-text',
      selectedFields: ['id'],
    })
    const bound = await freeze(db.config, stream)
    const whole = await sync(small(), stream, undefined, bound)
    expect(whole.lines).toHaveLength(25)
    expect(whole.states.length).toBeGreaterThan(3)
    for (const { state, rowsBefore } of whole.states) {
      const rest = await sync(small(4, 2), stream, state, bound)
      expect(rest.lines).toEqual(whole.lines.slice(rowsBefore))
    }
  })

  it('freezes its ends, so that tomorrow is a day and not the day after each slice', async () => {
    const stream = await configured('spans', { range: { field: 'at', to: 'tomorrow' } })
    const bound = (await freeze(db.config, stream)) as { range: { to: string } }
    expect(bound.range.to).toMatch(/^\d{4}-\d\d-\d\d 00:00:00\+00$/)
  })

  it.each([
    ['id', 'ten', 'from'],
    ['id', '2147483648', 'from'],
    ['at', '2026-13-01', 'from'],
    ['mood', 'angry', 'from'],
    ['missing', '1', 'field'],
  ])('refuses %s from %s and says where', async (field, from, at) => {
    const { events, statuses } = await sync(
      db.config,
      await configured('spans', { range: { field, from } }),
    )
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'error',
        error: expect.objectContaining({ code: 'VALIDATION_FAILED', field: `backfill.${at}` }),
      }),
    )
    expect(statuses).toEqual(['started', 'incomplete'])
  })
})
