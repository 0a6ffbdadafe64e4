import { expect } from 'vitest'
import { type Column, toAirbyteError } from '../../../src/protocol/index.ts'
import type { DestinationCase } from '../destination-suite.ts'
import { asObjects, COLUMNS, contents, loadAll, planFor } from '../loading.ts'
import { A } from './load.ts'

/** Schemas change between syncs. */
export function growthCases({ opened, base, it }: DestinationCase): void {
  const dedupKey = base.mode.endsWith('dedup')
  const grown: Column[] = [...COLUMNS, { name: 'email', type: 'string' }]

  it('adds a column that the stream got; older rows have null', async () => {
    const plan = planFor(base)
    await loadAll(opened(), plan, [A], { finish: !base.mode.startsWith('overwrite') })
    const wider = { ...plan, syncId: 2, columns: grown }
    await loadAll(opened(), wider, [], { fence: 2, finish: false })
    await loadAll(opened(), { ...wider, generationId: 1 }, [A, [[9, 'nine', 1, 'n@x']]], {
      fence: 2,
    })
    const rows = await contents(opened(), wider)
    const older = A.map((row) => [...row, null])
    if (rows) expect(rows).toEqual(asObjects([...older, [9, 'nine', 1, 'n@x']], grown))
  })

  it('fills a column that the stream lost with null', async () => {
    const plan = planFor({ ...base, columns: grown })
    const narrow = { ...plan, syncId: 2 }
    await loadAll(opened(), plan, [[[1, 'one', 1, 'a@x']]], {
      finish: !base.mode.startsWith('overwrite'),
    })
    await loadAll(opened(), narrow, [[], [[2, 'two', 1]]], { fence: 2, columns: COLUMNS })
    const rows = await contents(opened(), narrow)
    const expected = [
      [1, 'one', 1, 'a@x'],
      [2, 'two', 1, null],
    ]
    if (rows) expect(rows).toEqual(asObjects(expected, grown))
  })

  it('takes columns in another order than last time', async () => {
    const plan = planFor(base)
    const finish = !base.mode.startsWith('overwrite')
    await loadAll(opened(), plan, [[[1, 'one', 1]]], { finish })
    const reversed = { ...plan, columns: COLUMNS.toReversed() }
    await loadAll(opened(), reversed, [[], [[1, 'two', 2]]], { fence: 2 })
    const rows = await contents(opened(), plan)
    if (rows)
      expect(rows).toEqual(
        asObjects([
          [1, 'one', 1],
          [2, 'two', 1],
        ]),
      )
  })

  it('takes a column of another type where a refresh replaces all rows, and refuses it where not', async () => {
    if (base.mode.startsWith('overwrite')) return
    const flagged: Column[] = [...COLUMNS, { name: 'flag', type: 'boolean' }]
    const counted: Column[] = [...COLUMNS, { name: 'flag', type: 'integer' }]
    const plan = planFor({ ...base, columns: flagged })
    await loadAll(opened(), plan, [[[1, 'one', 1, true]]])
    const retyped = { ...plan, syncId: 2, columns: counted }
    const refusal = await loadAll(opened(), retyped, [], { fence: 2, finish: false }).then(
      () => undefined,
      (error: unknown) => toAirbyteError(error).code,
    )
    // A destination whose files have the types of their time takes it: the plan refuses before.
    if (refusal !== undefined) expect(refusal).toBe('SCHEMA_CHANGED')
    const refreshed = { ...retyped, generationId: 2, minimumGenerationId: 2 }
    await loadAll(opened(), refreshed, [[[1, 'one', 2, 7]]], { fence: 3 })
    const rows = await contents(opened(), refreshed)
    if (rows) expect(rows).toEqual(asObjects([[1, 'one', 2, 7]], counted))
  })

  if (!dedupKey) return

  it('nulls a column that the stream no longer has in the rows that it merges', async () => {
    const plan = planFor({ ...base, columns: grown })
    const finish = !base.mode.startsWith('overwrite')
    const before = [
      [1, 'one', 1, 'a@x'],
      [2, 'two', 1, 'b@x'],
    ]
    await loadAll(opened(), plan, [before], { finish })
    const narrow = { ...plan, syncId: 2, columns: COLUMNS }
    await loadAll(opened(), narrow, [[], [[2, 'zwei', 2]]], { fence: 2, finish })
    // It comes back later: what it held then is not the value of now.
    const again = { ...plan, syncId: 3 }
    await loadAll(opened(), again, [[], [], [[3, 'three', 1, 'c@x']]], { fence: 3 })
    const rows = await contents(opened(), again)
    const expected = [
      [1, 'one', 1, 'a@x'],
      [2, 'zwei', 2, null],
      [3, 'three', 1, 'c@x'],
    ]
    if (rows) expect(rows).toEqual(asObjects(expected, grown))
  })

  it('deduplicates by a key that is not the first column', async () => {
    const columns = COLUMNS.toReversed()
    const plan = planFor({ ...base, columns })
    await loadAll(opened(), plan, [
      [
        [1, 'old', 7],
        [2, 'new', 7],
      ],
    ])
    const rows = await contents(opened(), plan)
    if (rows) expect(rows).toEqual([{ version: 2, name: 'new', id: 7 }])
  })
}
