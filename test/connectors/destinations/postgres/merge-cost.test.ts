import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Column } from '../../../../src/protocol/index.ts'
import { chunk, createTestDatabase, encoded, type TestDatabase } from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase('dest_merge')
})
afterAll(() => db.drop())

const COLUMNS: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'name', type: 'string' },
  { name: 'updated', type: 'integer' },
  { name: '_ab_cdc_deleted_at', type: 'timestamp_with_timezone' },
]
const CHANGES = 10_000

it('merges 10k changes at a cost that follows from the changes, not from the table', {
  timeout: 120_000,
}, async () => {
  const [small, large] = [await timeMerge(100_000), await timeMerge(1_000_000)]
  const ratio = large / small
  console.log(
    `merge of 10k changes: into 100k rows ${small.toFixed(0)} ms, into 1M rows ${large.toFixed(0)} ms, ratio ${ratio.toFixed(2)}`,
  )
  expect(ratio).toBeLessThan(4)
})

/** Milliseconds of the fastest of three merges (updates, inserts and deletes) into a table of this size. */
async function timeMerge(size: number): Promise<number> {
  const table = `t${size}`
  const loader = await db.open({
    stream: { name: table },
    target: { table },
    columns: COLUMNS,
    mode: 'append_dedup',
    cursorField: ['updated'],
    format: 'pg-copy-text',
  })
  await loader.prepare(1)
  await db.sql.query(
    `INSERT INTO ${table} (id, name, updated, _airbyte_extracted_at, _airbyte_meta, _airbyte_generation_id)
     SELECT g, 'name ' || g, 1, now(), '{}', 1 FROM generate_series(1, ${size}) AS g`,
  )
  await db.sql.query(`VACUUM ANALYZE ${table}`)
  const times: number[] = []
  for (const round of [2, 3, 4]) {
    const lines = Array.from({ length: CHANGES }, (_, i) => {
      const id = 1 + ((i * 7919 * round) % (size + 1000))
      return `${id}\tchanged\t${round}\t${i % 10 === 0 ? '2026-01-01 00:00:00+00' : '\\N'}\n`
    })
    const start = performance.now()
    await loader.load(chunk(`c${round}`, [encoded(COLUMNS, lines.join(''))]), 1)
    times.push(performance.now() - start)
  }
  expect(
    (await db.rows(`SELECT count(*)::int AS n FROM ${table} WHERE name = 'changed'`))[0]?.n,
  ).toBeGreaterThan(CHANGES)
  return Math.min(...times)
}
