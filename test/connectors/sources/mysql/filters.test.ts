import { expect, it } from 'vitest'
import mysql from '../../../../connectors/sources/mysql/index.ts'
import { following } from '../../../../src/cli/connector/follow.ts'
import { applyMapping, coerceToLimits } from '../../../../src/core/normalization/index.ts'
import {
  type Column,
  type ConfiguredStream,
  columnsOf,
  type Literal,
  type ReadEvent,
  type RowCondition,
  type StreamState,
} from '../../../../src/protocol/index.ts'
import {
  asRecords,
  batchesOf,
  collect,
  configure,
  readEvents,
} from '../../../conformance/reading.ts'
import { useDatabase } from './support.ts'

const { run, reading } = useDatabase('filters')

/** Of a column: its declaration, values in SQL, and comparisons with the condition that means the same. */
type Case = [declared: string, values: string[], ...[op: string, value: Literal, sql: string][]]

const TEXT = (op: string, value: string) =>
  `CAST(CONVERT(c USING utf8mb4) AS BINARY) ${op} CAST('${value}' AS BINARY)`

const CASES: Case[] = [
  [
    'BIGINT UNSIGNED',
    ['0', '9007199254740993', '18446744073709551615'],
    ['gt', '9007199254740992', 'c > 9007199254740992'],
    ['eq', '18446744073709551615', 'c = 18446744073709551615'],
  ],
  ['BOOLEAN', ['0', '1', '1'], ['eq', 1, 'c'], ['ne', 'true', 'NOT c'], ['gt', false, 'c > 0']],
  ['BIT(1)', ["b'0'", "b'1'", "b'1'"], ['eq', true, 'c = 1']],
  ['BIT(9)', ["b'0'", "b'100000001'", "b'000000011'"], ['gt', 'AAM=', 'c > 3']],
  [
    'DECIMAL(30,10)',
    ['-1.5', '99999999999999999999.0000000001', '0.1'],
    ['gte', '99999999999999999999.00000000010', 'c >= 99999999999999999999.0000000001'],
    ['lt', 0.1, 'c < 0.1'],
  ],
  ['FLOAT', ['0.5', '-3.25', '1e20'], ['gt', '5e-1', 'c > 0.5'], ['eq', 0.5, 'c = 0.5']],
  [
    'DOUBLE',
    ['0.1', '-1e300', '1e-300'],
    ['eq', '0.10', 'c = 0.1'],
    ['lt', '-1e299', 'c < -1e299'],
  ],
  [
    'DATE',
    ["'1000-01-01'", "'2024-02-29'", "'9999-12-31'"],
    ['gte', '2024-02-29T00:00:00Z', "c >= '2024-02-29'"],
    ['gt', '2024-02-29 00:00:01', "c > '2024-02-29 00:00:01'"],
  ],
  [
    'DATETIME(6)',
    ["'2024-02-29 00:00:00'", "'2024-02-29 00:00:00.000001'", "'1000-01-01'"],
    ['eq', '2024-02-29', "c = '2024-02-29'"],
    ['gt', '2024-02-29T00:00:00.0000001', "c > '2024-02-29'"],
  ],
  [
    'TIMESTAMP NULL',
    ["'2024-02-29 00:00:00'", "'2024-02-29 02:00:00'", "'1970-01-02 00:00:00'"],
    ['lte', '2024-02-29T02:00:00+02:00', "c <= '2024-02-29 00:00:00'"],
    ['eq', '2024-02-28T16:00:00-10:00', "c = '2024-02-29 02:00:00'"],
  ],
  [
    'TIME(6)',
    ["'-838:59:59'", "'100:00:00'", "'10:00:00'"],
    ['eq', '10:00', "c = '10:00:00'"],
    ['gt', '24:00:00', "c > '24:00:00'"],
    ['lt', '-09:00:00', "c < '-09:00:00'"],
    ['lte', '100:00:00.0', "c <= '100:00:00'"],
  ],
  ['YEAR', ['1901', '2024', '2155'], ['in', 2024, 'c = 2024'], ['lt', '2024', 'c < 2024']],
  ["ENUM('b','a','é')", ["'a'", "'b'", "'é'"], ['lt', 'b', TEXT('<', 'b')], ['eq', 'é', "c = 'é'"]],
  ["SET('x','y')", ["'x,y'", "'y'", "''"], ['eq', 'x,y', "c = 'x,y'"], ['eq', '', "c = ''"]],
  [
    'CHAR(5) COLLATE utf8mb4_general_ci',
    ["'a'", "'A '", "'á'"],
    ['eq', 'a', TEXT('=', 'a')],
    ['gt', 'a', TEXT('>', 'a')],
  ],
  [
    'VARCHAR(9) CHARACTER SET utf16 COLLATE utf16_unicode_ci',
    ["'a '", "'😀'", "'\uffee'"],
    ['eq', 'a', TEXT('=', 'a')],
    ['gt', '\uffee', TEXT('>', '\uffee')],
  ],
  ['VARCHAR(9) CHARACTER SET latin1', ["'é'", "'e'", "'É'"], ['eq', 'é', TEXT('=', 'é')]],
  [
    'BINARY(3)',
    ["x'fb'", "x'7f'", "x''"],
    ['gt', 'fwAA', "c > x'7f0000'"],
    ['eq', 'AAAA', "c = x'000000'"],
  ],
  [
    'VARBINARY(3)',
    ["x'fb'", "x'7f00'", "x'7f'"],
    ['gt', 'fw==', "c > x'7f'"],
    ['lt', '+w==', "c < x'fb'"],
  ],
  ['BLOB', ["x'ff'", "x''", "x'7f'"], ['lte', 'fw==', "c <= x'7f'"]],
  ['JSON', [`'{"a": 1}'`, `'null'`, `'[]'`], ['eq', '{"a": 1}', `CAST(c AS CHAR) = '{"a": 1}'`]],
  ['POINT', ['POINT(1, 2)', 'POINT(3, 4)', 'POINT(1, 2)']],
]

