import { expect, it } from 'vitest'
import { basisOf, refuseRemade } from '../../../src/core/sync-engine/row-basis.ts'

const stream = (column_ids?: Record<string, string>) => ({
  ...{ name: 't', json_schema: {}, supported_sync_modes: [] },
  ...(column_ids && { column_ids }),
})
const now = (ids: Record<string, string>, before = {}) =>
  basisOf(stream(ids), Object.keys(ids), undefined, before)

it('rows rest on the columns that they were read from, also on those that went since', () => {
  const first = basisOf(
    stream({ id: '7/1', a: '7/2', b: '7/3' }),
    ['id', 'a', 'log_position'],
    undefined,
  )
  expect(first).toEqual({ columns: { id: '7/1', a: '7/2' } })
  expect(now({ id: '7/1', b: '7/3' }, first)).toEqual({
    columns: { id: '7/1', a: '7/2', b: '7/3' },
  })
  expect(basisOf(stream(), ['id'], undefined)).toEqual({})
})

it('a column is another one if its table gives its name to another', () => {
  const before = now({ id: '7/1', a: '7/2', b: '7/3' })
  const refused = (ids: Record<string, string>) => () =>
    refuseRemade('s.t', before, now(ids, before))
  expect(refused({ id: '7/1', a: '7/2', b: '7/4' })).toThrow(
    expect.objectContaining({ code: 'SCHEMA_CHANGED', stream: 's.t', field: 'b' }),
  )
  expect(refused({ id: '7/1', a: '7/3', b: '7/2' })).toThrow("column 'a', column 'b'")
  expect(refused({ id: '7/1', c: '7/4' })).not.toThrow()
})

it('nothing is said of columns that an earlier version did not keep, nor of another table', () => {
  expect(() => refuseRemade('t', {}, now({ a: '7/2' }))).not.toThrow()
  expect(() => refuseRemade('t', now({ a: '7/2' }), {})).not.toThrow()
  expect(() => refuseRemade('t', now({ a: '7/2' }), now({ a: '9/1' }))).not.toThrow()
})
