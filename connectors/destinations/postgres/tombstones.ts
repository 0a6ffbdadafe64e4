/**
 * What was deleted, so that a change that is read again resurrects nothing: in `_airbyte_tombstones`
 * a row per deleted key with the position (the cursor's value) of its deletion, and one with an empty
 * key for the last truncate. A row that ranks below its tombstone is late, and left out. A deletion
 * without a cursor leaves none. The tombstone of a row that came back stays: what ranks below it ranks
 * below the row too, and to look for it would cost each new row a hash.
 *
 * One more row has the highest position of all. A log goes forward: a chunk that is nowhere below it
 * has no late rows, and none has to look for its tombstone.
 */
import type pg from 'pg'
import type { Layout } from '../../../src/runtime/loading/layout.ts'
import { quote } from './identifiers.ts'
import { INCOMING, qualified } from './layout.ts'

/** How long a source may go back to an older position. */
const KEPT = '30 days'
/** The key of what a truncate leaves. */
const ALL_KEYS = `''::bytea`
/** The key of the highest position; those of rows are longer. */
const HIGHEST = `'\\x00'::bytea`

export const tombstones = ({ schema }: Layout) => qualified(schema, '_airbyte_tombstones')

export const createTombstones = (layout: Layout) => `
  CREATE TABLE IF NOT EXISTS ${tombstones(layout)} (
    connection_id text NOT NULL,
    stream text NOT NULL,
    generation_id bigint NOT NULL,
    key bytea NOT NULL,
    position text NOT NULL,
    buried_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    PRIMARY KEY (connection_id, stream, generation_id, key)
  );
  CREATE INDEX IF NOT EXISTS "_airbyte_tombstones_age" ON ${tombstones(layout)} (buried_at)`

const own = ({ plan, stream }: Layout) => [plan.connectionId, stream, plan.generationId]
const OWN = 'connection_id = $1 AND stream = $2 AND generation_id = $3'

const typeOf = ({ columns }: Layout, name: string) =>
  columns.find((column) => column.name === name)?.type ?? 'text'

/** A key in fixed length, whatever its columns. Equal numbers have equal keys. */
function digest(layout: Layout, alias: string): string {
  const parts = layout.keys.map((key) => {
    const cell = `${alias}.${quote(key)}`
    return typeOf(layout, key).startsWith('numeric') ? `trim_scale(${cell})` : cell
  })
  return `sha256(convert_to(jsonb_build_array(${parts.join(', ')})::text, 'UTF8'))`
}

/** The highest position; null without tombstones: most streams never have any, and pay no more than this question. */
export async function lastBuried(client: pg.Client, layout: Layout): Promise<string | null> {
  if (!layout.cursor) return null
  const type = typeOf(layout, layout.cursor)
  const known = `SELECT position FROM ${tombstones(layout)} WHERE ${OWN}`
  const highest = `${known} ORDER BY position::${type} DESC LIMIT 1`
  const { rows } = await client.query<Record<'known' | 'found', string | null>>(
    `SELECT (${known} AND key = ${HIGHEST}) AS known, EXISTS (${known}) AS found`,
    own(layout),
  )
  if (rows[0]?.found !== 't') return null
  if (rows[0].known !== null) return rows[0].known
  // Those of before there was such a row, or it was forgotten for its age.
  await put(client, layout, `SELECT ${HIGHEST}, position FROM (${highest}) AS highest`)
  return lastBuried(client, layout)
}

/** Whether a row of this alias may be late, given the highest position, which may be null. */
export function isLate({ columns, cursor }: Layout, alias: string, highest: string): string {
  const type = columns.find(({ name }) => name === cursor)?.type
  const position = `${alias}.${quote(cursor ?? '')}`
  return cursor
    ? `${highest} IS NOT NULL AND (${position} IS NULL OR ${position} < ${highest}::${type})`
    : `${highest} IS NOT NULL`
}

/**
 * Takes late rows out of the chunk. By subqueries, not by joins: a planner that knows nothing of a
 * temporary table joins it the wrong way round.
 *
 * @param unplaced whether a row `i` is a deletion without a cursor: that ends a row that came back too
 */
export async function dropLate(client: pg.Client, layout: Layout, unplaced: string): Promise<void> {
  if (!layout.cursor) return
  const type = typeOf(layout, layout.cursor)
  const cursor = `i.${quote(layout.cursor)}`
  const late = (key: string) => `(
    SELECT coalesce(${cursor} < s.position::${type}, true)
    FROM ${tombstones(layout)} AS s WHERE ${OWN} AND s.key = ${key})`
  for (const condition of [late(ALL_KEYS), `NOT ${unplaced} AND ${late(digest(layout, 'i'))}`])
    await client.query(`DELETE FROM ${INCOMING} AS i WHERE ${condition}`, own(layout))
}

/** Leaves a tombstone for each of these rows that has a position. */
export async function bury(client: pg.Client, layout: Layout, deleted: string): Promise<void> {
  if (!layout.cursor) return
  const cursor = `d.${quote(layout.cursor)}`
  const placed = `FROM (${deleted}) AS d WHERE ${cursor} IS NOT NULL`
  await put(client, layout, `SELECT ${digest(layout, 'd')}, ${cursor}::text ${placed}`)
  const last = `${placed} ORDER BY ${cursor} DESC LIMIT 1`
  await put(client, layout, `SELECT ${HIGHEST}, ${cursor}::text ${last}`)
}

/** A truncate at this position: whatever ranks below it is gone, older tombstones with it. */
export async function buryAll(client: pg.Client, layout: Layout, position: string): Promise<void> {
  if (!layout.cursor) return
  const type = typeOf(layout, layout.cursor)
  await client.query(
    `DELETE FROM ${tombstones(layout)} WHERE ${OWN} AND position::${type} <= $4::text::${type}`,
    [...own(layout), position],
  )
  for (const key of [ALL_KEYS, HIGHEST])
    await put(client, layout, `SELECT ${key}, $4::text`, [position])
}

async function put(client: pg.Client, layout: Layout, rows: string, values: string[] = []) {
  const type = typeOf(layout, layout.cursor ?? '')
  await client.query(
    `INSERT INTO ${tombstones(layout)} AS s (connection_id, stream, generation_id, key, position)
     SELECT $1::text, $2::text, $3::bigint, buried.* FROM (${rows}) AS buried
     ON CONFLICT (connection_id, stream, generation_id, key) DO UPDATE
     SET position = EXCLUDED.position, buried_at = EXCLUDED.buried_at
     WHERE EXCLUDED.position::${type} > s.position::${type}`,
    [...own(layout), ...values],
  )
}

/** Forgets those of older generations, and what no source goes back to. */
export async function pruneTombstones(client: pg.Client, layout: Layout): Promise<void> {
  for (const condition of ['generation_id < $3', `buried_at < now() - interval '${KEPT}'`])
    await client.query(
      `DELETE FROM ${tombstones(layout)}
       WHERE connection_id = $1 AND stream = $2 AND $3::bigint IS NOT NULL AND ${condition}`,
      own(layout),
    )
}
