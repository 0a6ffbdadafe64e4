/**
 * Every type of PostgreSQL and of MariaDB into every destination and back, by a snapshot and by the
 * log: each value is there as it was, or it is one of the coercions listed beside this file, and the
 * row itself records it.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import mysqlDestination from '../../../connectors/destinations/mysql/index.ts'
import postgresDestination from '../../../connectors/destinations/postgres/index.ts'
import r2 from '../../../connectors/destinations/r2/index.ts'
import { currentFiles } from '../../../connectors/destinations/r2/read.ts'
import mysqlSource from '../../../connectors/sources/mysql/index.ts'
import postgresSource from '../../../connectors/sources/postgres/index.ts'
import { withLimits } from '../../../src/core/sync-engine/with-limits.ts'
import { createNodeContext } from '../../../src/egress/node-context.ts'
import type { Column, JsonObject, RecordChange } from '../../../src/protocol/index.ts'
import type { ConnectorContext, Destination } from '../../../src/runtime/contract.ts'
import { decodeCopyText, encodeCopyText } from '../../../src/runtime/formats/pg-copy-text.ts'
import { connectMysql, type MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { fileStore } from '../../../src/staging/file-store.ts'
import { createDatabase, type TestDatabase } from '../../cdc/postgres/support.ts'
import { hasType, ON_MYSQL, runMysql } from '../../support/mysql-statement.ts'
import { serverFields } from '../../support/server-fields.ts'
import { batchesOf, configure, readStream } from '../reading.ts'
import { canonicalText } from './canonical-text.ts'
import { type EndName, rowsOf, type TypeCase } from './case.ts'
import { COERCIONS, type Coercion } from './coercions.ts'
import { begin, copy, type LogStart, type Road, type Sending } from './copy.ts'
import { MYSQL_TYPES, OF_MYSQL_ALONE } from './mysql-types.ts'
import { pageOf, type TypesOfSource } from './page.ts'
import { POSTGRES_COMPOSITES, POSTGRES_TYPES } from './postgres-types.ts'
import {
  type ColumnTypes,
  duckTexts,
  duckTypes,
  jsonlTexts,
  mysqlTexts,
  mysqlTypes,
  postgresTexts,
  postgresTypes,
  type Rows,
} from './read-texts.ts'

const SERVER = ON_MYSQL ? 'MySQL' : 'MariaDB'
const DATABASE = 'type_torture'
const COPIES = `${DATABASE}_copies`
const warehouse = mkdtempSync(join(tmpdir(), 'type-torture-'))
const ctx: ConnectorContext = { ...createNodeContext(), warehouse: fileStore(warehouse) }
let db: TestDatabase
let postgres: pg.Client
let mariadb: MysqlClient

const onPostgres = (schema: string): JsonObject => ({
  ...{ ...serverFields(inject('pgUrl')), database: DATABASE, ssl_mode: { mode: 'disable' } },
  ...{ schema, schemas: [schema] },
})
const onMariadb = (database: string): JsonObject => ({
  ...{ ...serverFields(inject('mariadbUrl')), database, ssl_mode: { mode: 'disabled' } },
})

interface Origin {
  name: Coercion['from']
  /** Of its table. */
  title: string
  table: string
  cases: TypeCase[]
  sending(): Sending
  run(sql: string): Promise<unknown>
  read(columns: Column[]): Promise<Rows>
}
const ROADS: Road[] = ['snapshot', 'log']
const fromPostgres = (title: string, table: string, cases: TypeCase[]): Origin => ({
  ...{ name: 'postgres', title, table, cases },
  sending: () => ({ ctx, source: postgresSource, config: onPostgres('types'), stream: table }),
  run: (sql) => postgres.query(sql),
  read: (columns) => postgresTexts(postgres, `types.${table}`, columns),
})
const fromMysql = (title: string, table: string, cases: TypeCase[]): Origin => ({
  ...{ name: 'mysql', title, table, cases },
  sending: () => ({ ctx, source: mysqlSource, config: onMariadb(DATABASE), stream: table }),
  run: (sql) => mariadb.query(sql),
  read: (columns) => mysqlTexts(mariadb, `${DATABASE}.${table}`, columns),
})
const COMPOSITES = fromPostgres('composites of PostgreSQL', 'composites', POSTGRES_COMPOSITES)
const ORIGINS = [
  fromPostgres('every type of PostgreSQL', 'every_type', POSTGRES_TYPES),
  fromMysql(
    `every type of ${SERVER}`,
    'every_type',
    [...(ON_MYSQL ? OF_MYSQL_ALONE : []), ...MYSQL_TYPES].filter(hasType),
  ),
  COMPOSITES,
]

