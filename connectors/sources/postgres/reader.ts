import type pg from 'pg'
import {
  AirbyteError,
  type Column,
  type ConfiguredStream,
  columnsOf,
  type StreamDescriptor,
  type StreamKey,
  streamKey,
} from '../../../src/protocol/index.ts'
import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import { currentColumn } from '../../../src/runtime/database/columns.ts'
import type { SourceConfig } from './config.ts'
import { listRelations, type Relation, type RelationColumn } from './relations.ts'
import { CTID, keyOf, type OrderKey, quote } from './sql.ts'

/** A stream that is asked for, and a session to read it by. */
export interface StreamInput {
  ctx: ConnectorContext
  client: pg.Client
  config: SourceConfig
  configured: ConfiguredStream
}

/** One stream about to be read: what is asked, and what the database has now. */
export interface StreamReader extends StreamInput {
  key: StreamKey
  relation: Relation
  /** The selected columns as the catalog describes them, in its order. */
  schema: Column[]
  /** The same columns as the database has them. */
  columns: RelationColumn[]
}

/**
 * Rejects with STREAM_NOT_FOUND, PERMISSION_DENIED or COLUMNS_CHANGED.
 *
 * @param extend adds columns that are in the stream and not in the table
 */
export async function openReader(
  ctx: ConnectorContext,
  client: pg.Client,
  config: SourceConfig,
  configured: ConfiguredStream,
  extend: (relation: Relation) => Relation = (relation) => relation,
): Promise<StreamReader> {
  const relation = extend(await findRelation(client, config, configured.stream))
  const selected = configured.selectedFields && new Set(configured.selectedFields)
  const schema = columnsOf(configured.stream.json_schema).filter(
    ({ name }) => !selected || selected.has(name),
  )
  const columns = schema.map((column) => currentColumn(relation.columns, column))
  const key = streamKey(configured.stream)
  return { ctx, client, config, configured, key, relation, schema, columns }
}

/** Rejects with STREAM_NOT_FOUND or, if it is there but may not be read, PERMISSION_DENIED. */
export async function findRelation(
  client: pg.Client,
  config: SourceConfig,
  stream: StreamDescriptor,
): Promise<Relation> {
  const schema = stream.namespace ?? config.schemas[0] ?? 'public'
  const [relation] = await listRelations(client, [], { schema, name: stream.name })
  if (relation) return relation
  const qualified = `${quote(schema)}.${quote(stream.name)}`
  const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [qualified])
  if (rows[0]?.there === 't') {
    throw new AirbyteError('PERMISSION_DENIED', `${config.username} may not read ${qualified}.`, {
      hint: `Run GRANT SELECT ON ${qualified} TO ${quote(config.username)}; as the owner, or deselect the stream.`,
    })
  }
  throw new AirbyteError('STREAM_NOT_FOUND', `The database has no table or view ${qualified}.`)
}

/** What a failure of reading the stream is told with. */
export function placeOf(config: SourceConfig, { stream }: ConfiguredStream) {
  const { host, port, database, username } = config
  const table = [stream.namespace, stream.name].filter((part) => part !== undefined)
  const right = `SELECT ON ${table.map(quote).join('.')}`
  return { host, port, database, username, stream: streamKey(stream), right }
}

/** The primary key for paging; undefined if there is none or a part of it has no usable order. */
export function keysetOf(relation: Relation): OrderKey[] | undefined {
  if (relation.key.length === 0) return undefined
  const columns = relation.key.map((name) => relation.columns.find((c) => c.name === name))
  const usable = columns.every((column) => column?.type.key && column.type.plain)
  return usable ? (columns as RelationColumn[]).map(keyOf) : undefined
}

/** Whether rows have an address (ctid) that is unique in the relation. */
export const hasAddress = ({ kind }: Relation) => kind === 'table' || kind === 'materialized view'

/** The order of an incremental read: cursor first, then what makes rows distinct, if anything does. */
export function cursorKeys(relation: Relation, cursor: RelationColumn): OrderKey[] {
  const first = keyOf(cursor)
  const key = keysetOf(relation)
  if (key) return [first, ...key.filter(({ name }) => name !== cursor.name)]
  return hasAddress(relation) ? [first, CTID] : [first]
}
