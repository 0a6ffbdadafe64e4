import type { EndName } from './case.ts'

/** Values that arrive as others, and why nothing better can be done. */
export interface Coercion {
  from: 'postgres' | 'mysql'
  into: EndName[]
  /** By declaration: the values' SQL. */
  values: Record<string, string[]>
  /** What is there instead; absent: null. In the form of the tests. */
  becomes?: string
  /** How `_airbyte_meta.changes` of the row calls it. */
  recorded: 'NULLED' | 'TRUNCATED'
  why: string
}

const FILES: EndName[] = ['Parquet', 'JSONL', 'CSV']
const NOT_POSTGRES: EndName[] = ['mysql', ...FILES]
const EVERYWHERE: EndName[] = ['postgres', 'mysql', ...FILES]

export const COERCIONS: Coercion[] = [
  {
    ...{ from: 'postgres', into: NOT_POSTGRES, recorded: 'NULLED' },
    values: {
      date: [
        ...["'infinity'", "'-infinity'", "'0044-03-15 BC'", "'12026-01-01'", "'4713-01-01 BC'"],
        "'5874897-12-31'",
      ],
      timestamp: ["'infinity'", "'0001-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999'"],
      timestamptz: [...["'-infinity'", "'4713-01-01 00:00:00+00 BC'", "'9999-12-31 23:59:59-05'"]],
    },
    why: 'Dates of MySQL, and those that readers of files understand, are of the years 1 to 9999 (in UTC), and finite.',
  },
  {
    ...{ from: 'postgres', into: ['mysql'], recorded: 'NULLED' },
    values: {
      numeric: ["'NaN'", "'Infinity'", "'-Infinity'"],
      'numeric(38,10)': ["'NaN'"],
      real: ["'NaN'", "'-Infinity'"],
      'double precision': ["'NaN'", "'Infinity'"],
    },
    why: "MySQL's numbers are finite.",
  },
  {
    ...{ from: 'postgres', into: ['mysql'], recorded: 'NULLED' },
    values: {
      numeric: [`1${'0'.repeat(50)}`],
      'numeric(100,50)': [`${'9'.repeat(50)}.${'9'.repeat(50)}`],
    },
    why: 'MySQL has 65 digits; a number that declares none, or more, has 40 of them before the point.',
  },
  {
    ...{ from: 'postgres', into: ['mysql'], recorded: 'TRUNCATED' },
    values: { numeric: [`0.${'1'.repeat(40)}`] },
    becomes: `0.${'1'.repeat(25)}`,
    why: 'MySQL has 65 digits; a number that declares none, or more, has 25 of them after the point.',
  },
  {
    ...{ from: 'postgres', into: ['Parquet'], recorded: 'NULLED' },
    values: { 'numeric(38,10)': ["'NaN'"] },
    why: "Parquet's decimals are finite.",
  },
  {
    ...{ from: 'postgres', into: ['Parquet'], recorded: 'TRUNCATED' },
    values: { money: ['(-92233720368547758.08)::numeric::money'] },
    becomes: '-92233720368547760',
    why: 'Money declares no digits, so Parquet has the nearest double; the exact digits are in the record.',
  },
  {
    ...{ from: 'postgres', into: NOT_POSTGRES, recorded: 'NULLED' },
    values: { xid8: ["'18446744073709551615'"] },
    why: 'Integers have 64 bits and a sign. No server has ever counted so many transactions.',
  },
  {
    ...{ from: 'postgres', into: NOT_POSTGRES, recorded: 'TRUNCATED' },
    values: { 'int[]': ["'[0:1]={7,8}'"] },
    becomes: '[7,8]',
    why: 'JSON arrays have no bounds: the elements come without them.',
  },
  {
    ...{ from: 'postgres', into: NOT_POSTGRES, recorded: 'TRUNCATED' },
    values: { 'jsonb[]': [`ARRAY['{"a": 1.50}'::jsonb, 'null', NULL]`] },
    becomes: '[{"a":1.5},null,null]',
    why: 'Within a JSON array the JSON value null and a missing value are one.',
  },
  {
    ...{ from: 'postgres', into: ['JSONL'], recorded: 'NULLED' },
    values: { json: ["'null'"], jsonb: ["'null'"] },
    why: 'JSON Lines has one null: the JSON value null and a missing value are written the same.',
  },
  {
    ...{ from: 'mysql', into: ['JSONL'], recorded: 'NULLED' },
    values: { json: ["'null'"] },
    why: 'JSON Lines has one null: the JSON value null and a missing value are written the same.',
  },
  {
    ...{ from: 'mysql', into: EVERYWHERE, recorded: 'TRUNCATED' },
    values: { boolean: ['5', '-1'] },
    becomes: 'true',
    why: "MySQL's BOOLEAN is tinyint(1), which takes any small integer; all but 0 are true. With the source's `tinyint1_is_bit` off it is an integer.",
  },
  {
    ...{ from: 'mysql', into: EVERYWHERE, recorded: 'NULLED' },
    values: {
      date: ["'0000-00-00'", "'2024-00-00'", "'0000-01-01'"],
      'datetime(3)': ["'0000-00-00'"],
      'datetime(6)': ["'0000-01-01 00:00:00'"],
      'timestamp null': ["'0000-00-00'"],
    },
    why: 'A date with a zero for its year, month or day is on no calendar; MySQL itself refuses it in strict mode.',
  },
  {
    ...{ from: 'mysql', into: ['postgres', ...FILES], recorded: 'NULLED' },
    values: {
      time: ["'-838:59:59'", "'24:00:00'", "'-00:00:01'"],
      'time(6)': ["'838:59:59.000000'"],
    },
    why: 'TIME of MySQL is a span of up to 838 hours, of either sign; elsewhere it is a time of day, as Airbyte has it: from 00:00:00 to 23:59:59.999999.',
  },
  {
    ...{ from: 'mysql', into: ['postgres'], recorded: 'NULLED' },
    values: {
      longtext: ["CONCAT('nul', CHAR(0), '!')"],
      json: [`'{"é": "\\u0000"}'`],
    },
    why: 'PostgreSQL has no character U+0000, neither in text nor in jsonb.',
  },
]
