import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Column, RowOp } from '../../../../src/protocol/index.ts'
import type { Loader } from '../../../../src/runtime/contract.ts'
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
  const small = await filled(20_000)
  const large = await filled(400_000)
  const times = { small: [] as number[], large: [] as number[] }
  // In turns, so that other work on the machine slows both.
  for (const round of [2, 3, 4, 5]) {
    times.small.push(await timeMerge(small, round))
    times.large.push(await timeMerge(large, round))
  }
  const [fast, slow] = [Math.min(...times.small), Math.min(...times.large)]
  const ratio = slow / fast
  console.log(
    `merge of 10k changes: into 20k rows ${fast.toFixed(0)} ms, into 400k rows ${slow.toFixed(0)} ms, ratio ${ratio.toFixed(2)}`,
  )
  expect(ratio).toBeLessThan(4)
})

interface Filled {
  loader: Loader
  size: number
}

/** A table of this many rows and its loader. */
async function filled(size: number): Promise<Filled> {
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
  return { loader, size }
}

/** Milliseconds of one merge of updates, inserts, deletes, and rows that leave. */
async function timeMerge({ loader, size }: Filled, round: number): Promise<number> {
  const lines = Array.from({ length: CHANGES }, (_, i) => {
    const id = 1 + ((i * 7919 * round) % (size + 1000))
    return `${id}\tchanged\t${round}\t${i % 10 === 0 ? '2026-01-01 00:00:00+00' : '\\N'}\n`
  })
  const op = lines.map((_, i): RowOp => (i % 10 === 5 ? 'x' : 'u'))
  const start = performance.now()
  const batch = { ...encoded(COLUMNS, lines.join('')), op }
  const result = await loader.load(chunk(`c${round}`, [batch]), 1)
  expect(result.rows).toBe(CHANGES)
  return performance.now() - start
}
