import { describe, expect, it } from 'vitest'
import { type AirbyteType, columnsOf } from '../../../../src/protocol/index.ts'
import { configure, readStream } from '../../../conformance/reading.ts'
import { hasType, ON_MYSQL } from '../../../support/mysql-statement.ts'
import { cellsOf, changesOf, useDatabase } from './support.ts'

const db = useDatabase('source_types')

/** Declaration, Airbyte type, then pairs of SQL literal and cell. */
const TYPES: [declared: string, type: AirbyteType, values: [sql: string, cell: unknown][]][] = [
  ['TINYINT', 'integer', [['-128', -128]]],
  [
    'TINYINT(1)',
    'boolean',
    [
      ['0', false],
      ['1', true],
    ],
  ],
  [
    'BIT(1)',
    'boolean',
    [
      ["b'0'", false],
      ["b'1'", true],
    ],
  ],
  ['BIT(9)', 'binary', [["b'100000001'", 'AQE=']]],
  ['SMALLINT UNSIGNED', 'integer', [['65535', 65535]]],
  ['MEDIUMINT', 'integer', [['-8388608', -8388608]]],
  ['INT(8) ZEROFILL', 'integer', [['42', 42]]],
  [
    'BIGINT',
    'integer',
    [
      ['-9223372036854775808', -9223372036854775808n],
      ['7', 7],
    ],
  ],
  [
    'BIGINT UNSIGNED',
    'number',
    [
      ['18446744073709551615', '18446744073709551615'],
      ['7', 7],
    ],
  ],
  [
    'YEAR',
    'integer',
    [
      ['2155', 2155],
      ['0', 0],
    ],
  ],
  [
    'DECIMAL(65,30)',
    'number',
    [
      [
        '12345678901234567890123456789012345.123456789012345678901234567890',
        '12345678901234567890123456789012345.123456789012345678901234567890',
      ],
      ['1.5', 1.5],
    ],
  ],
  [
    'FLOAT',
    'number',
    [
      ['0.1', 0.1],
      ['3.4028235e38', 3.4028235e38],
      ['16777217', 16777216],
    ],
  ],
  [
    'DOUBLE',
    'number',
    [
      ['1.7976931348623157e308', 1.7976931348623157e308],
      ['5e-324', 5e-324],
      ['0.1', 0.1],
    ],
  ],
  ['CHAR(5)', 'string', [["'ab '", 'ab']]],
  ['VARCHAR(10) CHARACTER SET latin1', 'string', [["'é€'", 'é€']]],
  [
    'LONGTEXT',
    'string',
    [
      ["'tab\t nl\n bs\\ 😀'", 'tab\t nl\n bs\\ 😀'],
      ["'\uFEFFx'", '\uFEFFx'],
      ["''", ''],
    ],
  ],
  ["ENUM('a','é')", 'string', [["'é'", 'é']]],
  [
    "SET('x','y')",
    'string',
    [
      ["'y,x'", 'x,y'],
      ["''", ''],
    ],
  ],
  ['BINARY(3)', 'binary', [["x'00ff'", 'AP8A']]],
  [
    'LONGBLOB',
    'binary',
    [
      ["x'deadbeef'", '3q2+7w=='],
      ["''", ''],
    ],
  ],
  ['DATE', 'date', [["'9999-12-31'", '9999-12-31']]],
  [
    'TIME(6)',
    'time_without_timezone',
    [
      ["'23:59:59.999999'", '23:59:59.999999'],
      ["'-838:59:59'", '-838:59:59.000000'],
    ],
  ],
  [
    'DATETIME(3)',
    'timestamp_without_timezone',
    [["'2024-02-29 12:00:00.125'", '2024-02-29T12:00:00.125']],
  ],
  [
    'TIMESTAMP(6) NULL',
    'timestamp_with_timezone',
    [["'2024-02-29 12:00:00'", '2024-02-29T12:00:00.000000Z']],
  ],
  [
    'JSON',
    'unknown',
    [
      // MySQL keeps such a number as a double, MariaDB keeps the text.
      ON_MYSQL
        ? [`'{"n": 12345678901234567890.10}'`, '{"n": 1.2345678901234567e19}']
        : [`'{"n": 12345678901234567890.10}'`, '{"n": 12345678901234567890.10}'],
      ["'null'", 'null'],
    ],
  ],
  ['POINT', 'binary', [['POINT(1, 2)', 'AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==']]],
  ['VECTOR(2)', 'binary', [["STRING_TO_VECTOR('[1,2.5]')", 'AACAPwAAIEA=']]],
  [
    'UUID',
    'string',
    [["'123e4567-e89b-12d3-a456-426614174000'", '123e4567-e89b-12d3-a456-426614174000']],
  ],
  ['INET6', 'string', [["'::1'", '::1']]],
]

