import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import sampleData from '../../../../connectors/sources/sample-data/index.ts'
import { validateConfig } from '../../../../src/core/config-validation.ts'
import type {
  AirbyteStream,
  Cell,
  ConfiguredStream,
  JsonObject,
  ReadEvent,
  RecordBatch,
  StreamState,
} from '../../../../src/protocol/index.ts'
import { testContext } from '../../../conformance/context.ts'

async function streamNamed(name: string, config: JsonObject = {}): Promise<AirbyteStream> {
  const { streams } = await sampleData.discover(testContext(), config)
  return streams.find((stream) => stream.name === name) as AirbyteStream
}

async function* reading(
  name: string,
  config: JsonObject,
  more: Partial<ConfiguredStream> & { state?: StreamState } = {},
  ctx = testContext(),
): AsyncIterable<ReadEvent> {
  const { state, ...configured } = more
  const stream: ConfiguredStream = {
    stream: await streamNamed(name, config),
    syncMode: 'incremental',
    destinationSyncMode: 'append',
    cursorField: ['updated_at'],
    primaryKey: [['id']],
    generationId: 0,
    minimumGenerationId: 0,
    syncId: 1,
    format: 'records',
    ...configured,
  }
  yield* sampleData.read(
    ctx,
    validateConfig(sampleData.spec().connectionSpecification, config),
    [stream],
    {
      streams: new Map(state ? [[name, state]] : []),
    },
  )
}

async function collect(events: AsyncIterable<ReadEvent>, into: ReadEvent[] = []) {
  for await (const event of events) into.push(event)
  return into
}

const batchesOf = (events: ReadEvent[]) =>
  events.flatMap((event) => (event.type === 'batch' ? [event.batch as RecordBatch] : []))

function cellsOf(events: ReadEvent[], field: string): Cell[] {
  return batchesOf(events).flatMap((batch) => {
    const index = batch.schema.findIndex((column) => column.name === field)
    return batch.columns[index] ?? []
  })
}

const ids = (events: ReadEvent[]) => cellsOf(events, 'id')
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
const kinds = (events: ReadEvent[]) =>
  events.map((event) => (event.type === 'status' ? event.status : event.type))

describe('sample data', () => {
  it('gives the same rows for a seed on every machine and in every version', async () => {
    const hash = createHash('sha256')
    for (const name of ['users', 'products', 'purchases', 'all_types']) {
      for (const batch of batchesOf(await collect(reading(name, { count: 500, seed: 7 })))) {
        hash.update(batch.columns.flat().map(String).join('\n'))
      }
    }
    expect(hash.digest('hex')).toMatchInlineSnapshot(
      `"98d0c0842909040a776c7e8f14e6f179f0b053cba1eac69b1cabc9848ff5324c"`,
    )
  })

  it('gives other rows for another seed', async () => {
    const names = async (seed: number) =>
      cellsOf(await collect(reading('users', { seed, count: 50 })), 'name')
    expect(await names(1)).not.toEqual(await names(2))
  })

  it('spreads values evenly', async () => {
    const ages = cellsOf(await collect(reading('users', { count: 80_000 })), 'age')
    const counts = new Map<Cell, number>()
    for (const age of ages) counts.set(age, (counts.get(age) ?? 0) + 1)
    expect(counts.size).toBe(80)
    expect(Math.min(...counts.values())).toBeGreaterThan(850)
    expect(Math.max(...counts.values())).toBeLessThan(1150)
  })

  it('holds 64-bit integers and 38-digit decimals exactly', async () => {
    const events = await collect(reading('all_types', { count: 100 }))
    expect(cellsOf(events, 'integer_64')).toContain(9_223_372_036_854_775_807n)
    expect(cellsOf(events, 'number_38')[0]).toBe('9999999999999999999999999999.9999999999')
    const orders = cellsOf(await collect(reading('purchases', { count: 100 })), 'order_number')
    expect(orders.every((n) => typeof n === 'bigint' && n > 2n ** 53n)).toBe(true)
  })

  it('reads only the rows of a range by id', async () => {
    const of = async (from?: string, to?: string) =>
      ids(await collect(reading('users', { count: 20 }, { range: { field: 'id', from, to } })))
    expect(await of('3', '6')).toEqual([3, 4, 5])
    expect(await of('-5', '2')).toEqual([1])
    expect(await of('19')).toEqual([19, 20])
    expect(await of('30', '40')).toEqual([])
    for (const [range, field] of [
      [{ field: 'name', from: 'a' }, 'backfill.field'],
      [{ field: 'id', from: 'a' }, 'backfill.from'],
      [{ field: 'id', to: '1 or 1' }, 'backfill.to'],
    ] as const) {
      const events = await collect(reading('users', {}, { range }))
      expect(events).toMatchObject([
        { type: 'error', error: { code: 'VALIDATION_FAILED', field } },
        { status: 'incomplete' },
      ])
    }
  })

  it('reads only the selected fields', async () => {
    const events = await collect(reading('users', { count: 2 }, { selectedFields: ['id', 'age'] }))
    expect(batchesOf(events)[0]?.schema.map((c) => c.name)).toEqual(['id', 'age'])
  })

  it('reads what a raised count adds, and not beyond the frozen bound', async () => {
    const first = await collect(reading('users', { count: 10 }))
    const state = first.findLast((e) => e.type === 'state')?.state as StreamState
    expect(ids(await collect(reading('users', { count: 13 }, { state })))).toEqual([11, 12, 13])
    const bounded = reading('users', { count: 13 }, { state, upperBound: 12 })
    expect(ids(await collect(bounded))).toEqual([11, 12])
  })

  it('looks back from where a read ended, but not again when it resumes', async () => {
    const more = { lookbackSeconds: 3 }
    const ended = reading(
      'users',
      { count: 10 },
      { ...more, state: { version: 1, next: 10, complete: true } },
    )
    expect(ids(await collect(ended))).toEqual([8, 9, 10])
    const resumed = reading(
      'users',
      { count: 10 },
      { ...more, state: { version: 1, next: 9, complete: false } },
    )
    expect(ids(await collect(resumed))).toEqual([10])
  })

  it.each<StreamState>([{}, { version: 2, next: 1 }, { version: 1, next: 'x' }])(
    'refuses the state %j',
    async (state) => {
      await expect(collect(reading('users', {}, { state }))).rejects.toMatchObject({
        code: 'STATE_INVALID',
        stream: 'users',
      })
    },
  )
})

