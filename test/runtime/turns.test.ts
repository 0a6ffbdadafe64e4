import { expect, it } from 'vitest'
import { takeTurns } from '../../src/runtime/turns.ts'

it('lets what waits have its turn once it has waited for some time, and not before', async () => {
  let now = 0
  let ran = 0
  const turn = takeTurns(() => now)
  setImmediate(() => ran++)
  for (; now < 2; now++) await turn()
  expect(ran).toBe(0)
  await turn()
  expect(ran).toBe(1)
  setImmediate(() => ran++)
  await turn()
  expect(ran, 'the time counts from the last turn').toBe(1)
})
