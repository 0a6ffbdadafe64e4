import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import mysql from '../../../connectors/sources/mysql/index.ts'
import type { JsonObject } from '../../../src/protocol/index.ts'
import { asRecords, batchesOf, configure, readStream } from '../../conformance/reading.ts'
import { hasType, ON_MYSQL } from '../../support/mysql-statement.ts'
import { capture, changesOf, ctx, SERVER_START_MS, useServer } from './support.ts'

let db: Awaited<ReturnType<typeof useServer>>
beforeAll(async () => {
  db = await useServer()
}, SERVER_START_MS)
afterAll(() => db?.stop())

/** Declarations with values; the catalog read of the same row says what the log has to tell. */
const TYPES: [declared: string, ...values: string[]][] = [
  ['TINYINT', '-128', '127'],
  ['TINYINT UNSIGNED', '255'],
  ['BOOLEAN', '0', '1', '5'],
  ['SMALLINT', '-32768'],
  ['MEDIUMINT', '-8388608', '8388607'],
  ['MEDIUMINT UNSIGNED', '16777215'],
  ['INT UNSIGNED', '4294967295'],
  ['BIGINT', '-9223372036854775808', '9223372036854775807', '-1', '9007199254740993', '4294967296'],
  ['BIGINT UNSIGNED', '18446744073709551615', '0', '9007199254740993'],
  ['YEAR', '0', '1901', '2155'],
  [
    'DECIMAL(65,30)',
    '-12345678901234567890123456789012345.123456789012345678901234567890',
    '0',
    '-0.000000000000000000000000000001',
  ],
  ['DECIMAL(5,2)', '999.99', '-0.05', '-100'],
  ['DECIMAL(9,9)', '0.123456789', '-0.000000001'],
  ['DECIMAL(15,7)', '12345678.1234567', '-0.0000001', '-99999999.9999999', '0'],
  ['DECIMAL(15,0)', '999999999999999', '-100000000000000'],
  ['DECIMAL(16,8)', '99999999.99999999'],
  ['DECIMAL(18,0)', '999999999999999999', '-100000000000000000'],
  ['FLOAT', '0.1', '-3.4028235e38'],
  ['DOUBLE', '1.7976931348623157e308', '5e-324', '-0.1'],
  ['BIT(1)', "b'0'", "b'1'"],
  ['BIT(9)', "b'100000001'"],
  ['BIT(64)', "b'1111000000000000000000000000000000000000000000000000000000000001'"],
  ['CHAR(5)', "'ab '", "''"],
  ['CHAR(255) CHARACTER SET utf8mb4', "REPEAT('é', 255)"],
  ['VARCHAR(10) CHARACTER SET latin1', "'é€'"],
  ['VARCHAR(10) CHARACTER SET cp1251', "'Жук'"],
  ['VARCHAR(10) CHARACTER SET ucs2', "'é😀'", "'Ж'"],
  ['VARCHAR(10) CHARACTER SET sjis', "'日本'"],
  ['VARCHAR(3000)', "REPEAT('😀', 3000)"],
  ['TINYTEXT', "'x'"],
  ['MEDIUMTEXT', "REPEAT('a', 16384)", "REPEAT('b', 16385)", "'c'", "'é'", "'d'"],
  ['LONGTEXT', "REPEAT('é', 70000)"],
  ["ENUM('a','é','')", "'é'", "''", 'NULL'],
  ["SET('x','y','z')", "'x,z'", "''", "'y'"],
  ['BINARY(4)', "x'00ff0000'", "x'01020304'"],
  ['VARBINARY(300)', "x'00ff00'", "REPEAT(x'00', 300)"],
  ['TINYBLOB', "x'00'"],
  ['LONGBLOB', "REPEAT(x'ff', 70000)"],
  ['DATE', "'1000-01-01'", "'9999-12-31'", "'0000-00-00'", "'2024-00-10'"],
  ['TIME', "'00:00:00'", "'23:59:59'", "'-00:00:01'", "'838:59:59'"],
  ['TIME(6)', "'23:59:59.999999'", "'-00:00:00.000001'"],
  ['TIME(3)', "'01:02:03.004'"],
  ['DATETIME', "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'0000-00-00 00:00:00'"],
  ['DATETIME(1)', "'2024-02-29 12:34:56.7'"],
  ['DATETIME(3)', "'2024-02-29 12:34:56.007'"],
  ['DATETIME(6)', "'2024-02-29 12:34:56.000001'"],
  ['TIMESTAMP NULL', "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'0000-00-00 00:00:00'"],
  ['TIMESTAMP(6) NULL', "'2024-02-29 12:34:56.000001'"],
  ['JSON', `'{"n": 12345678901234567890.10, "a": ["é"]}'`, "'null'"],
  ['POINT', 'POINT(1, 2)'],
  ['VECTOR(2)', "STRING_TO_VECTOR('[1,2.5]')"],
  [
    'UUID',
    "'123e4567-e89b-12d3-a456-426614174000'",
    "'00000000-0000-0000-0000-000000000000'",
    "'f47ac10b-58cc-7372-a567-0e02b2c3d479'",
  ],
  ['INET4', "'10.0.0.1'", "'10.0.0.0'"],
  [
    'INET6',
    "'::1'",
    "'2001:db8::'",
    "'::ffff:10.0.0.1'",
    "'1:0:0:2:0:0:0:3'",
    "'fe80:1:2:3:4:5:6:7'",
    "'::'",
    "'fe80:1:2:3:4:0:6:7'",
    "'::10.0.0.1'",
  ],
]

