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
import { quote, quoteLiteral } from './identifiers.ts'
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

/** What names a stream's tombstones, as literals: statements without parameters go together in one message. */
const own = ({ plan, stream }: Layout) => [
  quoteLiteral(plan.connectionId),
  quoteLiteral(stream),
  String(Number(plan.generationId)),
]

function isOwn(layout: Layout): string {
  const [connection, stream, generation] = own(layout)
  return `connection_id = ${connection} AND stream = ${stream} AND generation_id = ${generation}`
}

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

/** The highest position of all. Null without tombstones: most streams never have any, and pay no more than this question. */
export const lastBuried = (layout: Layout): string =>
  layout.cursor
    ? `(SELECT position FROM ${tombstones(layout)} WHERE ${isOwn(layout)} AND key = ${HIGHEST})`
    : 'NULL::text'

/** Whether there are tombstones without that row: those of before there was one, or it was forgotten for its age. */
export const lacksLast = (layout: Layout): string =>
  layout.cursor
    ? `(${lastBuried(layout)} IS NULL AND EXISTS (SELECT FROM ${tombstones(layout)} WHERE ${isOwn(layout)}))`
    : 'false'

/** The statement that finds it. */
export function findLast(layout: Layout): string {
  const type = typeOf(layout, layout.cursor ?? '')
  return put(
    layout,
    `SELECT ${HIGHEST}, position FROM (
       SELECT position FROM ${tombstones(layout)} WHERE ${isOwn(layout)}
       ORDER BY position::${type} DESC LIMIT 1) AS highest`,
  )
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
 * The statements that take late rows out of the chunk. By subqueries, not by joins: a planner that knows
 * nothing of a temporary table joins it the wrong way round.
 *
 * @param unplaced whether a row `i` is a deletion without a cursor: that ends a row that came back too
 */
export function dropLate(layout: Layout, unplaced: string): string[] {
  if (!layout.cursor) return []
  const type = typeOf(layout, layout.cursor)
  const cursor = `i.${quote(layout.cursor)}`
  const late = (key: string) => `(
    SELECT coalesce(${cursor} < s.position::${type}, true)
    FROM ${tombstones(layout)} AS s WHERE ${isOwn(layout)} AND s.key = ${key})`
  return [late(ALL_KEYS), `NOT ${unplaced} AND ${late(digest(layout, 'i'))}`].map(
    (condition) => `DELETE FROM ${INCOMING} AS i WHERE ${condition}`,
  )
}

/** The statements that leave a tombstone for each of these rows that has a position. */
export function bury(layout: Layout, deleted: string): string[] {
  if (!layout.cursor) return []
  const cursor = `d.${quote(layout.cursor)}`
  const placed = `FROM (${deleted}) AS d WHERE ${cursor} IS NOT NULL`
  return [
    put(layout, `SELECT ${digest(layout, 'd')}, ${cursor}::text ${placed}`),
    put(layout, `SELECT ${HIGHEST}, ${cursor}::text ${placed} ORDER BY ${cursor} DESC LIMIT 1`),
  ]
}

/** The statements for a truncate at this position: whatever ranks below it is gone, older tombstones with it. */
export function buryAll(layout: Layout, position: string): string[] {
  if (!layout.cursor) return []
  const type = typeOf(layout, layout.cursor)
  const at = `${quoteLiteral(position)}::text`
  return [
    `DELETE FROM ${tombstones(layout)} WHERE ${isOwn(layout)} AND position::${type} <= ${at}::${type}`,
    ...[ALL_KEYS, HIGHEST].map((key) => put(layout, `SELECT ${key}, ${at}`)),
  ]
}

function put(layout: Layout, rows: string): string {
  const type = typeOf(layout, layout.cursor ?? '')
  return `INSERT INTO ${tombstones(layout)} AS s (connection_id, stream, generation_id, key, position)
     SELECT ${own(layout).join(', ')}, buried.* FROM (${rows}) AS buried
     ON CONFLICT (connection_id, stream, generation_id, key) DO UPDATE
     SET position = EXCLUDED.position, buried_at = EXCLUDED.buried_at
     WHERE EXCLUDED.position::${type} > s.position::${type}`
}

/** Forgets those of older generations, and what no source goes back to. */
export async function pruneTombstones(client: pg.Client, layout: Layout): Promise<void> {
  const [connection, stream, generation] = own(layout)
  for (const condition of [
    `generation_id < ${generation}`,
    `buried_at < now() - interval '${KEPT}'`,
  ])
    await client.query(
      `DELETE FROM ${tombstones(layout)}
       WHERE connection_id = ${connection} AND stream = ${stream} AND ${condition}`,
    )
}
