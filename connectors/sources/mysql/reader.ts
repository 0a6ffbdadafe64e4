import {
  type Column,
  type ConfiguredStream,
  columnsOf,
  type StreamKey,
  streamKey,
} from '../../../src/protocol/index.ts'
import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import { currentColumn } from '../../../src/runtime/database/columns.ts'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'
import type { SourceConfig } from './config.ts'
import { findTable, type SourceColumn, type SourceTable } from './tables.ts'

/** What reading one stream starts from. */
export interface StreamInput {
  ctx: ConnectorContext
  client: MysqlClient
  config: SourceConfig
  configured: ConfiguredStream
}

/** One stream about to be read: what is asked, and what the database has now. */
export interface StreamReader extends StreamInput {
  key: StreamKey
  table: SourceTable
  /** The selected columns as the catalog describes them, in its order. */
  schema: Column[]
  /** The same columns as the database has them. */
  columns: SourceColumn[]
}

/** `extend` adds columns that the database does not have. Rejects with STREAM_NOT_FOUND or COLUMNS_CHANGED. */
export async function openReader(
  input: StreamInput,
  extend: (table: SourceTable) => SourceTable = (table) => table,
): Promise<StreamReader> {
  const { client, config, configured } = input
  const table = extend(await findTable(client, config, configured.stream))
  const selected = configured.selectedFields && new Set(configured.selectedFields)
  const schema = columnsOf(configured.stream.json_schema).filter(
    ({ name }) => !selected || selected.has(name),
  )
  const columns = schema.map((column) => currentColumn(table.columns, column))
  const key = streamKey(configured.stream)
  return { ...input, key, table, schema, columns }
}

/** The primary key for paging; undefined if there is none or a part of it has no usable order. */
export function keysetOf({ key, columns }: SourceTable): SourceColumn[] | undefined {
  if (key.length === 0) return undefined
  const found = key.map((name) => columns.find((column) => column.name === name))
  return found.every((column) => column?.type.key) ? (found as SourceColumn[]) : undefined
}

/** The order of an incremental read: cursor first, then what makes rows distinct, if anything does. */
export const cursorKeys = (table: SourceTable, cursor: SourceColumn): SourceColumn[] => [
  cursor,
  ...(keysetOf(table) ?? []).filter(({ name }) => name !== cursor.name),
]
