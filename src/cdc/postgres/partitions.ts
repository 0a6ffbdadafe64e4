/**
 * What happens to partitions and is in no log: rows that a table brings along when it is attached, rows
 * that go with a partition, and the TRUNCATE of one. The log would have that last one if partitions
 * were published as themselves; as all comes under the name of their root, the server leaves it out.
 */
import type pg from 'pg'
import { type StreamKey, streamKey } from '../../protocol/index.ts'
import type { LogWarning } from '../../runtime/source-log.ts'
import { nameOf, type PublishedTable } from './published-table.ts'
import type { FollowedTable } from './table-incarnation.ts'

interface Partition {
  /** It came with rows that it had already. */
  attached: boolean
  /** The file that it is in, which is another one after a TRUNCATE; absent: it has none. */
  file?: string
  /** Of its entry in the catalog: what one statement does to several gives all of them the same. */
  version: string
  /** In SQL; absent: this user may not read it by itself. */
  readable?: string
  horizon: string
}

/** The partitions of a table, by their names. */
export type Partitions = Map<string, Partition>

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
  for (const { partition, attached, file, version, readable, horizon, ...table } of rows) {
    const stream = nameOf(table)
    const partitions: Partitions = found.get(stream) ?? new Map()
    partitions.set(partition, {
      ...{ attached: attached === 't', version, horizon },
      ...(file !== null && { file }),
      ...(readable !== null && { readable }),
    })
    found.set(stream, partitions)
  }
  return found
}

interface PartitionRow {
  schema: string
  name: string
  partition: string
  attached: string
  file: string | null
  version: string
  readable: string | null
  horizon: string
}

/** What is kept of them until the next look: the same if nothing happened, so that it is not written again. */
export function seenPartitions(
  now: Partitions,
  before: FollowedTable | undefined,
): Pick<FollowedTable, 'partitions' | 'files' | 'horizon'> {
  const [first] = now.values()
  const named = [...now].flatMap(([name, { file }]) => (file === undefined ? [] : [[name, file]]))
  const files = Object.fromEntries(named.sort()) as Record<string, string>
  const isSame = JSON.stringify(files) === JSON.stringify(before?.files)
  const horizon = isSame ? before?.horizon : first?.horizon
  return { partitions: [...now.keys()], files, ...(horizon !== undefined && { horizon }) }
}

/** What happened to partitions since the last look. */
export async function partitionWarnings(
  client: pg.Client,
  before: FollowedTable,
  now: Partitions,
): Promise<LogWarning[]> {
  const { schema, name, partitions } = before
  if (!partitions) return []
  const came = [...now].filter(([part, { attached }]) => attached && !partitions.includes(part))
  const found: [string, string[]][] = [
    ['Partitions were attached, perhaps with rows,', came.map(([part]) => part)],
    [
      'Partitions were detached or dropped, with their rows,',
      partitions.filter((part) => !now.has(part)),
    ],
    ['Partitions were truncated, each by itself,', await truncated(client, before, now)],
  ]
  return found.flatMap(([what, parts]) => {
    if (parts.length === 0) return []
    const message = `${what} of ${nameOf(before)}: ${some(parts)}. That is not in the log; refresh the stream, with remove, if the destination should have it.`
    return [{ stream: streamKey({ namespace: schema, name }), message }]
  })
}

/**
 * Partitions that are in another file and have no row from before. VACUUM FULL and CLUSTER leave rows
 * the transaction that wrote them. A TRUNCATE of the whole table, which the log has, is one statement
 * for all of them; where there is but one, it cannot be told from that.
 */
async function truncated(
  client: pg.Client,
  { files = {}, horizon }: FollowedTable,
  now: Partitions,
): Promise<string[]> {
  if (horizon === undefined) return []
  const known = [...now].filter(([name]) => files[name] !== undefined)
  const moved = known.filter(([name, { file }]) => file !== files[name])
  const versions = new Set(moved.map(([, { version }]) => version))
  if (moved.length > 1 && moved.length === known.length && versions.size === 1) return []
  const names: string[] = []
  for (const [name, partition] of moved)
    if (!(await hasRowsBefore(client, partition, horizon))) names.push(name)
  return names
}

/** Among its first rows: those are the oldest, and a large table is not read for this. */
const LOOKED_AT = 10_000

async function hasRowsBefore(client: pg.Client, { readable }: Partition, horizon: string) {
  if (readable === undefined) return false
  const next = 'pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint'
  const { rows } = await client.query(
    `SELECT FROM (SELECT xmin FROM ONLY ${readable} LIMIT ${LOOKED_AT}) AS r
     WHERE ${next} - ((${next} - r.xmin::text::bigint) & 4294967295) < $1::bigint LIMIT 1`,
    [horizon],
  )
  return rows.length > 0
}

const SHOWN = 10
const some = (names: string[]) =>
  names.slice(0, SHOWN).join(', ') +
  (names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '')

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
SELECT tree.root_schema AS schema, tree.root_name AS name, n.nspname || '.' || c.relname AS partition,
  tree.attached, pg_catalog.pg_relation_filenode(c.oid) AS file, c.xmin AS version,
  CASE WHEN pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
    THEN pg_catalog.format('%I.%I', n.nspname, c.relname) END AS readable,
  pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) AS horizon
FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid AND c.relkind <> 'p'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`
