import { describe, expect, it } from 'vitest'
import {
  applyDeltas,
  diffLists,
  joinState,
  mergeDeltas,
  type PartitionDelta,
  PartitionList,
  type PartitionState,
  partitionKey,
  plainState,
  splitState,
} from '../../src/protocol/index.ts'

const entry = (id: number, day: number): PartitionState => ({
  partition: { id },
  cursor: { day },
})
const keyed = (id: number, day = 0) => [`k${id}`, entry(id, day)] as const
const many = (count: number) =>
  PartitionList.of(Array.from({ length: count }, (_, id) => keyed(id)))

describe('a list of partitions', () => {
  it('does not change when another is made of it', () => {
    const before = many(300)
    const after = before.with(...keyed(200, 7)).with(...keyed(300, 8))
    expect(before.get('k200')).toEqual(entry(200, 0))
    expect([before.length, after.length]).toEqual([300, 301])
    expect(before.get('k300')).toBeUndefined()
    expect(after.get('k200')).toEqual(entry(200, 7))
    expect(JSON.parse(JSON.stringify(after))[300]).toEqual(entry(300, 8))
  })

  it('tells what changed since one that it came of, and nothing of others', () => {
    const before = many(1000)
    const after = before
      .with(...keyed(3, 1))
      .with(...keyed(999, 1))
      .with(...keyed(1000, 1))
    expect(after.changesSince(before)).toEqual([keyed(3, 1), keyed(999, 1), keyed(1000, 1)])
    expect(after.changesSince(after)).toEqual([])
    expect(before.changesSince(after)).toBeUndefined()
    expect(many(1000).changesSince(before)).toBeUndefined()
  })

  it('may grow two ways, and neither sees the other', () => {
    const root = many(5)
    const left = root.with(...keyed(100, 1))
    const right = root.with(...keyed(200, 2))
    expect([left.get('k200'), right.get('k100')]).toEqual([undefined, undefined])
    expect(right.get('k200')).toEqual(entry(200, 2))
    expect(left.length).toBe(6)
  })

  it('is changed in the same time whatever its length', () => {
    const list = many(100_000)
    let changed = list
    const began = performance.now()
    for (let n = 0; n < 1000; n++) changed = changed.with(...keyed((n * 97) % 100_000, n))
    const perChange = (performance.now() - began) / 1000
    expect(changed.changesSince(list)).toHaveLength(1000)
    // A copy of the list would take milliseconds.
    expect(perChange).toBeLessThan(0.5)
  })
})

describe('the parts of a state', () => {
  const list = many(3)
  const state = { v: 1, airbyte: { states: list, 'a/b~': { states: list } }, at: [{ x: 1 }] }

  it('are put together again as they were', () => {
    const parts = splitState(state as never)
    expect(parts.header).toEqual({ v: 1, airbyte: { 'a/b~': {} }, at: [{ x: 1 }] })
    expect([...parts.lists.keys()]).toEqual(['/airbyte/states', '/airbyte/a~1b~0/states'])
    expect(joinState(parts)).toEqual(state)
    expect(plainState(joinState(parts))).toEqual(JSON.parse(JSON.stringify(state)))
  })

  it('are told apart in a state that someone else wrote', () => {
    const written = { states: [entry(1, 1), entry(2, 2)], other: [{ partition: 1 }] }
    const { header, lists } = splitState(written, { anyList: true })
    expect(header).toEqual({ other: [{ partition: 1 }] })
    expect(lists.get('/states')?.get(partitionKey({ id: 2 }))).toEqual(entry(2, 2))
    expect(splitState(written).header).toEqual(written)
  })

  it('change by deltas, which may be merged', () => {
    const first = new Map([['/a', many(3)]])
    const second = new Map([['/a', many(3).with(...keyed(7, 7))]])
    const third = new Map([['/a', second.get('/a')?.with(...keyed(1, 9)) as PartitionList]])
    const last = new Map([['/b', many(1)]])
    const states = [first, second, third, last]
    const deltas = states
      .slice(1)
      .map((newer, i) => diffLists(states[i] as typeof first, newer) as PartitionDelta)
    expect(Object.keys(deltas[0] ?? {})).toEqual(['/a'])
    expect(deltas[1]).toEqual({ '/a': { set: [keyed(1, 9)] } })
    expect(diffLists(third, third)).toBeUndefined()
    const plain = (lists: typeof first) => JSON.parse(JSON.stringify([...lists]))
    expect(plain(applyDeltas(first, deltas.slice(0, 2)))).toEqual(plain(third))
    expect(plain(applyDeltas(first, deltas))).toEqual(plain(last))
    for (let cut = 0; cut <= deltas.length; cut++) {
      const merged = [mergeDeltas(deltas.slice(0, cut)), mergeDeltas(deltas.slice(cut))]
      expect(plain(applyDeltas(first, merged))).toEqual(plain(last))
    }
  })

  it('keep a key apart from one that only looks like it', () => {
    expect(partitionKey({ b: 1, a: { d: [1, '1'], c: null } })).toBe(
      '{"a":{"c":null,"d":[1,"1"]},"b":1}',
    )
    expect(partitionKey(9007199254740993n as never)).toBe('9007199254740993')
  })
})
