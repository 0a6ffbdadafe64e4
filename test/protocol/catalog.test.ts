import { describe, expect, it } from 'vitest'
import { parseStreamKey, streamKey } from '../../src/protocol/index.ts'

describe('streamKey', () => {
  it.each([
    [{ name: 'users' }, 'users'],
    [{ name: 'users', namespace: 'public' }, 'public.users'],
    [{ name: 'a.b' }, 'a\\.b'],
    [{ name: 'c\\d', namespace: 'a.b' }, 'a\\.b.c\\\\d'],
  ])('turns %j into %s and back', (descriptor, key) => {
    expect(streamKey(descriptor)).toBe(key)
    expect(parseStreamKey(key)).toEqual(descriptor)
  })
})
