import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { columnsOf } from '../../../../src/protocol/index.ts'
import { decodeCopyText } from '../../../../src/runtime/formats/pg-copy-text.ts'
import { configure, createDatabase, discover, sync, type TestDatabase } from './support.ts'

/** Column type, SQL value, Airbyte type, native type as discovered (null: none), cell. */
type Case = [type: string, value: string, airbyte: string, native: string | null, cell: unknown]

const CASES: Case[] = [
  ['smallint', '-32768', 'integer', 'smallint', -32768],
  ['integer', '2147483647', 'integer', 'integer', 2147483647],
  ['bigint', '9223372036854775807', 'integer', 'bigint', 9223372036854775807n],
  ['numeric', '0.1', 'number', 'numeric', 0.1],
  [
    'numeric(38,10)',
    '1234567890123456789012345678.0123456789',
    'number',
    'numeric(38,10)',
    '1234567890123456789012345678.0123456789',
  ],
  ['numeric', "'NaN'", 'number', 'numeric', 'NaN'],
  ['real', '0.1', 'number', 'real', 0.1],
  ['double precision', "'-Infinity'", 'number', 'double precision', '-Infinity'],
  ['double precision', '1e-300', 'number', 'double precision', null],
  ['money', '12.34::numeric::money', 'number', null, 12.34],
  ['boolean', 'true', 'boolean', 'boolean', true],
  [
    'text',
    "E'tab\\t nl\\n cr\\r back\\\\slash \\\\N é 🙂'",
    'string',
    'text',
    'tab\t nl\n cr\r back\\slash \\N é 🙂',
  ],
  ['text', "''", 'string', 'text', ''],
  ['text', "'\\N'", 'string', 'text', '\\N'],
  ['character varying(20)', "'abc'", 'string', 'character varying(20)', 'abc'],
  ['character(5)', "'ab'", 'string', 'character(5)', 'ab   '],
  ['name', "'n'", 'string', 'name', 'n'],
  ['"char"', "'x'", 'string', '"char"', 'x'],
  [
    'uuid',
    "'6f1b8c1e-0000-4000-8000-000000000001'",
    'string',
    'uuid',
    '6f1b8c1e-0000-4000-8000-000000000001',
  ],
  ['bytea', "'\\x00ff10'", 'binary', 'bytea', 'AP8Q'],
  ['bytea', "''", 'binary', 'bytea', ''],
  ['date', "'2026-11-23'", 'date', 'date', '2026-11-23'],
  ['date', "'infinity'", 'date', 'date', 'infinity'],
  ['date', "'0044-03-15 BC'", 'date', 'date', '0044-03-15 BC'],
  ['date', "'12026-01-01'", 'date', 'date', '12026-01-01'],
  [
    'time(3) without time zone',
    "'23:59:59.123'",
    'time_without_timezone',
    'time(3) without time zone',
    '23:59:59.123',
  ],
  [
    'time with time zone',
    "'01:02:03.000004+05:30'",
    'time_with_timezone',
    'time with time zone',
    '01:02:03.000004+05:30',
  ],
  [
    'time with time zone',
    "'01:02:03-08'",
    'time_with_timezone',
    'time with time zone',
    '01:02:03-08:00',
  ],
  [
    'timestamp without time zone',
    "'2026-11-23 03:31:33.432059'",
    'timestamp_without_timezone',
    'timestamp without time zone',
    '2026-11-23T03:31:33.432059',
  ],
  [
    'timestamp(3) with time zone',
    "'2026-11-23 03:31:33.432+02'",
    'timestamp_with_timezone',
    'timestamp(3) with time zone',
    '2026-11-23T01:31:33.432Z',
  ],
  [
    'timestamp with time zone',
    "'-infinity'",
    'timestamp_with_timezone',
    'timestamp with time zone',
    '-infinity',
  ],
  [
    'timestamp with time zone',
    "'0044-03-15 12:00:00+00 BC'",
    'timestamp_with_timezone',
    'timestamp with time zone',
    '0044-03-15T12:00:00Z BC',
  ],
  [
    'interval',
    "'1 year 2 mons -3 days 04:05:06.000007'",
    'string',
    'interval',
    'P1Y2M-3DT4H5M6.000007S',
  ],
  ['interval day to second(3)', "'1 day'", 'string', 'interval day to second(3)', 'P1D'],
  [
    'json',
    `'{"b": 1,  "a": 9007199254740993}'`,
    'unknown',
    'json',
    '{"b": 1,  "a": 9007199254740993}',
  ],
  ['jsonb', "'null'", 'unknown', 'jsonb', 'null'],
  ['jsonb', `'{"k": "a\\nb"}'`, 'unknown', 'jsonb', '{"k": "a\\nb"}'],
  ['jsonpath', "'$.a'", 'string', 'jsonpath', '$."a"'],
  ['xml', "'<a>b</a>'", 'string', 'xml', '<a>b</a>'],
  ['inet', "'10.0.0.1/24'", 'string', 'inet', '10.0.0.1/24'],
  ['cidr', "'10.0.0.0/24'", 'string', 'cidr', '10.0.0.0/24'],
  ['macaddr', "'08:00:2b:01:02:03'", 'string', 'macaddr', '08:00:2b:01:02:03'],
  ['macaddr8', "'08:00:2b:01:02:03:04:05'", 'string', 'macaddr8', '08:00:2b:01:02:03:04:05'],
  ['bit(3)', "B'101'", 'string', 'bit(3)', '101'],
  ['bit varying(5)', "B'1'", 'string', 'bit varying(5)', '1'],
  ['tsvector', "'a:1 b:2'", 'string', 'tsvector', "'a':1 'b':2"],
  ['tsquery', "'a & b'", 'string', 'tsquery', "'a' & 'b'"],
  ['oid', '4294967295', 'integer', 'oid', 4294967295],
  ['xid8', "'18446744073709551615'", 'integer', 'xid8', 18446744073709551615n],
  ['pg_lsn', "'16/B374D848'", 'string', 'pg_lsn', '16/B374D848'],
  ['pg_snapshot', "'10:20:10,14,15'", 'string', 'pg_snapshot', '10:20:10,14,15'],
  ['regclass', "'pg_class'", 'string', null, 'pg_class'],
  ['point', "'(1,2)'", 'string', 'point', '(1,2)'],
  ['line', "'{1,2,3}'", 'string', 'line', '{1,2,3}'],
  ['lseg', "'[(1,2),(3,4)]'", 'string', 'lseg', '[(1,2),(3,4)]'],
  ['box', "'(3,4),(1,2)'", 'string', 'box', '(3,4),(1,2)'],
  ['path', "'((1,2),(3,4))'", 'string', 'path', '((1,2),(3,4))'],
  ['polygon', "'((1,2),(3,4))'", 'string', 'polygon', '((1,2),(3,4))'],
  ['circle', "'<(1,2),3>'", 'string', 'circle', '<(1,2),3>'],
  ['int4range', "'[1,5)'", 'string', 'int4range', '[1,5)'],
  ['int8range', "'[1,5)'", 'string', 'int8range', '[1,5)'],
  ['numrange', "'(1.5,2.5]'", 'string', 'numrange', '(1.5,2.5]'],
  ['tsrange', "'[2026-01-01,)'", 'string', 'tsrange', '["2026-01-01 00:00:00",)'],
  ['tstzrange', "'[2026-01-01 00:00Z,)'", 'string', 'tstzrange', '["2026-01-01 00:00:00+00",)'],
  ['daterange', "'empty'", 'string', 'daterange', 'empty'],
  ['int4multirange', "'{[1,2),[5,6)}'", 'string', 'int4multirange', '{[1,2),[5,6)}'],
  ['datemultirange', "'{}'", 'string', 'datemultirange', '{}'],
  ['integer[]', "'{{1,2},{3,NULL}}'", 'array', 'integer[]', '[[1, 2], [3, null]]'],
  [
    'text[]',
    `ARRAY['a"b', 'c,d', 'NULL', NULL, '', E'x\\\\y']`,
    'array',
    'text[]',
    '["a\\"b", "c,d", "NULL", null, "", "x\\\\y"]',
  ],
  [
    'numeric(38,10)[]',
    "'{1234567890123456789012345678.0123456789}'",
    'array',
    'numeric(38,10)[]',
    '[1234567890123456789012345678.0123456789]',
  ],
  ['jsonb[]', `ARRAY['{"a": 1}'::jsonb]`, 'array', 'jsonb[]', '[{"a": 1}]'],
  ['boolean[]', "'{t,f}'", 'array', 'boolean[]', '[true, false]'],
  ['box[]', "'{(1,2),(0,0);(3,4),(1,1)}'", 'array', 'box[]', '["(1,2),(0,0)", "(3,4),(1,1)"]'],
  ['email[]', "'{a@b,NULL}'", 'array', 'character varying(50)[]', '["a@b", null]'],
  ['money[]', 'ARRAY[12.34::numeric::money]', 'array', null, '[12.34]'],
  ['mood', "'ok'", 'string', null, 'ok'],
  ['mood[]', "'{ok,sad}'", 'array', null, '["ok", "sad"]'],
  ['email', "'a@b.c'", 'string', 'character varying(50)', 'a@b.c'],
  ['work_email', "'a@b.c'", 'string', 'character varying(50)', 'a@b.c'],
  ['pair', "ROW(1, 'x,\"y')", 'object', null, '{"a": 1, "b": "x,\\"y"}'],
  ['pair[]', "ARRAY[ROW(1, 'x')::pair]", 'array', null, '[{"a": 1, "b": "x"}]'],
  ['floats', "'[1,2)'", 'string', null, '[1,2)'],
]

