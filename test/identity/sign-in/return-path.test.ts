import { describe, expect, it } from 'vitest'
import { safeReturnPath } from '../../../src/identity/sign-in/return-path.ts'

const ORIGIN = 'https://data.example'

describe('safeReturnPath', () => {
  it.each(['/authorize?client_id=a%2Fb&state=x', '/setup/t.abc', '/', '/sign-in-help'])(
    'keeps %s',
    (path) => expect(safeReturnPath(path, ORIGIN)).toBe(path),
  )

  it('keeps a long authorization request whole', () => {
    const path = `/authorize?state=${'x'.repeat(8000)}`
    expect(safeReturnPath(path, ORIGIN)).toBe(path)
  })

  it.each([
    null,
    '',
    'authorize',
    'https://data.example/authorize',
    '//evil.example',
    '//evil.example/path',
    '///evil.example',
    '/\\evil.example/path',
    '/\\evil.example',
    '/\n/evil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    '/%2e//evil.example',
    'javascript:alert(1)',
    '/sign-in',
    '/sign-in/oidc/callback?code=x',
    '/sign-out',
  ])('answers / for %j', (wanted) => expect(safeReturnPath(wanted, ORIGIN)).toBe('/'))

  it('drops what a browser would not send', () => {
    expect(safeReturnPath('/setup/x#part', ORIGIN)).toBe('/setup/x')
  })
})
