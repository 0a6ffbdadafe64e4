import type pg from 'pg'
import type { Column } from '../../../src/protocol/index.ts'
import { KEEPS_ROWS } from '../../../src/runtime/postgres/row-security.ts'
import { type ResolvedType, resolveType } from './types.ts'

/** A table-like thing that the user may read. */
export interface Relation {
  /** Its object id, which no other has that has its name later. */
  oid: number
  schema: string
  name: string
  kind: 'table' | 'partitioned' | 'view' | 'materialized view' | 'foreign table'
  /** Changes when the table is rewritten (VACUUM FULL, TRUNCATE): row addresses are void then. */
  filenode: string | null
  /** The planner's estimates; rows are null when it has none. */
  rows: number | null
  pages: number
  columns: RelationColumn[]
  /** Names of the primary key's columns, in key order; empty without one. */
  key: string[]
  /** Row-level security may leave rows out of what this user reads. */
  keepsRows: boolean
}

export interface RelationColumn {
  name: string
  type: ResolvedType
  /** The type for literals that are compared with the column, without modifiers: `bpchar`. */
  literalType: string
  /** Its object id, before domains are replaced. */
  typeOid?: number
  column: Column
  /** @see AirbyteStream.column_ids */
  id?: string
}

/** Relations of these schemas (empty: all but the system's), or the one that is named. */
export async function listRelations(
  client: pg.Client,
  schemas: string[],
  only?: { schema: string; name: string },
): Promise<Relation[]> {
  const { rows } = await client.query<CatalogRow>(CATALOG_SQL, [
    only ? [only.schema] : schemas,
    only?.name ?? null,
  ])
  const relations = new Map<string, Relation>()
  for (const row of rows) {
    const relation = relations.get(row.oid) ?? relationOf(row)
    relations.set(row.oid, relation)
    if (row.attname !== null) relation.columns.push(columnOf(row))
  }
  return [...relations.values()].map((relation) => {
    const readable = new Set(relation.columns.map(({ name }) => name))
    // A key with a column the user may not read is no key to page by.
    return relation.key.every((name) => readable.has(name)) ? relation : { ...relation, key: [] }
  })
}

/** All values come as text. */
interface CatalogRow {
  oid: string
  nspname: string
  relname: string
  relkind: string
  filenode: string | null
  reltuples: string
  relpages: string
  key: string
  keeps_rows: string
  attname: string | null
  attnum: string
  attnotnull: string
  type: string
  literal_type: string
  type_oid: string
  typname: string
  typtype: string
  builtin: string
  element: string | null
  element_typtype: string | null
}

const KINDS: Record<string, Relation['kind']> = {
  r: 'table',
  p: 'partitioned',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}

function relationOf(row: CatalogRow): Relation {
  const estimate = Number(row.reltuples)
  const counted = row.relkind === 'r' || row.relkind === 'm' || row.relkind === 'p'
  return {
    oid: Number(row.oid),
    schema: row.nspname,
    name: row.relname,
    kind: KINDS[row.relkind] ?? 'table',
    filenode: row.filenode,
    // -1: never analysed; 0 with pages: before PostgreSQL 14 the same.
    rows: counted && (estimate > 0 || row.relpages === '0') && estimate >= 0 ? estimate : null,
    pages: Number(row.relpages),
    columns: [],
    key: JSON.parse(row.key) as string[],
    keepsRows: row.keeps_rows === 't',
  }
}

function columnOf(row: CatalogRow): RelationColumn {
  const name = row.attname as string
  const type = resolveType({
    name: row.type,
    typname: row.typname,
    typtype: row.typtype,
    builtin: row.builtin === 't',
    element: row.element,
    elementTyptype: row.element_typtype,
  })
  const column: Column = { name, type: type.airbyte }
  if (row.attnotnull === 't') column.nullable = false
  if (type.native) column.native = { dialect: 'postgres', type: row.type }
  return {
    ...{ name, type, column },
    literalType: row.literal_type,
    typeOid: Number(row.type_oid),
    id: `${row.oid}/${row.attnum}`,
  }
}

/**
 * $1 schemas (empty: all), $2 relation name or null. Partitions are left out: their parent is the
 * stream. A NOT NULL constraint that was never validated (PostgreSQL 18) does not count.
 */
const CATALOG_SQL = `
WITH RECURSIVE domain(oid, base, typmod) AS (
  SELECT oid, typbasetype, typtypmod FROM pg_catalog.pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT d.oid, t.typbasetype, t.typtypmod
  FROM domain d JOIN pg_catalog.pg_type t ON t.oid = d.base WHERE t.typtype = 'd'
), base AS (
  SELECT domain.* FROM domain JOIN pg_catalog.pg_type b ON b.oid = domain.base WHERE b.typtype <> 'd'
)
SELECT c.oid, n.nspname, c.relname, c.relkind,
  pg_catalog.pg_relation_filenode(c.oid) AS filenode, c.reltuples,
  CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int ELSE c.relpages END AS relpages,
  coalesce((
    SELECT pg_catalog.json_agg(ka.attname ORDER BY k.position)
    FROM pg_catalog.pg_constraint p
    CROSS JOIN LATERAL unnest(p.conkey) WITH ORDINALITY AS k(attnum, position)
    JOIN pg_catalog.pg_attribute ka ON ka.attrelid = c.oid AND ka.attnum = k.attnum
    WHERE p.conrelid = c.oid AND p.contype = 'p'
  ), '[]') AS key, ${KEEPS_ROWS} AS keeps_rows,
  a.attname, a.attnum,
  a.attnotnull AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint nn
    WHERE nn.conrelid = c.oid AND nn.contype = 'n' AND nn.conkey = ARRAY[a.attnum]
      AND NOT nn.convalidated
  ) AS attnotnull,
  CASE WHEN ed.base IS NULL THEN pg_catalog.format_type(t.oid, coalesce(d.typmod, a.atttypmod))
    ELSE pg_catalog.format_type(e.typarray, ed.typmod) END AS type,
  pg_catalog.format_type(t.oid, -1) AS literal_type, a.atttypid AS type_oid,
  t.typname, t.typtype, t.typnamespace = 'pg_catalog'::regnamespace AS builtin,
  CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 AND t.typlen = -1 AND t.typname LIKE '\\_%'
    THEN CASE WHEN e.typnamespace = 'pg_catalog'::regnamespace THEN e.typname::text ELSE '' END
  END AS element,
  e.typtype AS element_typtype
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  AND has_column_privilege(c.oid, a.attnum, 'SELECT')
LEFT JOIN base d ON d.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type t ON t.oid = coalesce(d.base, a.atttypid)
LEFT JOIN base ed ON ed.oid = t.typelem
LEFT JOIN pg_catalog.pg_type e ON e.oid = coalesce(ed.base, t.typelem)
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND c.relpersistence <> 't'
  AND CASE WHEN cardinality($1::text[]) > 0 THEN n.nspname = ANY ($1::text[])
    ELSE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' END
  AND ($2::text IS NULL OR c.relname = $2)
  AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
ORDER BY n.nspname, c.relname, a.attnum`
