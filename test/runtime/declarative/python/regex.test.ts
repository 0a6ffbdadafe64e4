import { describe, expect, it } from 'vitest'
import { compileRegex } from '../../../../src/runtime/declarative/python/regex.ts'

/** What `re.search(pattern, text)` gives as groups. */
const groups = (pattern: string, text: string) => compileRegex(pattern).search(text)?.groups

describe("Python's regular expressions", () => {
  it('find the first match anywhere, with its groups', () => {
    expect(groups('(\\d+)-(\\d+)', 'a 10-20')).toEqual(['10-20', '10', '20'])
    expect(groups('x(y)?z', 'xz')).toEqual(['xz', undefined])
    expect(groups('(?P<year>\\d{4})', 'in 2024')).toEqual(['2024', '2024'])
    expect(groups('z', 'abc')).toBe(undefined)
  })

  it('match only at the beginning when asked to', () => {
    expect(compileRegex('b').match('ab')).toBe(undefined)
    expect(compileRegex('a').match('ab')?.end).toBe(1)
  })

  it('keep the captures of the last turn of a repeated group', () => {
    expect(groups('(?:(a)|b)*', 'ab')).toEqual(['ab', 'a'])
    expect(groups('(a|ab)(c|bcd)(d*)', 'abcd')).toEqual(['abcd', 'a', 'bcd', ''])
    expect(groups('((a)(b)?)+', 'aba')).toEqual(['aba', 'a', 'a', 'b'])
  })

  it('know look-around, references, lazy, possessive and atomic parts', () => {
    expect(groups('(?<=\\$)\\d+', 'cost $42')).toEqual(['42'])
    expect(groups('(?<!\\$)\\b\\d+', '$42 7')).toEqual(['7'])
    expect(groups('(\\w)\\1', 'hello')).toEqual(['ll', 'l'])
    expect(groups('<(.+?)>', '<a><b>')).toEqual(['<a>', 'a'])
    expect(groups('a++a', 'aaa')).toBe(undefined)
    expect(groups('(?>a+)b', 'aab')).toEqual(['aab'])
    expect(groups('(a)?b(?(1)c|d)', 'abc bd')).toEqual(['abc', 'a'])
  })

  it('know flags, anchors and classes of any script', () => {
    expect(groups('(?i)ÄB', 'xäb')).toEqual(['äb'])
    expect(groups('(?m)^b$', 'a\nb\nc')).toEqual(['b'])
    expect(groups('a$', 'a\n')).toEqual(['a'])
    expect(groups('a\\Z', 'a\n')).toBe(undefined)
    expect(groups('(?x) a b # comment', 'ab')).toEqual(['ab'])
    expect(groups('^\\w+$', 'été')).toEqual(['été'])
    expect(groups('[^a-c\\d]+', 'abc12xyz')).toEqual(['xyz'])
    expect(groups('^.$', '😀')).toEqual(['😀'])
  })

  it('replace every match, an empty one beside a match too', () => {
    expect(compileRegex('x*').replace('abxd', '-')).toBe('-a-b--d-')
    expect(compileRegex('(a)(b)').replace('ab ab', '\\2\\g<1>')).toBe('ba ba')
  })

  it.each(['(', ')', '[a', '*a', 'a**', '(?P<1>a)', '\\q', '(?<=a+)b', 'a{2,1}', '(?P=x)', '\\2'])(
    'refuse the malformed pattern %s',
    (pattern) => {
      expect(() => compileRegex(pattern)).toThrow()
    },
  )

  it('match a long text without exhausting the stack', () => {
    expect(groups('^(.*),(.*)$', `${'x'.repeat(200_000)},y`)?.[2]).toBe('y')
  })
})
