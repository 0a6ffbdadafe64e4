import { describe, expect, it } from 'vitest'
import type { JsonObject, StreamState } from '../../../src/protocol/index.ts'
import { declarativeSource, toAirbyteState } from '../../../src/runtime/declarative/index.ts'
import { testContext } from '../../conformance/context.ts'
import { kept } from '../../support/kept-state.ts'
import { childrenOf, SHOP_INFO, shopManifest } from '../../support/shop-manifest.ts'

const START = Date.parse('2026-03-15T12:00:00Z')

/** Parents whose ids come again, also on later pages. */
const PARENTS = [[1, 1], [2, 1], [3, 3], [2, 4], [1, 5], []]

const listOf = (values: string[]) => ({
  ...{ type: 'ListPartitionRouter', values, cursor_field: 'parent' },
})

const grouped = (underlying: JsonObject) => ({
  ...{ type: 'GroupingPartitionRouter', group_size: 2, underlying_partition_router: underlying },
})

const ROUTERS: [name: string, router: JsonObject, expected: string[]][] = [
  ['groups of a list', grouped(listOf(['1', '1', '2', '3', '2', '1', '4', '3', '5'])), groups()],
  ['groups of parents', grouped(childrenOf({ name: 'parents' }, false)), groups()],
  [
    'a union of a list and parents',
    {
      ...{ type: 'UnionPartitionRouter', partition_field: 'parent' },
      partition_routers: [listOf(['9', '2']), childrenOf({ name: 'parents' }, false)],
    },
    // The list's values are texts, the parents' numbers.
    ['9', '2', '1', '2', '3', '4', '5'],
  ],
]

function groups() {
  return ['1,2', '3,4', '5']
}

/** Reads children, to the end or up to the first state after so many requests for them. */
async function read(router: JsonObject, from?: StreamState, most = Number.POSITIVE_INFINITY) {
  const asked: string[] = []
  let now = START + (from ? 3_600_000 : 0)
  const ctx = testContext({
    now: () => now++,
    http: {
      async fetch(address) {
        const url = new URL(address)
        const page = Number(url.searchParams.get('page'))
        if (url.pathname === '/parents') {
          return Response.json((PARENTS[page] ?? []).map((id) => ({ id })))
        }
        if (page === 0) asked.push(url.searchParams.getAll('of').join())
        return Response.json(page === 0 ? [{ id: 1 }, { id: 2 }] : [])
      },
    },
  })
  const of = "{{ stream_partition['parent'] }}"
  const retriever = { partition_router: router }
  const child = { name: 'children', retriever, requester: { request_parameters: { of } } }
  const source = declarativeSource(shopManifest([child]), SHOP_INFO)
  const configured = {
    stream: {
      ...{ name: 'children', supported_sync_modes: ['full_refresh' as const] },
      json_schema: { type: 'object', properties: { id: { type: 'integer' } } },
    },
    ...{ syncMode: 'full_refresh' as const, destinationSyncMode: 'append' as const },
    ...{ cursorField: [], primaryKey: [] },
    ...{ generationId: 1, minimumGenerationId: 0, syncId: 1, format: 'records' as const },
  }
  const streams = new Map(from ? [['children', from]] : [])
  let state: StreamState | undefined
  for await (const event of source.read(ctx, {}, [configured], { streams })) {
    if (event.type !== 'state') continue
    state = JSON.parse(JSON.stringify(event.state))
    if (asked.length >= most) break
  }
  return { asked, state }
}

/** Reads children by a cursor, to the end or up to the first state after so many partitions. */
async function readByCursor(day: string, from?: StreamState, most = Number.POSITIVE_INFINITY) {
  const asked: string[] = []
  const ctx = testContext({
    now: () => START,
    http: {
      async fetch(address) {
        const url = new URL(address)
        const page = Number(url.searchParams.get('page'))
        if (url.pathname === '/parents') {
          return Response.json((PARENTS[page] ?? []).map((id) => ({ id })))
        }
        const of = url.searchParams.get('parent') ?? ''
        if (page === 0) asked.push(of)
        // Parent 3 never has anything.
        const rows = page > 0 || of === '3' ? [] : [{ id: 1, updated_at: day }]
        return Response.json(rows)
      },
    },
  })
  const incremental_sync = {
    ...{ type: 'DatetimeBasedCursor', cursor_field: 'updated_at', datetime_format: '%Y-%m-%d' },
    start_datetime: '2026-01-01',
  }
  const retriever = { partition_router: childrenOf({ name: 'parents' }) }
  const child = { name: 'children', retriever, stream: { incremental_sync } }
  const source = declarativeSource(shopManifest([child]), SHOP_INFO)
  const properties = { id: { type: 'integer' }, updated_at: { type: 'string' } }
  const configured = {
    stream: {
      ...{ name: 'children', supported_sync_modes: ['incremental' as const] },
      json_schema: { type: 'object', properties },
    },
    ...{ syncMode: 'incremental' as const, destinationSyncMode: 'append' as const },
    ...{ cursorField: ['updated_at'], primaryKey: [], generationId: 1, minimumGenerationId: 0 },
    ...{ syncId: 1, format: 'records' as const },
  }
  const streams = new Map(from ? [['children', from]] : [])
  let state: StreamState = {}
  for await (const event of source.read(ctx, {}, [configured], { streams })) {
    if (event.type !== 'state') continue
    state = kept(event.state)
    if (asked.length >= most) break
  }
  return { asked, state }
}

const FEBRUARY = '2026-02-01'

describe('partitions with a cursor that come again', () => {
  it('are read once by a read that stops after any of them and goes on', async () => {
    const whole = await readByCursor(FEBRUARY)
    expect(whole.asked).toEqual(['1', '2', '3', '4', '5'])
    for (let most = 1; most < whole.asked.length; most++) {
      const before = await readByCursor(FEBRUARY, undefined, most)
      const after = await readByCursor(FEBRUARY, before.state)
      expect([...before.asked, ...after.asked]).toEqual(whole.asked)
    }
  })

  it('are read once by a later read that finds newer rows in them', async () => {
    const { state } = await readByCursor(FEBRUARY)
    // Nothing came of parent 3, so asking for it twice doubles nothing.
    const withRows = (asked: string[]) => asked.filter((id) => id !== '3')
    for (let most = 1; most < 5; most++) {
      const before = await readByCursor('2026-03-01', state, most)
      const after = await readByCursor('2026-03-01', before.state)
      expect(withRows([...before.asked, ...after.asked])).toEqual(['1', '2', '4', '5'])
    }
  })

  it('are exported as the CDK writes them', async () => {
    const { state } = await readByCursor(FEBRUARY)
    expect(toAirbyteState(state).states).toContainEqual({
      partition: { parent: 1, parent_slice: {} },
      cursor: { updated_at: '2026-02-01' },
    })
  })
})

describe('partitions that come again', () => {
  for (const [name, router, expected] of ROUTERS) {
    it(`are read once: ${name}`, async () => {
      expect((await read(router)).asked).toEqual(expected)
    })

    it(`are read once by a read that stops after any of them and goes on: ${name}`, async () => {
      const whole = await read(router)
      for (let most = 1; most < whole.asked.length; most++) {
        const before = await read(router, undefined, most)
        const after = await read(router, before.state)
        expect([...before.asked, ...after.asked]).toEqual(whole.asked)
      }
    })
  }
})
