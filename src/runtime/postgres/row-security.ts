const policy = (condition: string) => `
  EXISTS (SELECT FROM pg_catalog.pg_policy y WHERE y.polrelid = c.oid AND y.polcmd IN ('r', '*')
    AND EXISTS (SELECT FROM unnest(y.polroles) AS own(role)
      WHERE own.role = 0 OR pg_has_role(own.role, 'USAGE')) AND ${condition})`

/**
 * SQL of whether row-level security may keep rows of `c`, a row of pg_class, from this user: PostgreSQL
 * leaves them out of what is read, without a word. A policy that lets all be read keeps none.
 */
export const KEEPS_ROWS = `(c.relrowsecurity AND row_security_active(c.oid) AND (
  NOT ${policy("y.polpermissive AND pg_get_expr(y.polqual, y.polrelid) = 'true'")}
  OR ${policy('NOT y.polpermissive')}))`

/** What lets the user read all of a table. */
export const letAllBeRead = (table: string, role: string) =>
  `Run ALTER ROLE ${role} BYPASSRLS; as a superuser, or CREATE POLICY airbyte ON ${table} FOR SELECT TO ${role} USING (true); as the table's owner.`
