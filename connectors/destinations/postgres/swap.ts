/**
 * Making a complete generation the visible one. Readers see the old rows or the new ones, never some
 * of each (a REPEATABLE READ transaction older than the load is PostgreSQL's own exception).
 */
import type pg from 'pg'
import type { Layout } from '../../../src/runtime/loading/layout.ts'
import { quote } from './identifiers.ts'
import { METADATA, qualified } from './layout.ts'
import { ensureKey, evolve, inspect } from './tables.ts'

/** Within the caller's transaction; does nothing if the hidden table is gone, that is, already shown. */
export async function showHidden(client: pg.Client, layout: Layout, hidden: string): Promise<void> {
  if (!(await inspect(client, layout.schema, hidden))) return
  if (!(await inspect(client, layout.schema, layout.table))) return rename(client, layout, hidden)
  if (await isReliedUpon(client, layout)) await replaceContents(client, layout, hidden)
  else await replaceTable(client, layout, hidden)
}

/** Whether anything beyond grants hangs on the table, which a new table would not have. */
export async function isReliedUpon(client: pg.Client, layout: Layout): Promise<boolean> {
  const { rows } = await client.query<{ relied: string }>(
    `SELECT c.relkind <> 'r' OR c.relrowsecurity OR c.relreplident <> 'd' OR c.reloptions IS NOT NULL
       OR c.relispartition
       OR EXISTS (SELECT FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid = c.oid
            AND classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_policy'::regclass))
       OR EXISTS (SELECT FROM pg_constraint WHERE c.oid IN (conrelid, confrelid) AND contype NOT IN ('n'))
       OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal)
       OR EXISTS (SELECT FROM pg_publication_rel WHERE prrelid = c.oid)
       OR EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent))
       OR EXISTS (SELECT FROM pg_description WHERE classoid = 'pg_class'::regclass AND objoid = c.oid)
       OR EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
            WHERE i.indrelid = c.oid AND NOT starts_with(x.relname, '_airbyte_key_'))
       AS relied
     FROM pg_class c WHERE c.oid = to_regclass($1)`,
    [qualified(layout.schema, layout.table)],
  )
  return rows[0]?.relied === 't'
}

/**
 * The same table with other rows. DELETE, not TRUNCATE: readers go on with the old rows until the
 * commit, without waiting.
 */
async function replaceContents(client: pg.Client, layout: Layout, hidden: string): Promise<void> {
  const target = qualified(layout.schema, layout.table)
  const source = qualified(layout.schema, hidden)
  await client.query(`LOCK TABLE ${target} IN SHARE ROW EXCLUSIVE MODE`)
  const existing = await inspect(client, layout.schema, layout.table)
  if (existing) await evolve(client, layout, layout.table, existing)
  await client.query(`DELETE FROM ${target}`)
  if (layout.dedup) await ensureKey(client, layout, layout.table)
  const columns = [...Object.keys(METADATA), ...layout.columns.map(({ name }) => name)]
  const list = columns.map(quote).join(', ')
  await client.query(`INSERT INTO ${target} (${list}) SELECT ${list} FROM ${source}`)
  await client.query(`DROP TABLE ${source}`)
}

async function replaceTable(client: pg.Client, layout: Layout, hidden: string): Promise<void> {
  await client.query(
    `LOCK TABLE ${qualified(layout.schema, layout.table)} IN ACCESS EXCLUSIVE MODE`,
  )
  await keepOldColumns(client, layout, hidden)
  await copyGrants(client, layout, hidden)
  await client.query(`DROP TABLE ${qualified(layout.schema, layout.table)}`)
  await rename(client, layout, hidden)
}

const rename = async (client: pg.Client, { schema, table }: Layout, hidden: string) => {
  await client.query(`ALTER TABLE ${qualified(schema, hidden)} RENAME TO ${quote(table)}`)
}

/** A column that the source no longer has stays, with nulls. */
async function keepOldColumns(client: pg.Client, layout: Layout, hidden: string): Promise<void> {
  const before = await inspect(client, layout.schema, layout.table)
  const after = await inspect(client, layout.schema, hidden)
  const added = [...(before ?? [])]
    .filter(([name]) => !after?.has(name))
    .map(([name, { type }]) => `ADD COLUMN ${quote(name)} ${type}`)
  if (added.length > 0)
    await client.query(`ALTER TABLE ${qualified(layout.schema, hidden)} ${added.join(', ')}`)
}

/** Owner and privileges, of the table and of its columns. */
async function copyGrants(client: pg.Client, layout: Layout, hidden: string): Promise<void> {
  const to = qualified(layout.schema, hidden)
  const { rows } = await client.query<{ statement: string }>(
    `WITH old AS (SELECT * FROM pg_class WHERE oid = to_regclass($1)),
     granted AS (
       SELECT relowner, NULL::name AS attname, (aclexplode(relacl)).* FROM old
       UNION ALL
       SELECT relowner, attname, (aclexplode(attacl)).* FROM old
       JOIN pg_attribute ON attrelid = old.oid AND attnum > 0 AND NOT attisdropped)
     SELECT format('ALTER TABLE %s OWNER TO %I', $2::text, pg_get_userbyid(relowner)) AS statement
     FROM old WHERE relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
     UNION ALL
     SELECT format('GRANT %s%s ON %s TO %s%s', privilege_type, '(' || quote_ident(attname) || ')',
       $2::text, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
       CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
     FROM granted WHERE grantee <> relowner`,
    [qualified(layout.schema, layout.table), to],
  )
  for (const { statement } of rows) await client.query(statement)
}
