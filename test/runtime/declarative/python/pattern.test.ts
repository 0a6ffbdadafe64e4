import { describe, expect, it } from 'vitest'
import { headOf, isFound } from '../../../../src/runtime/declarative/python/pattern.ts'

const ENDLESS = '(([a-z]+)+)+$'
const TEXT = `${'a'.repeat(60)}!`

describe('a pattern from outside', () => {
  it('is found anywhere, or taken from the beginning', () => {
    expect(isFound('[0-9]+', 'in 30 s')).toBe(true)
    expect(headOf('[0-9]+', 'in 30 s')).toBeUndefined()
    expect(headOf('(?P<n>[0-9]+) s', '30 s left')).toBe('30 s')
  })

  it('that does not come to an end is not found', () => {
    expect(isFound(ENDLESS, TEXT, true)).toBe(false)
    expect(headOf(ENDLESS, TEXT)).toBeUndefined()
  })

  it('that Python would refuse is what the caller makes of it', () => {
    expect([isFound('(', 'x'), isFound('(', 'x', true)]).toEqual([false, true])
    expect(headOf('(', 'x')).toBeUndefined()
  })
})
