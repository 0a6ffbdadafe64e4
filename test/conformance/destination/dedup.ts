import { expect } from 'vitest'
import type { Cell } from '../../../src/protocol/index.ts'
import type { DestinationCase } from '../destination-suite.ts'
import { asObjects, chunkOf, contents, loadAll, planFor, withLoader } from '../loading.ts'

/** Per key the row with the greatest cursor, and of equals the last. */
export function dedupCases({ destination, opened, base, it }: DestinationCase): void {
  async function expectRows(chunks: Cell[][][], expected: Cell[][], plan = planFor(base)) {
    await loadAll(opened(), plan, chunks)
    const rows = await contents(opened(), plan)
    if (!rows) return
    expect(rows).toEqual(asObjects(expected))
    expect(await withLoader(opened(), plan, (loader) => loader.count())).toBe(expected.length)
  }

  it('keeps the newest of several versions in one chunk', () =>
    expectRows(
      [
        [
          [1, 'old', 1],
          [2, 'only', 1],
          [1, 'new', 2],
        ],
      ],
      [
        [1, 'new', 2],
        [2, 'only', 1],
      ],
    ))

  it('keeps the newest in one chunk, though it comes first', () =>
    expectRows(
      [
        [
          [1, 'new', 2],
          [1, 'old', 1],
        ],
      ],
      [[1, 'new', 2]],
    ))

  it('replaces a row by a newer version in a later chunk', () =>
    expectRows([[[1, 'old', 1]], [[1, 'new', 2]]], [[1, 'new', 2]]))

  it('ignores an older version that comes late', () =>
    expectRows([[[1, 'new', 2]], [[1, 'old', 1]]], [[1, 'new', 2]]))

  it('takes the last of equals, in one chunk and across chunks', async () => {
    await expectRows(
      [
        [
          [1, 'first', 1],
          [1, 'second', 1],
        ],
      ],
      [[1, 'second', 1]],
    )
    await expectRows([[[1, 'first', 1]], [[1, 'second', 1]]], [[1, 'second', 1]])
  })

  it('ranks a null cursor below any other', () =>
    expectRows([[[1, 'dated', 1]], [[1, 'undated', null]]], [[1, 'dated', 1]]))

  it('takes the last row where no cursor is configured', () =>
    expectRows(
      [[[1, 'first', 9]], [[1, 'second', 1]]],
      [[1, 'second', 1]],
      planFor({ ...base, cursorField: [] }),
    ))

  it('tells rows apart by every part of a composite key', () =>
    expectRows(
      [
        [
          [1, 'a', 1],
          [1, 'b', 1],
        ],
        [[1, 'a', 2]],
      ],
      [
        [1, 'a', 2],
        [1, 'b', 1],
      ],
      planFor({ ...base, primaryKey: [['id'], ['name']] }),
    ))

  it('rejects a row with a null key and loads the others', async () => {
    const plan = planFor(base)
    if (!(await contents(opened(), plan))) return
    await withLoader(opened(), plan, async (loader) => {
      await loader.prepare(1)
      const rows: Cell[][] = [
        [1, 'good', 1],
        [null, 'bad', 1],
      ]
      const result = await loader.load(chunkOf(destination, plan, 'a', rows), 1)
      expect(result.rows).toBe(1)
      expect(result.rejects).toHaveLength(1)
      expect(result.rejects[0]?.field).toBe('id')
      expect(JSON.parse(result.rejects[0]?.row ?? '')).toMatchObject({ id: null, name: 'bad' })
      await loader.finish(1)
    })
    expect(await contents(opened(), plan)).toEqual(asObjects([[1, 'good', 1]]))
  })

  it('deletes the rows marked deleted, and takes the deletion of an unknown row', async () => {
    const plan = planFor(base)
    if (!(await contents(opened(), plan))) return
    await withLoader(opened(), plan, async (loader) => {
      await loader.prepare(1)
      const rows: Cell[][] = [
        [1, 'one', 1],
        [2, 'two', 1],
      ]
      await loader.load(chunkOf(destination, plan, 'a', rows), 1)
      const changes: Cell[][] = [
        [1, null, 2],
        [2, 'two again', 2],
        [9, null, 2],
      ]
      await loader.load(chunkOf(destination, plan, 'b', changes, { op: ['d', 'u', 'd'] }), 1)
      await loader.finish(1)
    })
    expect(await contents(opened(), plan)).toEqual(asObjects([[2, 'two again', 2]]))
  })

  it('keeps a row that is deleted and made again in one chunk', async () => {
    const plan = planFor(base)
    if (!(await contents(opened(), plan))) return
    await withLoader(opened(), plan, async (loader) => {
      await loader.prepare(1)
      await loader.load(chunkOf(destination, plan, 'a', [[1, 'one', 1]]), 1)
      const changes: Cell[][] = [
        [1, null, 2],
        [1, 'again', 3],
      ]
      await loader.load(chunkOf(destination, plan, 'b', changes, { op: ['d', 'u'] }), 1)
      await loader.finish(1)
    })
    expect(await contents(opened(), plan)).toEqual(asObjects([[1, 'again', 3]]))
  })

  it('keeps a thousand versions of a hundred keys straight, over many chunks', () => {
    const versions = Array.from({ length: 1000 }, (_, n): Cell[] => [n % 100, `v${n}`, n])
    const shuffled = versions.map((row, n) => versions[(n * 617) % 1000] ?? row)
    const chunks = Array.from({ length: 10 }, (_, n) => shuffled.slice(n * 100, n * 100 + 100))
    return expectRows(chunks, versions.slice(900))
  })
}