describe('values of the binlog', () => {
  it.each(TYPES.filter(hasType))(
    'of type %s are those that a query reads',
    async (declared, ...values) => {
      await db.run(
        `CREATE OR REPLACE TABLE one (id INT PRIMARY KEY, before_it YEAR, v ${declared}, after_it BIGINT UNSIGNED)`,
      )
      const from = await db.end()
      await db.run(
        'INSERT INTO one VALUES (0, 2000, NULL, 18446744073709551615)',
        ...values.map((value, i) => `INSERT INTO one VALUES (${i + 1}, NULL, ${value}, 1)`),
      )
      const { batches } = await capture(db.config, from, { one: ['id'] })
      const config = db.config as unknown as JsonObject
      const { streams } = await mysql.discover(ctx, config)
      const stream = streams.find(({ name }) => name === 'one')
      if (!stream) throw new Error('not discovered')
      const read = batchesOf(await readStream({ source: mysql, config, ctx }, configure(stream)))
      const { schema, columns, changes } = asRecords(read[0] as (typeof read)[0])
      const rows = columns[0]?.map((_, row) =>
        Object.fromEntries(schema.map(({ name }, c) => [name, columns[c]?.[row]])),
      )
      expect(changesOf(batches).map(({ row }) => row)).toEqual(rows)
      const nulled = batches.flatMap((batch) => batch.changes ?? [])
      expect(nulled.map(({ change }) => change)).toEqual(
        (changes ?? []).map(({ change }) => change),
      )
      expect(batches[0]?.schema.slice(0, 4)).toEqual(schema)
    },
  )

  it('in any character set are those that a query reads, every letter there is', async () => {
    const every = `FROM information_schema.CHARACTER_SETS
      WHERE CHARACTER_SET_NAME NOT IN ('binary', 'utf8mb4') ORDER BY 1`
    const sets = (await db.run(`SELECT CHARACTER_SET_NAME ${every}`)).map(([name]) => String(name))
    const columns = sets.map((set) => `${set} MEDIUMTEXT CHARACTER SET ${set}`)
    const label = `ENUM('x', '~') CHARACTER SET`
    const labels = sets.map((set) => `l_${set} ${label} ${set}`)
    await db.run(`CREATE OR REPLACE TABLE letters (id INT PRIMARY KEY, ${columns}, ${labels})`)
    const codes = Array.from({ length: 0xd800 }, (_, code) => String.fromCharCode(code))
    const beyond = String.fromCharCode(...Array.from({ length: 0x1fff }, (_, i) => 0xe000 + i))
    const letters = Buffer.from(`${codes.join('')}${beyond}😀`).toString('hex')
    await db.run(`SET @letters = CONVERT(x'${letters}' USING utf8mb4)`)
    const from = await db.end()
    const written = [...sets.map(() => '@letters'), ...sets.map(() => `'~'`)]
    await db.run(
      `INSERT INTO letters VALUES (1, ${written})`,
      // Two codes of one letter, and another way to write one that cp932 has, too.
      "INSERT INTO letters (id, sjis, ujis, big5) VALUES (2, x'5c815f8160', x'5ca1c08fa2b7', x'a14e')",
    )
    const { batches } = await capture(db.config, from, { letters: ['id'] })
    const names = [...sets, ...sets.map((set) => `l_${set}`)]
    const read = await db.run(`SELECT ${names} FROM letters ORDER BY id`)
    const rows = changesOf(batches).map(({ row }) => row)
    const differ = read.flatMap((cells, i) =>
      names.filter((name, c) => rows[i]?.[name] !== cells[c]).map((name) => `${i + 1} ${name}`),
    )
    expect(rows).toHaveLength(2)
    expect(differ).toEqual([])
  })

  it('of a collation that several character sets share are texts', async () => {
    if (ON_MYSQL) return
    await db.run(
      'CREATE OR REPLACE TABLE one (id INT PRIMARY KEY, v TEXT CHARACTER SET utf8mb4 COLLATE uca1400_ai_ci)',
    )
    const from = await db.end()
    await db.run("INSERT INTO one VALUES (1, 'é😀')")
    const { batches } = await capture(db.config, from, { one: ['id'] })
    expect(changesOf(batches).map(({ row }) => row.v)).toEqual(['é😀'])
  })
})
