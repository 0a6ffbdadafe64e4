import type { TypeCase } from './case.ts'

const LONG = 400_000
const WHOLE = "b'1111111111111111111111111111111111111111111111111111111111111111'"

/** Of both servers, but for the last three, which MySQL has not. Each declaration is a column; each value is SQL. */
export const MYSQL_TYPES: TypeCase[] = [
  ['tinyint(4)', '-128', '127'],
  ['tinyint unsigned', '255'],
  ['boolean', '0', '1', '5', '-1'],
  ['smallint', '-32768'],
  ['smallint unsigned', '65535'],
  ['mediumint', '-8388608'],
  ['mediumint unsigned', '16777215'],
  ['int', '-2147483648'],
  ['int unsigned', '4294967295'],
  ['int(8) zerofill', '42'],
  ['bigint', '-9223372036854775808', '9223372036854775807', '9007199254740993'],
  ['bigint unsigned', '18446744073709551615', '0', '7', '9007199254740993'],
  ['bigint unsigned zerofill', '18446744073709551615', '7'],
  [
    'decimal(65,30)',
    '12345678901234567890123456789012345.123456789012345678901234567890',
    '-0.000000000000000000000000000001',
  ],
  ['decimal(10,2)', '1.50', '-0.01'],
  ['decimal(6,2) unsigned zerofill', '1.50'],
  ['decimal(65,0)', '9'.repeat(65)],
  ['float', '0.1', '3.4028235e38', '1e-45', '16777217', '-0e0'],
  ['float(7,3)', '1.5'],
  ['double', '1.7976931348623157e308', '5e-324', '0.1', '-0e0'],
  ['double(10,2)', '1.25'],
  ['bit(1)', "b'1'", "b'0'"],
  ['bit(9)', "b'100000001'", "b'0'"],
  ['bit(64)', WHOLE, "b'0'"],
  ['year', '2155', '0', '1901', '2000'],
  [
    'date',
    ...["'9999-12-31'", "'0000-00-00'", "'2024-00-00'", "'0001-01-01'", "'1000-01-01'"],
    ...["'0000-01-01'", "'1582-10-10'"],
  ],
  ['time', "'23:59:59'", "'-838:59:59'", "'24:00:00'", "'-00:00:01'", "'00:00:00'"],
  ['time(6)', "'23:59:59.999999'", "'838:59:59.000000'"],
  ['datetime', "'2024-02-29 12:00:00'", "'1000-01-01 00:00:00'"],
  ['datetime(1)', "'2024-02-29 12:00:00.1'"],
  ['datetime(3)', "'2024-02-29 12:00:00.125'", "'0000-00-00'"],
  [
    'datetime(6)',
    ...["'9999-12-31 23:59:59.999999'", "'0001-01-01 00:00:00.000001'", "'0000-01-01 00:00:00'"],
  ],
  [
    'timestamp null',
    ...["'2024-03-31 02:30:00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'0000-00-00'"],
  ],
  ['timestamp(6) null', "'2024-03-31 02:30:00.000001'"],
  ['char(5)', "'ab'", "''"],
  ['varchar(10) character set latin1', "'é€'", "'trailing '"],
  ['varchar(10) character set cp1251', "'Жук'"],
  ['varchar(10) character set sjis', "'日本'"],
  ['varchar(10) character set ucs2', "'Ж'"],
  ['varchar(10) character set utf8mb3', "'漢字'"],
  ['varchar(10) character set utf8mb4', "'😀'"],
  ['varchar(10) character set binary', "x'00ff'"],
  ['tinytext', "'tiny'"],
  ['text character set utf16', "'é😀'"],
  ['mediumtext', "'NULL'", "'null'"],
  [
    'longtext',
    ...["'tab\tnl\ncr\rbs\\ \\N é'", `repeat('é', ${LONG})`, "CONCAT('nul', CHAR(0), '!')"],
    "''",
  ],
  ["enum('a','b','é','')", "'é'", "''", '2', "'no member'"],
  ["set('x','y','z')", "'x,z'", "''"],
  ['binary(3)', "x'00ff01'", "x'41'"],
  ['varbinary(10)', "x''", "x'00'"],
  ['tinyblob', "x'00'"],
  ['blob', "x'5c4e'"],
  ['longblob', "x'deadbeef'", `repeat(x'00ff0a09', ${LONG / 4})`],
  [
    'json',
    ...[`'{"n": 12345678901234567890.10, "a": [1]}'`, "'null'", "'[]'", "'1.50'", `'"text"'`],
    `'{"é": "\\u0000"}'`,
  ],
  ['point', 'POINT(1, 2)'],
  ['geometry', "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 4326)"],
  ['uuid', "'123e4567-e89b-12d3-a456-426614174000'"],
  ['inet4', "'10.0.0.1'"],
  ['inet6', "'::1'", "'::ffff:10.0.0.1'", "'2001:db8::'"],
]

/** MySQL keeps what its JSON was made of, and prints it. */
export const OF_MYSQL_ALONE: TypeCase[] = [
  [
    'json null',
    ...[
      'CAST(1.50 AS JSON)',
      'CAST(1e0 AS JSON)',
      "CAST(TIMESTAMP '2024-02-29 12:00:00.5' AS JSON)",
    ],
    ...[
      "CAST(TIME '-838:59:59' AS JSON)",
      "CAST(DATE '0001-01-01' AS JSON)",
      "JSON_OBJECT('b', x'00ff')",
    ],
    ...[
      'JSON_ARRAY(18446744073709551615, -9223372036854775808)',
      `JSON_ARRAY(REPEAT('é', ${LONG}))`,
    ],
  ],
  ['vector(3)', "STRING_TO_VECTOR('[1,-2.5,3e-10]')"],
]
