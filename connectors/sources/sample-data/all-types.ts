import type { AirbyteType, Cell } from '../../../src/protocol/index.ts'
import { between, more, pick } from './random.ts'
import type { SampleColumn } from './streams.ts'
import { dateText, dateTimeText, timeText } from './time.ts'

/**
 * A column of each type. Its first rows are the values that break careless code; then come random
 * ones, every sixteenth null.
 */
function column(
  name: string,
  type: AirbyteType,
  edges: Cell[],
  cell: (bits: number, index: number) => Cell,
): SampleColumn {
  return {
    name,
    type,
    cell(bits, index) {
      if (index < edges.length) return edges[index] as Cell
      return bits >>> 28 === 0 ? null : cell(bits, index)
    },
  }
}

const deep = (depth: number) => `${'{"a":'.repeat(depth)}[]${'}'.repeat(depth)}`

const UNICODE = [
  'ascii',
  'żółw',
  '漢字',
  '👩‍👩‍👧‍👦',
  'עברית',
  'e\u0301',
  "it's",
  'a\tb',
  'c\\d',
  '"',
]

export const ALL_TYPES: SampleColumn[] = [
  column(
    'string',
    'string',
    [
      '',
      ' ',
      '\\N',
      'NULL',
      '\\.',
      "'; --",
      'tab\tnew\nline\r\n',
      '\u2028\uFEFF',
      '👩‍👩‍👧‍👦',
      'x'.repeat(5000),
    ],
    (bits) => `${pick(UNICODE, bits)} ${bits}`,
  ),
  column('binary', 'binary', ['', 'AA==', '/////w==', 'AAECAwQFBgc='], (bits) =>
    btoa(String.fromCharCode(bits & 255, (bits >>> 8) & 255, (bits >>> 16) & 255)),
  ),
  column('boolean', 'boolean', [true, false, null], (bits) => bits % 2 === 0),
  column(
    'date',
    'date',
    ['0001-01-01', '1582-10-15', '1969-12-31', '1970-01-01', '2024-02-29', '9999-12-31', null],
    (bits) => dateText(between(0, 30_000, bits)),
  ),
  column(
    'time_without_timezone',
    'time_without_timezone',
    ['00:00:00', '23:59:59.999999', '12:00:00.5', null],
    (bits) => `${timeText(bits % 86_400)}.${between(100_001, 999_999, bits)}`,
  ),
  column(
    'time_with_timezone',
    'time_with_timezone',
    ['00:00:00+00:00', '23:59:59.999999-11:00', '12:00:00+05:30', null],
    (bits) => `${timeText(bits % 86_400)}+02:00`,
  ),
  column(
    'timestamp_without_timezone',
    'timestamp_without_timezone',
    ['0001-01-01T00:00:00', '1970-01-01T00:00:00.000001', '9999-12-31T23:59:59.999999', null],
    (bits) => `${dateTimeText(bits)}.${between(100_001, 999_999, bits)}`,
  ),
  column(
    'timestamp_with_timezone',
    'timestamp_with_timezone',
    ['0001-01-02T00:00:00Z', '1969-12-31T23:59:59.999999Z', '9999-12-30T23:59:59.999999Z', null],
    (bits) => `${dateTimeText(bits)}Z`,
  ),
  column(
    'integer',
    'integer',
    [0, -1, 2_147_483_647, -2_147_483_648, 2_147_483_648, 9_007_199_254_740_991, null],
    (bits) => (bits % 2 === 0 ? bits : -bits),
  ),
  column(
    'integer_64',
    'integer',
    [9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n, 9_007_199_254_740_993n, null],
    (bits) => 4_611_686_018_427_387_904n + BigInt(bits) * 1_073_741_789n,
  ),
  column('number', 'number', [0, 0.1, -0.1, 1e15, 123_456.789, 1e-7, null], (bits) => bits / 64),
  column(
    'number_38',
    'number',
    ['9999999999999999999999999999.9999999999', '-0.0000000001', '1234567890123456789', null],
    (bits) => `${digits(bits, 3)}.${digits(more(bits, 9), 1)}1`,
  ),
  column(
    'object',
    'object',
    ['{}', deep(20), '{"n":12345678901234567890,"d":0.10000000000000000555}', '{"":null}', null],
    (bits) => `{"id":${bits},"tags":["a","b"],"inner":{"ok":${bits % 2 === 0}}}`,
  ),
  column('array', 'array', ['[]', '[null]', '[[],[[]]]', '["é",1,{"a":true}]', null], (bits) =>
    JSON.stringify([bits, String(bits), null]),
  ),
  column('unknown', 'unknown', ['null', '"text"', '1', 'true', '[1]', '{"a":1}', null], (bits) =>
    pick(['"text"', '17.5', 'false', '[]', '{}'], bits),
  ),
]

/** `groups` times nine digits, without a leading zero. */
function digits(bits: number, groups: number): string {
  let text = ''
  for (let n = 0; n < groups; n++) text += between(100_000_000, 999_999_999, more(bits, n))
  return text
}
