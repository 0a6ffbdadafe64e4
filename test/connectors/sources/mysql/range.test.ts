import { beforeAll, describe, expect, it } from 'vitest'
import type { FieldRange } from '../../../../src/protocol/index.ts'
import { configure, readStream, statesOf } from '../../../conformance/reading.ts'
import { cellsOf, useDatabase } from './support.ts'

const db = useDatabase('source_range')

describe('a full refresh of a range of a MySQL table', () => {
  beforeAll(() =>
    db.run(
      `CREATE TABLE spans (id INT PRIMARY KEY, at DATETIME(6), day DATE, label VARCHAR(20), big BIGINT UNSIGNED,
         blobs VARBINARY(9), note TEXT)`,
      `INSERT INTO spans SELECT seq, TIMESTAMP '2026-01-01 00:00:00' + INTERVAL seq DAY, DATE '2026-01-01' + INTERVAL seq DAY,
         CONCAT('l', seq), 18446744073709551000 + seq, UNHEX(LPAD(HEX(seq), 4, '0')), 'n' FROM seq_1_to_50`,
      'INSERT INTO spans (id) VALUES (51)',
      `CREATE TABLE keyless (id INT NOT NULL, at DATETIME(6), day DATE, label VARCHAR(20), big BIGINT UNSIGNED,
         blobs VARBINARY(9))`,
      'INSERT INTO keyless SELECT id, at, day, label, big, blobs FROM spans',
      'CREATE VIEW viewed AS SELECT id, at, day, label, big, blobs FROM spans',
    ),
  )

  const read = async (table: string, range: FieldRange, more = {}) =>
    readStream(db.reading({ chunk_rows: 7, checkpoint_rows: 3 }), {
      ...configure(await db.stream(table), { range }),
      ...more,
    })

  it.each(['spans', 'keyless', 'viewed'])(
    'reads from its start to before its end: %s',
    async (table) => {
      const of = async (range: FieldRange) =>
        cellsOf(await read(table, range), 'id').sort((a, b) => Number(a) - Number(b))
      expect(await of({ field: 'id', from: '10', to: '13' })).toEqual([10, 11, 12])
      expect(await of({ field: 'id', to: '3' })).toEqual([1, 2])
      expect(await of({ field: 'at', from: '2026-02-18' })).toEqual([48, 49, 50])
      expect(await of({ field: 'at', from: '2026-02-18T00:00:00.000001Z' })).toEqual([49, 50])
      expect(await of({ field: 'day', to: '2026-01-03' })).toEqual([1])
      expect(await of({ field: 'label', from: 'l49', to: 'l5' })).toEqual([49])
      expect(await of({ field: 'big', from: '18446744073709551049' })).toEqual([49, 50])
      expect(await of({ field: 'id', from: '5', to: '5' })).toEqual([])
      expect(await of({ field: 'blobs', from: 'AAE=', to: 'AAM=' })).toEqual([1, 2])
    },
  )

  it('resumes at every state with exactly the rows that remain', async () => {
    const range = { field: 'at', from: '2026-01-11', to: '2026-02-05' }
    const whole = await read('spans', range)
    const ids = cellsOf(whole, 'id')
    expect(ids).toHaveLength(25)
    const states = statesOf(whole)
    expect(states.length).toBeGreaterThan(3)
    let rows = 0
    for (const event of whole) {
      if (event.type === 'batch') rows += cellsOf([event], 'id').length
      if (event.type !== 'state') continue
      const configured = configure(await db.stream('spans'), { range })
      const rest = await readStream(db.reading(), configured, event.state)
      expect(cellsOf(rest, 'id')).toEqual(ids.slice(rows))
    }
  })

  it.each([
    ['id', 'ten', 'from'],
    ['at', '2026-13-01', 'from'],
    ['at', '2026-01-01 10:00:00+02:00', 'from'],
    ['day', 'yesterday', 'from'],
    ['blobs', 'b', 'from'],
    ['blobs', 'x_-=', 'from'],
    ['note', 'n', 'field'],
    ['missing', '1', 'field'],
  ])('refuses %s from %s and says where', async (field, from, at) => {
    const events = await read('spans', { field, from })
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'error',
        error: expect.objectContaining({ code: 'VALIDATION_FAILED', field: `backfill.${at}` }),
      }),
    )
  })
})
