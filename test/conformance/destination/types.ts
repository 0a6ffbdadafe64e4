import { expect } from 'vitest'
import sampleData from '../../../connectors/sources/sample-data/index.ts'
import { coerceToLimits } from '../../../src/core/normalization/index.ts'
import { type Cell, columnsOf, type RecordBatch } from '../../../src/protocol/index.ts'
import { canonicalWith } from '../canonical.ts'
import { testContext } from '../context.ts'
import type { DestinationCase } from '../destination-suite.ts'
import { contents, loadAll, planFor } from '../loading.ts'

const ROWS = 200

/** Every Airbyte type, there and back: equal to the digit, or null where the limits said so before. */
export function typeCases({ destination, opened, base, losses, it }: DestinationCase): void {
  it('gives every type back as it was', async () => {
    const { streams } = await sampleData.discover(testContext(), {})
    const stream = streams.find(({ name }) => name === 'all_types')
    if (!stream) throw new Error('the sample data lost its stream')
    const columns = columnsOf(stream.json_schema)
    const plan = planFor({ ...base, columns, cursorField: ['updated_at'] })
    const sample = await readSample(stream)
    const { limits } = destination.capabilities
    const fitted = coerceToLimits(sample, columns, limits, ['id']).batch
    const rows = Array.from({ length: ROWS }, (_, r) => fitted.columns.map((c) => c[r] as Cell))

    await loadAll(opened(), plan, [rows], { batchRows: 64 })
    const found = await contents(opened(), plan)
    if (!found) return
    const form = canonicalWith(losses)
    const byId = new Map(found.map((row) => [Number(row.id), row]))
    expect(byId.size).toBe(ROWS)
    for (const row of rows) {
      const actual = byId.get(Number(row[0])) ?? {}
      const pairs = columns.map(({ name, type }) => [name, form(type, actual[name])])
      const expected = columns.map(({ name, type }, c) => [name, form(type, row[c])])
      expect(pairs).toEqual(expected)
    }
  })
}

async function readSample(
  stream: Awaited<ReturnType<typeof sampleData.discover>>['streams'][number],
): Promise<RecordBatch> {
  const configured = {
    stream,
    syncMode: 'full_refresh' as const,
    destinationSyncMode: 'append' as const,
    cursorField: [],
    primaryKey: [],
    generationId: 0,
    minimumGenerationId: 0,
    syncId: 1,
    format: 'records' as const,
  }
  const state = { streams: new Map() }
  const events = sampleData.read(testContext(), { count: ROWS }, [configured], state)
  for await (const event of events) {
    if (event.type === 'batch') return event.batch as RecordBatch
  }
  throw new Error('the sample data has no rows')
}
