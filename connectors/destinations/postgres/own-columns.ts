/**
 * Which columns of a deduplicated stream's table were made for it: one of those that the stream no longer
 * has is null in a row that is merged, for what it held before is not its value of now. What somebody
 * else added to the table, and what a database fills by itself, is not touched.
 */
import type pg from 'pg'
import type { Layout } from '../../../src/runtime/loading/layout.ts'
import { quoteLiteral } from './identifiers.ts'
import { qualified } from './layout.ts'

export const ownColumns = ({ schema }: Layout) => qualified(schema, '_airbyte_columns')

export const createOwnColumns = (layout: Layout) => `
  CREATE TABLE IF NOT EXISTS ${ownColumns(layout)} (
    connection_id text NOT NULL,
    stream text NOT NULL,
    column_name text NOT NULL,
    PRIMARY KEY (connection_id, stream, column_name)
  )`

/**
 * Remembers the columns that the table is to have. Of a stream of which none are remembered (an earlier
 * version did not) those that are there count too.
 *
 * @param existing names of the table's columns, before others are added
 */
export async function noteColumns(
  client: pg.Client,
  layout: Layout,
  existing: Iterable<string>,
): Promise<void> {
  const table = ownColumns(layout)
  await client.query(
    `INSERT INTO ${table} (connection_id, stream, column_name)
     SELECT $1, $2, name FROM unnest($3::text[]) AS name
     UNION
     SELECT $1, $2, name FROM unnest($4::text[]) AS name WHERE NOT EXISTS
       (SELECT FROM ${table} WHERE connection_id = $1 AND stream = $2)
     ON CONFLICT DO NOTHING`,
    [
      ...[layout.plan.connectionId, layout.stream],
      ...[layout.columns.map(({ name }) => name), [...existing]],
    ],
  )
}

/** Names of those that the stream no longer has, as a JSON array; null if there are none. */
export function leftColumns(layout: Layout, target: string): string {
  const { columns, plan, stream } = layout
  const own = columns.map(({ name }) => quoteLiteral(name)).join(', ')
  return `(SELECT json_agg(a.attname)::text
     FROM ${ownColumns(layout)} AS c JOIN pg_attribute AS a ON a.attname = c.column_name
     WHERE c.connection_id = ${quoteLiteral(plan.connectionId)} AND c.stream = ${quoteLiteral(stream)}
       AND a.attrelid = to_regclass(${quoteLiteral(target)}) AND a.attnum > 0
       AND NOT (a.attisdropped OR a.attnotnull OR a.atthasdef OR a.attidentity <> '')
       AND NOT starts_with(a.attname::text, '_airbyte_') AND a.attname NOT IN (${own}))`
}
