import { describe, expect, it } from 'vitest'
import {
  type ConfiguredStream,
  type ErrorRecord,
  type JsonObject,
  type ReadEvent,
  rowsOf,
  type StreamState,
  type SyncMode,
  splitState,
} from '../../../src/protocol/index.ts'
import { declarativeSource } from '../../../src/runtime/declarative/index.ts'
import { testContext } from '../../conformance/context.ts'
import { kept } from '../../support/kept-state.ts'
import { childrenOf, SHOP_INFO, shopManifest } from '../../support/shop-manifest.ts'

const NOW = Date.parse('2026-03-15T12:00:00Z')

/** What the API answers: null is refused. Each page is `of:page`. */
type Api = (of: string, page: number, from: string | null) => string[] | null | number

interface Options {
  /** By default a list; with `parents` they come from the API. */
  values?: string[]
  parents?: () => string[]
  mode?: SyncMode
  stream?: JsonObject
  from?: StreamState
  /** Stop at the first state after so many. */
  states?: number
}

async function read(api: Api, { values, parents, mode = 'full_refresh', ...options }: Options) {
  const asked: string[] = []
  const ctx = testContext({
    now: () => NOW,
    http: {
      async fetch(address) {
        const url = new URL(address)
        const page = Number(url.searchParams.get('page'))
        if (url.pathname === '/parents') {
          return Response.json(page > 0 ? [] : (parents?.() ?? []).map((id) => ({ id })))
        }
        const of = url.searchParams.get('of') ?? url.searchParams.get('parent') ?? ''
        const from = url.searchParams.get('from')
        asked.push([of, page, from].filter((part) => part !== null).join(':'))
        const answer = api(of, page, from)
        if (answer === null) return new Response('{"message":"not for you"}', { status: 403 })
        if (typeof answer === 'number') return new Response('{}', { status: answer })
        const updated_at = from ?? '2026-03-01'
        return Response.json(answer.map((id) => ({ id, updated_at })))
      },
    },
  })
  const router = values
    ? { type: 'ListPartitionRouter', values, cursor_field: 'of' }
    : childrenOf({ name: 'parents' })
  const request_parameters: JsonObject = values ? { of: "{{ stream_partition['of'] }}" } : {}
  const child = {
    ...{ name: 'children', retriever: { partition_router: router } },
    ...{ requester: { request_parameters }, stream: options.stream ?? {} },
  }
  const source = declarativeSource(shopManifest([child]), SHOP_INFO, { sleep: async () => {} })
  const streams = new Map(options.from ? [['children', options.from]] : [])
  const rows: string[] = []
  let since: string[] = []
  let state: StreamState | undefined
  let error: ErrorRecord | undefined
  let states = 0
  let isComplete = false
  try {
    for await (const event of source.read(ctx, {}, [configured(mode)], { streams })) {
      if (event.type === 'batch') since.push(...idsOf(event))
      if (event.type === 'error') error = event.error
      if (event.type === 'status' && event.status === 'complete') isComplete = true
      if (event.type !== 'state') continue
      // What was not followed by a state is not committed.
      rows.push(...since)
      since = []
      state = event.state
      if (++states === options.states) break
    }
  } catch (thrown) {
    error = thrown as ErrorRecord
  }
  return { asked, rows, state: state && kept(state), error, states, isComplete }
}

function configured(syncMode: SyncMode): ConfiguredStream {
  const properties = { id: { type: 'string' }, updated_at: { type: 'string' } }
  return {
    stream: {
      ...{ name: 'children', supported_sync_modes: ['full_refresh', 'incremental'] },
      json_schema: { type: 'object', properties },
    },
    ...{ syncMode, destinationSyncMode: 'append', cursorField: ['updated_at'], primaryKey: [] },
    ...{ generationId: 1, minimumGenerationId: 0, syncId: 1, format: 'records' },
  }
}

function idsOf({ batch }: Extract<ReadEvent, { type: 'batch' }>): string[] {
  if (batch.kind !== 'records') throw new Error('not what was asked for')
  const column = batch.schema.findIndex(({ name }) => name === 'id')
  return Array.from({ length: rowsOf(batch) }, (_, row) => String(batch.columns[column]?.[row]))
}

const VALUES = ['a', 'b', 'c', 'd', 'e']
/** Two pages of two, and a last one that is empty. */
const whole: Api = (of, page) => (page > 1 ? [] : [`${of}${page}x`, `${of}${page}y`])
const all = (values = VALUES) =>
  values.flatMap((of) => [0, 1].flatMap((page) => whole(of, page, null) as string[]))
/** b from the start, d from its second page. */
const partly: Api = (of, page, from) =>
  of === 'b' || (of === 'd' && page > 0) ? null : whole(of, page, from)

