/**
 * What the destination knows of each stream, in tables of the target database:
 *
 * - `_airbyte_heads`: one row per (connection, stream): the highest fence seen, the generation being
 *   filled and the one that readers see. It also says whose a table is.
 * - `_airbyte_ledger`: one row per loaded chunk, written in the transaction of its rows. Its primary
 *   key refuses a chunk that is already there.
 *
 * MySQL commits at every change of a table's shape, so nothing else here is one transaction: see
 * `prepare.ts` and `swap.ts` for the order that makes each step safe to repeat.
 */
import { AirbyteError } from '../../../src/protocol/index.ts'
import {
  type ChunkEnd,
  isReplayId,
  type LedgerPosition,
  REPLAY_PREFIX,
} from '../../../src/runtime/contract.ts'
import { exactJson, parseExactIntegers } from '../../../src/runtime/exact-json.ts'
import { MysqlServerError } from '../../../src/runtime/mysql/errors.ts'
import { text } from '../../../src/runtime/mysql/sql.ts'
import { type Layout, nameOf } from './layout.ts'
import { createOwnColumns, ownColumns } from './own-columns.ts'
import type { SqlClient } from './session.ts'
import { ofGeneration, ofStream, STREAM_ID, streamId, tableOptions } from './stream-id.ts'
import { createLoaders, loaders } from './supersede.ts'
import { createTombstones, tombstones } from './tombstones.ts'

const heads = (layout: Layout) => nameOf(layout, '_airbyte_heads')
const ledger = (layout: Layout) => nameOf(layout, '_airbyte_ledger')

/** Ledger entries kept of a finished stream. Replays are of the newest chunks only. */
const KEPT_ENTRIES = 100
const KEPT_REPLAYS_DAYS = 60

export async function createLedger(client: SqlClient, layout: Layout): Promise<void> {
  const found = await client.query(
    `SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${text(layout.schema)}
     AND TABLE_NAME IN ('_airbyte_heads', '_airbyte_ledger', '_airbyte_loaders', '_airbyte_tombstones', '_airbyte_columns')`,
  )
  if (found.length === 5) return
  const options = tableOptions(layout)
  await client.execute(`CREATE TABLE IF NOT EXISTS ${heads(layout)} (
    ${STREAM_ID} PRIMARY KEY,
    connection_id LONGTEXT NOT NULL,
    stream LONGTEXT NOT NULL,
    table_name VARCHAR(64) NOT NULL UNIQUE,
    fence BIGINT NOT NULL,
    generation_id BIGINT NOT NULL,
    visible_generation_id BIGINT
  ) ${options}`)
  await client.execute(`CREATE TABLE IF NOT EXISTS ${ledger(layout)} (
    ${STREAM_ID},
    generation_id BIGINT NOT NULL,
    chunk_id VARCHAR(512) NOT NULL,
    fence BIGINT NOT NULL,
    end_state LONGTEXT NOT NULL,
    row_count BIGINT NOT NULL,
    loaded_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    sequence BIGINT NOT NULL AUTO_INCREMENT UNIQUE,
    PRIMARY KEY (stream_id, generation_id, chunk_id)
  ) ${options}`)
  await client.execute(`${createLoaders(layout)} ${options}`)
  await client.execute(`${createTombstones(layout)} ${options}`)
  await client.execute(`${createOwnColumns(layout)} ${options}`)
}

export interface Head {
  table: string
  fence: number
  generation: number
  visible: number | null
}

/** @param lock keeps others from changing it until the transaction ends, and reads what is there now */
export async function readHead(
  client: SqlClient,
  layout: Layout,
  lock = false,
): Promise<Head | null> {
  const [row] = await client.query(
    `SELECT table_name, fence, generation_id, visible_generation_id FROM ${heads(layout)}
     WHERE ${ofStream(layout)}${lock ? ' FOR UPDATE' : ''}`,
  )
  if (!row) return null
  const [table, fence, generation, visible] = row
  return {
    table: String(table),
    fence: Number(fence),
    generation: Number(generation),
    visible: visible === null ? null : Number(visible),
  }
}

/** Another (connection, stream) that writes the table, if any. */
export async function ownerOf(client: SqlClient, layout: Layout): Promise<string | null> {
  const [row] = await client.query(
    `SELECT stream, connection_id FROM ${heads(layout)}
     WHERE table_name = ${text(layout.table)} AND NOT ${ofStream(layout)}`,
  )
  return row ? `stream '${row[0]}' of connection ${row[1]}` : null
}

/** Writes fence and generation, unless a higher fence was there first (FENCE_LOST). Within a transaction. */
export async function claimHead(client: SqlClient, layout: Layout, fence: number): Promise<void> {
  const { plan, stream, table } = layout
  const head = await readHead(client, layout, true)
  if (head && head.fence > fence) throw fenceLost(layout, fence)
  const generation = Math.max(head?.generation ?? 0, plan.generationId)
  if (head)
    await client.execute(
      `UPDATE ${heads(layout)} SET fence = ${Number(fence)}, generation_id = ${generation},
       table_name = ${text(table)} WHERE ${ofStream(layout)}`,
    )
  else
    await client.execute(
      `INSERT INTO ${heads(layout)} (stream_id, connection_id, stream, table_name, fence, generation_id)
       VALUES (${[streamId(layout), plan.connectionId, stream, table].map(text).join(', ')},
         ${Number(fence)}, ${generation})`,
    )
}

