/** Rows that a change log says are gone: removed, or under soft deletion marked. */
import type pg from 'pg'
import { isOfLog } from '../../../src/protocol/index.ts'
import {
  EXTRACTED_AT,
  GENERATION_ID,
  type Layout,
  META,
  OP,
  ORDER,
} from '../../../src/runtime/loading/layout.ts'
import { quote } from './identifiers.ts'
import { INCOMING } from './layout.ts'
import { script } from './script.ts'
import { EXTRACTED } from './tables.ts'
import { bury, buryAll } from './tombstones.ts'

/** Whether a row of this alias is a deletion. */
export function isDelete({ deletedAt }: Layout, alias: string): string {
  const marked = `coalesce(${alias}.${quote(OP)} IN ('d', 'x'), false)`
  return deletedAt ? `(${marked} OR ${alias}.${quote(deletedAt)} IS NOT NULL)` : `(${marked})`
}

/** Whether a row of the table gives way to one of the chunk. Rows that a refresh replaces always do. */
export function ranksBelow({ cursor, plan }: Layout, table: string, chunk: string): string {
  if (!cursor) return 'true'
  const [old, now] = [`${table}.${quote(cursor)}`, `${chunk}.${quote(cursor)}`]
  return `(${old} IS NULL OR ${now} >= ${old}
    OR ${table}.${quote(GENERATION_ID)} < ${Number(plan.minimumGenerationId)})`
}

/** Whether a row `t` of the table gives way to a deletion: one without a cursor ends what came before it. */
function isEnded(layout: Layout, deletion: string): string {
  const unplaced = layout.cursor ? `${deletion}.${quote(layout.cursor)} IS NULL OR ` : ''
  return `(${unplaced}${ranksBelow(layout, 't', deletion)})`
}

/** Whether a row `t` of the table has the key of one of the chunk. */
const sameKey = ({ keys }: Layout, chunk: string) =>
  keys.map((key) => `t.${quote(key)} = ${chunk}.${quote(key)}`).join(' AND ')

/** The statements that leave out of the chunk what left the stream (`x`) and does not stand in the table. */
export function dropAbsent(layout: Layout, target: string): string[] {
  const { deletedAt, softDelete } = layout
  const stands = softDelete ? ` AND t.${quote(deletedAt ?? '')} IS NULL` : ''
  return [
    `DELETE FROM ${INCOMING} AS i WHERE i.${quote(OP)} = 'x' AND NOT EXISTS (
       SELECT FROM ${target} AS t WHERE ${sameKey(layout, 'i')} AND ${isEnded(layout, 'i')}${stands})`,
  ]
}

/** The statements for the deletions among the chunk's rows, of which there is one per key. */
export function removeRows(layout: Layout, target: string): string[] {
  const deleted = `SELECT * FROM ${INCOMING} AS l WHERE ${isDelete(layout, 'l')}`
  if (layout.softDelete) {
    const absent = layout.plan.filtered ? buryAbsent(layout, target) : []
    return [...absent, markRows(layout, target, deleted)]
  }
  return [
    `DELETE FROM ${target} AS t USING (${deleted}) AS d
     WHERE ${sameKey(layout, 'd')} AND ${isEnded(layout, 'd')}`,
    ...bury(layout, deleted),
  ]
}

/** Of a filtered stream a row that was never seen may have been left out: its deletion is no row. */
function buryAbsent(layout: Layout, target: string): string[] {
  const absent = `${isDelete(layout, 'l')}
    AND NOT EXISTS (SELECT FROM ${target} AS t WHERE ${sameKey(layout, 'l')})`
  return [
    ...bury(layout, `SELECT * FROM ${INCOMING} AS l WHERE ${absent}`),
    `DELETE FROM ${INCOMING} AS l WHERE ${absent}`,
  ]
}

/** A row that was never seen is marked too: it is its own tombstone. */
function markRows(layout: Layout, target: string, deleted: string): string {
  const columns = [...layout.columns.map(({ name }) => name), META]
  const values = columns.map((name) =>
    name === layout.deletedAt ? timeOf(layout, 'd') : `d.${quote(name)}`,
  )
  // What it takes from its deletion; it keeps its other values.
  const ofTheLog = columns.filter((name) => isOfLog(name) && name !== layout.cursor)
  const sets = [...ofTheLog, META, EXTRACTED_AT, GENERATION_ID].map(
    (name) => `${quote(name)} = EXCLUDED.${quote(name)}`,
  )
  const cursor = quote(layout.cursor ?? '')
  if (layout.cursor) sets.push(`${cursor} = coalesce(EXCLUDED.${cursor}, t.${cursor})`)
  return `INSERT INTO ${target} AS t (${columns.map(quote).join(', ')})
     SELECT ${values.join(', ')} FROM (${deleted}) AS d
     ON CONFLICT (${layout.keys.map(quote).join(', ')}) DO UPDATE SET ${sets.join(', ')}
     WHERE ${isEnded(layout, 'EXCLUDED')}`
}

/** When a row was deleted; the extraction's time where the source does not tell. */
function timeOf({ columns, deletedAt }: Layout, alias: string): string {
  const type = columns.find(({ name }) => name === deletedAt)?.type
  return `coalesce(${alias}.${quote(deletedAt ?? '')},
    ${EXTRACTED}::${type})`
}

/** Everything before the last truncate, in the chunk and in the table, and the truncates themselves. */
export async function removeTruncated(
  client: pg.Client,
  layout: Layout,
  target: string,
): Promise<void> {
  const { cursor, deletedAt, softDelete } = layout
  const position = cursor ? `i.${quote(cursor)}` : 'NULL'
  const time = softDelete ? timeOf(layout, 'i') : 'NULL'
  const { rows } = await client.query<Record<'at' | 'position' | 'time', string | null>>(
    `SELECT i.${quote(ORDER)}::text AS at, ${position}::text AS position, ${time}::text AS time
     FROM ${INCOMING} AS i WHERE i.${quote(OP)} = 't' ORDER BY i.${quote(ORDER)} DESC LIMIT 1`,
  )
  const last = rows[0]
  if (!last) return
  await client.query(`DELETE FROM ${INCOMING} WHERE ${quote(ORDER)} <= ${BigInt(last.at ?? 0)}`)
  const type = layout.columns.find(({ name }) => name === cursor)?.type
  const before =
    cursor && last.position !== null
      ? `(${quote(cursor)} IS NULL OR ${quote(cursor)} <= $1::text::${type})`
      : '$1::text IS NULL'
  if (softDelete && deletedAt)
    await client.query(
      `UPDATE ${target} SET ${quote(deletedAt)} = $2 WHERE ${before} AND ${quote(deletedAt)} IS NULL`,
      [last.position, last.time],
    )
  else await client.query(`DELETE FROM ${target} WHERE ${before}`, [last.position])
  if (last.position !== null) await client.query(script(buryAll(layout, last.position)))
}
