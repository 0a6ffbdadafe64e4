/**
 * Which columns of a deduplicated stream's table were made for it: one of those that the stream no longer
 * has is null in a row that is merged, for what it held before is not its value of now. What somebody
 * else added to the table, and what a database fills by itself, is not touched.
 */
import { text } from '../../../src/runtime/mysql/sql.ts'
import { type Layout, nameOf } from './layout.ts'
import type { SqlClient } from './session.ts'
import { ofStream, STREAM_ID, streamId } from './stream-id.ts'
import { fillableColumns } from './tables.ts'

export const ownColumns = (layout: Layout) => nameOf(layout, '_airbyte_columns')

export const createOwnColumns = (layout: Layout) => `
  CREATE TABLE IF NOT EXISTS ${ownColumns(layout)} (
    ${STREAM_ID},
    column_name VARCHAR(64) NOT NULL,
    PRIMARY KEY (stream_id, column_name)
  )`

/**
 * Remembers the columns that the table is to have. Of a stream of which none are remembered (an earlier
 * version did not) those that are there count too.
 *
 * @param existing names of the table's columns, before others are added
 */
export async function noteColumns(
  client: SqlClient,
  layout: Layout,
  existing: Iterable<string>,
): Promise<void> {
  const known = await knownColumns(client, layout)
  const now = [...layout.columns.map(({ name }) => name), ...(known.size > 0 ? [] : existing)]
  const added = [...new Set(now)].filter((name) => !known.has(name))
  if (added.length === 0) return
  const rows = added.map((name) => `(${text(streamId(layout))}, ${text(name)})`)
  await client.execute(
    `INSERT IGNORE INTO ${ownColumns(layout)} (stream_id, column_name) VALUES ${rows.join(', ')}`,
  )
}

async function knownColumns(client: SqlClient, layout: Layout): Promise<Set<string>> {
  const rows = await client.query(
    `SELECT column_name FROM ${ownColumns(layout)} WHERE ${ofStream(layout)}`,
  )
  return new Set(rows.map(([name]) => String(name)))
}

/** Those that the stream no longer has. */
export async function leftColumns(
  client: SqlClient,
  layout: Layout,
  table: string,
): Promise<string[]> {
  const own = new Set(layout.columns.map(({ name }) => name))
  const left = [...(await knownColumns(client, layout))].filter((name) => !own.has(name))
  if (left.length === 0) return []
  const there = new Set(await fillableColumns(client, layout, table))
  return left.filter((name) => there.has(name))
}