interface End {
  name: EndName
  destination: Destination
  namespace: string
  config(): JsonObject
  read(table: string, columns: Column[]): Promise<Rows>
  /** Absent: it has texts. */
  types?(table: string): Promise<ColumnTypes>
}
async function pathsOf(namespace: string, table: string): Promise<string[]> {
  const stream = await currentFiles(fileStore(warehouse), { namespace, table })
  return (stream?.files ?? []).map(({ key }) => join(warehouse, key))
}
const inFiles = (name: 'Parquet' | 'JSONL' | 'CSV'): End => ({
  ...{ name, destination: r2, namespace: name.toLowerCase() },
  config: () => ({ format: { format_type: name } }),
  async read(table, columns) {
    const paths = await pathsOf(this.namespace, table)
    return name === 'JSONL' ? jsonlTexts(paths, columns) : duckTexts(paths, columns)
  },
  ...(name === 'Parquet' && {
    types: async (table: string) => duckTypes(await pathsOf('parquet', table)),
  }),
})
const ENDS: End[] = [
  {
    ...{ name: 'postgres', destination: postgresDestination, namespace: 'copies' },
    config: () => onPostgres('copies'),
    read: (table, columns) => postgresTexts(postgres, `copies.${table}`, columns),
    types: (table) => postgresTypes(postgres, `copies.${table}`),
  },
  {
    ...{ name: 'mysql', destination: mysqlDestination, namespace: COPIES },
    config: () => onMariadb(COPIES),
    read: (table, columns) => mysqlTexts(mariadb, `${COPIES}.${table}`, columns),
    types: (table) => mysqlTypes(mariadb, `${COPIES}.${table}`),
  },
  ...(['Parquet', 'JSONL', 'CSV'] as const).map(inFiles),
]

const starts = new Map<Origin['title'], LogStart>()
beforeAll(async () => {
  db = await createDatabase(inject('pgUrl'), DATABASE)
  const asText = { getTypeParser: () => (text: string) => text }
  const connectionString = new URL(`/${DATABASE}`, inject('pgUrl')).href
  postgres = new pg.Client({ connectionString, types: asText as never })
  await postgres.connect()
  await postgres.query(`
    CREATE SCHEMA types; CREATE SCHEMA copies; SET search_path = types, public; SET timezone = 'UTC'; SET intervalstyle = 'iso_8601';
    CREATE EXTENSION hstore SCHEMA types;
    CREATE TYPE mood AS ENUM ('sad', 'it''s fine'); CREATE DOMAIN short AS varchar(5);
    CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE TYPE pair AS (a int, b text);
    CREATE TYPE every_kind AS (flag boolean, big bigint, exact numeric, double float8, bytes bytea,
      day date, zoned timestamptz, plain json, ints int[], moods mood[], p pair, pairs pair[], s positive);
    CREATE DOMAIN couple AS pair;
    CREATE TYPE floats AS RANGE (subtype = float8)`)
  mariadb = await connectMysql(ctx, serverFields(inject('mariadbUrl')))
  for (const name of [DATABASE, COPIES])
    await runMysql(mariadb, `CREATE OR REPLACE DATABASE ${name} CHARACTER SET utf8mb4`)
  await mariadb.query(`USE ${DATABASE}`)
  await mariadb.query("SET SESSION time_zone = '+00:00'")
  // What a server of another time let in: zero dates, enums of no member.
  await mariadb.query("SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'")
  for (const { title, table, cases, run, sending } of ORIGINS) {
    const columns = cases.map(([type], c) => `c${c} ${type}`)
    await run(`CREATE TABLE ${table} (id int PRIMARY KEY, ${columns.join(', ')})`)
    starts.set(title, await begin(sending()))
    for (const [row, values] of rowsOf(cases).entries())
      await run(
        `INSERT INTO ${table} (id${values.map(([c]) => `, c${c}`).join('')})
         VALUES (${row}${values.map(([, sql]) => `, ${sql}`).join('')})`,
      )
  }
}, 60_000)
afterAll(async () => {
  for (const name of [DATABASE, COPIES]) await mariadb?.query(`DROP DATABASE ${name}`)
  await mariadb?.close()
  await postgres?.end()
  await db?.close()
  rmSync(warehouse, { recursive: true, force: true })
})

const META: Column = { name: '_airbyte_meta', type: 'object' }
describe.each(ORIGINS)('$title', (origin) => {
  describe.each(ENDS)('in $name', (end) => {
    it.each(ROADS)('is as it was, or a coercion that is listed, by the %s', async (road) => {
      expect(await departures(origin, end, road)).toEqual(listed(origin, end))
    })
  })
})