describe('types of the mysql source', () => {
  it.each(TYPES.filter(hasType))(
    'reads %s as %s with every digit',
    async (declared, type, values) => {
      await db.run(
        `CREATE OR REPLACE TABLE one (id INT PRIMARY KEY, v ${declared})`,
        'INSERT INTO one VALUES (0, NULL)',
        ...values.map(([sql], i) => `INSERT INTO one VALUES (${i + 1}, ${sql})`),
      )
      const stream = await db.stream('one')
      expect(columnsOf(stream.json_schema)[1]?.type).toBe(type)
      const events = await readStream(db.reading(), configure(stream))
      expect(cellsOf(events, 'v')).toEqual([null, ...values.map(([, cell]) => cell)])
      expect(changesOf(events)).toEqual([])
    },
  )

  it('makes null of what no calendar has, and records it', async () => {
    await db.run(
      'CREATE OR REPLACE TABLE odd (id INT PRIMARY KEY, d DATE NOT NULL, dt DATETIME, ts TIMESTAMP NULL, b BOOLEAN)',
      "INSERT INTO odd VALUES (1, '0000-00-00', '2024-00-15 00:00:00', '0000-00-00', 5)",
      "INSERT INTO odd VALUES (2, '2024-01-01', '2024-01-15 00:00:00', NULL, 1)",
    )
    const stream = await db.stream('odd')
    const events = await readStream(db.reading(), configure(stream))
    for (const field of ['d', 'dt', 'ts']) expect(cellsOf(events, field)[0]).toBe(null)
    expect(cellsOf(events, 'b')).toEqual([true, true])
    const reason = 'SOURCE_SERIALIZATION_ERROR'
    expect(changesOf(events)).toEqual([
      ...['d', 'dt', 'ts'].map((field) => ({ row: 0, field, change: 'NULLED', reason })),
      { row: 0, field: 'b', change: 'TRUNCATED', reason },
    ])
  })

  it('leaves a zero date in a key as it is, for the engine to reject its row', async () => {
    await db.run(
      'CREATE OR REPLACE TABLE zero_key (d DATE PRIMARY KEY)',
      "INSERT INTO zero_key VALUES ('0000-00-00'), ('2024-01-01')",
    )
    const events = await readStream(db.reading(), configure(await db.stream('zero_key')))
    expect(cellsOf(events, 'd')).toEqual(['0000-00-00', '2024-01-01'])
  })

  it('pages by keys of every type that has an order, and reads the others whole', async () => {
    const keys: [string, string][] = [
      ['INT UNSIGNED', 'seq'],
      ['BIGINT UNSIGNED', '18446744073709551000 + seq'],
      ['DECIMAL(20,5)', 'seq / 8'],
      ['FLOAT', 'seq / 10'],
      ['VARCHAR(20)', "CONCAT('it''s ', seq, '\\\\')"],
      ['VARBINARY(16)', 'UNHEX(LEFT(SHA2(seq, 256), 32))'],
      ['DATE', "DATE '2024-01-01' + INTERVAL seq DAY"],
      ['TIME', 'SEC_TO_TIME(CAST(seq AS SIGNED) * 100000 - 1000000)'],
      ['TIMESTAMP(6)', "TIMESTAMP '2024-01-01 00:00:00' + INTERVAL seq MICROSECOND"],
      ['UUID', 'UUID()'],
      ["ENUM('c','b','a')", 'seq'],
    ]
    for (const [declared, value] of keys.filter(hasType)) {
      const rows = declared?.startsWith('ENUM') ? 3 : 25
      await db.run(
        `CREATE OR REPLACE TABLE paged (k ${declared} PRIMARY KEY)`,
        `INSERT INTO paged SELECT ${value} FROM seq_1_to_${rows}`,
      )
      const configured = configure(await db.stream('paged'))
      const events = await readStream(db.reading({ chunk_rows: 4 }), configured)
      expect(new Set(cellsOf(events, 'k')).size, declared).toBe(rows)
      expect(cellsOf(events, 'k'), declared).toHaveLength(rows)
    }
  })
})
