import { expect } from 'vitest'
import type { AirbyteType, Cell, Column } from '../../../src/protocol/index.ts'
import type { StreamPlan } from '../../../src/runtime/contract.ts'
import { canonicalParsed, canonicalWith } from '../canonical.ts'
import type { DestinationCase } from '../destination-suite.ts'
import { contents, loadAll, planFor, withLoader } from '../loading.ts'

interface Scenario {
  title: string
  columns: Column[]
  rows: Cell[][]
  plan?: Partial<StreamPlan>
  batchRows?: number
}

/** Values of one type, one a row, beside a number that tells rows apart. */
const values = (title: string, type: AirbyteType, cells: Cell[]): Scenario => ({
  title,
  columns: [
    { name: 'n', type: 'integer' },
    { name: 'v', type },
  ],
  rows: cells.map((cell, n) => [n, cell]),
})

const nested = (depth: number) => `${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}`

const named = (title: string, names: string[]): Scenario => ({
  title,
  columns: names.map((name) => ({ name, type: 'string' })),
  rows: [names.map((name) => `value of ${name}`)],
})

/** Streams that have broken destinations before. */
const SCENARIOS: Scenario[] = [
  values('a stream without rows', 'string', []),
  values('one row', 'string', ['only']),
  values('text of many scripts', 'string', [
    'żółw',
    '漢字かな',
    'עברית',
    '👩‍👩‍👧‍👦',
    'e\u0301',
    'ﷺ',
    '\u202Eabc',
  ]),
  values('text that begins with a byte order mark', 'string', ['\uFEFF', '\uFEFFtext']),
  values('text that looks like markup of the wire', 'string', [
    '\\N',
    '\\.',
    '\\',
    '\t',
    '\n',
    '\r\n',
    '\b\f\v',
    '"',
    "'",
    ',',
    '\\n',
    '\u0001\u007F',
    '\u2028',
  ]),
  values('empty text beside null', 'string', ['', null, ' ', 'null', 'NULL']),
  values('text that is SQL', 'string', ["'; DROP TABLE x; --", '$1', '%s', '{{ x }}']),
  values('long text', 'string', ['x'.repeat(1_000_000), '漢'.repeat(100_000)]),
  values('integers beyond a double', 'integer', [
    9_223_372_036_854_775_807n,
    -9_223_372_036_854_775_808n,
    9_007_199_254_740_993n,
    0,
    -1,
  ]),
  values('decimals of 38 digits', 'number', [
    '9999999999999999999999999999.9999999999',
    '-0.0000000001',
    '12345678901234567890123456789012345678',
  ]),
  values('numbers small and large', 'number', [0.1, 1e-7, 123456789.125, -1e15, 5e-8]),
  values('booleans', 'boolean', [true, false, null]),
  values('dates at the ends of the calendar', 'date', [
    '0001-01-01',
    '1582-10-15',
    '1970-01-01',
    '2024-02-29',
    '9999-12-31',
  ]),
  values('timestamps to the microsecond', 'timestamp_with_timezone', [
    '1970-01-01T00:00:00.000001Z',
    '1969-12-31T23:59:59.999999Z',
    '2024-02-29T12:00:00Z',
  ]),
  values('local timestamps', 'timestamp_without_timezone', [
    '2024-03-31T02:30:00',
    '0001-01-01T00:00:00',
    '9999-12-31T23:59:59.999999',
  ]),
  values('times of day', 'time_without_timezone', ['00:00:00', '23:59:59.999999', '12:30:00.5']),
  values('times of day with a zone', 'time_with_timezone', [
    '00:00:00Z',
    '23:59:59.999999-11:00',
    '12:30:00+05:30',
  ]),
  values('deep objects', 'object', [nested(50), '{}', '{"":{"":null}}']),
  values('objects with exact numbers', 'object', [
    '{"n":12345678901234567890,"d":0.10000000000000000555,"e":1e2}',
  ]),
  values('objects with escapes', 'object', [
    '{"q":"\\"\\\\\\/\\n\\t","u":"\\u00e9\\ud83d\\ude00","k\\"ey":1}',
  ]),
  values('arrays', 'array', ['[]', '[null]', '[[1,[2]],{"a":[]}]', '["a,b","{}","\\"x\\""]']),
  values('JSON of any kind', 'unknown', [
    'null',
    '"text"',
    '"null"',
    '1.50',
    'true',
    '[1]',
    '{"a":1}',
    null,
  ]),
  values('bytes', 'binary', ['', 'AA==', '/////w==', btoa('\0\\x00\n')]),
  {
    title: 'rows that are equal',
    columns: [{ name: 'v', type: 'string' }],
    rows: [['same'], ['same'], ['same']],
    plan: { primaryKey: [], cursorField: [] },
  },
  {
    title: 'a row of nulls',
    columns: ['a', 'b', 'c'].map((name) => ({ name, type: 'object' })),
    rows: [[null, null, null]],
  },
  {
    title: 'two hundred columns',
    columns: Array.from({ length: 200 }, (_, n) => ({ name: `column_${n}`, type: 'string' })),
    rows: [Array.from({ length: 200 }, (_, n) => `v${n}`)],
  },
  {
    title: 'many rows in many batches',
    columns: [
      { name: 'n', type: 'integer' },
      { name: 'v', type: 'string' },
    ],
    rows: Array.from({ length: 5000 }, (_, n) => [n, `row ${n}`]),
    batchRows: 700,
  },
  named('columns named like keywords', ['select', 'table', 'order', 'user', 'null', 'primary']),
  named('columns with unusual names', [
    'User Name',
    'é',
    'a"b',
    "a'b",
    'a.b',
    'a\\b',
    '1st',
    '$',
    '漢字',
  ]),
  named('columns that differ only in case', ['id', 'ID', 'Id']),
  named('columns with long names that begin alike', [`${'x'.repeat(80)}1`, `${'x'.repeat(80)}2`]),
  named('columns named like our own', [
    '_airbyte_raw_id',
    '_airbyte_meta',
    '_airbyte_generation_id',
  ]),
  {
    ...named('a table with an unusual name', ['v']),
    plan: { target: { table: `Order "Lines" ${process.pid} é.x` } },
  },
  {
    ...named('a table with a long name', ['v']),
    plan: { target: { table: `t${process.pid}_${'long_'.repeat(20)}` } },
  },
]

