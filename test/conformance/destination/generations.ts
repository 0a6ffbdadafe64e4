import { expect } from 'vitest'
import type { DestinationCase } from '../destination-suite.ts'
import {
  asObjects,
  chunkOf,
  contents,
  loadAll,
  nextGeneration,
  planFor,
  withLoader,
} from '../loading.ts'
import { A, B } from './load.ts'

/** What readers see while a stream passes from one generation to the next. */
export function generationCases({ destination, opened, base, it }: DestinationCase): void {
  const overwrites = base.mode.startsWith('overwrite')

  it(
    overwrites
      ? 'shows the old rows until the new generation is finished, then only the new'
      : 'adds the rows of a new generation to the old',
    async () => {
      const plan = planFor(base)
      const next = nextGeneration(plan)
      await loadAll(opened(), plan, [A])
      await loadAll(opened(), next, [B], { fence: 2, finish: false })
      const during = await contents(opened(), next)
      if (during) expect(during).toEqual(asObjects(overwrites ? A : [...A, ...B]))
      await withLoader(opened(), next, (loader) => loader.finish(2))
      const after = await contents(opened(), next)
      if (after) expect(after).toEqual(asObjects(overwrites ? B : [...A, ...B]))
      const count = await withLoader(opened(), next, (loader) => loader.count())
      expect(count).toBe(overwrites ? 2 : 4)
    },
  )

  it('continues a generation that another attempt began', async () => {
    const plan = planFor(base)
    const next = nextGeneration(plan)
    await loadAll(opened(), plan, [A])
    await loadAll(opened(), next, [B], { fence: 2, finish: false })
    await withLoader(opened(), next, async (loader) => {
      expect((await loader.prepare(3))?.end.state).toEqual({ after: 'g2-c0' })
      await loader.load(chunkOf(destination, next, 'g2-c1', [[5, 'five', 1]]), 3)
      await loader.finish(3)
      expect(await loader.count()).toBe(overwrites ? 3 : 5)
    })
    const rows = await contents(opened(), next)
    const expected = [...B, [5, 'five', 1]]
    if (rows) expect(rows).toEqual(asObjects(overwrites ? expected : [...A, ...expected]))
  })

  it('starts a new generation without a position', async () => {
    const plan = planFor(base)
    await loadAll(opened(), plan, [A])
    const position = await withLoader(opened(), nextGeneration(plan), (l) => l.prepare(2))
    expect(position).toBeNull()
  })

  if (!overwrites) {
    it('drops rows older than the minimum generation when it is finished', async () => {
      const plan = planFor(base)
      const refresh = { ...nextGeneration(plan), minimumGenerationId: 2 }
      await loadAll(opened(), plan, [A])
      await loadAll(opened(), refresh, [B], { fence: 2 })
      expect(await withLoader(opened(), refresh, (loader) => loader.count())).toBe(2)
      const rows = await contents(opened(), refresh)
      if (rows) expect(rows).toEqual(asObjects(B))
    })
    return
  }

  it('keeps the old rows when a generation is aborted, and can begin it again', async () => {
    const plan = planFor(base)
    const next = nextGeneration(plan)
    await loadAll(opened(), plan, [A])
    await loadAll(opened(), next, [B], { fence: 2, finish: false })
    await withLoader(opened(), next, async (loader) => {
      await loader.abort(2)
      await loader.abort(2)
      expect(await loader.count()).toBe(2)
    })
    const rows = await contents(opened(), next)
    if (rows) expect(rows).toEqual(asObjects(A))
    const retry = nextGeneration(next)
    await loadAll(opened(), retry, [B], { fence: 3 })
    const after = await contents(opened(), retry)
    if (after) expect(after).toEqual(asObjects(B))
  })

  it('replaces rows by none when the new generation is empty', async () => {
    const plan = planFor(base)
    const next = nextGeneration(plan)
    await loadAll(opened(), plan, [A])
    await loadAll(opened(), next, [[]], { fence: 2 })
    expect(await withLoader(opened(), next, (loader) => loader.count())).toBe(0)
  })
}
