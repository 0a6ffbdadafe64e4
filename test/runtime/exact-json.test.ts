import { describe, expect, it } from 'vitest'
import { exactJson, numberText, parseExactJson } from '../../src/runtime/exact-json.ts'

describe('exact JSON', () => {
  it('gives back every digit that it took', () => {
    const texts = [
      '{"id":9007199254740993,"n":-12345678901234567890,"d":0.1000000000000000055,"e":1.5}',
      '[1234567890123456.7,{"a":[12345678901234567890.5]},"12345678901234567890",true,null]',
    ]
    for (const text of texts) expect(exactJson(parseExactJson(text))).toBe(text)
  })

  it('makes big integers of integers, and plain numbers of what a double holds', () => {
    expect(parseExactJson('[9007199254740993,2,0.1,"2026-01-19T21:30:48.100Z"]')).toEqual([
      ...[9007199254740993n, 2, 0.1, '2026-01-19T21:30:48.100Z'],
    ])
  })

  it('gives the text of a long decimal', () => {
    const [long, object] = parseExactJson('[0.1000000000000000055,{}]') as object[]
    expect(numberText(long as object)).toBe('0.1000000000000000055')
    expect(numberText(object as object)).toBe(object)
  })
})
