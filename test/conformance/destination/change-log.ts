import { expect } from 'vitest'
import type { Cell, Column, RecordChange, RowOp } from '../../../src/protocol/index.ts'
import type { Loader, StreamPlan } from '../../../src/runtime/contract.ts'
import type { DestinationCase } from '../destination-suite.ts'
import { chunkOf, contents, planFor, withLoader } from '../loading.ts'

const COLUMNS: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'name', type: 'string' },
  { name: '_ab_cdc_lsn', type: 'integer' },
  { name: '_ab_cdc_deleted_at', type: 'timestamp_with_timezone' },
]
const AT = '2026-01-02T00:00:00Z'

/** What happened, to which key, its name now, and its position. */
type Change = [op: RowOp, id: number | null, name: string | null, lsn: number | null]

/** Rows by key, as a log of changes leaves them: in the log's order, whatever is read again. */
export function changeLogCases({ destination, opened, base, it }: DestinationCase): void {
  const planned = (overrides: Partial<StreamPlan> = {}) =>
    planFor({ ...base, columns: COLUMNS, cursorField: ['_ab_cdc_lsn'], ...overrides })

  async function expectRows(
    chunks: Change[][],
    expected: [number, string | null][],
    plan = planned(),
  ): Promise<void> {
    await withLoader(opened(), plan, async (loader) => {
      await loader.prepare(1)
      for (const [n, changes] of chunks.entries()) await load(loader, plan, `c${n}`, changes)
      await loader.finish(1)
      await expectCount(loader, expected.length)
    })
    const rows = await contents(opened(), plan)
    if (rows) expect(rows.map(({ id, name }) => [id, name])).toEqual(expected)
  }

  async function expectCount(loader: Loader, rows: number): Promise<void> {
    if (loader.readBack) expect(await loader.count()).toBe(rows)
  }

  function load(
    loader: Loader,
    plan: StreamPlan,
    id: string,
    changes: Change[],
    unchanged: number[] = [],
  ) {
    const rows = changes.map(([op, key, name, lsn]): Cell[] => [
      ...[key, name, lsn],
      op === 'd' || op === 't' ? AT : null,
    ])
    const leftOut = unchanged.map(
      (row): RecordChange => ({ row, field: 'name', change: 'UNCHANGED', reason: 'LEFT_OUT' }),
    )
    const options = { op: changes.map(([op]) => op), changes: leftOut }
    return loader.load(chunkOf(destination, plan, id, rows, options), 1)
  }

  it('resurrects nothing when a log is read again from an older position', () => {
    const log: Change[] = [
      ['u', 1, 'one', 1],
      ['u', 2, 'two', 2],
      ['d', 1, null, 3],
      ['u', 2, 'two later', 4],
    ]
    return expectRows([log, log.slice(0, 2), [['u', 1, 'one', 2]]], [[2, 'two later']])
  })

  it('leaves a row alone that is newer than a deletion that is read again', () =>
    expectRows(
      [
        [
          ['u', 1, 'one', 1],
          ['d', 1, null, 2],
        ],
        [['u', 1, 'again', 3]],
        [['d', 1, null, 2]],
        [['u', 1, 'one', 1]],
      ],
      [[1, 'again']],
    ))

  it('takes changes of one transaction in the order in which they come', () =>
    expectRows(
      [
        [
          ['u', 1, 'first', 5],
          ['u', 2, 'first', 5],
        ],
        [
          ['u', 1, 'second', 5],
          ['d', 2, null, 5],
          ['u', 3, 'third', 5],
        ],
        [
          ['d', 3, null, 5],
          ['u', 2, 'again', 5],
        ],
      ],
      [
        [1, 'second'],
        [2, 'again'],
      ],
    ))

  it('ranks the rows of a snapshot below every change, whenever they come', () =>
    expectRows(
      [
        [
          ['u', 1, 'changed', 7],
          ['d', 2, null, 8],
        ],
        [
          ['u', 1, 'snapshot', null],
          ['u', 2, 'snapshot', null],
          ['u', 3, 'snapshot', null],
          ['u', 4, 'snapshot', -9],
        ],
        [['u', 4, 'changed', 1]],
        [['u', 2, 'snapshot', -20]],
      ],
      [
        [1, 'changed'],
        [3, 'snapshot'],
        [4, 'changed'],
      ],
    ))

  it('empties the table at a truncate, and nothing from before it comes back', () =>
    expectRows(
      [
        [
          ['u', 1, 'one', 1],
          ['u', 2, 'two', null],
        ],
        [
          ['u', 3, 'three', 4],
          ['t', null, null, 5],
          ['u', 4, 'four', 5],
        ],
        [
          ['u', 1, 'one', 1],
          ['u', 2, 'two', null],
          ['u', 5, 'five', 6],
        ],
      ],
      [
        [4, 'four'],
        [5, 'five'],
      ],
    ))

  it('follows a row to another key', () =>
    expectRows(
      [
        [
          ['u', 1, 'one', 1],
          ['u', 2, 'two', 1],
        ],
        [
          ['d', 1, null, 2],
          ['m', 9, 'one', 2],
          ['d', 2, null, 3],
          ['m', 1, 'two', 3],
        ],
      ],
      [
        [1, 'two'],
        [9, 'one'],
      ],
    ))

  it('takes away a row that has left the stream, and the one that comes back is there again', () =>
    expectRows(
      [
        [
          ['u', 1, 'one', 1],
          ['u', 2, 'two', -1],
          ['i', 3, 'three', 1],
          ['u', 4, 'four', 1],
        ],
        [
          ['x', 1, null, 2],
          ['x', 2, null, 2],
          ['x', 3, null, 2],
          ['u', 3, 'three again', 3],
          // Of rows that were never there, before and after they come.
          ['x', 8, null, 3],
          ['x', 9, null, 3],
          ['u', 9, 'nine', 4],
          ['u', 7, 'seven', 4],
          ['x', 7, null, 5],
        ],
        [
          ['u', 1, 'one again', 6],
          ['d', 8, null, 7],
        ],
      ],
      [
        [1, 'one again'],
        [3, 'three again'],
        [4, 'four'],
        [9, 'nine'],
      ],
    ))

  it('resurrects no row that left, and loses none that is newer, when the log is read again', () => {
    const log: Change[] = [
      ['x', 1, null, 2],
      ['x', 2, null, 3],
      ['u', 2, 'two again', 4],
    ]
    return expectRows(
      [
        [
          ['u', 1, 'one', 1],
          ['u', 2, 'two', 1],
        ],
        log,
        [['u', 1, 'one', 1]],
        log.slice(0, 2),
        [['u', 1, 'snapshot', null]],
      ],
      [[2, 'two again']],
    )
  })

  it('rejects a deletion without a key', async () => {
    const plan = planned()
    await withLoader(opened(), plan, async (loader) => {
      if (!loader.readBack) return
      await loader.prepare(1)
      const result = await load(loader, plan, 'a', [
        ['u', 1, 'one', 1],
        ['d', null, null, 2],
      ])
      expect(result.rejects.map(({ field }) => field)).toEqual(['id'])
      await loader.finish(1)
    })
  })

  it('begins without the deletions of the generation before', async () => {
    const plan = planned()
    await expectRows([[['d', 1, null, 9]]], [], plan)
    const next = { ...plan, generationId: 2, minimumGenerationId: 2 }
    await expectRows([[['u', 1, 'read again', null]]], [[1, 'read again']], next)
  })

  it('replaces rows by those of a refresh, though these have no position', async () => {
    const plan = planned()
    await expectRows([[['u', 1, 'before', 9]]], [[1, 'before']], plan)
    const next = { ...plan, generationId: 2, minimumGenerationId: 2 }
    await expectRows([[['u', 1, 'read again', null]]], [[1, 'read again']], next)
  })

  const { keepsUnchanged } = destination.capabilities
  if (keepsUnchanged) unchangedCases()
  if (keepsUnchanged === true) movedCases()

  async function expectKept(
    chunks: [Change[], number[]][],
    expected: [number, string | null][],
  ): Promise<void> {
    const plan = planned()
    await withLoader(opened(), plan, async (loader) => {
      await loader.prepare(1)
      for (const [n, [changes, unchanged]] of chunks.entries())
        await load(loader, plan, `c${n}`, changes, unchanged)
      await loader.finish(1)
    })
    const rows = await contents(opened(), plan)
    if (rows) expect(rows.map(({ id, name }) => [id, name])).toEqual(expected)
  }

  function unchangedCases(): void {
    it('keeps a value that a change left out, from the table and from the same chunk', () =>
      expectKept(
        [
          [
            [
              ['u', 1, 'one', 1],
              ['u', 2, 'two', -1],
            ],
            [],
          ],
          [
            [
              ['u', 1, null, 2],
              ['u', 2, null, 3],
              ['u', 3, 'three', 4],
              ['u', 3, null, 5],
              ['u', 3, null, 6],
              ['u', 1, null, 7],
            ],
            [0, 1, 3, 4, 5],
          ],
        ],
        [
          [1, 'one'],
          [2, 'two'],
          [3, 'three'],
        ],
      ))

    it('takes no such value from before a deletion or a truncate', () =>
      expectKept(
        [
          [
            [
              ['u', 1, 'one', 1],
              ['u', 2, 'two', 1],
            ],
            [],
          ],
          [[['t', null, null, 2]], []],
          [
            [
              ['u', 1, null, 3],
              ['u', 2, 'two again', 4],
              ['d', 2, null, 5],
              ['u', 2, null, 6],
            ],
            [0, 3],
          ],
        ],
        [
          [1, null],
          [2, null],
        ],
      ))

    it('takes no such value from a row that comes late', () =>
      expectKept(
        [
          [[['u', 1, 'one', 3]], []],
          [[['u', 1, 'older', 2]], []],
          [[['u', 1, null, 4]], [0]],
        ],
        [[1, 'one']],
      ))
  }

  function movedCases(): void {
    it('keeps such a value over changes of the key', () =>
      expectKept(
        [
          [
            [
              ['u', 1, 'one', 1],
              ['u', 2, 'two', 1],
            ],
            [],
          ],
          [
            [
              ['d', 1, null, 2],
              ['m', 7, null, 2],
              ['u', 1, 'another', 3],
              ['d', 7, null, 4],
              ['m', 8, null, 4],
              ['u', 8, null, 5],
              ['d', 2, null, 6],
              ['m', 7, null, 6],
            ],
            [1, 4, 5, 7],
          ],
        ],
        [
          [1, 'another'],
          [7, 'two'],
          [8, 'one'],
        ],
      ))

    it('keeps such a value when the log is read again', () => {
      const moves: Change[] = [
        ['d', 1, null, 2],
        ['m', 7, null, 2],
        ['u', 1, 'another', 3],
      ]
      return expectKept(
        [
          [[['u', 1, 'one', 1]], []],
          [moves, [1]],
          [moves, [1]],
        ],
        [
          [1, 'another'],
          [7, 'one'],
        ],
      )
    })

    it('takes no such value from a row that was read after the move', () =>
      expectKept(
        [
          [
            [
              ['u', 1, 'a later row with this key', -9],
              ['u', 2, 'the row itself', -3],
            ],
            [],
          ],
          [
            [
              ['d', 1, null, 5],
              ['m', 7, null, 5],
              ['d', 2, null, 6],
              ['m', 8, null, 6],
            ],
            [1, 3],
          ],
        ],
        [
          [7, null],
          [8, 'the row itself'],
        ],
      ))
  }
}
