import { expect, it } from 'vitest'
import type { StreamState } from '../../../src/protocol/index.ts'
import { loadManifest } from '../../../src/runtime/declarative/manifest/load.ts'
import { newRun } from '../../../src/runtime/declarative/run.ts'
import { buildStream } from '../../../src/runtime/declarative/stream/build.ts'
import { listStreams } from '../../../src/runtime/declarative/stream/list.ts'
import { readPages } from '../../../src/runtime/declarative/stream/read-pages.ts'
import { fromAirbyteState } from '../../../src/runtime/declarative/stream/state.ts'
import { testContext } from '../../conformance/context.ts'
import { manifestOf } from './oracle.ts'

it('keeps one state for all once there are more than 10,000 partitions', async () => {
  const values = Array.from({ length: 10_005 }, (_, index) => `p${index}`)
  const stream = {
    incremental_sync: {
      ...{ type: 'DatetimeBasedCursor', cursor_field: 'day', datetime_format: '%Y-%m-%d' },
      start_datetime: '2026-01-01',
    },
    retriever: {
      partition_router: { type: 'ListPartitionRouter', cursor_field: 'p', values },
    },
  }
  const body = '[{"id":1,"day":"2026-01-05"}]'
  const ctx = testContext({ http: { fetch: async () => new Response(body) } })
  const env = { config: {}, ctx, run: newRun(ctx, {}) }
  const [found] = await listStreams(loadManifest(manifestOf({ name: '', stream })), env)
  if (!found) throw new Error('no stream')
  const states: StreamState[] = []
  const reading = buildStream(found.component, { ...env, stream: 'items' })
  for await (const page of readPages(reading, fromAirbyteState({}))) {
    if (states.length % 1000 === 0 || page.records.length === 0) states.push(page.after().airbyte)
    else states.push({})
  }
  const counts = states.map(({ states: all }) => (Array.isArray(all) ? all.length : undefined))
  expect(counts[5000]).toBe(5001)
  expect(states.at(-1)).toEqual({
    ...{ use_global_cursor: true, lookback_window: expect.any(Number) },
    state: { day: '2026-01-05' },
  })
})
