import { describe, expect, it } from 'vitest'
import {
  type ConfiguredStream,
  diffLists,
  type JsonObject,
  type PartitionLists,
  type ReadEvent,
  type StreamState,
  splitState,
} from '../../../src/protocol/index.ts'
import { declarativeSource, toAirbyteState } from '../../../src/runtime/declarative/index.ts'
import { testContext } from '../../conformance/context.ts'
import { SHOP_INFO } from '../../support/shop-manifest.ts'
import { manifestOf } from './oracle.ts'

const STREAM: ConfiguredStream = {
  stream: {
    ...{ name: 'items', supported_sync_modes: ['full_refresh', 'incremental'] },
    json_schema: { type: 'object', properties: { id: {}, day: { type: 'string' } } },
  },
  ...{ syncMode: 'incremental', destinationSyncMode: 'append', cursorField: ['day'] },
  ...{ primaryKey: [], generationId: 1, minimumGenerationId: 0, syncId: 1, format: 'records' },
}

/** A record for each partition. */
function sourceOf(partitions: number) {
  const values = Array.from({ length: partitions }, (_, index) => `p${index}`)
  const stream = {
    incremental_sync: {
      ...{ type: 'DatetimeBasedCursor', cursor_field: 'day', datetime_format: '%Y-%m-%d' },
      start_datetime: '2026-01-01',
    },
    retriever: { partition_router: { type: 'ListPartitionRouter', cursor_field: 'p', values } },
  }
  return declarativeSource(manifestOf({ name: '', stream } as never), SHOP_INFO)
}

async function* read(partitions: number, state?: StreamState): AsyncGenerator<ReadEvent> {
  const body = '[{"id":1,"day":"2026-01-05"}]'
  const ctx = testContext({ http: { fetch: async () => new Response(body) } })
  const streams = new Map(state ? [['items', state]] : [])
  yield* sourceOf(partitions).read(ctx, {}, [STREAM], { streams })
}

/** What each checkpoint would write: the header and what changed in the lists. */
async function checkpoints(events: AsyncIterable<ReadEvent>) {
  const sizes: { header: number; delta: number; changed: number }[] = []
  let before: PartitionLists = new Map()
  let last: StreamState = {}
  for await (const event of events) {
    if (event.type !== 'state') continue
    const { header, lists } = splitState(event.state)
    const delta = diffLists(before, lists)
    const changed = Object.values(delta ?? {}).reduce((sum, { set }) => sum + set.length, 0)
    const bytes = (value: unknown) => JSON.stringify(value ?? null).length
    sizes.push({ header: bytes(header), delta: bytes(delta), changed })
    before = lists
    last = event.state
  }
  return { sizes, last }
}

describe('a stream of many partitions', () => {
  it('writes at each checkpoint what changed, however many there are', async () => {
    const { sizes, last } = await checkpoints(read(3000))
    expect(sizes.length).toBeGreaterThanOrEqual(3000)
    expect(Math.max(...sizes.map(({ header }) => header))).toBeLessThan(1000)
    expect(Math.max(...sizes.map(({ changed }) => changed))).toBeLessThanOrEqual(2)
    expect(Math.max(...sizes.map(({ delta }) => delta))).toBeLessThan(500)
    const { states } = toAirbyteState(last)
    expect(states).toHaveLength(3000)
    expect((states as JsonObject[])[2999]).toEqual({
      partition: { p: 'p2999' },
      cursor: { day: '2026-01-05' },
    })

    // Read again, nothing is new in any of them: nothing is written for them.
    const again = await checkpoints(read(3000, last))
    expect(again.sizes.slice(1).every(({ changed }) => changed === 0)).toBe(true)
  })

  it('keeps one state for all once there are more than 10,000', async () => {
    const { sizes, last } = await checkpoints(read(10_050))
    expect(toAirbyteState(last)).toEqual({
      ...{ use_global_cursor: true, lookback_window: expect.any(Number) },
      state: { day: '2026-01-05' },
    })
    const written = sizes.reduce((sum, { header, delta }) => sum + header + delta, 0)
    // The whole list at each checkpoint would be some 5 GB.
    expect(written / sizes.length).toBeLessThan(1200)
  }, 90_000)

  it('keeps one state for all also where the first read goes on past the 10,000th', async () => {
    let middle: StreamState | undefined
    let states = 0
    for await (const event of read(10_050)) {
      if (event.type === 'state') middle = event.state
      if (event.type === 'state' && ++states > 10_020) break
    }
    const { last, sizes } = await checkpoints(read(10_050, JSON.parse(JSON.stringify(middle))))
    expect(sizes.length).toBeLessThan(100)
    expect(toAirbyteState(last)).toEqual({
      ...{ use_global_cursor: true, lookback_window: expect.any(Number) },
      state: { day: '2026-01-05' },
    })
  }, 90_000)
})