export function streamCases({ opened, base, losses, it }: DestinationCase): void {
  const isRaw = base.normalization === 'raw'

  for (const scenario of SCENARIOS) {
    it(`holds ${scenario.title}`, () => holds(scenario))
  }

  async function holds({ columns, rows, plan: own, batchRows }: Scenario): Promise<void> {
    const plan = planFor({ ...base, columns, primaryKey: [], cursorField: [], ...own })
    // An unusual name is the same in each combination of the matrix: end it differently.
    const table = `${plan.target.table} ${base.format} ${base.normalization}`
    if (own?.target) plan.target = { ...plan.target, table }

    await loadAll(opened(), plan, [rows], { complete: true, batchRows })
    expect(await withLoader(opened(), plan, (loader) => loader.count())).toBe(rows.length)

    const found = await contents(opened(), plan)
    if (!found) return
    // A raw row is JSON text, whatever the file around it.
    const form = canonicalWith(isRaw ? {} : losses)
    const read = isRaw ? canonicalParsed : form
    const actual = found.map((row) => columns.map(({ name, type }) => read(type, row[name])))
    const expected = rows.map((row) =>
      columns.map(({ type }, c) => {
        // In a raw row, the JSON value null and a missing value are one.
        const cell = isRaw && type === 'unknown' && row[c] === 'null' ? null : row[c]
        return form(type, cell)
      }),
    )
    expect(actual.sort(byText)).toEqual(expected.sort(byText))
  }
}

const byText = (a: unknown[], b: unknown[]) => (a.join('\u0001') < b.join('\u0001') ? -1 : 1)
