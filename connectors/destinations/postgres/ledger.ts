/**
 * What the destination knows of each stream, in tables of the target schema:
 *
 * - `_airbyte_heads`: one row per (connection, stream): the highest fence seen, the generation being
 *   filled and the one that readers see. It also says whose a table is, that of a child too.
 * - `_airbyte_ledger`: one row per loaded chunk, written in the transaction of its rows. Its primary
 *   key refuses a chunk that is already there.
 *
 * Beside them are the tombstones of deleted rows (`tombstones.ts`), and which columns of a table were
 * made for its stream (`own-columns.ts`).
 *
 * They live in the target schema, not in one of their own, so that a user who may create tables in
 * just that schema needs no further right.
 */
import type pg from 'pg'
import { AirbyteError } from '../../../src/protocol/index.ts'
import {
  type ChunkEnd,
  isReplayId,
  type LedgerPosition,
  REPLAY_PREFIX,
} from '../../../src/runtime/contract.ts'
import { exactJson, parseExactIntegers } from '../../../src/runtime/exact-json.ts'
import { childStream, type Layout, ROOT_ID } from '../../../src/runtime/loading/layout.ts'
import { qualified } from './layout.ts'
import { createOwnColumns, ownColumns } from './own-columns.ts'
import { createTombstones, tombstones } from './tombstones.ts'

export const HEADS = '_airbyte_heads'
export const LEDGER = '_airbyte_ledger'

const heads = ({ schema }: Layout) => qualified(schema, HEADS)
const ledger = ({ schema }: Layout) => qualified(schema, LEDGER)
const keyOf = ({ plan, stream }: Layout) => [plan.connectionId, stream]

/** Ledger entries kept of a finished stream. Replays are of the newest chunks only. */
const KEPT_ENTRIES = 100
const KEPT_REPLAYS = '60 days'

export async function createLedger(client: pg.Client, layout: Layout): Promise<void> {
  const tables = [heads(layout), ledger(layout), tombstones(layout), ownColumns(layout)]
  const { rows } = await client.query<{ missing: string }>(
    `SELECT bool_or(to_regclass(name) IS NULL) AS missing FROM unnest($1::text[]) AS name`,
    [tables],
  )
  if (rows[0]?.missing !== 't') return
  await client.query(`
    CREATE TABLE IF NOT EXISTS ${heads(layout)} (
      connection_id text NOT NULL,
      stream text NOT NULL,
      table_name text NOT NULL UNIQUE,
      fence bigint NOT NULL,
      generation_id bigint NOT NULL,
      visible_generation_id bigint,
      PRIMARY KEY (connection_id, stream)
    );
    CREATE TABLE IF NOT EXISTS ${ledger(layout)} (
      connection_id text NOT NULL,
      stream text NOT NULL,
      generation_id bigint NOT NULL,
      chunk_id text NOT NULL,
      fence bigint NOT NULL,
      end_state json NOT NULL,
      rows bigint NOT NULL,
      loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      sequence bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
      PRIMARY KEY (connection_id, stream, generation_id, chunk_id)
    );
    ${createTombstones(layout)};
    ${createOwnColumns(layout)}`)
}

export interface Head {
  table: string
  fence: number
  generation: number
  visible: number | null
}

export async function readHead(client: pg.Client, layout: Layout): Promise<Head | null> {
  const { rows } = await client.query(
    `SELECT table_name, fence, generation_id, visible_generation_id FROM ${heads(layout)}
     WHERE connection_id = $1 AND stream = $2`,
    keyOf(layout),
  )
  const row = rows[0]
  return row
    ? {
        table: row.table_name,
        fence: Number(row.fence),
        generation: Number(row.generation_id),
        visible: row.visible_generation_id === null ? null : Number(row.visible_generation_id),
      }
    : null
}

/** Another (connection, stream) that writes the table, if any. */
export async function ownerOf(client: pg.Client, layout: Layout): Promise<string | null> {
  const { rows } = await client.query(
    `SELECT connection_id, stream FROM ${heads(layout)}
     WHERE table_name = $3 AND (connection_id, stream) <> ($1, $2)`,
    [...keyOf(layout), layout.table],
  )
  return rows[0] ? `stream '${rows[0].stream}' of connection ${rows[0].connection_id}` : null
}

/** Tables of arrays that the stream had at an earlier time, of those that are there. */
export async function strayChildren(client: pg.Client, layout: Layout): Promise<string[]> {
  const { rows } = await client.query<{ table_name: string }>(
    `SELECT h.table_name FROM ${heads(layout)} AS h
     WHERE h.connection_id = $1 AND starts_with(h.stream, $2) AND NOT h.table_name = ANY($3)
       AND EXISTS (SELECT FROM pg_attribute
         WHERE attrelid = to_regclass(format('%I.%I', $4::text, h.table_name)) AND attname = $5)`,
    [
      layout.plan.connectionId,
      childStream(layout.stream, []),
      layout.children.map(({ table }) => table),
      ...[layout.schema, ROOT_ID],
    ],
  )
  return rows.map(({ table_name }) => table_name)
}

