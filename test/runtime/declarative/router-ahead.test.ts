import { describe, expect, it } from 'vitest'
import { RouterAhead } from '../../../src/runtime/declarative/partition/ahead.ts'
import type { PartitionRouter } from '../../../src/runtime/declarative/partition/types.ts'

/** Five partitions, two on a page of the parent; the page's state counts when its children are done. */
function router(breaksAt = 99): PartitionRouter & { pulled: number } {
  let done = 0
  return {
    pulled: 0,
    async *partitions(from = 0) {
      for (let index = Number(from); index < 5; index++) {
        if (index === breaksAt) throw new Error('the parent failed')
        this.pulled = index + 1
        yield { partition: { index }, extra: {}, position: index }
        if (index % 2 === 1) done = index + 1
      }
    },
    options: () => ({}),
    parentState: () => ({ parent: { done } }),
  }
}

const indexes = (parts: { partition: object }[]) => parts.map(({ partition }) => partition)

describe('a router whose partitions are seen ahead of their turn', () => {
  it('gives each once and in order, and the state of the parents as it is for the one at hand', async () => {
    for (const peeks of [0, 1, 3, 9]) {
      const ahead = new RouterAhead(router())
      const seen: unknown[] = []
      for await (const { partition } of ahead.partitions()) {
        seen.push([partition, ahead.parentState()])
        await ahead.peek(peeks)
        expect(ahead.parentState()).toEqual((seen.at(-1) as unknown[])[1])
      }
      expect(seen).toEqual([
        [{ index: 0 }, { parent: { done: 0 } }],
        [{ index: 1 }, { parent: { done: 0 } }],
        [{ index: 2 }, { parent: { done: 2 } }],
        [{ index: 3 }, { parent: { done: 2 } }],
        [{ index: 4 }, { parent: { done: 4 } }],
      ])
    }
  })

  it('looks no further than it is asked to, and begins where it was told', async () => {
    const inner = router()
    const ahead = new RouterAhead(inner, 1)
    expect(indexes(await ahead.peek(2))).toEqual([{ index: 1 }, { index: 2 }])
    expect(inner.pulled).toBe(3)
    expect(indexes(await ahead.peek(9))).toHaveLength(4)
  })

  it('fails at the turn of what failed, not before', async () => {
    const ahead = new RouterAhead(router(2))
    expect(await ahead.peek(9)).toHaveLength(2)
    const read: unknown[] = []
    const reading = (async () => {
      for await (const { partition } of ahead.partitions()) read.push(partition)
    })()
    await expect(reading).rejects.toThrow('the parent failed')
    expect(read).toEqual([{ index: 0 }, { index: 1 }])
  })
})
