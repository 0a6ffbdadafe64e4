/**
 * What was deleted, so that a change that is read again resurrects nothing: in `_airbyte_tombstones`
 * a row per deleted key with the position (the cursor's value) of its deletion, and one with an empty
 * key for the last truncate. A row that ranks below its tombstone is late, and left out. A deletion
 * without a cursor leaves none.
 */
import type pg from 'pg'
import type { Layout } from '../../../src/runtime/loading/layout.ts'
import { quote } from './identifiers.ts'
import { INCOMING, qualified } from './layout.ts'

/** How long a source may go back to an older position. */
const KEPT = '30 days'
/** The key of what a truncate leaves. */
const ALL_KEYS = `''::bytea`

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

/** Whether the stream has any: most never do, and pay no more than this question. */
export async function hasTombstones(client: pg.Client, layout: Layout): Promise<boolean> {
  if (!layout.cursor) return false
  const { rows } = await client.query<{ found: string }>(
    `SELECT EXISTS (SELECT FROM ${tombstones(layout)} WHERE ${OWN}) AS found`,
    own(layout),
  )
  return rows[0]?.found === 't'
}

/**
 * Takes late rows out of the chunk. By subqueries, not by joins: a planner that knows nothing of a
 * temporary table joins it the wrong way round.
 */
export async function dropLate(client: pg.Client, layout: Layout): Promise<void> {
  if (!layout.cursor) return
  const type = typeOf(layout, layout.cursor)
  const cursor = `i.${quote(layout.cursor)}`
  for (const key of [ALL_KEYS, digest(layout, 'i')]) {
    const position = `(SELECT s.position::${type} FROM ${tombstones(layout)} AS s WHERE ${OWN} AND s.key = ${key})`
    await client.query(
      `DELETE FROM ${INCOMING} AS i WHERE coalesce(${cursor} < ${position}, ${position} IS NOT NULL)`,
      own(layout),
    )
  }
}

/** Leaves a tombstone for each of these rows that has a position. */
export async function bury(client: pg.Client, layout: Layout, deleted: string): Promise<void> {
  if (!layout.cursor) return
  await put(
    client,
    layout,
    `SELECT ${digest(layout, 'd')}, d.${quote(layout.cursor)}::text
     FROM (${deleted}) AS d WHERE d.${quote(layout.cursor)} IS NOT NULL`,
  )
}

/** A truncate at this position: whatever ranks below it is gone, older tombstones with it. */
export async function buryAll(client: pg.Client, layout: Layout, position: string): Promise<void> {
  if (!layout.cursor) return
  const type = typeOf(layout, layout.cursor)
  await client.query(
    `DELETE FROM ${tombstones(layout)} WHERE ${OWN} AND position::${type} <= $4::text::${type}`,
    [...own(layout), position],
  )
  await put(client, layout, `SELECT ${ALL_KEYS}, $4::text`, [position])
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

/** The rows stand again, and rank above their tombstones. */
export async function unbury(client: pg.Client, layout: Layout, standing: string): Promise<void> {
  await client.query(
    `DELETE FROM ${tombstones(layout)} AS s
     WHERE ${OWN} AND s.key = ANY(ARRAY(SELECT ${digest(layout, 'u')} FROM (${standing}) AS u))`,
    own(layout),
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
