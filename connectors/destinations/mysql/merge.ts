/**
 * Merging a chunk into a table by primary key. The cost follows from the chunk: its rows are sorted
 * once, and each finds its row in the table through the key's index.
 *
 * Which row wins: the one with the larger cursor, of equal cursors the later in stream order, null
 * being the smallest; in a chunk, against the table, and against what was deleted (`tombstones.ts`).
 * A deletion ranks as any row; one without a cursor ends what came before it, whatever its cursor.
 *
 * What becomes of a row is found out once and written beside it (`FATE`), so that no statement reads
 * the temporary table twice, which MySQL does not allow. `STRAIGHT_JOIN` begins with the chunk: a planner
 * that knows nothing of a temporary table would read the whole target. Rows of the target are
 * updated, not inserted over: an index of its owner then refuses a row instead of changing another.
 */
import type { RecordBatch } from '../../../src/protocol/index.ts'
import type { RejectedRow } from '../../../src/runtime/contract.ts'
import { refusedRows } from '../../../src/runtime/loading/isolate.ts'
import { META, OP, ORDER, plannedColumns, UNCHANGED } from '../../../src/runtime/loading/layout.ts'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { quote } from '../../../src/runtime/mysql/sql.ts'
import { rejectedRow } from '../../../src/runtime/row-text.ts'
import { dropAbsent, isDelete, ranksBelow, removeRows, removeTruncated } from './deletes.ts'
import { columnAtFault } from './fault.ts'
import { incoming, type Layout, latest } from './layout.ts'
import { recordsIn } from './read-back.ts'
import { underSavepoint } from './savepoint.ts'
import type { SqlClient } from './session.ts'
import { rowMetadata } from './sink.ts'
import { tableOptions } from './stream-id.ts'
import { dropLate, hasTombstones, unbury } from './tombstones.ts'
import { createSearch, keepUnchanged } from './unchanged.ts'

/** Against the table a row is new, takes the place of one that is there, or comes too late. */
export const FATE = '_airbyte_fate'
export const NEW = 0
export const REPLACES = 1
export const LATE = 2

export interface Merge {
  /** Qualified and quoted. */
  table: string
  /** Columns of the table that the stream no longer has. */
  left: string[]
  extractedAt: number
  maxRejects: number
  isolate: boolean
}

/** Temporary tables for one chunk. Not within a transaction: where it is not InnoDB's own, this would end it. */
export async function createIncoming(client: SqlClient, layout: Layout): Promise<void> {
  const columns = layout.columns.map(({ name, type }) => `${quote(name)} ${type} NULL`)
  const options = tableOptions(layout)
  await client.execute(`DROP TEMPORARY TABLE IF EXISTS ${incoming(layout)}, ${latest(layout)}`)
  await client.execute(`CREATE TEMPORARY TABLE ${incoming(layout)} (
    ${[...columns, ''].join(', ')}
    ${quote(META)} longtext NULL, ${quote(OP)} char(1) NULL, ${quote(UNCHANGED)} longtext NULL,
    ${quote(FATE)} tinyint NOT NULL DEFAULT ${NEW}, ${quote(ORDER)} bigint NOT NULL AUTO_INCREMENT PRIMARY KEY
  ) ${options}`)
  await client.execute(
    `CREATE TEMPORARY TABLE ${latest(layout)} (place bigint NOT NULL PRIMARY KEY) ${options}`,
  )
  await createSearch(client, layout)
}

/** The chunk's rows beside those of the table with their keys. */
export const joined = ({ keys, ...layout }: Layout, table: string) =>
  `${incoming({ keys, ...layout })} AS i STRAIGHT_JOIN ${table} AS t ON ${keys
    .map((key) => `t.${quote(key)} = i.${quote(key)}`)
    .join(' AND ')}`

/**
 * Merges the incoming rows into the target. Rows without a complete key come back as rejects; with
 * `isolate` those too that the target refuses: a constraint of its owner.
 */
export async function merge(
  client: MysqlClient,
  layout: Layout,
  into: Merge,
): Promise<RejectedRow[]> {
  const rejects = await takeKeyless(client, layout, into.maxRejects)
  const found = await lookAt(client, layout)
  if (found.truncates) await removeTruncated(client, layout, into)
  await findLatest(client, layout, found.unplaced)
  if (found.unchanged) await keepUnchanged(client, layout, into.table)
  await keepLatest(client, layout)
  const buried = await hasTombstones(client, layout)
  if (buried) await dropLate(client, layout)
  await findFates(client, layout, into.table)
  if (found.leaves) await dropAbsent(client, layout, into)
  if (found.deletes) await removeRows(client, layout, into)
  if (buried) await unbury(client, layout)
  if (!into.isolate) {
    await upsert(client, layout, into)
    return rejects
  }
  const left = into.maxRejects - rejects.length
  return [...rejects, ...(await upsertIsolated(client, layout, into, left))]
}

interface Found {
  truncates: boolean
  deletes: boolean
  /** Rows left the stream that may never have been loaded. */
  leaves: boolean
  /** There are deletes without a cursor: the order of coming is all that tells when. */
  unplaced: boolean
  unchanged: boolean
}

/** What the chunk has beyond plain rows. */
async function lookAt(client: SqlClient, layout: Layout): Promise<Found> {
  const cursor = layout.cursor ? `i.${quote(layout.cursor)}` : 'NULL'
  const deletes = isDelete(layout, 'i')
  const [row = []] = await client.query(
    `SELECT MAX(i.${quote(OP)} <=> 't'), MAX(${deletes}), MAX(i.${quote(OP)} <=> 'x'), MAX(${deletes} AND ${cursor} IS NULL),
       MAX(i.${quote(UNCHANGED)} IS NOT NULL)
     FROM ${incoming(layout)} AS i`,
  )
  const [truncates, isDeleting, leaves, unplaced, unchanged] = row.map((value) => value === '1')
  return {
    truncates: truncates ?? false,
    deletes: isDeleting ?? false,
    leaves: leaves ?? false,
    unplaced: unplaced ?? false,
    unchanged: unchanged ?? false,
  }
}