let db: TestDatabase
let rows: Record<string, unknown>[]
const names = CASES.map(([type], i) => `c${i} ${type}`)
beforeAll(async () => {
  db = await createDatabase('source_types')
  await db.sql(`
    CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN email AS varchar(50) CHECK (value LIKE '%@%');
    CREATE DOMAIN work_email AS email; CREATE TYPE pair AS (a int, b text); CREATE TYPE floats AS RANGE (subtype = float8);
    CREATE TABLE every_type (id int PRIMARY KEY, ${CASES.map(([type], i) => `${pg.escapeIdentifier(names[i] as string)} ${type}`).join(', ')});
    INSERT INTO every_type VALUES (1, ${CASES.map(([, value]) => value).join(', ')});
    INSERT INTO every_type (id) VALUES (2)`)
  rows = (await sync(db.config, configure(await stream()))).rows
})
afterAll(() => db.close())

const stream = async () => (await discover(db.config)).get('public.every_type')

describe('every built-in type', () => {
  it.each(CASES.map((one, i) => [...one, i] as const))(
    '%s %s is %s, native %s, read as %s',
    async (_type, _value, airbyte, native, cell, i) => {
      const columns = columnsOf((await stream())?.json_schema ?? {})
      const column = columns.find(({ name }) => name === names[i])
      expect(column?.type).toBe(airbyte)
      expect(column?.native?.type ?? null).toBe(native)
      if (cell !== null) expect(rows[0]?.[names[i] as string]).toEqual(cell)
      expect(rows[1]?.[names[i] as string]).toBeNull()
    },
  )

  it('is the same in both formats', async () => {
    const encoded = await sync(db.config, configure(await stream(), { format: 'pg-copy-text' }))
    const records = await sync(db.config, configure(await stream()))
    const [batch] = encoded.batches
    const [recordBatch] = records.batches
    if (batch?.kind !== 'encoded' || recordBatch?.kind !== 'records') throw new Error('formats')
    expect(decodeCopyText(batch.bytes, batch.schema).columns).toEqual(recordBatch.columns)
  })

  it('loads into a table of the discovered native types to the same values', async () => {
    const { lines, batches } = await sync(
      db.config,
      configure(await stream(), { format: 'pg-copy-text' }),
    )
    const columns = (batches[0]?.schema ?? []).map(
      ({ name, native, type }) =>
        `${pg.escapeIdentifier(name)} ${native?.type ?? (type === 'array' || type === 'object' ? 'jsonb' : type === 'number' ? 'numeric' : 'text')}`,
    )
    await db.sql(`CREATE TABLE copy_of (${columns.join(', ')})`)
    const cells = lines.map((line) =>
      line.split('\t').map((field) => (field === '\\N' ? null : fieldValue(field))),
    )
    for (const row of cells) {
      await db.sql(
        `INSERT INTO copy_of VALUES (${row.map((v) => (v === null ? 'NULL' : pg.escapeLiteral(v))).join(', ')})`,
      )
    }
    const again = await sync(
      db.config,
      configure((await discover(db.config)).get('public.copy_of'), { format: 'pg-copy-text' }),
    )
    expect(again.lines).toEqual(lines)
  })
})

const fieldValue = (field: string) =>
  field.replaceAll(/\\(.)/g, (_, code: string) => ({ t: '\t', n: '\n', r: '\r' })[code] ?? code)
