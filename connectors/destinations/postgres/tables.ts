/** Creating tables and letting them grow with their stream. Nothing is ever dropped or narrowed. */
import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { AirbyteError } from '../../../src/protocol/index.ts'
import {
  EXTRACTED_AT,
  GENERATION_ID,
  type Layout,
  META,
  metaText,
  RAW_ID,
} from '../../../src/runtime/loading/layout.ts'
import { quote, quoteLiteral } from './identifiers.ts'
import { keyIndexName, METADATA, qualified } from './layout.ts'
import { holds, widens } from './types.ts'

export interface ExistingColumn {
  type: string
  /** `t` or `f`. */
  notNull: string
  default: string | null
}

/** The table's columns by name; null if there is no such table. */
export async function inspect(
  client: pg.Client,
  schema: string,
  table: string,
): Promise<Map<string, ExistingColumn> | null> {
  const { rows } = await client.query(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
            a.attnotnull AS "notNull", pg_get_expr(d.adbin, d.adrelid) AS "default"
     FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     ORDER BY a.attnum`,
    [schema, table],
  )
  if (rows.length === 0) return null
  return new Map(rows.filter(({ name }) => name !== null).map(({ name, ...rest }) => [name, rest]))
}

/**
 * Defaults of the metadata columns, so that rows on the byte path need no work of ours.
 * A table that nobody reads yet has them as constants, the cheapest there is. Changing constants
 * takes an exclusive lock, so a visible table reads them from the transaction's settings instead.
 */
function metadataDefaults(layout: Layout, visible: boolean): Record<string, string> {
  const setting = (name: string) => `current_setting('airbyte.${name}'::text, true)`
  return {
    // From a number: PostgreSQL parses one in a third of the time that a time stamp takes.
    // Of a hidden table `setMetadata` makes it a constant too.
    [EXTRACTED_AT]: `to_timestamp(${setting('extracted_at')}::double precision)`,
    [META]: visible ? `${setting('meta')}::jsonb` : `${quoteLiteral(metaText(layout))}::jsonb`,
    [GENERATION_ID]: visible
      ? `${setting('generation_id')}::bigint`
      : `'${layout.plan.generationId}'::bigint`,
  }
}

/** The time of the chunk's extraction, as `setMetadata` set it. */
export const EXTRACTED = `to_timestamp(current_setting('airbyte.extracted_at')::double precision)`

/** Sets what the defaults of a visible table read, or the constants of a hidden one, for one chunk. */
export async function setMetadata(
  client: pg.Client,
  layout: Layout,
  table: string,
  extractedAt: number,
): Promise<void> {
  await client.query(
    `SELECT set_config('airbyte.extracted_at', $1, true), set_config('airbyte.meta', $2, true),
            set_config('airbyte.generation_id', $3, true)`,
    [String(extractedAt / 1000), metaText(layout), String(layout.plan.generationId)],
  )
  if (table === layout.table) return
  const constant = quoteLiteral(new Date(extractedAt).toISOString())
  await client.query(
    `ALTER TABLE ${qualified(layout.schema, table)}
     ALTER COLUMN ${quote(EXTRACTED_AT)} SET DEFAULT ${constant}::timestamptz`,
  )
}

/**
 * Row ids are UUIDs of version 8: 58 random bits of the table, then a counter. They cost a third of
 * `gen_random_uuid()`, which would be a quarter of all the time that COPY takes.
 */
async function createRowIds(client: pg.Client, layout: Layout) {
  const prefix = randomBytes(8)
  prefix[6] = ((prefix[6] as number) & 0x0f) | 0x80
  // By the table's prefix: a swapped table keeps its counter, and the next hidden one has another.
  const sequence = qualified(layout.schema, `_airbyte_rows_${prefix.toString('hex')}`)
  // The lowest bigint: its first bits are those of the UUID's variant.
  await client.query(
    `CREATE SEQUENCE ${sequence} CACHE 1000 MINVALUE ${MIN_BIGINT} START ${MIN_BIGINT}`,
  )
  const counter = `int8send(nextval(${quoteLiteral(sequence)}::regclass))`
  const expression = `encode('\\x${prefix.toString('hex')}'::bytea || ${counter}, 'hex')::uuid`
  return { sequence, expression }
}

const MIN_BIGINT = '-9223372036854775808'

/** Creates the table, or adds the columns that it lacks. */
export async function ensureTable(client: pg.Client, layout: Layout, table: string): Promise<void> {
  const existing = await inspect(client, layout.schema, table)
  if (existing) await evolve(client, layout, table, existing)
  else await create(client, layout, table)
  if (layout.dedup) await ensureKey(client, layout, table)
  if (layout.root) await ensureRoot(client, layout, table, layout.root)
}

/** The index by which the children of a row are found. */
export async function ensureRoot(
  client: pg.Client,
  { schema }: Layout,
  table: string,
  root: string,
) {
  const keys = await ownIndexes(client, schema, table)
  if (keys.length > 0) return
  const index = quote(keyIndexName(table, [root]))
  await client.query(`CREATE INDEX ${index} ON ${qualified(schema, table)} (${quote(root)})`)
}

async function create(client: pg.Client, layout: Layout, table: string): Promise<void> {
  const rowIds = await createRowIds(client, layout)
  const defaults: Record<string, string> = {
    ...metadataDefaults(layout, table === layout.table),
    [RAW_ID]: rowIds.expression,
  }
  const metadata = Object.entries(METADATA).map(
    ([name, type]) => `${quote(name)} ${type} NOT NULL DEFAULT ${defaults[name]}`,
  )
  const columns = layout.columns.map(({ name, type }) => `${quote(name)} ${type}`)
  const target = qualified(layout.schema, table)
  await client.query(`CREATE TABLE ${target} (${[...metadata, ...columns].join(', ')})`)
  await client.query(`ALTER SEQUENCE ${rowIds.sequence} OWNED BY ${target}.${quote(RAW_ID)}`)
}

/**
 * Adds what the table lacks, and widens a column to a type that holds all it has; SCHEMA_CHANGED if
 * there is none such. PostgreSQL rewrites the table for most of these, and refuses where a view uses it.
 */
export async function evolve(
  client: pg.Client,
  layout: Layout,
  table: string,
  existing: Map<string, ExistingColumn>,
): Promise<void> {
  const defaults = metadataDefaults(layout, table === layout.table)
  const changes: string[] = []
  for (const { name, type } of layout.columns) {
    const column = existing.get(name)
    if (!column) changes.push(`ADD COLUMN ${quote(name)} ${type}`)
    else if (!holds(column.type, type)) {
      const isWider = widens(column.type, type)
      if (!isWider && (await keepsRows(client, layout, table)))
        throw retyped(layout, name, column.type, type)
      const value = isWider ? quote(name) : 'NULL'
      changes.push(`ALTER COLUMN ${quote(name)} TYPE ${type} USING ${value}::${type}`)
    }
  }
  for (const [name, column] of existing) {
    const isMetadata = name in METADATA
    if (column.notNull === 't' && !isMetadata && !layout.keys.includes(name))
      changes.push(`ALTER COLUMN ${quote(name)} DROP NOT NULL`)
  }
  if (!existing.get(RAW_ID)?.default)
    changes.push(`ALTER COLUMN ${quote(RAW_ID)} SET DEFAULT gen_random_uuid()`)
  for (const [name, expression] of Object.entries(defaults)) {
    const current = existing.get(name)?.default ?? null
    const isConstant = name === EXTRACTED_AT && table !== layout.table && current !== null
    if (!isConstant && !sameExpression(current, expression))
      changes.push(`ALTER COLUMN ${quote(name)} SET DEFAULT ${expression}`)
  }
  if (changes.length === 0) return
  try {
    await client.query(`ALTER TABLE ${qualified(layout.schema, table)} ${changes.join(', ')}`)
  } catch (error) {
    if ((error as { code?: string }).code !== IN_A_VIEW) throw error
    throw new AirbyteError(
      'SCHEMA_CHANGED',
      `A column of table '${layout.table}' is to be widened, and a view or rule uses it: ${(error as Error).message}.`,
      { stream: layout.stream, hint: 'Drop the view, sync, and create it again.', cause: error },
    )
  }
}

/**
 * Whether the table has rows that this generation does not replace. Else those that it replaces go now,
 * where others go when it is complete.
 */
async function keepsRows(client: pg.Client, layout: Layout, table: string): Promise<boolean> {
  const first = Number(layout.plan.minimumGenerationId)
  if (layout.hidden !== null || first === 0) return true
  const [target, generation] = [qualified(layout.schema, table), quote(GENERATION_ID)]
  const { rows } = await client.query(
    `SELECT FROM ${target} WHERE ${generation} >= ${first} LIMIT 1`,
  )
  if (rows.length > 0) return true
  await client.query(`DELETE FROM ${target} WHERE ${generation} < ${first}`)
  return false
}

/** feature_not_supported: ALTER TYPE of a column that a view uses. */
const IN_A_VIEW = '0A000'

/** PostgreSQL prints an expression with parentheses of its own. */
const sameExpression = (printed: string | null, ours: string) =>
  printed?.replaceAll(/[()\s]/g, '') === ours.replaceAll(/[()\s]/g, '')

function retyped({ stream, table }: Layout, column: string, from: string, to: string) {
  return new AirbyteError(
    'SCHEMA_CHANGED',
    `Column '${column}' of table '${table}' is ${from}, which cannot hold the source's ${to}.`,
    {
      stream,
      field: column,
      hint: `Refresh the stream, or run: ALTER TABLE … ALTER COLUMN ${quote(column)} TYPE ${to}.`,
    },
  )
}

