/**
 * Making a complete generation the visible one. One RENAME TABLE puts it in the place of the old:
 * readers see the old rows or the new ones, never some of each and never none. Grants and views go
 * by name and stay.
 */
import { quote, text } from '../../../src/runtime/mysql/sql.ts'
import { type Layout, METADATA, nameOf } from './layout.ts'
import type { SqlClient } from './session.ts'
import { evolve, inspect } from './tables.ts'

/** Puts the hidden table in the place of the one that is shown. Every step can be repeated. */
export async function replaceTable(
  client: SqlClient,
  layout: Layout,
  hidden: string,
): Promise<void> {
  const target = nameOf(layout, layout.table)
  if (await inspect(client, layout, layout.table)) {
    await keepOldColumns(client, layout, hidden)
    await dropReplaced(client, layout, hidden)
    const old = nameOf(layout, oldName(hidden))
    await client.execute(`RENAME TABLE ${target} TO ${old}, ${nameOf(layout, hidden)} TO ${target}`)
  } else await client.execute(`RENAME TABLE ${nameOf(layout, hidden)} TO ${target}`)
}

/** What was shown before. */
export async function dropReplaced(
  client: SqlClient,
  layout: Layout,
  hidden: string,
): Promise<void> {
  const old = oldName(hidden)
  // Dropping nothing is as slow as dropping a table.
  if (await inspect(client, layout, old)) await client.execute(`DROP TABLE ${nameOf(layout, old)}`)
}

/** `_airbyte_next_…` as `_airbyte_last_…`: as long, and no stream's. */
const oldName = (hidden: string) => hidden.replace('_airbyte_next_', '_airbyte_last_')

/**
 * Whether anything beyond grants and views hangs on the table, which a new table would not have.
 * Foreign keys of other databases are not looked for: MariaDB would open every table there is.
 */
export async function isReliedUpon(client: SqlClient, layout: Layout): Promise<boolean> {
  if (!(await inspect(client, layout, layout.table))) return false
  const [schema, table] = [text(layout.schema), text(layout.table)]
  const [row] = await client.query(
    `SELECT EXISTS (SELECT 1 FROM information_schema.TRIGGERS
         WHERE EVENT_OBJECT_SCHEMA = ${schema} AND EVENT_OBJECT_TABLE = ${table})
       OR EXISTS (SELECT 1 FROM information_schema.REFERENTIAL_CONSTRAINTS
         WHERE CONSTRAINT_SCHEMA = ${schema} AND REFERENCED_TABLE_NAME = ${table})
       OR EXISTS (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS
         WHERE TABLE_SCHEMA = ${schema} AND TABLE_NAME = ${table} AND CONSTRAINT_TYPE IN ('FOREIGN KEY', 'CHECK'))
       OR EXISTS (SELECT 1 FROM information_schema.STATISTICS
         WHERE TABLE_SCHEMA = ${schema} AND TABLE_NAME = ${table} AND LEFT(INDEX_NAME, 13) <> '_airbyte_key_')
       OR EXISTS (SELECT 1 FROM information_schema.TABLES
         WHERE TABLE_SCHEMA = ${schema} AND TABLE_NAME = ${table}
         AND (TABLE_TYPE <> 'BASE TABLE' OR CREATE_OPTIONS LIKE '%partitioned%'))`,
  )
  return row?.[0] === '1'
}

/** The target with the columns of the hidden table; no part of the transaction of `replaceContents`. */
export async function prepareReplacement(client: SqlClient, layout: Layout): Promise<void> {
  const existing = await inspect(client, layout, layout.table)
  if (existing) await evolve(client, layout, layout.table, existing)
}

/** The same table with other rows, within the caller's transaction: readers go on with the old until its end. */
export async function replaceContents(
  client: SqlClient,
  layout: Layout,
  hidden: string,
): Promise<void> {
  const target = nameOf(layout, layout.table)
  const columns = [...Object.keys(METADATA), ...layout.columns.map(({ name }) => name)]
  const list = columns.map(quote).join(', ')
  await client.execute(`DELETE FROM ${target}`)
  await client.execute(
    `INSERT INTO ${target} (${list}) SELECT ${list} FROM ${nameOf(layout, hidden)}`,
  )
}

/** A column that the source no longer has stays, with nulls. */
async function keepOldColumns(client: SqlClient, layout: Layout, hidden: string): Promise<void> {
  const before = await inspect(client, layout, layout.table)
  const after = await inspect(client, layout, hidden)
  const added = [...(before ?? [])]
    .filter(([name]) => !after?.has(name))
    .map(([name, { type, collation }]) => {
      return `ADD COLUMN ${quote(name)} ${type}${collation ? ` COLLATE ${collation}` : ''} NULL`
    })
  if (added.length > 0)
    await client.execute(`ALTER TABLE ${nameOf(layout, hidden)} ${added.join(', ')}`)
}
