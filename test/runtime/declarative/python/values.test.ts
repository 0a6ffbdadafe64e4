import { describe, expect, it } from 'vitest'
import {
  formatDatetime,
  parseDatetime,
} from '../../../../src/runtime/declarative/python/epoch-formats.ts'
import { equal } from '../../../../src/runtime/declarative/python/equality.ts'
import { dumps, loads, toJson } from '../../../../src/runtime/declarative/python/json.ts'
import { literalEval } from '../../../../src/runtime/declarative/python/literal.ts'
import { Dict } from '../../../../src/runtime/declarative/python/mappings.ts'
import { str } from '../../../../src/runtime/declarative/python/text.ts'
import { PyFloat, Tuple } from '../../../../src/runtime/declarative/python/values.ts'

describe('Python values', () => {
  it('print as Python prints them', () => {
    const value = { a: true, b: null, c: [new PyFloat(2), "it's", 1e16], d: Tuple.of<unknown>(1) }
    expect(str(value)).toBe(`{'a': True, 'b': None, 'c': [2.0, "it's", 1e+16], 'd': (1,)}`)
  })

  it('keep digits and the kind of number when JSON is read', () => {
    const value = loads('{"id": 9007199254740993, "f": 2.0, "e": 1e2, "n": 5, "s": "1.0"}')
    expect(str(value)).toBe("{'id': 9007199254740993, 'f': 2.0, 'e': 100.0, 'n': 5, 's': '1.0'}")
  })

  it('become plain JSON, dicts with text keys', () => {
    const value = new Dict([
      [1, Tuple.of<unknown>('a', new PyFloat(2))],
      [true, 'replaces the first'],
      [null, 3n],
    ])
    expect(toJson(value)).toEqual({ '1': 'replaces the first', null: 3n })
    expect(dumps([1, 'é', new PyFloat(2)])).toBe('[1, "\\u00e9", 2.0]')
  })

  it('are equal across kinds of numbers, and not across kinds of sequences', () => {
    expect(equal(1, true)).toBe(true)
    expect(equal(9007199254740993n, 9007199254740992)).toBe(false)
    expect(equal([1], Tuple.of<unknown>(1))).toBe(false)
    expect(equal(Number.NaN, Number.NaN)).toBe(false)
    expect(equal({ a: [1] }, new Dict([['a', [new PyFloat(1)]]]))).toBe(true)
  })

  it('are read from literals, and text that only looks like one stays text', () => {
    expect(literalEval("{'a': [1, (2.5, None)]}")).toEqual({ a: [1, Tuple.of<unknown>(2.5, null)] })
    expect(literalEval('007')).toBe(undefined)
    expect(literalEval('2024-01-01')).toBe(undefined)
    expect(Object.keys(literalEval("{'__proto__': 1}") as object)).toEqual(['__proto__'])
  })

  it('print and read dates in the formats of the language', () => {
    const date = parseDatetime('1704067200123', '%ms')
    expect(formatDatetime(date, '%Y-%m-%dT%H:%M:%S.%_msZ')).toBe('2024-01-01T00:00:00.123Z')
    expect(formatDatetime(date, '%s_as_float')).toBe('1704067200.123')
    expect(formatDatetime(date, '%epoch_microseconds')).toBe('1704067200123000')
    expect(
      formatDatetime(parseDatetime('2024-02-29T12:00:00+02:00', '%Y-%m-%dT%H:%M:%S%z'), '%s'),
    ).toBe('1709200800')
    expect(() => parseDatetime('2023-02-29', '%Y-%m-%d')).toThrow('day is out of range')
  })
})
