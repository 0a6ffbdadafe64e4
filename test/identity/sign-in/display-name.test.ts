import { describe, expect, it } from 'vitest'
import { displayName } from '../../../src/identity/sign-in/display-name.ts'

describe('displayName', () => {
  it.each([
    [['Ann'], 'Ann'],
    [['  ', undefined, 7, 'ann@example.com'], 'ann@example.com'],
    [['Ann\n\tof\u0000Acme'], 'Ann of Acme'],
    [['\u202eevil'], 'evil'],
    [[], 'somebody'],
  ])('of %j is %j', (names, expected) => expect(displayName(...names)).toBe(expected))

  it('is bounded, and cuts no character in two', () => {
    expect(displayName('🐘'.repeat(500))).toBe('🐘'.repeat(100))
  })
})
