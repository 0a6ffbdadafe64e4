import type pg from 'pg'
import { AirbyteError, type StreamKey, streamKey } from '../../protocol/index.ts'
import type { LogWarning } from '../../runtime/source-log.ts'
import { nameOf, type PublishedTable } from './published-table.ts'

/** A table as it was when its log was taken up, or last gone on with. */
export interface FollowedTable extends PublishedTable {
  /** Which table it is and which entry of a publication: both come anew with whatever makes them. */
  incarnation?: string
  /** Of a partitioned table: the tables beneath it. */
  partitions?: string[]
}

/** Of a table whose changes were not all told for a time, whatever it is by now. */
export const UNTOLD = 'untold'

/** The object id of the table that is followed; undefined: it is not known, or not followed now. */
export function tableOid({ incarnation = UNTOLD }: FollowedTable): number | undefined {
  return incarnation === UNTOLD ? undefined : Number(incarnation.split('/')[0])
}

/** The table has no entry where a publication names its schema or all tables. */
interface Incarnation {
  table: string
  entry: string
}

/** The partitions of a table, by their names, and whether each came with rows that it had already. */
export type Partitions = Map<string, { attached: boolean }>

/** Of those of these tables that are partitioned. */
export async function partitionsOf(
  client: pg.Client,
  tables: Pick<PublishedTable, 'schema' | 'name'>[],
): Promise<Map<StreamKey, Partitions>> {
  const { rows } = await client.query<PartitionRow>(PARTITIONS_SQL, [
    tables.map(({ schema }) => schema),
    tables.map(({ name }) => name),
  ])
  const found = new Map<StreamKey, Partitions>()
  for (const { partition, attached, ...table } of rows) {
    const stream = nameOf(table)
    const partitions: Partitions = found.get(stream) ?? new Map()
    found.set(stream, partitions.set(partition, { attached: attached === 't' }))
  }
  return found
}

interface PartitionRow {
  schema: string
  name: string
  partition: string
  attached: string
}

/**
 * What happened to partitions since the last look. Rows that a table brings along when it is attached,
 * and those that go with a partition, are in no log.
 */
export function partitionWarnings(
  { partitions, ...table }: FollowedTable,
  now: Partitions,
): LogWarning[] {
  if (!partitions) return []
  const stream = streamKey({ namespace: table.schema, name: table.name })
  const came = [...now].filter(([part, { attached }]) => attached && !partitions.includes(part))
  const left = partitions.filter((part) => !now.has(part))
  const say = (what: string, parts: string[]) =>
    parts.length === 0
      ? []
      : [
          {
            stream,
            message: `${what} of ${nameOf(table)}: ${some(parts)}. That is not in the log; refresh the stream, with remove, if the destination should have it.`,
          },
        ]
  return [
    ...say(
      'Partitions were attached, perhaps with rows,',
      came.map(([part]) => part),
    ),
    ...say('Partitions were detached or dropped, with their rows,', left),
  ]
}

const SHOWN = 10
const some = (names: string[]) =>
  names.slice(0, SHOWN).join(', ') +
  (names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '')

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

/** A table that was made as a partition has its type since that very transaction. */
const PARTITIONS_SQL = `WITH RECURSIVE tree(root_schema, root_name, oid, attached) AS (
  SELECT t.schema, t.name, c.oid, false FROM unnest($1::text[], $2::text[]) AS t(schema, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind = 'p'
  UNION ALL
  SELECT tree.root_schema, tree.root_name, i.inhrelid, i.xmin <> y.xmin
  FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
  JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
  JOIN pg_catalog.pg_type y ON y.oid = c.reltype
)
SELECT tree.root_schema AS schema, tree.root_name AS name, n.nspname || '.' || c.relname AS partition, tree.attached
FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid AND c.relkind <> 'p'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`

const INCARNATION_SQL = `SELECT t.schema, t.name, c.oid AS table,
  coalesce((SELECT string_agg(r.oid::text, ',' ORDER BY r.oid) FROM pg_catalog.pg_publication_rel r
    JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
    WHERE r.prrelid = c.oid AND p.pubname = ANY ($3::text[])), '') AS entry
FROM unnest($1::text[], $2::text[]) AS t(schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name`
