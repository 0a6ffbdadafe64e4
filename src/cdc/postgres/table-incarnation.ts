import type pg from 'pg'
import { AirbyteError, type StreamKey } from '../../protocol/index.ts'
import { nameOf, type PublishedTable } from './published-table.ts'

/** A table as it was when its log was taken up, or last gone on with. */
export interface FollowedTable extends PublishedTable {
  /** Which table it is and which entry of a publication: both come anew with whatever makes them. */
  incarnation?: string
  /** Of a partitioned table: the tables beneath it. */
  partitions?: string[]
  /** The files that they were in, by their names. */
  files?: Record<string, string>
  /** Every transaction below this number had ended when these were looked at. */
  horizon?: string
}

/** Of a table whose changes were not all told for a time, whatever it is by now. */
export const UNTOLD = 'untold'

/** The object id of the table that is followed; undefined: it is not known, or not followed now. */
export function tableOid({
  incarnation = UNTOLD,
}: Pick<FollowedTable, 'incarnation'>): number | undefined {
  return incarnation === UNTOLD ? undefined : Number(incarnation.split('/')[0])
}

/** The table has no entry where a publication names its schema or all tables. */
interface Incarnation {
  table: string
  entry: string
}

/** Of each table that is there, in the order in which they are asked for. */
export async function tableIncarnations(
  client: pg.Client,
  publications: string[],
  tables: Pick<PublishedTable, 'schema' | 'name'>[],
): Promise<Map<StreamKey, string>> {
  const { rows } = await client.query<Incarnation & { schema: string; name: string }>(
    INCARNATION_SQL,
    [tables.map(({ schema }) => schema), tables.map(({ name }) => name), publications],
  )
  return new Map(rows.map(({ table, entry, ...of }) => [nameOf(of), `${table}/${entry}`]))
}

/**
 * For each of these tables why its changes since it was last looked at are not all in the log: it was
 * taken out of the publication, if only for a moment, or is another table than it was. That is no
 * matter of the log: other tables are read on. Tables that are gone are not told of.
 */
export async function untoldTables(
  client: pg.Client,
  publications: string[],
  tables: FollowedTable[],
): Promise<Map<StreamKey, AirbyteError>> {
  const now = await tableIncarnations(client, publications, tables)
  const published = await publishedTables(client, publications)
  const untold = new Map<StreamKey, AirbyteError>()
  for (const { incarnation, ...table } of tables) {
    const stream = nameOf(table)
    const found = now.get(stream)
    if (found === undefined) continue
    const why = whyUntold(incarnation, found, published.has(stream))
    if (why) untold.set(stream, changesLost(stream, why))
  }
  return untold
}

function whyUntold(before: string | undefined, now: string, isPublished: boolean) {
  if (before === UNTOLD) return 'could not be captured for a time'
  if (!isPublished) return 'is no longer published'
  // Older logs did not keep it.
  if (before === undefined || before === now) return undefined
  const [table] = before.split('/')
  if (table !== now.split('/')[0]) return 'was dropped and made anew, or another has its name now'
  return 'was taken out of the publication for a time, or is published otherwise'
}

async function publishedTables(client: pg.Client, publications: string[]) {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT DISTINCT schemaname AS schema, tablename AS name
     FROM pg_catalog.pg_publication_tables WHERE pubname = ANY ($1::text[])`,
    [publications],
  )
  return new Set(rows.map(nameOf))
}

const changesLost = (stream: StreamKey, why: string) =>
  new AirbyteError('CDC_POSITION_LOST', `The table ${stream} ${why}.`, {
    stream,
    hint: 'What was written meanwhile is in no log that we can read. Refresh this stream, with remove; the others go on.',
  })

const INCARNATION_SQL = `SELECT t.schema, t.name, c.oid AS table,
  coalesce((SELECT string_agg(r.oid::text, ',' ORDER BY r.oid) FROM pg_catalog.pg_publication_rel r
    JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
    WHERE r.prrelid = c.oid AND p.pubname = ANY ($3::text[])), '') AS entry
FROM unnest($1::text[], $2::text[]) AS t(schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name`