it('is what docs/types.md says', async () => {
  const [postgresTables, mysqlTables, compositeTables] = await Promise.all(ORIGINS.map(columnsOf))
  const page = pageOf([
    {
      ...{ from: 'postgres', title: 'PostgreSQL' },
      columns: new Map([...(postgresTables ?? []), ...(compositeTables ?? [])]),
    },
    { from: 'mysql', title: 'MariaDB and MySQL', columns: ofBoth(mysqlTables ?? new Map()) },
  ])
  if (!ON_MYSQL) return expect(page).toMatchFileSnapshot(PAGE)
  const missing = MYSQL_TYPES.filter((type) => !hasType(type)).map(([type]) => `, \`${type}\``)
  expect(page).toBe(readFileSync(PAGE, 'utf8').replace(missing.join(''), ''))
})

const PAGE = join(import.meta.dirname, '../../../docs/types.md')
const ofBoth = (columns: TypesOfSource['columns']) =>
  new Map([...columns].filter(([type]) => !OF_MYSQL_ALONE.some(([alone]) => alone === type)))

/** What the columns of a source's table are called in the tables that were made of it. */
async function columnsOf({ name, table, cases }: Origin): Promise<TypesOfSource['columns']> {
  const ends = ENDS.flatMap(({ name, types }) => (types ? [{ name, types }] : []))
  const types = await Promise.all(ends.map((end) => end.types(`${name}_snapshot_${table}`)))
  return new Map(
    cases.map(([declared], c) => [
      declared,
      Object.fromEntries(ends.map(({ name }, e) => [name, types[e]?.get(`c${c}`) ?? ''])),
    ]),
  ) as TypesOfSource['columns']
}

it('prints every value of PostgreSQL as the server prints it, so that untouched bytes have the hash of the rest', async () => {
  const { source, config, stream } = ORIGINS[0]?.sending() ?? COMPOSITES.sending()
  const { streams } = await source.discover(ctx, config)
  const found = streams.find(({ name }) => name === stream)
  if (!found) throw new Error('not discovered')
  const configured = configure(found, { format: 'pg-copy-text' })
  const batches = batchesOf(await readStream({ source, config, ctx }, configured))
  const lines = (bytes: Uint8Array) =>
    Buffer.from(bytes)
      .toString()
      .split(/[\t\n]/)
  for (const batch of batches) {
    if (batch.kind !== 'encoded') throw new Error('not in the form that was asked for')
    const again = encodeCopyText(decodeCopyText(batch.bytes, batch.schema))
    expect(lines(again)).toEqual(lines(batch.bytes))
  }
  expect(batches).not.toEqual([])
})

/** A value that is not as it was, or that its row says to have been changed. */
interface Departure {
  type: string
  value: string
  becomes: string | null
  recorded: Coercion['recorded'] | 'silently'
}

async function departures(origin: Origin, end: End, road: Road): Promise<Departure[]> {
  const config = end.config()
  const target = { ...end, config, destination: withLimits(end.destination, config) }
  const { plan, expectedHash, foundHash } = await copy(
    origin.sending(),
    road,
    starts.get(origin.title),
    target,
  )
  if (foundHash) expect(foundHash, 'the row hash of what was sent').toBe(expectedHash)
  const columns = plan.columns.filter(({ name }) => /^c\d+$/.test(name))
  const before = await origin.read(columns)
  const after = await end.read(plan.target.table, [META, ...columns])
  expect([...after.keys()].sort()).toEqual([...before.keys()].sort())
  const found: Departure[] = []
  for (const [c, column] of columns.entries()) {
    const [type, ...values] = origin.cases[Number(column.name.slice(1))] as TypeCase
    for (const [id, texts] of before) {
      const [meta, ...copied] = after.get(id) ?? []
      const { changes } = JSON.parse(meta ?? '') as { changes: RecordChange[] }
      const recorded = changes.find(({ field }) => field === column.name)?.change ?? 'silently'
      const was = canonicalText(column, texts[c] ?? null)
      const becomes = canonicalText(column, copied[c] ?? null)
      if ((was === becomes && recorded === 'silently') || recorded === 'UNCHANGED') continue
      found.push({ type, value: values[Number(id)] ?? 'NULL', becomes, recorded })
    }
  }
  return sorted(found)
}

const listed = (origin: Origin, end: End): Departure[] =>
  sorted(
    COERCIONS.filter(({ from, into }) => from === origin.name && into.includes(end.name)).flatMap(
      ({ values, becomes = null, recorded }) =>
        origin.cases.flatMap(([type]) =>
          (values[type] ?? []).map((value) => ({ type, value, becomes, recorded })),
        ),
    ),
  )

const sorted = (list: Departure[]) =>
  list.sort((a, b) => (a.type + a.value < b.type + b.value ? -1 : 1))
