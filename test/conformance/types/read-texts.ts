/** Values as texts, read by whatever is not ours: the servers' own printing, DuckDB, JSON.parse. */
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import type pg from 'pg'
import type { Column } from '../../../src/protocol/index.ts'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'

type Texts = (string | null)[]
/** Rows by their `id`, of the columns that were asked for. */
export type Rows = Map<string, Texts>

const byId = (rows: Texts[]): Rows => new Map(rows.map(([id, ...texts]) => [String(id), texts]))

/** Column types by name, as a destination prints them. */
export type ColumnTypes = Map<string, string>

export async function postgresTypes(client: pg.Client, table: string): Promise<ColumnTypes> {
  const { rows } = await client.query<{ name: string; type: string }>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
     WHERE attrelid = '${table}'::regclass AND attnum > 0`,
  )
  return new Map(rows.map(({ name, type }) => [name, type]))
}

/** @param client of a session in UTC, whose values are texts as they came */
export async function postgresTexts(
  client: pg.Client,
  table: string,
  columns: Column[],
): Promise<Rows> {
  const types = await postgresTypes(client, table)
  const list = columns.map(({ name, type: airbyte }) => {
    const type = types.get(name) ?? ''
    if (type === 'money') return `${name}::numeric`
    if (type === 'money[]') return `to_jsonb(${name}::numeric[])`
    if (type.endsWith('hstore[]')) return `to_jsonb(${name}::text[])`
    if (type === 'bytea') return `encode(${name}, 'hex')`
    if (!type.endsWith('[]')) return airbyte === 'object' ? `to_jsonb(${name})` : name
    return `CASE WHEN ${name}::text LIKE '[%:%]={%' THEN ${name}::text ELSE to_jsonb(${name})::text END`
  })
  const text = `SELECT id, ${list.join(', ')} FROM ${table}`
  const { rows } = await client.query<Texts>({ text, rowMode: 'array' })
  return byId(rows)
}

/** Without the width that only some servers print of integers. */
export async function mysqlTypes(client: MysqlClient, table: string): Promise<ColumnTypes> {
  const rows = await client.query(`SHOW COLUMNS FROM ${table}`)
  return new Map(
    rows.map(([name, type]) => [
      String(name),
      String(type).replace(/^((?:big|medium|small)?int|tinyint(?!\(1\))|year)\(\d+\)/, '$1'),
    ]),
  )
}

/** @param client of a session in UTC */
export async function mysqlTexts(
  client: MysqlClient,
  table: string,
  columns: Column[],
): Promise<Rows> {
  const types = await mysqlTypes(client, table)
  const list = columns.map(({ name, type }) => {
    const own = types.get(name) ?? ''
    const bits = /^bit\((\d+)\)/.exec(own)?.[1]
    if (type === 'boolean') return `${name} + 0`
    if (bits) return `LPAD(HEX(${name} + 0), ${Math.ceil(Number(bits) / 8) * 2}, '0')`
    if (type === 'binary') return `HEX(${name})`
    if (/^(?:float|double)/.test(own)) return `${name} + 0e0`
    if (type === 'timestamp_with_timezone') return `CONCAT(${name}, 'Z')`
    return `CONVERT(CAST(${name} AS CHAR) USING utf8mb4)`
  })
  return byId(
    (await client.query(`SELECT id, ${list.join(', ')} FROM ${table}`)).map((row) =>
      row.map((text) => text ?? null),
    ),
  )
}

async function duckRows(sql: string): Promise<Texts[]> {
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run("SET TimeZone = 'UTC'")
  return (await connection.runAndReadAll(sql)).getRows() as Texts[]
}

const duckFiles = (paths: string[]) => {
  const list = `[${paths.map((path) => `'${path}'`).join(', ')}]`
  return paths.some((path) => path.endsWith('.csv'))
    ? `read_csv(${list}, header = true, all_varchar = true, nullstr = '', allow_quoted_nulls = false, max_line_size = 10000000)`
    : `read_parquet(${list})`
}

/** Of Parquet files. */
export async function duckTypes(paths: string[]): Promise<ColumnTypes> {
  const rows = await duckRows(`DESCRIBE SELECT * FROM ${duckFiles(paths)}`)
  return new Map(rows.map(([name, type]) => [String(name), String(type)]))
}

/** Of Parquet and CSV files. */
export async function duckTexts(paths: string[], columns: Column[]): Promise<Rows> {
  const isCsv = paths.some((path) => path.endsWith('.csv'))
  // Texts as their bytes: the driver takes a mark at their beginning for one of the encoding.
  const texts = columns.map(({ name, type }) =>
    type === 'binary'
      ? `lower(hex(${isCsv ? `from_base64(${name})` : name}))`
      : `lower(hex(CAST(${name} AS VARCHAR)))`,
  )
  const rows = await duckRows(
    `SELECT CAST(id AS VARCHAR), ${texts.join(', ')} FROM ${duckFiles(paths)}`,
  )
  return byId(
    rows.map(([id = null, ...cells]) => [
      id,
      ...cells.map((hex, c) =>
        hex === null || columns[c]?.type === 'binary'
          ? hex
          : Buffer.from(hex, 'hex').toString('utf8'),
      ),
    ]),
  )
}

/** Of JSON Lines, every digit kept. */
export function jsonlTexts(paths: string[], columns: Column[]): Rows {
  const lines = paths.flatMap((path) =>
    gunzipSync(readFileSync(path)).toString('utf8').split('\n').filter(Boolean),
  )
  const parse = JSON.parse as (
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ) => Record<string, unknown>
  const wanted = [{ name: 'id', type: 'integer' } as Column, ...columns]
  return byId(
    lines.map((line) => {
      const row = parse(line, (_key, value, { source }) =>
        typeof value === 'number'
          ? (JSON as { rawJSON?(text: string): unknown }).rawJSON?.(String(source))
          : value,
      )
      return wanted.map(({ name, type }): string | null => {
        const value = row[name] ?? null
        if (value === null) return null
        if (type === 'binary') return Buffer.from(String(value), 'base64').toString('hex')
        return typeof value === 'string' && !JSON_TYPES.has(type) ? value : JSON.stringify(value)
      })
    }),
  )
}

const JSON_TYPES = new Set(['object', 'array', 'unknown'])
