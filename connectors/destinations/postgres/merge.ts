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
import { underSavepoint } from './savepoint.ts'
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

/**
 * Merges the incoming rows into the target. Rows without a complete key come back as rejects; with
 * `isolate` those too that the target refuses: a key too long for its index, a constraint of its owner.
 */
export async function merge(
  client: pg.Client,
  layout: Layout,
  target: string,
  { maxRejects, isolate }: { maxRejects: number; isolate: boolean },
): Promise<RejectedRow[]> {
  const rejects = await takeKeyless(client, layout, maxRejects)
  const hasDeletes = await deletesIn(client, layout)
  const latest = latestRows(layout, hasDeletes)
  if (hasDeletes) await deleteRows(client, layout, target, latest)
  if (!isolate) {
    await upsert(client, layout, target, latest)
    return rejects
  }
  const left = maxRejects - rejects.length
  return [...rejects, ...(await upsertIsolated(client, layout, target, latest, left))]
}

/** Halves the chunk, by the order in which its rows came, down to the rows that are refused. */
async function upsertIsolated(
  client: pg.Client,
  layout: Layout,
  target: string,
  latest: string,
  max: number,
): Promise<RejectedRow[]> {
  const rejects: RejectedRow[] = []
  const order = quote(ORDER)

  async function load(from: bigint, to: bigint): Promise<void> {
    if (rejects.length > max) return
    const part = `SELECT * FROM (${latest}) AS part WHERE ${order} BETWEEN ${from} AND ${to}`
    const error = await underSavepoint(client, () => upsert(client, layout, target, part))
    if (!error) return
    if (from === to) return reject(from, error)
    const middle = (from + to) / 2n
    await load(from, middle)
    await load(middle + 1n, to)
  }

  async function reject(at: bigint, error: Error): Promise<void> {
    const columns = layout.columns.map(({ name }) => quote(name)).join(', ')
    const { rows } = await client.query<{ row: string }>(
      `DELETE FROM ${INCOMING} WHERE ${order} = ${at}
       RETURNING (SELECT row_to_json(r) FROM (SELECT ${columns}) AS r)::text AS row`,
    )
    const field = (error as { column?: string }).column ?? keyTooLong(layout, error)
    for (const { row } of rows) {
      rejects.push({ reason: error.message, ...(field === undefined ? {} : { field }), row })
    }
  }

  const { rows } = await client.query<{ from: string | null; to: string | null }>(
    `SELECT min(${order}) AS from, max(${order}) AS to FROM ${INCOMING}`,
  )
  const { from, to } = rows[0] ?? {}
  if (from && to) await load(BigInt(from), BigInt(to))
  return rejects
}

/** 54000 names an index, not a column; a key of one column is the one at fault. */
function keyTooLong({ keys }: Layout, error: Error): string | undefined {
  return (error as { code?: string }).code === '54000' && keys.length === 1 ? keys[0] : undefined
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
