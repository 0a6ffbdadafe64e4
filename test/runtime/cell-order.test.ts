import { expect, it } from 'vitest'
import type { AirbyteType, Cell } from '../../src/protocol/index.ts'
import { compareCells } from '../../src/runtime/cell-order.ts'

const ASCENDING: [AirbyteType, Cell[]][] = [
  ['integer', [null, -5, 0, 7, 9007199254740992n, 9007199254740993n]],
  ['number', [null, '-Infinity', -1, '0.1', '0.10000000000000000000001', 10, '1e3', Infinity, NaN]],
  ['string', [null, '', '10', '9', 'A', 'a', 'a ', 'é', '\ufffd', '😀']],
  ['binary', [null, '', 'AA==', 'AAA=', 'AP8=', 'fw==', '+w==', '/w==']],
  [
    'date',
    [
      ...[null, '-infinity', '4713-01-01 BC', '0044-03-15 BC', '0044-03-16 BC', '0043-01-01 BC'],
      ...['0001-01-01', '2024-01-02', '2024-01-10', '10000-01-01', '294276-12-31', 'infinity'],
    ],
  ],
  [
    'time_without_timezone',
    [
      null,
      '-838:59:59',
      '-20:00:00.5',
      '-20:00:00',
      '-00:00:00.000001',
      '00:00:00',
      '24:00:00',
      '100:00:00',
    ],
  ],
  [
    'time_with_timezone',
    [null, '10:00:00+05', '06:00:00+00', '06:00:00.000001Z', '05:00:00-02:00', '23:00:00-10'],
  ],
  [
    'timestamp_with_timezone',
    [
      ...[null, '-infinity', '0001-01-01 00:00:00+00 BC', '2024-01-02T03:00:00+04:00'],
      ...['2024-01-02 00:00:00Z', '2024-01-02T00:00:00.5Z', '10000-01-01 00:00:00+00', 'infinity'],
    ],
  ],
  [
    'timestamp_without_timezone',
    [null, '2024-01-02T03:00:00', '2024-01-02 03:00:00.25', '2024-01-02T03:00:00.3'],
  ],
]

it.each(ASCENDING)('orders cursors of type %s', (type, cells) => {
  const signs = cells.flatMap((a, i) =>
    cells.map((b, j) => [i, j, Math.sign(compareCells({ name: 'c', type }, a, b))]),
  )
  expect(signs).toEqual(cells.flatMap((_, i) => cells.map((_, j) => [i, j, Math.sign(i - j)])))
})

it('takes different spellings of one value as equal', () => {
  expect(compareCells({ name: 'c', type: 'number' }, '1.50', 1.5)).toBe(0)
  const at = { name: 'c', type: 'timestamp_with_timezone' } as const
  expect(compareCells(at, '2024-01-02T03:00:00.500Z', '2024-01-02 05:00:00.5+02')).toBe(0)
  const time = { name: 'c', type: 'time_without_timezone' } as const
  expect(compareCells(time, '10:00:00.000000', '10:00:00')).toBe(0)
})
