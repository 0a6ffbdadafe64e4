import pg from 'pg'
import { inject } from 'vitest'
import { createNodeContext } from '../../../src/egress/node-context.ts'
import { type JsonObject, type StreamDescriptor, streamKey } from '../../../src/protocol/index.ts'
import type { SourceSetup, SuiteStream } from '../source-suite.ts'

interface Table extends SuiteStream {
  /** Statements that create and fill it. */
  sql: string
  /** The query whose three rows `grow` inserts. */
  more: string
}

const table = (name: string, rows: number, sql: string, more: string): Table => ({
  name,
  namespace: 'public',
  rows,
  cursorField: ['updated_at'],
  sql,
  more,
})

const CLOCK = "timestamptz '2024-01-01 00:00:00+00' + n * interval '1 second'"
/** Later than anything so far, at each call. */
const LATER = "(now() + n * interval '1 millisecond')"

const TABLES: Table[] = [
  table(
    'orders',
    30_000,
    `CREATE TABLE orders (id bigint PRIMARY KEY, note text, amount numeric, updated_at timestamptz NOT NULL);
     INSERT INTO orders SELECT n::bigint * 1000000007, 'note ' || n || repeat('x', 100), n / 7.0, ${CLOCK}
       FROM generate_series(1, 30000) AS n`,
    `INSERT INTO orders SELECT (SELECT max(id) FROM orders) + n, 'more', 1.50, ${LATER}
       FROM generate_series(1, 3) AS n`,
  ),
  table(
    'order_lines',
    6000,
    `CREATE TABLE order_lines (order_id int, line text COLLATE "C", qty int, updated_at timestamptz, PRIMARY KEY (order_id, line));
     INSERT INTO order_lines SELECT n / 4, 'línea ' || n % 4, n, ${CLOCK} FROM generate_series(1, 6000) AS n`,
    `INSERT INTO order_lines SELECT (SELECT max(order_id) FROM order_lines) + 1, 'l' || n, n, ${LATER}
       FROM generate_series(1, 3) AS n`,
  ),
  table(
    'no_key',
    7000,
    `CREATE TABLE no_key (v text, updated_at timestamptz);
     INSERT INTO no_key SELECT 'same ' || n % 3, ${CLOCK} FROM generate_series(1, 7000) AS n`,
    `INSERT INTO no_key SELECT 'more', ${LATER} FROM generate_series(1, 3) AS n`,
  ),
  table(
    'Odd "Näme".x',
    3,
    `CREATE TABLE "Odd ""Näme"".x" ("Id ""x""" uuid PRIMARY KEY, "select" text, "a.b" int, updated_at timestamptz);
     INSERT INTO "Odd ""Näme"".x" SELECT gen_random_uuid(), E'\\\\N\\t\\n', n, ${CLOCK} FROM generate_series(1, 3) AS n`,
    `INSERT INTO "Odd ""Näme"".x" SELECT gen_random_uuid(), '', n, ${LATER} FROM generate_series(1, 3) AS n`,
  ),
  table(
    'every_type',
    3,
    `CREATE TABLE every_type (id serial PRIMARY KEY, b boolean, i2 smallint, i8 bigint, n numeric, n38 numeric(38,10),
       f4 real, f8 double precision, t text, c char(5), vc varchar(10), u uuid, by bytea, d date, ti time, tz timetz,
       ts timestamp, iv interval, j json, jb jsonb, a int[], ta text[][], ip inet, p point, m money, r int4range,
       x xml, bits bit(3), updated_at timestamptz);
     INSERT INTO every_type VALUES
       (DEFAULT, true, -32768, 9223372036854775807, 'NaN', 9999999999999999999999999999.9999999999, 'Infinity', 0.1,
        E'tab\\tnl\\nbs\\\\', 'ab', 'é', gen_random_uuid(), '\\x00ff', '0044-03-15 BC', '24:00', '23:59:59.999999-11',
        'infinity', '1 year 2 mons -3 days', '{"b": 1,  "a":2}', '{"n":12345678901234567890.10}', '{1,NULL,3}',
        '{{a,"b,c"},{"d\\"",NULL}}', '10.0.0.1/8', '(1,2)', 12.34, '[1,5)', '<a/>', B'101', '2024-01-01Z'),
       (DEFAULT, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2024-01-02Z'),
       (DEFAULT, false, 0, -9223372036854775808, 1e-30, -0.0000000001, '-0', 'NaN', '', '', '', gen_random_uuid(), '',
        '12024-02-29', '00:00', '00:00+15:30', '0001-01-01', '0', 'null', 'null', '{}', '{}', '::1', '(0,0)', 0,
        'empty', NULL, B'000', '2024-01-03Z')`,
    `INSERT INTO every_type (t, updated_at) SELECT 'more', ${LATER} FROM generate_series(1, 3) AS n`,
  ),
]

export const POSTGRES_STREAMS: SuiteStream[] = TABLES.map(
  ({ sql: _, more: __, ...stream }) => stream,
)

/** A database of its own on the shared server. */
export async function postgresSourceSetup(): Promise<SourceSetup> {
  const url = new URL(inject('pgUrl'))
  const database = `conformance_source_${process.pid}`
  const admin = new pg.Client(url.href)
  await admin.connect()
  await admin.query(`CREATE DATABASE ${database}`)
  const client = new pg.Client(new URL(`/${database}`, url).href)
  await client.connect()
  for (const { sql } of TABLES) await client.query(sql)
  await client.query('ANALYZE')
  const config: JsonObject = {
    host: url.hostname,
    port: Number(url.port),
    database,
    schemas: ['public'],
    username: url.username,
    password: url.password,
    ssl_mode: { mode: 'disable' },
  }
  return {
    config,
    ctx: (signal) => createNodeContext({ signal }),
    badConfigs: [
      {
        title: 'password',
        config: { ...config, password: 'wr0ng-canary' },
        codes: ['AUTH_FAILED'],
      },
      { title: 'port', config: { ...config, port: 1 }, codes: ['HOST_UNREACHABLE'] },
      {
        title: 'database',
        config: { ...config, database: 'no such' },
        codes: ['VALIDATION_FAILED', 'NOT_FOUND', 'AUTH_FAILED', 'PERMISSION_DENIED'],
      },
      { title: 'TLS', config: { ...config, ssl_mode: { mode: 'require' } }, codes: ['TLS_FAILED'] },
    ],
    async grow(stream: StreamDescriptor) {
      const found = TABLES.find((candidate) => streamKey(candidate) === streamKey(stream))
      await client.query(found?.more ?? '')
      return config
    },
    async openConnections() {
      const { rows } = await admin.query(
        'SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = $1',
        [database],
      )
      return (rows[0] as { n: number }).n
    },
    async dispose() {
      await client.end()
      await admin.query(`DROP DATABASE ${database} WITH (FORCE)`)
      await admin.end()
    },
  }
}