describe('the dials of sample data', () => {
  const slices = { count: 10, records_per_slice: 4 }

  it.each([
    ['config', 'AUTH_FAILED'],
    ['transient', 'UPSTREAM_ERROR'],
    ['system', 'INTERNAL'],
  ])('fail_at: throws a %s failure at its record, after the rows before it', async (kind, code) => {
    const seen: ReadEvent[] = []
    const read = collect(reading('users', { ...slices, fail_at: { record: 6, kind } }), seen)
    await expect(read).rejects.toMatchObject({ code, kind })
    expect(ids(seen)).toEqual(upTo(6))
    expect(kinds(seen)).toEqual(['started', 'estimate', 'running', 'batch', 'state', 'batch'])
  })

  it('fail_at: can be an event of its stream, which ends incomplete', async () => {
    const fail_at = { record: 0, as: 'event' }
    const events = await collect(reading('users', { ...slices, fail_at }))
    expect(kinds(events).slice(-2)).toEqual(['error', 'incomplete'])
  })

  it('fail_at: strikes so many times and then no more', async () => {
    const config = { ...slices, seed: 4711, fail_at: { record: 0, times: 2 } }
    await expect(collect(reading('users', config))).rejects.toThrow('told to fail')
    await expect(collect(reading('users', config))).rejects.toThrow('told to fail')
    expect(ids(await collect(reading('users', config)))).toHaveLength(10)
  })

  it('repeat_at: emits its record twice', async () => {
    const events = await collect(reading('users', { ...slices, repeat_at: { record: 5 } }))
    expect(ids(events)).toEqual([1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10])
  })

  it('acts only in the stream that it names', async () => {
    const config = { ...slices, fail_at: { record: 1, stream: 'products' } }
    expect(ids(await collect(reading('users', config)))).toHaveLength(10)
    await expect(collect(reading('products', config))).rejects.toThrow('record 1 of products')
  })

  it('stall_at: waits, and an abort ends the wait', async () => {
    const brief = { ...slices, stall_at: { record: 5, ms: 30 } }
    const start = performance.now()
    expect(ids(await collect(reading('users', brief)))).toEqual(upTo(10))
    expect(performance.now() - start).toBeGreaterThan(25)

    const ctx = testContext()
    const long = { ...slices, stall_at: { record: 5, ms: 60_000 } }
    setTimeout(() => ctx.abort(new Error('enough')), 20)
    await expect(collect(reading('users', long, {}, ctx))).rejects.toThrow('enough')
  })

  it('drop_complete: never says complete', async () => {
    const events = await collect(reading('users', { ...slices, drop_complete: true }))
    expect(ids(events)).toEqual(upTo(10))
    expect(kinds(events)).not.toContain('complete')
  })

  it('empty: has no rows, and says so', async () => {
    const events = await collect(reading('users', { empty: true }))
    expect(kinds(events)).toEqual(['started', 'estimate', 'state', 'complete'])
  })

  it('rows_per_second: slows down', async () => {
    const start = performance.now()
    await collect(reading('users', { count: 10, rows_per_second: 200 }))
    expect(performance.now() - start).toBeGreaterThan(45)
  })

  it.each([
    [{ count: -1 }, 'config.count'],
    [{ count: 1.5 }, 'config.count'],
    [{ fail_at: {} }, 'config.fail_at.record'],
  ])('check names the wrong field of %j', async (config, field) => {
    const result = await sampleData.check(testContext(), config)
    expect(result).toMatchObject({ ok: false, problem: { code: 'VALIDATION_FAILED', field } })
  })
})