/** Writes fence and generation, unless a higher fence was there first (FENCE_LOST). */
export async function claimHead(client: pg.Client, layout: Layout, fence: number): Promise<void> {
  const { rowCount } = await client.query(
    `INSERT INTO ${heads(layout)} AS h (connection_id, stream, table_name, fence, generation_id)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (connection_id, stream) DO UPDATE
     SET fence = $4, generation_id = greatest(h.generation_id, $5), table_name = $3
     WHERE h.fence <= $4`,
    [...keyOf(layout), layout.table, fence, layout.plan.generationId],
  )
  if (rowCount === 0) throw fenceLost(layout, fence)
}

/**
 * Locks the head until the transaction ends and refuses a fence lower than the last: from here on
 * no other loader of this stream can commit before us.
 */
export async function takeFence(client: pg.Client, layout: Layout, fence: number): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE ${heads(layout)} SET fence = $3
     WHERE connection_id = $1 AND stream = $2 AND fence <= $3`,
    [...keyOf(layout), fence],
  )
  if (rowCount === 0) throw fenceLost(layout, fence)
}

/** Reads the head without locking it: FENCE_LOST if it shows a higher fence. */
export async function refuseLowerFence(
  client: pg.Client,
  layout: Layout,
  fence: number,
): Promise<Head> {
  const head = await readHead(client, layout)
  if (!head || head.fence > fence) throw fenceLost(layout, fence)
  return head
}

function fenceLost({ stream }: Layout, fence: number) {
  return new AirbyteError(
    'FENCE_LOST',
    `A newer loader took over stream '${stream}'; fence ${fence} is refused.`,
    { stream },
  )
}

/** Makes the generation the visible one. */
export async function showGeneration(client: pg.Client, layout: Layout): Promise<void> {
  await client.query(
    `UPDATE ${heads(layout)} SET visible_generation_id = $3 WHERE connection_id = $1 AND stream = $2`,
    [...keyOf(layout), layout.plan.generationId],
  )
}

interface Entry {
  chunkId: string
  end: ChunkEnd
  rows: number
}

/** False: the ledger has this chunk already. */
export async function record(
  client: pg.Client,
  layout: Layout,
  fence: number,
  { chunkId, end, rows }: Entry,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `INSERT INTO ${ledger(layout)}
       (connection_id, stream, generation_id, chunk_id, fence, end_state, rows)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
    [...keyOf(layout), layout.plan.generationId, chunkId, fence, exactJson(end), rows],
  )
  return rowCount === 1
}

/** The entry of this chunk, or the newest of the generation. */
export async function position(
  client: pg.Client,
  layout: Layout,
  chunkId?: string,
): Promise<LedgerPosition | null> {
  const { rows } = await client.query(
    `SELECT chunk_id, end_state::text AS end_state, rows, fence FROM ${ledger(layout)}
     WHERE connection_id = $1 AND stream = $2 AND (generation_id = $3 OR $5)
       AND ($4::text IS NULL OR chunk_id = $4)
     ORDER BY sequence DESC LIMIT 1`,
    [...keyOf(layout), layout.plan.generationId, chunkId ?? null, isReplayId(chunkId ?? '')],
  )
  const row = rows[0]
  if (!row) return null
  return {
    chunkId: row.chunk_id,
    end: parseExactIntegers(row.end_state) as ChunkEnd,
    rows: Number(row.rows),
    fence: Number(row.fence),
  }
}

/**
 * Forgets older generations and all but the newest entries of this one. Rows that were loaded from
 * the rejects are remembered for longer than rejects are kept.
 */
export async function prune(client: pg.Client, layout: Layout): Promise<void> {
  await client.query(
    `DELETE FROM ${ledger(layout)} WHERE connection_id = $1 AND stream = $2
     AND (chunk_id NOT LIKE '${REPLAY_PREFIX}%' OR loaded_at < now() - interval '${KEPT_REPLAYS}')
     AND (generation_id < $3 OR (generation_id = $3 AND sequence < (
       SELECT min(sequence) FROM (
         SELECT sequence FROM ${ledger(layout)}
         WHERE connection_id = $1 AND stream = $2 AND generation_id = $3
         ORDER BY sequence DESC LIMIT ${KEPT_ENTRIES}) AS newest)))`,
    [...keyOf(layout), layout.plan.generationId],
  )
}

/** Forgets what was loaded of this generation: its rows are gone. */
export async function forgetGeneration(client: pg.Client, layout: Layout): Promise<void> {
  for (const table of [ledger(layout), tombstones(layout)])
    await client.query(
      `DELETE FROM ${table} WHERE connection_id = $1 AND stream = $2 AND generation_id = $3`,
      [...keyOf(layout), layout.plan.generationId],
    )
}

/** Forgets the stream altogether: its table belongs to nobody. */
export async function forgetStream(client: pg.Client, layout: Layout): Promise<void> {
  for (const table of [heads, ledger, tombstones, ownColumns].map((name) => name(layout))) {
    const { rows } = await client.query<{ there: string }>(
      'SELECT to_regclass($1) IS NOT NULL AS there',
      [table],
    )
    if (rows[0]?.there === 't')
      await client.query(
        `DELETE FROM ${table}
         WHERE connection_id = $1 AND (stream = $2 OR starts_with(stream, $3))`,
        [...keyOf(layout), childStream(layout.stream, [])],
      )
  }
}