const ROADS = ['snapshot', 'cursor', 'log'] as const
type Road = (typeof ROADS)[number]

const source = {
  ...following(mysql, mysql.log as NonNullable<typeof mysql.log>),
  freeze: undefined,
}
const limits = {
  nulInText: true,
  nonFinite: true,
  years: [1, 9999] as [number, number],
  native: 'mysql' as const,
}

async function prepared(road: Road) {
  const { source: plain, ctx, config: own } = reading()
  const method = { replication_method: { method: road === 'log' ? 'CDC' : 'STANDARD' } }
  const here = { source: road === 'log' ? source : plain, ctx, config: { ...own, ...method } }
  const { streams } = await mysql.discover(ctx, here.config)
  const stream = streams.find(({ name }) => name === 't')
  if (!stream) throw new Error('not discovered')
  const configured: ConfiguredStream = configure(stream, {
    ...(road === 'snapshot'
      ? {}
      : { syncMode: 'incremental', destinationSyncMode: 'append_dedup' }),
    ...(road === 'cursor' ? { cursorField: ['n'] } : {}),
  })
  const columns = columnsOf(stream.json_schema)
  return {
    columns,
    read: (state?: ReadEvent & { type: 'state' }) =>
      collect(
        readEvents(
          here,
          [configured],
          new Map(state ? [[state.stream, state.state as StreamState]] : []),
          state?.shared,
        ),
      ),
  }
}

function chosen(events: ReadEvent[], columns: Column[], filter: RowCondition): number[] {
  return batchesOf(events).flatMap((read) => {
    const { batch } = coerceToLimits(asRecords(read), columns, limits, ['id'])
    const kept = applyMapping(batch, { salt: '', columns, filter }).batch
    return (kept.columns[columns.findIndex(({ name }) => name === 'id')] ?? []) as number[]
  })
}

it.each(CASES)(
  'a filter on %s chooses by every road what a query does',
  async (declared, values, ...comparisons) => {
    await run(`CREATE OR REPLACE TABLE t (id INT PRIMARY KEY, n BIGINT NOT NULL, c ${declared})`)
    const log = await prepared('log')
    const begun = (await log.read()).findLast((event) => event.type === 'state')
    const rows = [...values, 'NULL'].map((value, id) => `(${id}, ${id}, ${value})`)
    await run(`INSERT INTO t VALUES ${rows}`)
    const filters: [RowCondition, string][] = [
      [{ field: 'c', op: 'is_null' }, 'c IS NULL'],
      [{ field: 'c', op: 'not_null' }, 'c IS NOT NULL'],
    ]
    for (const [op, value, sql] of comparisons) {
      filters.push([{ field: 'c', op, value: op === 'in' ? [value] : value } as RowCondition, sql])
    }
    for (const road of ROADS) {
      const { columns, read } = road === 'log' ? log : await prepared(road)
      const events = await read(road === 'log' ? begun : undefined)
      for (const [filter, sql] of filters) {
        const selected = await run(`SELECT id FROM t WHERE ${sql} ORDER BY id`)
        expect([road, filter, chosen(events, columns, filter)]).toEqual([
          ...[road, filter, selected.map(([id]) => Number(id))],
        ])
      }
    }
  },
)