/** The unique index that a merge by key needs. */
export async function ensureKey(client: pg.Client, layout: Layout, table: string): Promise<void> {
  const index = keyIndexName(table, layout.keys)
  const { rows } = await client.query('SELECT to_regclass($1) AS found', [
    qualified(layout.schema, index),
  ])
  if (rows[0]?.found) return
  const target = qualified(layout.schema, table)
  await dropOtherKeys(client, layout.schema, table)
  await refuseKeyless(client, layout, target)
  try {
    await client.query(
      `CREATE UNIQUE INDEX ${quote(index)} ON ${target} (${layout.keys.map(quote).join(', ')})`,
    )
  } catch (error) {
    if ((error as { code?: string }).code !== '23505') throw error
    throw new AirbyteError(
      'SCHEMA_CHANGED',
      `Table '${layout.table}' holds several rows with one primary key (${layout.keys.join(', ')}), so it cannot be deduplicated as it is.`,
      {
        stream: layout.stream,
        field: 'primaryKey',
        hint: 'Refresh the stream, or remove the duplicates from the table.',
        cause: error,
      },
    )
  }
}

/** Rows that no merge would find, of those that this generation does not replace. */
async function refuseKeyless(client: pg.Client, layout: Layout, target: string): Promise<void> {
  const { plan, keys, table, stream } = layout
  const missing = keys.map((key) => `${quote(key)} IS NULL`).join(' OR ')
  const { rows } = await client.query(
    `SELECT FROM ${target} WHERE (${missing})
       AND ${quote(GENERATION_ID)} >= ${Number(plan.minimumGenerationId)} LIMIT 1`,
  )
  if (rows.length === 0) return
  throw new AirbyteError(
    'SCHEMA_CHANGED',
    `Table '${table}' holds rows without the primary key (${keys.join(', ')}), so it cannot be deduplicated as it is: they would be there twice.`,
    {
      ...{ stream, field: 'primaryKey' },
      hint: 'Reset the stream, or remove those rows from the table.',
    },
  )
}

/** Unique indexes of an earlier primary key would refuse rows of the new one. */
async function dropOtherKeys(client: pg.Client, schema: string, table: string): Promise<void> {
  for (const name of await ownIndexes(client, schema, table))
    await client.query(`DROP INDEX ${qualified(schema, name)}`)
}

/** Names of the indexes that were made here. */
async function ownIndexes(client: pg.Client, schema: string, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE i.indrelid = to_regclass($1) AND starts_with(c.relname, '_airbyte_key_')`,
    [qualified(schema, table)],
  )
  return rows.map(({ name }) => name)
}
