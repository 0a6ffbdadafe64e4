import { describe, expect, it } from 'vitest'
import { loads } from '../../../../src/runtime/declarative/python/json.ts'
import { float } from '../../../../src/runtime/declarative/python/values.ts'

/** What `loads` must agree with: every number looked at by itself. */
function slowly(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const source = typeof value === 'number' ? context?.source : undefined
    if (source === undefined) return value
    if (/[.eE]/.test(source)) return float(Number(source))
    const exact = BigInt(source)
    return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact
  })
}

const NUMBERS = [
  ...['0', '-0', '-0.0', '0.0', '1', '-1', '2.0', '2.00', '2.50', '-7.0', '1000.125', '0.1'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993'],
  ...['12345678901234567890123', '1000000000000000', '1e5', '1E5', '1.5e3', '-2.5E-3', '1e+2'],
  ...[
    '0.99999999999999999999',
    '1.00000000000000000001',
    '123456789.99999999',
    '41.115624999999994',
  ],
  ...['9007199254740991.4', '12345678901234567.5', '1e400', '0e0', '10.0e0'],
]
const TEXTS = [
  ...[
    '""',
    '"2.0"',
    '": 2.0, "',
    '"a, 12345678901234567890"',
    '"\\", 2.0, \\""',
    '"\\\\"',
    '",-0,"',
  ],
  ...['"21:30:48.000Z"', '"[1.0]"', '"\\u0001"', '"\\u00012.0"', '"x\\n 3.0 "', 'true', 'null'],
]
const NAMES = ['"a"', '"2.0"', '"__proto__"', '"\\": 2.0"', '"toString"']

/** Numbers in a fixed order that looks like none. */
function chooser(seed: number) {
  let state = seed
  return <T>(choices: readonly T[]): T => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return choices[state % choices.length] as T
  }
}

function someJson(choose: ReturnType<typeof chooser>, depth: number): string {
  const space = () => choose(['', '', ' ', '\n  '])
  const kind = choose(['number', 'number', 'text', 'list', 'object'])
  if (kind === 'number' || (depth === 0 && kind !== 'text')) return choose(NUMBERS)
  if (kind === 'text') return choose(TEXTS)
  const items = choose([[], [1], [1, 2], [1, 2, 3]])
  if (kind === 'list') {
    return `[${space()}${items.map(() => someJson(choose, depth - 1)).join(`${space()},${space()}`)}]`
  }
  const members = items.map(
    () => `${choose(NAMES)}${space()}:${space()}${someJson(choose, depth - 1)}`,
  )
  return `{${members.join(`${space()},${space()}`)}${space()}}`
}

describe('JSON as Python reads it', () => {
  it('keeps the digits and the kind of every number, wherever it stands', () => {
    for (const number of NUMBERS) {
      for (const text of [
        number,
        ` ${number}`,
        `[${number}]`,
        `{"a":${number}}`,
        `[0,${number} ]`,
      ]) {
        expect([text, loads(text)]).toEqual([text, slowly(text)])
      }
    }
  })

  it('tells numbers from texts that look like them', () => {
    const choose = chooser(7)
    for (let round = 0; round < 5000; round++) {
      const text = someJson(choose, 4)
      expect([text, loads(text)]).toEqual([text, slowly(text)])
    }
  })

  it('leaves the prototype alone', () => {
    const value = loads('{"__proto__": {"polluted": 2.0}, "n": 9007199254740993}') as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.keys(value)).toEqual(['__proto__', 'n'])
  })

  it('refuses what is not JSON', () => {
    for (const text of [
      '',
      '{',
      '[1.0',
      '[01.0]',
      '{"a" 2.0}',
      'NaN',
      '[1.0.0]',
      '[12345678901234567890x]',
      '[1e5e]',
      '["a]',
    ]) {
      expect(() => loads(text)).toThrow(SyntaxError)
    }
  })

  it('reads a page of timestamps and prices hardly slower than the native parser', () => {
    const record = { id: 1, at: '2026-01-02T03:04:05.000Z', price: 12, tags: ['a', 'b'], on: true }
    const text = JSON.stringify(Array.from({ length: 2000 }, () => record)).replaceAll(
      ':12,',
      ':12.0,',
    )
    const best = (read: () => unknown) => {
      let least = Number.POSITIVE_INFINITY
      for (let i = 0; i < 15; i++) {
        const began = performance.now()
        read()
        least = Math.min(least, performance.now() - began)
      }
      return least
    }
    // Some twenty times as long it took when each value was looked at.
    expect(best(() => loads(text))).toBeLessThan(5 * best(() => JSON.parse(text)))
  })
})
