import { expect, it } from 'vitest'
import type { Cell } from '../../../src/protocol/index.ts'
import { type DecimalType, writeDecimal } from '../../../src/runtime/formats/parquet-decimal.ts'
import { decimalBytes } from '../../../src/runtime/formats/parquet-types.ts'

/** What was written, as the integer that Parquet reads; undefined where the value was refused. */
function unscaled(cell: NonNullable<Cell>, type: DecimalType): bigint | undefined {
  const bytes = decimalBytes(type.precision)
  const page = new Uint8Array(bytes + 2).fill(0xaa)
  if (!writeDecimal(cell, type, page, 1, bytes)) return undefined
  expect([page[0], page.at(-1)]).toEqual([0xaa, 0xaa])
  const bits = page.slice(1, -1).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
  return BigInt.asIntN(bytes * 8, bits)
}

const PRICE = { precision: 12, scale: 2 }
const WIDEST = { precision: 38, scale: 10 }

it.each<[NonNullable<Cell>, DecimalType, bigint | undefined]>([
  ['0', PRICE, 0n],
  ['-0.00', PRICE, 0n],
  ['1.5', PRICE, 150n],
  ['-1.5', PRICE, -150n],
  ['.5', PRICE, 50n],
  ['0012.3400', PRICE, 1234n],
  ['9999999999.99', PRICE, 999999999999n],
  ['-9999999999.99', PRICE, -999999999999n],
  ['10000000000', PRICE, undefined],
  ['1.005', PRICE, undefined],
  ['1.5e1', PRICE, 1500n],
  ['125e-2', PRICE, 125n],
  [1.1, PRICE, 110n],
  [-0, PRICE, 0n],
  [1.005, PRICE, undefined],
  [0.1 + 0.2, PRICE, undefined],
  [1e10, PRICE, undefined],
  [1e21, WIDEST, 10n ** 31n],
  [1e-7, WIDEST, 1000n],
  [-9007199254740993n, WIDEST, -90071992547409930000000000n],
  ['9999999999999999999999999999.9999999999', WIDEST, 10n ** 38n - 1n],
  ['-9999999999999999999999999999.9999999999', WIDEST, 1n - 10n ** 38n],
  ['10000000000000000000000000000', WIDEST, undefined],
  ['-16777216.0000000000', WIDEST, -167772160000000000n],
  ['170141183460469231731687303715884105727', { precision: 38, scale: 0 }, undefined],
  [2.5, { precision: 3, scale: 0 }, undefined],
  ...[
    '',
    '-',
    '.',
    '-.',
    '1.2.3',
    '--1',
    '+1',
    ' 1',
    '1 ',
    'NaN',
    'Infinity',
    '0x10',
    '1e',
    true,
  ].map((cell): [NonNullable<Cell>, DecimalType, undefined] => [cell, WIDEST, undefined]),
])('writes %s as %o', (cell, type, expected) => {
  expect(unscaled(cell, type)).toBe(expected)
})

it('writes what big integers compute, for decimals of every length', () => {
  let seed = 7
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  for (let i = 0; i < 20_000; i++) {
    const precision = 1 + random(38)
    const scale = random(precision + 1)
    const digits = Array.from({ length: 1 + random(precision) }, () => random(10)).join('')
    const value = BigInt(digits) * (random(2) ? -1n : 1n)
    const whole = digits.padStart(scale + 1, '0')
    const text = `${value < 0n ? '-' : ''}${whole.slice(0, whole.length - scale)}${
      scale > 0 ? `.${whole.slice(whole.length - scale)}` : ''
    }`
    expect(unscaled(text, { precision, scale }), text).toBe(value)
    const double = Number(text)
    if (digits.length <= 15) expect(unscaled(double, { precision, scale }), text).toBe(value)
  }
})
