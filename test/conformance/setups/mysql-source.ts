import { type JsonObject, type StreamDescriptor, streamKey } from '../../../src/protocol/index.ts'
import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import { connectMysql } from '../../../src/runtime/mysql/client.ts'
import { runMysql } from '../../support/mysql-statement.ts'
import { serverFields } from '../../support/server-fields.ts'
import type { SourceSetup, SuiteStream } from '../source-suite.ts'

interface Table extends SuiteStream {
  /** Statements that create and fill it. */
  sql: string[]
  /** The statement that inserts the three rows of `grow`. */
  more: string
}

const table = (name: string, rows: number, sql: string[], more: string): Table => ({
  name,
  rows,
  cursorField: ['updated_at'],
  sql,
  more,
})

const CLOCK = "TIMESTAMP '2024-01-01 00:00:00' + INTERVAL seq SECOND"
/** Later than anything so far, at each call. */
const LATER = '(NOW(6) + INTERVAL seq MICROSECOND)'

const TABLES: Table[] = [
  table(
    'orders',
    30_000,
    [
      'CREATE TABLE orders (id BIGINT PRIMARY KEY, note TEXT, amount DECIMAL(20,6), updated_at TIMESTAMP(6) NOT NULL)',
      `INSERT INTO orders SELECT seq * 1000000007, CONCAT('note ', seq, REPEAT('x', 100)), seq / 7, ${CLOCK} FROM seq_1_to_30000`,
    ],
    `INSERT INTO orders SELECT (SELECT MAX(id) FROM orders) + seq, 'more', 1.50, ${LATER} FROM seq_1_to_3`,
  ),
  table(
    'order_lines',
    6000,
    [
      'CREATE TABLE order_lines (order_id INT, line VARCHAR(20), qty INT, updated_at DATETIME(6), PRIMARY KEY (order_id, line)) CHARACTER SET latin1',
      `INSERT INTO order_lines SELECT seq DIV 4, CONCAT('línea ', seq MOD 4), seq, ${CLOCK} FROM seq_1_to_6000`,
    ],
    `INSERT INTO order_lines SELECT (SELECT MAX(order_id) FROM order_lines) + 1, CONCAT('l', seq), seq, ${LATER} FROM seq_1_to_3`,
  ),
  table(
    'no_key',
    7000,
    [
      'CREATE TABLE no_key (v TEXT, updated_at DATETIME(6))',
      `INSERT INTO no_key SELECT CONCAT('same ', seq MOD 3), ${CLOCK} FROM seq_1_to_7000`,
    ],
    `INSERT INTO no_key SELECT 'more', ${LATER} FROM seq_1_to_3`,
  ),
  table(
    'Odd "Näme`.x',
    3,
    [
      'CREATE TABLE `Odd "Näme``.x` (`Id ``x"` BINARY(16) PRIMARY KEY, `select` TEXT, `a.b` INT, updated_at DATETIME(6))',
      `INSERT INTO \`Odd "Näme\`\`.x\` SELECT UNHEX(LEFT(SHA2(seq, 256), 32)), '\\N\t\n', seq, ${CLOCK} FROM seq_1_to_3`,
    ],
    `INSERT INTO \`Odd "Näme\`\`.x\` SELECT UNHEX(LEFT(SHA2(RAND(), 256), 32)), '''', seq, ${LATER} FROM seq_1_to_3`,
  ),
  table(
    'every_type',
    3,
    [
      `CREATE TABLE every_type (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, b BOOLEAN, i1 TINYINT, i2 SMALLINT UNSIGNED,
         i3 MEDIUMINT, i8 BIGINT, u8 BIGINT UNSIGNED, n DECIMAL(65,30), f4 FLOAT, f8 DOUBLE, z INT(8) ZEROFILL, y YEAR,
         b1 BIT(1), b9 BIT(9), t LONGTEXT, c CHAR(5), vc VARCHAR(10) CHARACTER SET latin1, e ENUM('a','b','é'),
         s SET('x','y'), by1 BINARY(3), vb VARBINARY(10), bl BLOB, d DATE, ti TIME(6), dt DATETIME(3), ts TIMESTAMP NULL,
         j JSON, g POINT, u UUID, ip INET6, updated_at DATETIME(6))`,
      `INSERT INTO every_type VALUES
         (DEFAULT, TRUE, -128, 65535, -8388608, -9223372036854775808, 18446744073709551615,
          12345678901234567890123456789012345.123456789012345678901234567890, 0.1, 1.7976931348623157e308, 42, 2155,
          b'1', b'100000001', 'tab\tnl\nbs\\ 😀', 'ab', 'é', 'é', 'x,y', x'00ff01', x'', x'deadbeef', '9999-12-31',
          '23:59:59.999999', '2024-02-29 12:00:00.125', '2024-02-29 12:00:00', '{"n": 12345678901234567890.10, "a": [1]}',
          POINT(1, 2), '123e4567-e89b-12d3-a456-426614174000', '::1', '2024-01-01')`,
      `INSERT INTO every_type (updated_at) VALUES ('2024-01-02')`,
      `INSERT INTO every_type VALUES
         (DEFAULT, 5, 0, 0, 0, 9223372036854775807, 0, -0.000000000000000000000000000001, -3.4e38, 5e-324, 0, 0,
          b'0', b'0', '', '', '', '', '', x'', x'00', x'', '0000-00-00', '-838:59:59.000001', '0000-00-00', NULL, 'null',
          NULL, '00000000-0000-0000-0000-000000000000', '10.0.0.1', '2024-01-03')`,
    ],
    `INSERT INTO every_type (t, updated_at) SELECT 'more', ${LATER} FROM seq_1_to_3`,
  ),
]

const streamIn = (database: string, { sql: _, more: __, ...stream }: Table): SuiteStream => ({
  ...stream,
  namespace: database,
})

export const mysqlStreams = (database: string): SuiteStream[] =>
  TABLES.map((definition) => streamIn(database, definition))

/** A database of its own on the shared server. */
export async function mysqlSourceSetup(
  url: URL,
  database: string,
  ctx: (signal?: AbortSignal) => ConnectorContext,
): Promise<SourceSetup> {
  const config = {
    ...serverFields(url),
    ssl_mode: { mode: 'disabled' as const },
  }
  const client = await connectMysql(ctx(), config)
  const run = (sql: string) => runMysql(client, sql)
  await run(`CREATE OR REPLACE DATABASE ${database} CHARACTER SET utf8mb4`)
  await run(`USE ${database}`)
  for (const { sql } of TABLES) for (const statement of sql) await run(statement)
  const own: JsonObject = { ...config, database }
  return {
    config: own,
    ctx,
    badConfigs: [
      { title: 'password', config: { ...own, password: 'wr0ng-canary' }, codes: ['AUTH_FAILED'] },
      { title: 'port', config: { ...own, port: 1 }, codes: ['HOST_UNREACHABLE'] },
      {
        title: 'database',
        config: { ...own, database: 'no such' },
        codes: ['VALIDATION_FAILED', 'PERMISSION_DENIED'],
      },
    ],
    async grow(stream: StreamDescriptor) {
      const found = TABLES.find(
        (candidate) => streamKey(streamIn(database, candidate)) === streamKey(stream),
      )
      await run(found?.more ?? '')
      return own
    },
    async openConnections() {
      const sql = `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = '${database}' AND ID <> CONNECTION_ID()`
      return Number((await run(sql))[0]?.[0])
    },
    async dispose() {
      await run(`DROP DATABASE ${database}`)
      await client.close()
    },
  }
}
