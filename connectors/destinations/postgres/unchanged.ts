/**
 * Values that a change log left out because the change did not touch them (large ones of PostgreSQL).
 * Each is what the row had before: in an earlier row of the chunk, else in the table; of a row that
 * moved, under the key that it had. Only the rows that will stand are looked up, each by its key.
 */
import type pg from 'pg'
import {
  GENERATION_ID,
  type Layout,
  META,
  OP,
  ORDER,
  UNCHANGED,
} from '../../../src/runtime/loading/layout.ts'
import { isDelete } from './deletes.ts'
import { quote, quoteLiteral } from './identifiers.ts'
import { INCOMING } from './layout.ts'
import { byIndex, script } from './script.ts'

const FOUND = 'pg_temp."_airbyte_found"'

/** Fills them in; a value that is nowhere stays null and gets an entry in `_airbyte_meta.changes`. */
export async function keepUnchanged(
  client: pg.Client,
  layout: Layout,
  target: string,
  latest: string,
): Promise<void> {
  await client.query(script(byIndex([search(layout, latest)])))
  const { rows } = await client.query<{ place: string }>(
    `SELECT DISTINCT unnest(wanted) AS place FROM ${FOUND}`,
  )
  const filling = rows.flatMap(({ place }) => fill(layout, target, Number(place)))
  await client.query(script([...byIndex(filling), `DROP TABLE ${FOUND}`]))
}

/** The statements that fill in the values of the column at this place. */
function fill(layout: Layout, target: string, place: number): string[] {
  const column = layout.columns[place - 1]
  if (!column) return []
  const found = [fromChunk(layout), fromTable(layout, target), fromOwnRow(layout, target)]
  return [
    ...found.map((find) => take(quote(column.name), place, find)),
    recordMissing(column.column.name, place),
  ]
}

/**
 * Walks from each row that will stand to the one before it, and so on, while values are wanted. A
 * step's `at` is null where the chunk has no earlier row: the table is to be asked for `wanted`.
 */
function search(layout: Layout, latest: string): string {
  const { keys, cursor } = layout
  const [order, op, unchanged] = [ORDER, OP, UNCHANGED].map(quote)
  const names = keys.map(quote)
  const sameKey = names.map((key) => `e.${key} = k.${key}`).join(' AND ')
  const of = (alias: string) => names.map((key) => `${alias}.${key}`).join(', ')
  const position = (alias: string) => (cursor ? `${alias}.${quote(cursor)}` : 'NULL::bigint')
  return `
    CREATE INDEX ON ${INCOMING} (${[...names, order].join(', ')});
    CREATE INDEX ON ${INCOMING} (${order});
    CREATE TEMP TABLE "_airbyte_found" ON COMMIT DROP AS
    WITH RECURSIVE walk AS (
      SELECT l.${order} AS row, l.${order} AS at, ${of('l')}, l.${op} AS op, ${position('l')} AS position,
        ${position('l')} AS moved_at, l.${unchanged} AS wanted, l.${unchanged} AS missing
      FROM (${latest}) AS l WHERE l.${unchanged} IS NOT NULL AND NOT ${isDelete(layout, 'l')}
      UNION ALL
      SELECT w.row, p.at, ${of('k')}, p.op, p.position,
        CASE WHEN w.op = 'm' THEN w.position ELSE w.moved_at END, w.missing,
        CASE WHEN p.at IS NULL THEN w.missing
          ELSE ARRAY(SELECT unnest(w.missing) INTERSECT SELECT unnest(p.unchanged)) END
      FROM walk AS w
      CROSS JOIN LATERAL (
        SELECT ${of('w')}, w.at WHERE w.op IS DISTINCT FROM 'm'
        UNION ALL
        SELECT ${of('d')}, d.${order} FROM (
          SELECT * FROM ${INCOMING} AS b WHERE b.${order} < w.at ORDER BY b.${order} DESC LIMIT 1) AS d
        WHERE w.op = 'm' AND ${isDelete(layout, 'd')}) AS k
      LEFT JOIN LATERAL (
        SELECT e.${order} AS at, e.${op} AS op, ${position('e')} AS position, e.${unchanged} AS unchanged
        FROM ${INCOMING} AS e WHERE ${sameKey} AND e.${order} < k.at
        ORDER BY e.${order} DESC LIMIT 1) AS p ON true
      WHERE w.at IS NOT NULL AND cardinality(w.missing) > 0)
    SELECT * FROM walk`
}

/** A value of one column, and for which row. */
type Find = (column: string, place: number) => string

function take(column: string, place: number, find: Find): string {
  const unchanged = quote(UNCHANGED)
  return `UPDATE ${INCOMING} AS i SET ${column} = f.value, ${unchanged} = array_remove(i.${unchanged}, ${place})
     FROM (${find(column, place)}) AS f
     WHERE i.${quote(ORDER)} = f.row AND ${place} = ANY(i.${unchanged})`
}

const fromChunk =
  (layout: Layout): Find =>
  (column, place) =>
    `SELECT w.row, e.${column} AS value FROM ${FOUND} AS w JOIN ${INCOMING} AS e ON e.${quote(ORDER)} = w.at
   WHERE w.at <> w.row AND ${place} = ANY(w.wanted) AND NOT ${place} = ANY(w.missing)
     AND NOT ${isDelete(layout, 'e')}`

/** A row of the snapshot that was read after this one had moved away from its key is another one. */
function fromTable({ keys, cursor, plan }: Layout, target: string): Find {
  const sameKey = keys.map((key) => `t.${quote(key)} = w.${quote(key)}`).join(' AND ')
  const position = `t.${quote(cursor ?? '')}`
  const before = cursor
    ? `AND (${position} IS NULL OR t.${quote(GENERATION_ID)} < ${Number(plan.minimumGenerationId)}
       OR w.moved_at IS NULL OR abs(${position}) <= w.moved_at)`
    : ''
  return (column, place) =>
    `SELECT w.row, t.${column} AS value FROM ${FOUND} AS w JOIN ${target} AS t ON ${sameKey}
     WHERE w.at IS NULL AND ${place} = ANY(w.missing) ${before}`
}

/** The change was applied before and is read again: the row has the value already. */
function fromOwnRow({ keys, cursor }: Layout, target: string): Find {
  const sameKey = keys.map((key) => `t.${quote(key)} = e.${quote(key)}`).join(' AND ')
  const known = cursor ? `AND t.${quote(cursor)} >= e.${quote(cursor)}` : ''
  return (column) =>
    `SELECT e.${quote(ORDER)} AS row, t.${column} AS value FROM ${INCOMING} AS e
     JOIN ${target} AS t ON ${sameKey} ${known} WHERE e.${quote(UNCHANGED)} IS NOT NULL`
}

function recordMissing(field: string, place: number): string {
  const change = JSON.stringify([{ field, change: 'NULLED', reason: 'SOURCE_RETRIEVAL_ERROR' }])
  const meta = quote(META)
  return `UPDATE ${INCOMING} AS i
     SET ${meta} = jsonb_set(i.${meta}, '{changes}', coalesce(i.${meta} -> 'changes', '[]') || ${quoteLiteral(change)}::jsonb)
     FROM ${FOUND} AS w
     WHERE w.at = w.row AND i.${quote(ORDER)} = w.row AND ${place} = ANY(i.${quote(UNCHANGED)})`
}
