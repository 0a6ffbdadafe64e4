/** Rows that a change log says are gone: removed, or under soft deletion marked. */
import { isOfLog } from '../../../src/protocol/index.ts'
import {
  EXTRACTED_AT,
  GENERATION_ID,
  META,
  OP,
  ORDER,
} from '../../../src/runtime/loading/layout.ts'
import { quote, text } from '../../../src/runtime/mysql/sql.ts'
import { incoming, type Layout } from './layout.ts'
import { FATE, joined, LATE, type Merge, NEW, REPLACES } from './merge.ts'
import type { SqlClient } from './session.ts'
import { rowMetadata, timeText } from './sink.ts'
import { bury, buryAll } from './tombstones.ts'
import { castTo } from './types.ts'

/** Whether a row of this alias is a deletion. */
export function isDelete({ deletedAt }: Layout, alias: string): string {
  const marked = `COALESCE(${alias}.${quote(OP)} IN ('d', 'x'), FALSE)`
  return deletedAt ? `(${marked} OR ${alias}.${quote(deletedAt)} IS NOT NULL)` : `(${marked})`
}

/** Whether a row of the table gives way to one of the chunk. Rows that a refresh replaces always do. */
export function ranksBelow({ cursor, plan }: Layout, table: string, chunk: string): string {
  if (!cursor) return 'TRUE'
  const [old, now] = [`${table}.${quote(cursor)}`, `${chunk}.${quote(cursor)}`]
  return `(${old} IS NULL OR COALESCE(${now} >= ${old}, FALSE)
    OR ${table}.${quote(GENERATION_ID)} < ${Number(plan.minimumGenerationId)})`
}

/** Leaves out of the chunk what left the stream (`x`) and does not stand in the table. Fates are known. */
export async function dropAbsent(
  client: SqlClient,
  layout: Layout,
  { table }: Pick<Merge, 'table'>,
): Promise<void> {
  const left = `i.${quote(OP)} = 'x'`
  const { deletedAt, softDelete } = layout
  if (softDelete && deletedAt)
    await client.execute(
      `UPDATE ${joined(layout, table)} SET i.${quote(FATE)} = ${LATE}
       WHERE ${left} AND t.${quote(deletedAt)} IS NOT NULL`,
    )
  await client.execute(
    `DELETE i FROM ${incoming(layout)} AS i WHERE ${left} AND i.${quote(FATE)} <> ${REPLACES}`,
  )
}

/** The deletions among the chunk's rows, whose fates are known. */
export async function removeRows(client: SqlClient, layout: Layout, into: Merge): Promise<void> {
  const deleted = (fate: number) => `i.${quote(FATE)} = ${fate} AND ${isDelete(layout, 'i')}`
  if (layout.softDelete) {
    if (layout.plan.filtered) await buryAbsent(client, layout, deleted(NEW))
    return markRows(client, layout, into, deleted)
  }
  await client.execute(`DELETE t FROM ${joined(layout, into.table)} WHERE ${deleted(REPLACES)}`)
  await bury(client, layout, isDelete(layout, 'i'))
}

/** Of a filtered stream a row that was never seen may have been left out: its deletion is no row. */
async function buryAbsent(client: SqlClient, layout: Layout, absent: string): Promise<void> {
  await bury(client, layout, absent)
  await client.execute(`DELETE i FROM ${incoming(layout)} AS i WHERE ${absent}`)
}

/** A row that was never seen is marked too: it is its own tombstone. */
async function markRows(
  client: SqlClient,
  layout: Layout,
  { table, extractedAt }: Merge,
  deleted: (fate: number) => string,
): Promise<void> {
  const columns = [...layout.columns.map(({ name }) => name), META]
  const valueFor = (name: string) =>
    name === layout.deletedAt ? timeOf(layout, extractedAt) : `i.${quote(name)}`
  // What it takes from its deletion; it keeps its other values.
  const ofTheLog = columns.filter((name) => isOfLog(name) && name !== layout.cursor)
  const metadata = rowMetadata(layout, extractedAt)
  const sets = [
    ...[...ofTheLog, META].map((name) => [name, valueFor(name)] as const),
    ...metadata.filter(([name]) => name === EXTRACTED_AT || name === GENERATION_ID),
  ].map(([name, value]) => `t.${quote(name)} = ${value}`)
  const cursor = quote(layout.cursor ?? '')
  if (layout.cursor) sets.push(`t.${cursor} = COALESCE(i.${cursor}, t.${cursor})`)
  await client.execute(
    `UPDATE ${joined(layout, table)} SET ${sets.join(', ')} WHERE ${deleted(REPLACES)}`,
  )
  const names = [...columns, ...metadata.map(([name]) => name)].map(quote)
  const values = [...columns.map(valueFor), ...metadata.map(([, sql]) => sql)]
  await client.execute(
    `INSERT INTO ${table} (${names.join(', ')})
     SELECT ${values.join(', ')} FROM ${incoming(layout)} AS i WHERE ${deleted(NEW)}`,
  )
}

/** When a row was deleted; the extraction's time where the source does not tell. */
const timeOf = ({ deletedAt }: Layout, extractedAt: number) =>
  `COALESCE(i.${quote(deletedAt ?? '')}, ${text(timeText(extractedAt))})`

/** Everything before the last truncate, in the chunk and in the table, and the truncates themselves. */
export async function removeTruncated(
  client: SqlClient,
  layout: Layout,
  { table, extractedAt }: Merge,
): Promise<void> {
  const { cursor, deletedAt, softDelete } = layout
  const place = cursor ? `i.${quote(cursor)}` : 'NULL'
  const time = softDelete ? timeOf(layout, extractedAt) : 'NULL'
  const [last] = await client.query(
    `SELECT i.${quote(ORDER)}, ${place}, ${time} FROM ${incoming(layout)} AS i
     WHERE i.${quote(OP)} = 't' ORDER BY i.${quote(ORDER)} DESC LIMIT 1`,
  )
  if (!last) return
  const [at, position, deleted] = last
  await client.execute(
    `DELETE FROM ${incoming(layout)} WHERE ${quote(ORDER)} <= ${BigInt(at ?? 0)}`,
  )
  const type = layout.columns.find(({ name }) => name === cursor)?.type ?? 'longtext'
  const before =
    cursor && position != null
      ? `(${quote(cursor)} IS NULL OR ${quote(cursor)} <= ${castTo(type, text(position))})`
      : 'TRUE'
  if (softDelete && deletedAt)
    await client.execute(
      `UPDATE ${table} SET ${quote(deletedAt)} = ${text(deleted ?? '')}
       WHERE ${before} AND ${quote(deletedAt)} IS NULL`,
    )
  else await client.execute(`DELETE FROM ${table} WHERE ${before}`)
  if (position != null) await buryAll(client, layout, position)
}
