import { expect, it } from 'vitest'
import { idleUntil, nextAfter, nextStaged } from '../../src/core/continuous.ts'

const sync = { startedAt: 100_000, endedAt: 103_000, status: 'succeeded', failures: 0 }

it('loads what is staged at once, but starts no two syncs within ten seconds', () => {
  expect(nextAfter(sync, true)).toBe(110_000)
  expect(nextAfter({ ...sync, endedAt: 160_000 }, true)).toBe(161_000)
  expect(nextStaged(100_000, 500_000)).toBe(501_000)
})

it('looks at a quiet source every quarter of an hour, sooner where rows must be fresh', () => {
  expect(nextAfter(sync, false)).toBe(100_000 + 900_000)
  expect(nextAfter(sync, false, 600)).toBe(100_000 + 300_000)
  expect(nextAfter(sync, false, 1)).toBe(100_000 + 60_000)
  expect(idleUntil(0, 86_400)).toBe(900_000)
})

it('waits longer after every failure, and a minute after a sync that was cancelled', () => {
  const waits = [1, 2, 3, 6, 50].map(
    (failures) => nextAfter({ ...sync, status: 'failed', failures }, true) - sync.endedAt,
  )
  expect(waits).toEqual([10_000, 20_000, 40_000, 300_000, 300_000])
  expect(nextAfter({ ...sync, status: 'cancelled' }, true)).toBe(163_000)
})
