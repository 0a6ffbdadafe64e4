import type pg from 'pg'
import { type Lsn, parseLsn } from '../position.ts'
import type { OwnType } from './own-type.ts'

/** A type as the catalog has it now. */
export interface CatalogType {
  type: OwnType
  /** Another one after every change of a field, within it too. */
  version: string
  /** Someone is about to change it, or just has. */
  isLocked: boolean
}

/**
 * The types with these object ids, and a place in the log from which on they are so, until one has
 * another version. What changed them before this call is in the version, or they are locked: so what the
 * log had at the time of the call is of an older version only if that is not the one given here.
 *
 * Rejects with pg's own errors: map them with `mapPostgresError`.
 */
export async function readOwnTypes(
  client: pg.Client,
  oids: number[],
): Promise<{ types: Map<number, CatalogType>; since: Lsn }> {
  // In this order, and each with its own view of the catalog: who ends in between is seen by the second.
  const locks = await client.query<{ relation: string }>(LOCKS_SQL)
  const { rows } = await client.query<TypeRow>(TYPES_SQL, [oids])
  const place = await client.query<{ lsn: string }>(PLACE_SQL)
  const locked = new Set(locks.rows.map(({ relation }) => relation))
  const reader = new TypeReader(new Map(rows.map((row) => [row.oid, row])), locked)
  return {
    types: new Map(oids.map((oid) => [oid, reader.read(String(oid))])),
    since: parseLsn((place.rows[0] as { lsn: string }).lsn),
  }
}

/** All values come as text. */
interface TypeRow {
  oid: string
  name: string
  typtype: string
  builtin: string
  base: string
  /** Of true arrays. */
  element: string | null
  delimiter: string | null
  relation: string
  own_json: string
  /** Of composites: name, type and version of each field. */
  fields: string | null
}

class TypeReader {
  private readonly rows: ReadonlyMap<string, TypeRow>
  private readonly locked: ReadonlySet<string>
  private parts: string[] = []
  private isLocked = false

  constructor(rows: ReadonlyMap<string, TypeRow>, locked: ReadonlySet<string>) {
    this.rows = rows
    this.locked = locked
  }

  read(oid: string): CatalogType {
    this.parts = []
    this.isLocked = false
    const type = this.typeOf(oid)
    return { type, version: this.parts.join(' '), isLocked: this.isLocked }
  }

  private typeOf(oid: string): OwnType {
    const row = this.rows.get(oid)
    this.parts.push(oid)
    if (!row) return { kind: 'untold', name: `of number ${oid}` }
    const { name, element, delimiter } = row
    if (row.typtype === 'd') return this.typeOf(row.base)
    if (element)
      return { kind: 'array', element: this.typeOf(element), delimiter: delimiter ?? ',' }
    if (row.typtype === 'c') return { kind: 'composite', name, fields: this.fieldsOf(row) }
    const isBuiltin = row.builtin === 't'
    if (row.own_json === 't' || (isBuiltin && VECTORS.has(name))) return { kind: 'untold', name }
    return { kind: 'scalar', name: isBuiltin ? name : '' }
  }

  private fieldsOf({ relation, fields }: TypeRow) {
    if (this.locked.has(relation)) this.isLocked = true
    const list = JSON.parse(fields ?? '[]') as [name: string, type: string, version: string][]
    return list.map(([name, type, version]) => {
      this.parts.push(JSON.stringify(name), version)
      return { name, type: this.typeOf(type) }
    })
  }
}

/** Arrays whose text is none. */
const VECTORS = new Set(['int2vector', 'oidvector'])

const LOCKS_SQL = `SELECT relation FROM pg_catalog.pg_locks
WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND granted
  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())`

const PLACE_SQL = `SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
  THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_insert_lsn() END AS lsn`

/**
 * $1 object ids. Every change of a field, its name too, writes its row of the catalog anew: so that
 * row's transaction is the field's version.
 */
const TYPES_SQL = `
WITH RECURSIVE wanted(oid) AS (
  SELECT unnest($1::oid[])
  UNION
  SELECT part.oid FROM wanted w JOIN pg_catalog.pg_type t ON t.oid = w.oid
  CROSS JOIN LATERAL (
    SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
    UNION ALL SELECT t.typelem WHERE t.typelem <> 0
    UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
    WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
  ) AS part
)
SELECT t.oid, t.typname AS name, t.typtype, t.typnamespace = 'pg_catalog'::regnamespace AS builtin,
  t.typbasetype AS base, t.typrelid AS relation,
  CASE WHEN e.typarray = t.oid THEN e.oid END AS element, e.typdelim AS delimiter,
  EXISTS (SELECT FROM pg_catalog.pg_cast WHERE castsource = t.oid AND castmethod = 'f'
    AND casttarget = 'pg_catalog.json'::regtype AND t.oid >= 16384) AS own_json,
  CASE WHEN t.typtype = 'c' THEN (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
      a.attname, a.atttypid::text, a.attnum || '@' || a.xmin::text) ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
  ) END AS fields
FROM wanted JOIN pg_catalog.pg_type t USING (oid)
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem`
