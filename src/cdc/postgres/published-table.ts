import pg from 'pg'
import { AirbyteError, type StreamKey, streamKey } from '../../protocol/index.ts'
import { KEEPS_ROWS, letAllBeRead } from '../../runtime/postgres/row-security.ts'

/** A table whose changes are wanted. */
export interface PublishedTable {
  schema: string
  name: string
  /** Columns by which the destination tells rows apart; empty: rows are appended. */
  key: string[]
  /** Columns that must be in the log; absent: those that are. */
  columns?: string[]
  /** Only its inserts are wanted: the one way to capture a table without a replica identity. */
  insertOnly?: boolean
}

/** Of its stream. */
export const nameOf = ({ schema, name }: Pick<PublishedTable, 'schema' | 'name'>): StreamKey =>
  streamKey({ namespace: schema, name })

/**
 * For each table why it cannot be captured: it would break the table's updates, or would not tell which
 * row was changed. One question to the catalog, however many tables there are.
 */
export async function checkTables(
  client: pg.Client,
  tables: PublishedTable[],
): Promise<(AirbyteError | undefined)[]> {
  const { rows } = await client.query<IdentityRow>(IDENTITY_SQL, [
    tables.map(({ schema }) => schema),
    tables.map(({ name }) => name),
  ])
  const trees = Map.groupBy(rows, ({ ord }) => Number(ord))
  return tables.map((table, i) => problemOf(table, trees.get(i + 1) ?? []))
}

function problemOf(table: PublishedTable, tree: IdentityRow[]): AirbyteError | undefined {
  const stream = nameOf(table)
  if (tree.length === 0) {
    return new AirbyteError('STREAM_NOT_FOUND', `The database has no table ${qualified(table)}.`, {
      stream,
    })
  }
  for (const row of tree) {
    const problem = problemOfPart(row, table, stream)
    if (problem) return problem
  }
  return undefined
}

function problemOfPart(
  row: IdentityRow,
  table: PublishedTable,
  stream: StreamKey,
): AirbyteError | undefined {
  const place = qualified({ schema: row.schema, name: row.name })
  if (row.kind !== 'r' && row.kind !== 'p') {
    return unsuitable(stream, `${place} is not a table: it has no changes in the log.`, {
      hint: 'Read it with a full refresh, or capture the tables beneath it.',
    })
  }
  if (row.persistence !== 'p') {
    return unsuitable(stream, `${place} is not written to the log (it is unlogged or temporary).`, {
      hint: `Run ALTER TABLE ${place} SET LOGGED; as its owner, or deselect the stream.`,
    })
  }
  if (row.keeps_rows === 't') {
    return unsuitable(
      stream,
      `Row-level security keeps rows of ${place} from ${row.role}, whose changes the log has: the table would be neither all of its rows nor some.`,
      { hint: letAllBeRead(place, row.role) },
    )
  }
  return table.insertOnly ? undefined : identityProblem(row, table, stream, place)
}

function identityProblem(
  row: IdentityRow,
  table: PublishedTable,
  stream: StreamKey,
  place: string,
): AirbyteError | undefined {
  const identity = row.identity === null ? [] : (JSON.parse(row.identity) as string[])
  if (row.setting === 'f') return undefined
  if (identity.length === 0) {
    return unsuitable(
      stream,
      `${place} has no replica identity: publishing it would make the server refuse its updates and deletes.`,
      {
        hint: `Give it a primary key, or run ALTER TABLE ${place} REPLICA IDENTITY FULL; as its owner (its updates then write whole old rows to the log). A table that is only inserted into can be read as insert-only.`,
      },
    )
  }
  const uncovered = table.key.filter((column) => !identity.includes(column))
  if (uncovered.length === 0) return undefined
  return unsuitable(
    stream,
    `The key column '${uncovered[0]}' is not part of the replica identity of ${place} (${identity.join(', ')}): deletes would not say which row is gone.`,
    {
      hint: `Choose ${identity.join(', ')} as the stream's primary key, or run ALTER TABLE ${place} REPLICA IDENTITY FULL; as its owner.`,
    },
  )
}

interface IdentityRow {
  /** Of the table that was asked for. */
  ord: string
  schema: string
  name: string
  kind: string
  persistence: string
  setting: string
  identity: string | null
  keeps_rows: string
  /** The user, quoted. */
  role: string
}

/**
 * The table and, if it is partitioned, every table beneath: each has a replica identity of its own.
 * A deferrable primary key is none. Partitions are read as their parent's, by whose policies.
 */
const IDENTITY_SQL = `
WITH RECURSIVE tree(ord, oid, part) AS (
  SELECT w.ord, c.oid, false FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(schema, name, ord)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
  UNION ALL
  SELECT tree.ord, i.inhrelid, true FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
  JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
)
SELECT tree.ord, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relpersistence AS persistence,
  c.relreplident AS setting, NOT tree.part AND ${KEEPS_ROWS} AS keeps_rows, quote_ident(current_user) AS role,
  (SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum)
   FROM pg_catalog.pg_index x
   JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (x.indkey[0:x.indnkeyatts - 1])
   WHERE x.indrelid = c.oid AND x.indisvalid AND x.indimmediate
     AND CASE c.relreplident WHEN 'd' THEN x.indisprimary WHEN 'i' THEN x.indisreplident ELSE false END
  ) AS identity
FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`

export const qualified = ({ schema, name }: { schema: string; name: string }) =>
  `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`

export const unsuitable = (stream: StreamKey, message: string, { hint }: { hint: string }) =>
  new AirbyteError('CDC_TABLE_UNSUITABLE', message, { stream, hint })
