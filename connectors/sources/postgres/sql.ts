import pg from 'pg'
import type { Relation, RelationColumn } from './relations.ts'
import type { CursorBound, Moment } from './state.ts'

export const quote = (name: string) => pg.escapeIdentifier(name)

/**
 * A column of the relation. Qualified: a bare name in ORDER BY would mean the result column, which
 * may be the value cast to text.
 */
export const columnSql = (name: string) => `t.${quote(name)}`

/** `FROM` item, as `t`. ONLY: rows of inheriting tables belong to those tables' own streams. */
export function fromItem({ schema, name, kind }: Relation): string {
  return `${kind === 'table' ? 'ONLY ' : ''}${quote(schema)}.${quote(name)} AS t`
}

/** Something rows can be ordered by and compared with. */
export interface OrderKey {
  /** Column name, or `ctid`. */
  name: string
  /** In SQL. */
  expression: string
  literalType: string
}

export const keyOf = ({ name, literalType }: RelationColumn): OrderKey => ({
  name,
  expression: columnSql(name),
  literalType,
})

/** Address of a row in its table: the tie-break where there is no key. */
export const CTID: OrderKey = { name: 'ctid', expression: 't.ctid', literalType: 'tid' }

export const literal = (value: string, type: string) => `${pg.escapeLiteral(value)}::${type}`

/** Rows strictly after (or up to and including) these values in the order of the keys. */
export function compareRow(
  keys: OrderKey[],
  operator: '>' | '>=' | '<=',
  values: string[],
): string {
  const left = keys.map(({ expression }) => expression).join(', ')
  const right = keys.map(({ literalType }, i) => literal(values[i] ?? '', literalType)).join(', ')
  return `(${left}) ${operator} (${right})`
}

/** 64-bit id of the transaction that wrote the row; `xmin` itself wraps around at 32 bits. */
const NOW_XID = '(SELECT txid_snapshot_xmax(txid_current_snapshot()))'
const ROW_XID = `(${NOW_XID} - ((${NOW_XID} - t.xmin::text::bigint) & 4294967295))`

/** More transactions than this at the cursor's end, and the window is read again instead. */
const MAX_SEEN = 1000

export const hasXmin = ({ kind }: Relation) => kind !== 'view' && kind !== 'foreign table'

/**
 * Whether the rows without a value in the column that came after a moment can be told. A materialized
 * view is written anew with each refresh.
 */
export const tellsNulls = ({ kind }: Relation) => kind === 'table' || kind === 'partitioned'

export const canBeNull = ({ column }: RelationColumn) => column.nullable !== false

/**
 * The bound as it stands now: one row, `cursor`, `horizon`, `seen` (JSON) and of rows without a value
 * `null_seen` (JSON) or, where these cannot be told, `null_count`; all of one snapshot.
 */
export function boundSql(relation: Relation, column: RelationColumn, lookback: number): string {
  const from = fromItem(relation)
  const c = columnSql(column.name)
  const top = `SELECT ${c} AS value FROM ${from} WHERE ${c} IS NOT NULL ORDER BY ${c} DESC LIMIT 1`
  const counted = `(SELECT count(*) FROM ${from} WHERE ${c} IS NULL) AS null_count`
  const nulls = canBeNull(column) && !tellsNulls(relation) ? `, ${counted}` : ''
  if (!hasXmin(relation))
    return `WITH top AS (${top}) SELECT (SELECT value::text FROM top) AS cursor${nulls}`
  const seen = (where: string, most: number) => `(
  SELECT coalesce(json_agg(xid::text ORDER BY xid), '[]') FROM (
    SELECT DISTINCT ${ROW_XID} AS xid FROM ${from}
    WHERE ${where} AND ${ROW_XID} >= horizon ORDER BY xid LIMIT ${most}
  ) late
)`
  const end = `${c} >= ${below(column, '(SELECT value FROM top)', lookback)}`
  const told = canBeNull(column) && tellsNulls(relation)
  return `WITH top AS (${top}),
  moment AS (SELECT txid_snapshot_xmin(txid_current_snapshot()) AS horizon)
SELECT (SELECT value::text FROM top) AS cursor, horizon, ${seen(end, MAX_SEEN + 1)} AS seen${
    told ? `, ${seen(`${c} IS NULL`, MAX_SEEN)} AS null_seen` : nulls
  } FROM moment`
}

interface BoundRow {
  cursor: string | null
  horizon?: string
  seen?: string
  null_seen?: string
  null_count?: string
}

/** What `boundSql` answered. Rows without a cursor value of transactions past the list come later. */
export function boundOf(row: BoundRow | undefined, lookback: number, server?: string): CursorBound {
  const bound: CursorBound = { cursor: row?.cursor ?? null, lookback }
  const horizon = row?.horizon
  const seen = JSON.parse(row?.seen ?? '[]') as string[]
  if (horizon && seen.length <= MAX_SEEN) Object.assign(bound, { horizon, seen })
  if (horizon && row.null_seen) bound.nullRows = { horizon, seen: JSON.parse(row.null_seen) }
  if (server) bound.server = server
  if (row?.null_count) bound.nullCount = Number(row.null_count)
  return bound
}

/** Rows without a cursor value up to `upper`, without those up to `lower`, each once. */
export function nullsSql(column: RelationColumn, lower?: Moment, upper?: Moment): string {
  return [
    `${columnSql(column.name)} IS NULL`,
    ...(upper ? [wasDone(upper)] : []),
    ...(lower ? [`NOT ${wasDone(lower)}`] : []),
  ].join(' AND ')
}

/**
 * Rows after `lower` and up to `upper`, each exactly once over successive windows: near a bound, what
 * counts is whether the row's transaction was done when the bound was taken.
 */
export function windowSql(
  column: RelationColumn,
  lower: CursorBound | undefined,
  upper: CursorBound,
): string {
  const c = columnSql(column.name)
  const conditions: string[] = []
  if (lower?.cursor) {
    const value = literal(lower.cursor, column.literalType)
    conditions.push(`${c} >= ${below(column, value, lower.lookback, lower.cursor)}`)
    if (lower.horizon) conditions.push(`(${c} > ${value} OR NOT ${wasDone(lower)})`)
  }
  if (upper.cursor !== null) {
    const value = literal(upper.cursor, column.literalType)
    conditions.push(`${c} <= ${value}`)
    if (upper.horizon) {
      const watched = below(column, value, upper.lookback, upper.cursor)
      conditions.push(`(${c} < ${watched} OR ${wasDone(upper)})`)
    }
  }
  return conditions.join(' AND ')
}

function wasDone({ horizon = '', seen = [] }: Partial<Moment>): string {
  // BigInt: a state can be set by hand, and nothing but numbers may get into the statement.
  const older = `${ROW_XID} < ${BigInt(horizon)}`
  return seen.length === 0
    ? `(${older})`
    : `(${older} OR ${ROW_XID} IN (${seen.map(BigInt).join(', ')}))`
}

/** `value` less the lookback. Integers are computed here, since their own type may be too narrow. */
function below(column: RelationColumn, value: string, lookback: number, text?: string): string {
  if (!(lookback > 0)) return value
  switch (column.type.cursor) {
    case 'timestamp':
      return `(${value} - interval '${Number(lookback)} seconds')`
    case 'date':
      return `(${value} - ${Math.ceil(lookback / 86_400)})`
    case 'integer':
      return text
        ? `${BigInt(text) - BigInt(Math.ceil(lookback))}`
        : `(${value}::bigint - ${lookback})`
    case 'number':
      return `(${value} - ${lookback})`
    default:
      return value
  }
}
