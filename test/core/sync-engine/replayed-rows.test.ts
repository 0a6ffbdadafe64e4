import { describe, expect, it } from 'vitest'
import { coerceToLimits } from '../../../src/core/normalization/index.ts'
import type { Reject } from '../../../src/core/sync-engine/reject-lines.ts'
import { replayedRows } from '../../../src/core/sync-engine/replayed-rows.ts'
import type { PlannedStream } from '../../../src/core/sync-engine/types.ts'
import type { Cell, Column, RecordBatch } from '../../../src/protocol/index.ts'

const COLUMNS: Column[] = [
  { name: 'id', type: 'string' },
  { name: 'big', type: 'integer' },
  { name: 'price', type: 'number' },
  { name: 'bits', type: 'binary' },
  { name: 'doc', type: 'object' },
]
const stream = {
  key: 'orders',
  plan: { columns: COLUMNS },
  mapping: { columns: COLUMNS },
} as unknown as PlannedStream
const LIMITS = { nulInText: false, nonFinite: true, years: [1, 9999] as [number, number] }
const batchOf = (cells: Cell[], more: Partial<RecordBatch> = {}): RecordBatch => ({
  ...{ kind: 'records', stream: 'orders', schema: COLUMNS, length: 1, extractedAt: 0 },
  columns: cells.map((cell) => [cell]),
  ...more,
})
const CELLS: Cell[] = [
  'a\0b',
  2n ** 70n,
  '0.1234567890123456789012345',
  '/w==',
  '{"n":9007199254740993}',
]

/** Rejected because of its key, kept as a line, and taken up again. */
function replayed(batch: RecordBatch, hashed: string[] = []) {
  const concealed = new Set(hashed)
  const [reject] = coerceToLimits(batch, COLUMNS, LIMITS, ['id'], concealed).rejects
  const line = JSON.stringify({ stream: 'orders', ...reject })
  const kept = JSON.parse(line) as Reject
  return replayedRows(stream, [kept], { isMapped: false, extractedAt: 7 })
}

describe('a rejected row that is loaded again', () => {
  it('has every digit and every byte that it had', () => {
    const { batches, keptBack } = replayed(batchOf(CELLS))
    expect(keptBack).toEqual([])
    expect(batches).toMatchObject([{ length: 1, extractedAt: 7, schema: COLUMNS }])
    expect(batches[0]?.columns).toEqual(CELLS.map((cell) => [cell]))
  })

  it('is the change that it was, with what the log left out', () => {
    const changes = [
      { row: 0, field: 'doc', change: 'UNCHANGED' as const, reason: 'SOURCE_UNCHANGED' },
    ]
    const [batch] = replayed(
      batchOf(['a\0b', null, null, null, null], { op: ['m'], changes }),
    ).batches
    expect(batch).toMatchObject({
      op: ['m'],
      changes: [{ row: 0, field: 'doc', change: 'UNCHANGED' }],
    })
  })

  it('is kept back where its hashed value was not kept', () => {
    const { batches, keptBack } = replayed(batchOf(CELLS), ['price', 'bits'])
    expect(batches).toEqual([])
    expect(keptBack).toMatchObject([{ reason: expect.stringContaining('price, bits is hashed') }])
    expect(keptBack[0]?.row).not.toContain('0.1234')
  })

  it('is kept back where the connection no longer makes one of its columns', () => {
    const reject = { stream: 'orders', reason: 'r', row: '{"id":"1","renamed":2}' }
    const { batches, keptBack } = replayedRows(stream, [reject], { isMapped: true, extractedAt: 0 })
    expect(batches).toEqual([])
    expect(keptBack).toMatchObject([{ reason: expect.stringContaining("column 'renamed'") }])
  })

  it('is taken out of its raw form, and bytes out of what PostgreSQL makes of them', () => {
    const row = '{"_airbyte_data":{"id":"1","bits":"\\\\xff"}}'
    const { batches } = replayedRows(stream, [{ stream: 'orders', reason: 'r', row }], {
      ...{ isMapped: true, extractedAt: 0 },
    })
    expect(batches[0]?.columns).toEqual([['1'], [null], [null], ['/w=='], [null]])
  })
})
