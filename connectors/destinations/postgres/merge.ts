/**
 * Merging a chunk into a table by primary key. The cost follows from the chunk: its rows are sorted
 * once, and each finds its row in the table through the key's index.
 *
 * Which row wins: of two with one key in a chunk the one with the larger cursor, of equal cursors
 * the later in stream order; against the table the chunk's, unless its cursor is lower. Chunks
 * of a stream load in order and each only once (ledger and fence), so time stamps of extraction,
 * which come from the clocks of different machines, need not decide anything.
 */
import type pg from 'pg'
import type { RejectedRow } from '../../../src/runtime/contract.ts'
import { quote, quoteLiteral } from './identifiers.ts'
import { EXTRACTED_AT, GENERATION_ID, type Layout, META, OP, ORDER, RAW_ID } from './layout.ts'
import type { SinkTable } from './sink.ts'
import { metaText } from './tables.ts'

const INCOMING = 'pg_temp."_airbyte_incoming"'

/** A temporary table for one chunk's rows, with the target's own types. Gone with the transaction. */
export async function createIncoming(
  client: pg.Client,
  layout: Layout,
  target: string,
): Promise<SinkTable> {
  const columns = layout.columns.map(({ name }) => quote(name))
  await client.query(`
    CREATE TEMP TABLE "_airbyte_incoming" ON COMMIT DROP AS
      SELECT ${[...columns, quote(META)].join(', ')} FROM ${target} WITH NO DATA;
    ALTER TABLE ${INCOMING}
      ALTER COLUMN ${quote(META)} SET DEFAULT ${quoteLiteral(metaText(layout))}::jsonb,
      ADD COLUMN ${quote(OP)} text,
      ADD COLUMN ${quote(ORDER)} bigint NOT NULL GENERATED ALWAYS AS IDENTITY (CACHE 1000)`)
  return { table: INCOMING, op: true }
}

/** Merges the incoming rows into the target. Rows without a complete key come back as rejects. */
export async function merge(
  client: pg.Client,
  layout: Layout,
  target: string,
  maxRejects: number,
): Promise<RejectedRow[]> {
  const rejects = await takeKeyless(client, layout, maxRejects)
  const hasDeletes = await deletesIn(client, layout)
  const latest = latestRows(layout, hasDeletes)
  if (hasDeletes) await deleteRows(client, layout, target, latest)
  await upsert(client, layout, target, latest)
  return rejects
}

async function takeKeyless(client: pg.Client, layout: Layout, max: number): Promise<RejectedRow[]> {
  const missing = layout.keys.map((key) => `${quote(key)} IS NULL`).join(' OR ')
  const columns = layout.columns.map(({ name }) => quote(name)).join(', ')
  const { rows } = await client.query<{ row: string; field: string }>(
    `SELECT (SELECT row_to_json(r) FROM (SELECT ${columns}) AS r)::text AS row,
       CASE ${layout.keys.map((key) => `WHEN ${quote(key)} IS NULL THEN ${quoteLiteral(key)}`).join(' ')} END AS field
     FROM ${INCOMING} WHERE ${missing} ORDER BY ${quote(ORDER)} LIMIT ${max + 1}`,
  )
  if (rows.length > 0) await client.query(`DELETE FROM ${INCOMING} WHERE ${missing}`)
  return rows.map(({ row, field }) => ({ reason: 'a primary key column is null', field, row }))
}

/** Whether a row of this alias is a deletion. */
function isDelete({ deletedAt }: Layout, alias: string): string {
  const marked = `${alias}.${quote(OP)} IS NOT DISTINCT FROM 'd'`
  return deletedAt ? `(${marked} OR ${alias}.${quote(deletedAt)} IS NOT NULL)` : `(${marked})`
}

async function deletesIn(client: pg.Client, layout: Layout): Promise<boolean> {
  const { rows } = await client.query<{ found: string }>(
    `SELECT EXISTS (SELECT FROM ${INCOMING} AS i WHERE ${isDelete(layout, 'i')}) AS found`,
  )
  return rows[0]?.found === 't'
}

/** One row per key. A change log is in commit order already, and its deletes may lack the cursor. */
function latestRows(layout: Layout, hasDeletes: boolean): string {
  const keys = layout.keys.map(quote).join(', ')
  const cursor = layout.cursor && !hasDeletes ? `${quote(layout.cursor)} DESC NULLS LAST, ` : ''
  return `SELECT DISTINCT ON (${keys}) * FROM ${INCOMING} ORDER BY ${keys}, ${cursor}${quote(ORDER)} DESC`
}

async function deleteRows(
  client: pg.Client,
  layout: Layout,
  target: string,
  latest: string,
): Promise<void> {
  const sameKey = layout.keys.map((key) => `t.${quote(key)} = d.${quote(key)}`).join(' AND ')
  // Without these a planner that expects many rows reads the whole table.
  await client.query(
    'SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off',
  )
  await client.query(
    `DELETE FROM ${target} AS t USING (${latest}) AS d
     WHERE ${isDelete(layout, 'd')} AND ${sameKey}`,
  )
  await client.query(
    'SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT; SET LOCAL enable_seqscan TO DEFAULT',
  )
}

async function upsert(
  client: pg.Client,
  layout: Layout,
  target: string,
  latest: string,
): Promise<void> {
  const columns = [...layout.columns.map(({ name }) => name), META].map(quote)
  const defaulted = [RAW_ID, EXTRACTED_AT, GENERATION_ID].map(quote)
  const updates = [...columns, ...defaulted].map((name) => `${name} = EXCLUDED.${name}`).join(', ')
  const cursor = layout.cursor && quote(layout.cursor)
  const notOlder = cursor ? `WHERE t.${cursor} IS NULL OR EXCLUDED.${cursor} >= t.${cursor}` : ''
  await client.query(
    `INSERT INTO ${target} AS t (${columns.join(', ')})
     SELECT ${columns.join(', ')}
     FROM (${latest}) AS latest WHERE NOT ${isDelete(layout, 'latest')}
     ON CONFLICT (${layout.keys.map(quote).join(', ')}) DO UPDATE SET ${updates} ${notOlder}`,
  )
}
