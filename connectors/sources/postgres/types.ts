import type { AirbyteType } from '../../../src/protocol/index.ts'

/** How a built-in type travels. Absent flags are false. */
export interface TypeEntry {
  airbyte: AirbyteType
  /** Exists, with the same text form, in any PostgreSQL: its name goes into `x-native`. */
  native?: true
  /** Usable in a keyset: a b-tree type whose text form reads back to the same value. */
  key?: true
  /** Useful as a cursor, and how a lookback in seconds is taken from it. */
  cursor?: 'plain' | 'integer' | 'number' | 'date' | 'timestamp'
  /** Read as `(column)::cast` instead of as it is. */
  cast?: string
}

/**
 * PostgreSQL's built-in types by `pg_type.typname`. Arrays take their element's entry.
 * `money` is read as numeric: its own text depends on the server's locale. Types whose text names
 * objects of one server (`reg…`, `aclitem`) are strings without a native type.
 */
export const TYPES: Record<string, TypeEntry> = {
  int2: { airbyte: 'integer', native: true, key: true, cursor: 'integer' },
  int4: { airbyte: 'integer', native: true, key: true, cursor: 'integer' },
  int8: { airbyte: 'integer', native: true, key: true, cursor: 'integer' },
  oid: { airbyte: 'integer', native: true, key: true },
  xid: { airbyte: 'integer', native: true },
  cid: { airbyte: 'integer', native: true },
  xid8: { airbyte: 'integer', native: true, key: true, cursor: 'plain' },
  numeric: { airbyte: 'number', native: true, key: true, cursor: 'number' },
  float4: { airbyte: 'number', native: true, key: true, cursor: 'number' },
  float8: { airbyte: 'number', native: true, key: true, cursor: 'number' },
  money: { airbyte: 'number', cast: 'numeric' },
  bool: { airbyte: 'boolean', native: true, key: true },
  text: { airbyte: 'string', native: true, key: true, cursor: 'plain' },
  varchar: { airbyte: 'string', native: true, key: true, cursor: 'plain' },
  bpchar: { airbyte: 'string', native: true, key: true, cursor: 'plain' },
  name: { airbyte: 'string', native: true, key: true, cursor: 'plain' },
  char: { airbyte: 'string', native: true, key: true },
  uuid: { airbyte: 'string', native: true, key: true, cursor: 'plain' },
  bytea: { airbyte: 'binary', native: true, key: true },
  date: { airbyte: 'date', native: true, key: true, cursor: 'date' },
  time: { airbyte: 'time_without_timezone', native: true, key: true },
  timetz: { airbyte: 'time_with_timezone', native: true, key: true },
  timestamp: {
    airbyte: 'timestamp_without_timezone',
    native: true,
    key: true,
    cursor: 'timestamp',
  },
  timestamptz: {
    airbyte: 'timestamp_with_timezone',
    native: true,
    key: true,
    cursor: 'timestamp',
  },
  interval: { airbyte: 'string', native: true, key: true },
  json: { airbyte: 'unknown', native: true },
  jsonb: { airbyte: 'unknown', native: true },
  jsonpath: { airbyte: 'string', native: true },
  xml: { airbyte: 'string', native: true },
  inet: { airbyte: 'string', native: true, key: true },
  cidr: { airbyte: 'string', native: true, key: true },
  macaddr: { airbyte: 'string', native: true, key: true },
  macaddr8: { airbyte: 'string', native: true, key: true },
  bit: { airbyte: 'string', native: true, key: true },
  varbit: { airbyte: 'string', native: true, key: true },
  tsvector: { airbyte: 'string', native: true },
  tsquery: { airbyte: 'string', native: true },
  pg_lsn: { airbyte: 'string', native: true, key: true, cursor: 'plain' },
  txid_snapshot: { airbyte: 'string', native: true },
  pg_snapshot: { airbyte: 'string', native: true },
  tid: { airbyte: 'string', native: true },
  point: { airbyte: 'string', native: true },
  line: { airbyte: 'string', native: true },
  lseg: { airbyte: 'string', native: true },
  box: { airbyte: 'string', native: true },
  path: { airbyte: 'string', native: true },
  polygon: { airbyte: 'string', native: true },
  circle: { airbyte: 'string', native: true },
  ...ranges('int4', 'int8', 'num', 'ts', 'tstz', 'date'),
}

function ranges(...subtypes: string[]): Record<string, TypeEntry> {
  const entry: TypeEntry = { airbyte: 'string', native: true }
  return Object.fromEntries(
    subtypes.flatMap((subtype) => [
      [`${subtype}range`, entry],
      [`${subtype}multirange`, entry],
    ]),
  )
}

/** A column's type as the catalog query returns it; domains are already replaced by their base type. */
export interface CatalogType {
  /** With modifiers, as `format_type` prints it: `numeric(38,10)`. */
  name: string
  /** `pg_type.typname`: `numeric`, `_int4`. */
  typname: string
  /** `pg_type.typtype`: `b`ase, `c`omposite, `e`num, `r`ange, `m`ultirange … */
  typtype: string
  /** Defined in `pg_catalog`. */
  builtin: boolean
  /** For true arrays: the element type's `typname`, empty if that is not built in. */
  element: string | null
  elementTyptype: string | null
}

export interface ResolvedType extends TypeEntry {
  /** SQL that reads the column, given its quoted name. */
  expression(column: string): string
  /** The text of this expression is the column's own text, so that it can be compared with the column. */
  plain: boolean
  /** Of a composite type, or an array of one: only the catalog knows the names of its fields. */
  composite?: true
}

const asIs = (column: string) => column
/** `jsonb`, since its text is canonical: what a destination prints back is the same. */
const asJson = (column: string) => `to_jsonb(${column})`

/** How a column of this type is read and described. */
export function resolveType(type: CatalogType): ResolvedType {
  if (type.element !== null) return resolveArray(type.element, type.elementTyptype)
  const entry = type.builtin ? TYPES[type.typname] : undefined
  if (entry?.cast) {
    return { ...entry, expression: (column) => `(${column})::${entry.cast}`, plain: false }
  }
  if (entry) return { ...entry, expression: asIs, plain: true }
  if (type.typtype === 'c')
    return { airbyte: 'object', expression: asJson, plain: false, composite: true }
  const key = type.typtype === 'e' ? { key: true as const } : {}
  return { airbyte: 'string', ...key, expression: asIs, plain: true }
}

function resolveArray(element: string, typtype: string | null): ResolvedType {
  const entry = TYPES[element]
  if (entry?.native) return { airbyte: 'array', native: true, expression: asIs, plain: true }
  if (typtype === 'c')
    return { airbyte: 'array', expression: asJson, plain: false, composite: true }
  // Texts, as a column of the element's type is.
  const cast = entry?.cast ?? 'text'
  return {
    airbyte: 'array',
    expression: (column) => asJson(`(${column})::${cast}[]`),
    plain: false,
  }
}