describe('partitions without a cursor that fail', () => {
  it('are named, and do not keep the others from being read', async () => {
    const { rows, error, isComplete } = await read(partly, { values: VALUES })
    expect(rows.sort()).toEqual([...all(['a', 'c', 'e']), 'd0x', 'd0y'].sort())
    expect(isComplete).toBe(false)
    expect(error?.code).toBe('PERMISSION_DENIED')
    expect(error?.message).toMatch(
      /^children: 2 partitions could not be read \(of=b; of=d\), the others were\. The first: .*not for you/,
    )
  })

  it('are all that the next attempt reads, from where they stood', async () => {
    const first = await read(partly, { values: VALUES })
    const second = await read(partly, { values: VALUES, from: first.state as StreamState })
    expect([second.asked, second.rows]).toEqual([['b:0', 'd:1'], []])
    expect(second.error?.message).toContain('2 partitions could not be read')
    const third = await read(whole, { values: VALUES, from: second.state as StreamState })
    expect(third.asked).toEqual(['b:0', 'b:1', 'b:2', 'd:1', 'd:2'])
    expect(third).toMatchObject({ error: undefined, isComplete: true })
    expect([...first.rows, ...third.rows].sort()).toEqual(all().sort())
    const after = await read(whole, { values: VALUES, from: third.state as StreamState })
    expect(after).toMatchObject({ asked: [], rows: [], isComplete: true })
  })

  it('give each row once, wherever the reads stop', async () => {
    const { states } = await read(partly, { values: VALUES })
    for (let stop = 1; stop < states; stop++) {
      const begun = await read(partly, { values: VALUES, states: stop })
      const first = await read(partly, { values: VALUES, from: begun.state as StreamState })
      expect(first.error?.message).toContain('2 partitions could not be read (of=b; of=d)')
      const rows = [...begun.rows, ...first.rows]
      let from = first.state as StreamState
      for (;;) {
        const { isComplete, ...next } = await read(whole, { values: VALUES, from, states: 1 })
        rows.push(...next.rows)
        from = next.state as StreamState
        if (isComplete || from.done) break
      }
      expect(rows.sort()).toEqual(all().sort())
    }
  })

  it('are forgotten when their parents have gone', async () => {
    const parents = () => ['1', '2', '3']
    const first = await read((of) => (of === '2' ? 404 : whole(of, 2, null)), { parents })
    expect(first.error?.message).toContain('1 partition could not be read (parent=2)')
    const left = () => ['1', '3', '4']
    const second = await read(whole, { parents: left, from: first.state as StreamState })
    expect(second).toMatchObject({ asked: [], error: undefined, isComplete: true })
  })

  it('may be many in a row, when each has an answer of its own', async () => {
    const values = Array.from({ length: 16 }, (_, index) => `p${index}`)
    const api: Api = (of) => (of === 'p15' ? ['last'] : 404)
    const { rows, error } = await read((of, page) => (page > 0 ? [] : api(of, 0, null)), { values })
    expect(rows).toEqual(['last'])
    expect(error?.message).toContain('15 partitions could not be read')
    expect(error?.message).toContain('of=p4; 10 more')
  })

  it('end the attempt after ten in a row when the server has failed', async () => {
    const values = Array.from({ length: 16 }, (_, index) => `p${index}`)
    const { asked, error, state } = await read(() => 500, { values })
    expect(new Set(asked).size).toBe(10)
    expect(error?.code).toBe('UPSTREAM_ERROR')
    const next = await read(whole, { values, from: state as StreamState })
    expect(next.error?.message).toContain('9 partitions could not be read')
    const last = await read(whole, { values, from: next.state as StreamState })
    expect([...next.rows, ...last.rows].sort()).toEqual(all(values).sort())
  })

  it('are remembered up to 10,000, of which the next attempt begins', async () => {
    const values = Array.from({ length: 100_000 }, (_, index) => `p${index}`)
    const first = await read(() => 404, { values })
    expect(first.asked).toHaveLength(10_001)
    const { header, lists } = splitState(first.state as StreamState)
    expect(JSON.stringify(header).length).toBeLessThan(1000)
    expect([...lists.values()].map(({ length }) => length)).toEqual([10_000])
    expect(first.error?.message).toContain(
      'of=p4; 9995 more), and the read ended before those after',
    )

    const api: Api = (of) => (Number(of.slice(1)) < 10_002 ? [] : 404)
    const second = await read(api, { values, from: first.state as StreamState, states: 10_010 })
    expect(second.asked.slice(0, 2)).toEqual(['p0:0', 'p1:0'])
    expect(second.asked.slice(9999, 10_004)).toEqual(
      [9999, 10_000, 10_001, 10_002, 10_003].map((index) => `p${index}:0`),
    )
  }, 120_000)
})

const BY_DAYS = {
  incremental_sync: {
    ...{ type: 'DatetimeBasedCursor', cursor_field: 'updated_at', datetime_format: '%Y-%m-%d' },
    ...{ start_datetime: '2026-03-01', end_datetime: '2026-03-09', step: 'P3D' },
    cursor_granularity: 'P1D',
    start_time_option: {
      ...{ type: 'RequestOption', inject_into: 'request_parameter', field_name: 'from' },
    },
  },
}

describe('partitions with a cursor that fail', () => {
  const api: Api = (of, page, from) => (page > 0 ? [] : [`${of}:${from}`])
  const failing: Api = (of, page, from) =>
    of === 'b' && from === '2026-03-04' ? null : api(of, page, from)
  const options = { values: ['a', 'b', 'c'], stream: BY_DAYS }

  it('are read on from where they stood by a full refresh', async () => {
    const first = await read(failing, options)
    expect(first.error?.message).toContain('1 partition could not be read (of=b)')
    const second = await read(api, { ...options, from: first.state as StreamState })
    expect(second.isComplete).toBe(true)
    const rows = [...first.rows, ...second.rows]
    const days = ['2026-03-01', '2026-03-04', '2026-03-07']
    expect(rows.sort()).toEqual(options.values.flatMap((of) => days.map((day) => `${of}:${day}`)))
  })

  it('are read from their own state by the next incremental read', async () => {
    const first = await read(failing, { ...options, mode: 'incremental' })
    expect(first.rows.sort()).toHaveLength(8)
    expect(first.error?.message).toContain('1 partition could not be read (of=b)')
    const from = first.state as StreamState
    const second = await read(api, { ...options, mode: 'incremental', from })
    expect(second.rows).toContain('b:2026-03-04')
    expect(second.isComplete).toBe(true)
  })
})
