import { expect, it } from 'vitest'
import { shownOf } from '../../src/operations/plan/shown.ts'
import type { StreamOutlook } from '../../src/operations/plan/streams.ts'

const outlook = (stream: string, problem?: object) =>
  ({ view: { stream, problem } }) as unknown as Pick<StreamOutlook, 'view'>

it('a plan shows all of its streams, or of very many those first that would fail', () => {
  const many = [outlook('a'), outlook('b'), outlook('c', { code: 'TABLE_TAKEN' }), outlook('d')]
  const names = (most?: number) => shownOf(many, most).streams.map(({ stream }) => stream)
  expect(names()).toEqual(['a', 'b', 'c', 'd'])
  expect(names(2)).toEqual(['c', 'a'])
  expect(shownOf(many, 2).streamCount).toBe(4)
})
