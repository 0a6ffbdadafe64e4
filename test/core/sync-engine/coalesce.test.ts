import { describe, expect, it } from 'vitest'
import { coalesced } from '../../../src/core/sync-engine/coalesce.ts'
import type { Batch, Column, RecordBatch } from '../../../src/protocol/index.ts'

const SCHEMA: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'text', type: 'string' },
]

const batch = (from: number, length: number, more: Partial<RecordBatch> = {}): RecordBatch => ({
  ...{ kind: 'records', stream: 's', schema: SCHEMA, length, extractedAt: from },
  columns: [
    Array.from({ length }, (_, i) => from + i),
    Array.from({ length }, (_, i) => `row ${from + i}`),
  ],
  ...more,
})

async function through(batches: Batch[]): Promise<Batch[]> {
  async function* each() {
    yield* batches
  }
  const got: Batch[] = []
  for await (const one of coalesced(each())) got.push(one)
  return got
}

describe('small batches', () => {
  it('are joined in their order, and count as extracted when the first was', async () => {
    const [whole, ...more] = await through([batch(0, 2), batch(2, 1), batch(3, 2)])
    expect(more).toEqual([])
    expect(whole).toEqual({ ...batch(0, 5), extractedAt: 0 })
  })

  it('are handed on when they are enough, in rows or in bytes', async () => {
    const rows = await through([batch(0, 1500), batch(1500, 1500), batch(3000, 1)])
    expect(rows.map((one) => one.kind === 'records' && one.length)).toEqual([3000, 1])
    const large = batch(0, 1, { columns: [[0], ['x'.repeat(2_000_000)]] })
    expect((await through([large, batch(1, 1)])).length).toBe(2)
  })

  it('stay apart where schemas, changes or delete marks differ', async () => {
    const other = batch(2, 1, { schema: [...SCHEMA] })
    const changed = batch(3, 1, {
      changes: [{ row: 0, field: 'text', change: 'NULLED', reason: 'r' }],
    })
    const deleted = batch(4, 1, { op: ['d'] })
    const encoded: Batch = {
      ...{ kind: 'encoded', stream: 's', schema: SCHEMA, format: 'pg-copy-text', rows: 1 },
      ...{ bytes: new Uint8Array([10]), extractedAt: 0 },
    }
    const given = [batch(0, 2), other, changed, deleted, encoded, batch(5, 1)]
    const got = await through(given)
    expect(got).toEqual(given)
  })
})