async function takeKeyless(
  client: MysqlClient,
  layout: Layout,
  max: number,
): Promise<RejectedRow[]> {
  const keyless = layout.keys.map((key) => `${quote(key)} IS NULL`).join(' OR ')
  const missing = `(${keyless}) AND NOT ${quote(OP)} <=> 't'`
  const places = layout.keys.map((key) => layout.columns.findIndex(({ name }) => name === key))
  const which = `${missing} ORDER BY ${quote(ORDER)} LIMIT ${max + 1}`
  const rejects = await rejectedIn(client, layout, which, ({ columns }, row) => ({
    reason: 'a primary key column is null',
    field: layout.keys[places.findIndex((place) => (columns[place]?.[row] ?? null) === null)],
  }))
  if (rejects.length > 0) await client.execute(`DELETE FROM ${incoming(layout)} WHERE ${missing}`)
  return rejects
}

/** Rows of the chunk as they are kept, to be loaded again. */
async function rejectedIn(
  client: MysqlClient,
  layout: Layout,
  which: string,
  why: (batch: RecordBatch, row: number) => Pick<RejectedRow, 'reason' | 'field'>,
): Promise<RejectedRow[]> {
  const rejects: RejectedRow[] = []
  const from = `${incoming(layout)} WHERE ${which}`
  for await (const batch of recordsIn(client, layout, plannedColumns(layout), from))
    for (let row = 0; row < batch.length; row++)
      rejects.push(rejectedRow(batch, row, why(batch, row)))
  return rejects
}

/** Notes which row of each key will stand. */
async function findLatest(client: SqlClient, layout: Layout, unplaced: boolean): Promise<void> {
  const keys = layout.keys.map(quote).join(', ')
  const cursor = layout.cursor && !unplaced ? `${quote(layout.cursor)} DESC, ` : ''
  await client.execute(
    `INSERT INTO ${latest(layout)} SELECT place FROM (
       SELECT ${quote(ORDER)} AS place,
         ROW_NUMBER() OVER (PARTITION BY ${keys} ORDER BY ${cursor}${quote(ORDER)} DESC) AS age
       FROM ${incoming(layout)}) AS ranked WHERE age = 1`,
  )
}

/** Leaves one row per key. */
async function keepLatest(client: SqlClient, layout: Layout): Promise<void> {
  await client.execute(
    `DELETE i FROM ${incoming(layout)} AS i LEFT JOIN ${latest(layout)} AS l
     ON l.place = i.${quote(ORDER)} WHERE l.place IS NULL`,
  )
}

async function findFates(client: SqlClient, layout: Layout, table: string): Promise<void> {
  const unplaced = layout.cursor
    ? `(${isDelete(layout, 'i')} AND i.${quote(layout.cursor)} IS NULL) OR `
    : ''
  await client.execute(
    `UPDATE ${joined(layout, table)}
     SET i.${quote(FATE)} = IF(${unplaced}${ranksBelow(layout, 't', 'i')}, ${REPLACES}, ${LATE})`,
  )
}

/** @param part a condition on the chunk's rows */
async function upsert(
  client: SqlClient,
  layout: Layout,
  { table, left, extractedAt }: Merge,
  part = 'TRUE',
): Promise<void> {
  const columns = [...layout.columns.map(({ name }) => name), META]
  const metadata = rowMetadata(layout, extractedAt)
  const standing = (fate: number) =>
    `i.${quote(FATE)} = ${fate} AND NOT ${isDelete(layout, 'i')} AND ${part}`
  const sets = [
    ...columns
      .filter((name) => !layout.keys.includes(name))
      .map((name) => [name, `i.${quote(name)}`] as const),
    ...metadata,
    ...left.map((name) => [name, 'NULL'] as const),
  ].map(([name, value]) => `t.${quote(name)} = ${value}`)
  await client.execute(
    `UPDATE ${joined(layout, table)} SET ${sets.join(', ')} WHERE ${standing(REPLACES)}`,
  )
  const names = [...columns, ...metadata.map(([name]) => name)].map(quote)
  const values = [...columns.map((name) => `i.${quote(name)}`), ...metadata.map(([, sql]) => sql)]
  await client.execute(
    `INSERT INTO ${table} (${names.join(', ')})
     SELECT ${values.join(', ')} FROM ${incoming(layout)} AS i WHERE ${standing(NEW)}`,
  )
}

/** The chunk's rows in parts, down to those that are refused. */
async function upsertIsolated(
  client: MysqlClient,
  layout: Layout,
  into: Merge,
  max: number,
): Promise<RejectedRow[]> {
  const order = quote(ORDER)
  const [row] = await client.query(`SELECT MIN(${order}), MAX(${order}) FROM ${incoming(layout)}`)
  if (row?.[0] == null || row[1] == null) return []
  return refusedRows([BigInt(row[0]), BigInt(row[1])], max, {
    attempt(from, to) {
      const part = `i.${order} BETWEEN ${from} AND ${to}`
      return underSavepoint(client, () => upsert(client, layout, into, part))
    },
    rejected(at, error) {
      const field = columnAtFault(layout, error)
      const why = { reason: error.message, ...(field === undefined ? {} : { field }) }
      return rejectedIn(client, layout, `${order} = ${at}`, () => why)
    },
  })
}
