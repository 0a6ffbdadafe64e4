import { AirbyteError, type Column, type StreamDescriptor } from '../../../src/protocol/index.ts'
import type { Table, TableColumn } from '../../../src/runtime/database/columns.ts'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { qualified, text } from '../../../src/runtime/mysql/sql.ts'
import {
  type CatalogType,
  type ResolvedType,
  resolveType,
} from '../../../src/runtime/mysql/types.ts'
import type { SourceConfig } from './config.ts'

/** What of the configuration says how tables are seen. */
type TableSettings = Pick<SourceConfig, 'database' | 'tinyint1_is_bit'>

/** A table or view that the user may read. */
export interface SourceTable extends Table<SourceColumn> {
  view: boolean
  /** MariaDB keeps what its rows were. */
  versioned: boolean
  /** Null: a view. */
  engine: string | null
  /** Of a row, as the server estimates it. */
  rowBytes: number | undefined
}

export interface SourceColumn extends TableColumn {
  /** As the information schema has it: `bigint`. */
  dataType: string
  type: ResolvedType
  /** NOT NULL, which a cell of it may be null in spite of: a zero date has none. */
  required: boolean
}

/** The tables of a database (default: that of the source), or the one that is named. */
export async function listTables(
  client: MysqlClient,
  config: TableSettings,
  schema = config.database,
  name?: string,
): Promise<SourceTable[]> {
  const only = (alias: string) =>
    `${alias}.TABLE_SCHEMA = ${text(schema)}${name === undefined ? '' : ` AND ${alias}.TABLE_NAME = ${text(name)}`}`
  const tables = new Map<string, SourceTable>()
  for (const [table = '', type, rows, rowBytes, engine = null] of await client.query(
    `SELECT t.TABLE_NAME, t.TABLE_TYPE, t.TABLE_ROWS, t.AVG_ROW_LENGTH, t.ENGINE
     FROM information_schema.TABLES t
     WHERE ${only('t')} AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')
     ORDER BY t.TABLE_NAME`,
  )) {
    tables.set(String(table), {
      schema,
      name: String(table),
      view: type === 'VIEW',
      versioned: type === 'SYSTEM VERSIONED',
      engine,
      rows: rows == null ? null : Number(rows),
      rowBytes: rowBytes == null ? undefined : Number(rowBytes),
      columns: [],
      key: [],
    })
  }
  const json = await checkedJson(client, schema, name)
  for (const [table, column, dataType, columnType, nullable] of await client.query(
    `SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.IS_NULLABLE
     FROM information_schema.COLUMNS c
     WHERE ${only('c')} AND FIND_IN_SET('select', c.PRIVILEGES) > 0
     ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION`,
  )) {
    const checked = json.has(`${table}\0${column}`)
    tables.get(String(table))?.columns.push(
      columnOf(String(column), nullable, {
        ...{ dataType: String(dataType), columnType: String(columnType), checkedJson: checked },
        tinyInt1isBit: config.tinyint1_is_bit,
      }),
    )
  }
  for (const [table, column] of await client.query(
    `SELECT s.TABLE_NAME, s.COLUMN_NAME FROM information_schema.STATISTICS s
     WHERE ${only('s')} AND s.INDEX_NAME = 'PRIMARY' ORDER BY s.TABLE_NAME, s.SEQ_IN_INDEX`,
  )) {
    tables.get(String(table))?.key.push(String(column))
  }
  return [...tables.values()]
    .filter(({ columns }) => columns.length > 0)
    .map((table) => {
      const readable = new Set(table.columns.map((column) => column.name))
      // A key with a column the user may not read is no key to page by.
      return table.key.every((column) => readable.has(column)) ? table : { ...table, key: [] }
    })
}

/** MariaDB's JSON is a text with a check: `table\0column` of those that have it. */
async function checkedJson(
  client: MysqlClient,
  schema: string,
  name: string | undefined,
): Promise<Set<string>> {
  if (!client.mariadb) return new Set()
  const only = name === undefined ? '' : ` AND TABLE_NAME = ${text(name)}`
  const rows = await client.query(
    `SELECT TABLE_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
     WHERE CONSTRAINT_SCHEMA = ${text(schema)}${only} AND CHECK_CLAUSE LIKE 'json_valid(%'`,
  )
  return new Set(
    rows.flatMap(([table, clause]) => {
      const column = /^json_valid\(`((?:[^`]|``)+)`\)$/.exec(clause ?? '')?.[1]
      return column === undefined ? [] : [`${table}\0${column.replaceAll('``', '`')}`]
    }),
  )
}

/** Types of which some values (zero dates, spans beyond a day) have no cell. */
const PARTIAL = new Set(['date', 'time', 'datetime', 'timestamp'])

function columnOf(
  name: string,
  nullable: string | null | undefined,
  declared: CatalogType,
): SourceColumn {
  const { dataType, columnType, checkedJson } = declared
  const type = resolveType(declared)
  const column: Column = { name, type: type.airbyte }
  if (nullable === 'NO' && !PARTIAL.has(type.kind)) column.nullable = false
  // A TINYINT(1) that is no boolean is one like any other: its width is for display.
  const own = type.airbyte === 'integer' ? columnType.replace('tinyint(1)', 'tinyint') : columnType
  column.native = { dialect: 'mysql', type: checkedJson ? 'json' : own }
  return { name, dataType, type, column, required: nullable === 'NO' }
}

/** Rejects with STREAM_NOT_FOUND. */
export async function findTable(
  client: MysqlClient,
  config: TableSettings,
  stream: StreamDescriptor,
): Promise<SourceTable> {
  const schema = stream.namespace ?? config.database
  const [table] = await listTables(client, config, schema, stream.name)
  if (table) return table
  throw notFound({ schema, name: stream.name })
}

export function notFound(table: { schema: string; name: string }): AirbyteError {
  const place = qualified(table)
  return new AirbyteError(
    'STREAM_NOT_FOUND',
    `There is no table or view ${place}, or this user may not read it.`,
    { hint: `Discover the source again, or run GRANT SELECT ON ${place} as an administrator.` },
  )
}
