import { expect } from 'vitest'
import type { Cell } from '../../../src/protocol/index.ts'
import { REPLAY_PREFIX, type StreamPlan } from '../../../src/runtime/contract.ts'
import type { DestinationCase } from '../destination-suite.ts'
import { asObjects, chunkOf, contents, loadAll, planFor, withLoader } from '../loading.ts'

export const A: Cell[][] = [
  [1, 'one', 1],
  [2, 'two', 1],
]
export const B: Cell[][] = [
  [3, 'three', 1],
  [4, null, 1],
]

/** Loading, replaying, fencing: the same in every mode, because keys do not repeat here. */
export function loadCases({ destination, opened, base, it }: DestinationCase): void {
  const chunk = (plan: ReturnType<typeof planFor>, id: string, rows: Cell[][], options = {}) =>
    chunkOf(destination, plan, id, rows, options)

  it('has no target before it is prepared', async () => {
    expect(await withLoader(opened(), planFor(base), (loader) => loader.count())).toBeNull()
  })

  it('loads chunks, and a reader sees every row when it is finished', async () => {
    const plan = planFor(base)
    await withLoader(opened(), plan, async (loader) => {
      expect(await loader.prepare(1)).toBeNull()
      const first = await loader.load(chunk(plan, 'a', A), 1)
      expect(first).toMatchObject({ duplicate: false, rows: 2, rejects: [] })
      expect(first.end).toEqual({ state: { after: 'a' }, complete: false })
      await loader.load(chunk(plan, 'b', B, { complete: true, batchRows: 1 }), 1)
      await loader.finish(1)
      expect(await loader.count()).toBe(4)
    })
    const rows = await contents(opened(), plan)
    if (rows) expect(rows).toEqual(asObjects([...A, ...B]))
  })

  it('knows where it stands after a restart', async () => {
    const plan = planFor(base)
    await loadAll(opened(), plan, [A, B], { fence: 3, finish: false })
    const position = await withLoader(opened(), plan, (loader) => loader.prepare(4))
    expect(position).toMatchObject({ rows: 2, fence: 3, end: { state: { after: 'g1-c1' } } })
    expect(position?.chunkId).toBe(chunk(plan, 'g1-c1', []).id)
  })

  it('takes a replayed chunk for a duplicate and changes nothing', async () => {
    const plan = planFor(base)
    await loadAll(opened(), plan, [A, B], { finish: false })
    await withLoader(opened(), plan, async (loader) => {
      await loader.prepare(2)
      const replay = await loader.load(chunk(plan, 'g1-c1', B), 2)
      if (destination.capabilities.ledger) {
        expect(replay).toMatchObject({ duplicate: true, end: { state: { after: 'g1-c1' } } })
      }
      await loader.finish(2)
      expect(await loader.count()).toBe(4)
    })
    const rows = await contents(opened(), plan)
    if (rows) expect(rows).toEqual(asObjects([...A, ...B]))
  })

  it('remembers rows that were loaded from the rejects, whatever generations came since', async () => {
    if (!destination.capabilities.ledger || base.mode.startsWith('overwrite')) return
    const first = planFor({ ...base, generationId: 1, minimumGenerationId: 0 })
    const second = { ...first, generationId: 2 }
    const third = { ...first, generationId: 3 }
    const rejects = (plan: StreamPlan) => chunk(plan, `${REPLAY_PREFIX}r`, A)
    await withLoader(opened(), first, async (loader) => {
      await loader.prepare(1)
      expect(await loader.load(rejects(first), 1)).toMatchObject({ duplicate: false, rows: 2 })
      await loader.finish(1)
    })
    await loadAll(opened(), second, [B], { fence: 2 })
    await withLoader(opened(), third, async (loader) => {
      await loader.prepare(3)
      expect(await loader.load(rejects(third), 3)).toMatchObject({ duplicate: true, rows: 2 })
      await loader.finish(3)
      expect(await loader.count()).toBe(4)
    })
  })

  it('is prepared and finished twice as well as once', async () => {
    const plan = planFor(base)
    await withLoader(opened(), plan, async (loader) => {
      await loader.prepare(1)
      await loader.prepare(1)
      await loader.load(chunk(plan, 'a', A), 1)
      await loader.finish(1)
    })
    await withLoader(opened(), plan, async (loader) => {
      await loader.finish(1)
      await loader.finish(2)
      expect(await loader.count()).toBe(2)
    })
  })

  it('refuses a fence lower than the last, in every method', async () => {
    const plan = planFor(base)
    await loadAll(opened(), plan, [A], { fence: 5, finish: false })
    await withLoader(opened(), plan, async (loader) => {
      const lost = { code: 'FENCE_LOST' }
      await expect(loader.prepare(4)).rejects.toMatchObject(lost)
      await expect(loader.load(chunk(plan, 'b', B), 4)).rejects.toMatchObject(lost)
      await expect(loader.finish(4)).rejects.toMatchObject(lost)
      await expect(loader.abort(4)).rejects.toMatchObject(lost)
    })
    const position = await withLoader(opened(), plan, (loader) => loader.prepare(5))
    expect(position?.end.state).toEqual({ after: 'g1-c0' })
  })

  it('leaves nothing of a chunk whose body fails, and loads it afterwards', async () => {
    const plan = planFor(base)
    await withLoader(opened(), plan, async (loader) => {
      await loader.prepare(1)
      await loader.load(chunk(plan, 'a', A), 1)
      const broken = chunk(plan, 'b', B, { failure: new Error('the source broke'), batchRows: 1 })
      await expect(loader.load(broken, 1)).rejects.toThrow('the source broke')
    })
    await withLoader(opened(), plan, async (loader) => {
      expect((await loader.prepare(2))?.end.state).toEqual({ after: 'a' })
      expect(await loader.load(chunk(plan, 'b', B), 2)).toMatchObject({ duplicate: false, rows: 2 })
      await loader.finish(2)
      expect(await loader.count()).toBe(4)
    })
    const rows = await contents(opened(), plan)
    if (rows) expect(rows).toEqual(asObjects([...A, ...B]))
  })

  it('loads once what a zombie and its successor both load', async () => {
    const plan = planFor(base)
    const resume = Promise.withResolvers<void>()
    await withLoader(opened(), plan, async (zombie) => {
      await zombie.prepare(1)
      const zombieLoad = zombie.load(chunk(plan, 'a', A, { before: () => resume.promise }), 1)
      const settled = Promise.allSettled([zombieLoad])
      await withLoader(opened(), plan, async (successor) => {
        const work = successor.prepare(2).then(() => successor.load(chunk(plan, 'a', A), 2))
        // A destination may make the successor wait for the zombie's transaction.
        await Promise.race([work, new Promise((resolve) => setTimeout(resolve, 300))])
        resume.resolve()
        await work
        const [outcome] = await settled
        // It was refused, or the successor cut its connection to get past its locks.
        if (outcome.status === 'rejected') {
          expect(['FENCE_LOST', 'CONNECTION_LOST']).toContain(outcome.reason.code)
        }
        await expect(zombie.load(chunk(plan, 'b', B), 1)).rejects.toMatchObject({
          code: 'FENCE_LOST',
        })
        await successor.finish(2)
        expect(await successor.count()).toBe(2)
      })
    })
    const rows = await contents(opened(), plan)
    if (rows) expect(rows).toEqual(asObjects(A))
  })

  it('takes a chunk without rows: its state moves', async () => {
    const plan = planFor(base)
    await withLoader(opened(), plan, async (loader) => {
      await loader.prepare(1)
      expect(await loader.load(chunk(plan, 'a', []), 1)).toMatchObject({ rows: 0, rejects: [] })
      await loader.finish(1)
      expect(await loader.count()).toBe(0)
    })
    const position = await withLoader(opened(), plan, (loader) => loader.prepare(2))
    expect(position?.end.state).toEqual({ after: 'a' })
  })

  it('keeps streams of one name apart by connection, namespace and table', async () => {
    const plan = planFor(base)
    const other = planFor({ ...base, stream: plan.stream })
    await loadAll(opened(), plan, [A])
    await loadAll(opened(), other, [B])
    const counts = [plan, other].map((p) => withLoader(opened(), p, (loader) => loader.count()))
    expect(await Promise.all(counts)).toEqual([2, 2])
  })
}