/**
 * Locks the head until the transaction ends and refuses a fence lower than the last: from here on
 * no other loader of this stream can commit before us.
 */
export async function takeFence(client: SqlClient, layout: Layout, fence: number): Promise<Head> {
  const head = await readHead(client, layout, true)
  if (!head || head.fence > fence) throw fenceLost(layout, fence)
  if (head.fence < fence)
    await client.execute(
      `UPDATE ${heads(layout)} SET fence = ${Number(fence)} WHERE ${ofStream(layout)}`,
    )
  return head
}

/** Reads the head without locking it: FENCE_LOST if it shows a higher fence. */
export async function refuseLowerFence(
  client: SqlClient,
  layout: Layout,
  fence: number,
): Promise<Head> {
  const head = await readHead(client, layout)
  if (!head || head.fence > fence) throw fenceLost(layout, fence)
  return head
}

const fenceLost = ({ stream }: Layout, fence: number) =>
  new AirbyteError(
    'FENCE_LOST',
    `A newer loader took over stream '${stream}'; fence ${fence} is refused.`,
    { stream },
  )

/** Makes the generation the visible one. */
export async function showGeneration(client: SqlClient, layout: Layout): Promise<void> {
  await client.execute(
    `UPDATE ${heads(layout)} SET visible_generation_id = ${Number(layout.plan.generationId)}
     WHERE ${ofStream(layout)}`,
  )
}

interface Entry {
  chunkId: string
  end: ChunkEnd
  rows: number
}

/** False: the ledger has this chunk already. */
export async function record(
  client: SqlClient,
  layout: Layout,
  fence: number,
  { chunkId, end, rows }: Entry,
): Promise<boolean> {
  const values = [
    text(streamId(layout)),
    Number(layout.plan.generationId),
    text(chunkId),
    Number(fence),
    text(String(exactJson(end))),
    Number(rows),
  ]
  try {
    await client.execute(
      `INSERT INTO ${ledger(layout)} (stream_id, generation_id, chunk_id, fence, end_state, row_count)
       VALUES (${values.join(', ')})`,
    )
    return true
  } catch (error) {
    if (error instanceof MysqlServerError && error.errno === DUPLICATE_KEY) return false
    throw error
  }
}

const DUPLICATE_KEY = 1062

/** The entry of this chunk, or the newest of the generation. */
export async function position(
  client: SqlClient,
  layout: Layout,
  chunkId?: string,
): Promise<LedgerPosition | null> {
  const [row] = await client.query(
    `SELECT chunk_id, end_state, row_count, fence FROM ${ledger(layout)}
     WHERE ${isReplayId(chunkId ?? '') ? ofStream(layout) : ofGeneration(layout)}
       ${chunkId === undefined ? '' : `AND chunk_id = ${text(chunkId)}`}
     ORDER BY sequence DESC LIMIT 1`,
  )
  if (!row) return null
  return {
    chunkId: String(row[0]),
    end: parseExactIntegers(String(row[1])) as ChunkEnd,
    rows: Number(row[2]),
    fence: Number(row[3]),
  }
}

/**
 * Forgets older generations and all but the newest entries of this one. Rows that were loaded from
 * the rejects are remembered for longer than rejects are kept.
 */
export async function prune(client: SqlClient, layout: Layout): Promise<void> {
  const [oldest] = await client.query(
    `SELECT sequence FROM ${ledger(layout)} WHERE ${ofGeneration(layout)}
     ORDER BY sequence DESC LIMIT ${KEPT_ENTRIES - 1}, 1`,
  )
  const older = oldest
    ? ` OR (${ofGeneration(layout)} AND sequence < ${BigInt(oldest[0] ?? 0)})`
    : ''
  await client.execute(
    `DELETE FROM ${ledger(layout)}
     WHERE ${ofStream(layout)}
       AND (chunk_id NOT LIKE '${REPLAY_PREFIX}%' OR loaded_at < now() - INTERVAL ${KEPT_REPLAYS_DAYS} DAY)
       AND (generation_id < ${Number(layout.plan.generationId)}${older})`,
  )
}

/** Forgets what was loaded of this generation: its rows are gone. */
export async function forgetGeneration(client: SqlClient, layout: Layout): Promise<void> {
  for (const table of [ledger(layout), tombstones(layout)])
    await client.execute(`DELETE FROM ${table} WHERE ${ofGeneration(layout)}`)
}

/** Forgets the stream altogether: its table belongs to nobody. */
export async function forgetStream(client: SqlClient, layout: Layout): Promise<void> {
  for (const table of [heads, ledger, tombstones, loaders, ownColumns]) {
    try {
      await client.execute(`DELETE FROM ${table(layout)} WHERE ${ofStream(layout)}`)
    } catch (error) {
      if (!(error instanceof MysqlServerError && error.errno === NO_SUCH_TABLE)) throw error
    }
  }
}

const NO_SUCH_TABLE = 1146
