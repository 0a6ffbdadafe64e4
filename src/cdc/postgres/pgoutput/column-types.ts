import type { AirbyteType, Column } from '../../../protocol/index.ts'
import type { PgRelation, RelationColumn } from './relation.ts'

/** Object id of a built-in type and of its array, Airbyte's type, and its SQL name where that differs. */
type TypeEntry = [oid: number, array: number, type: AirbyteType, sqlName?: string]

/** Built-in types by `pg_type.typname`. Their object ids are the same on every server. */
const TYPES: Record<string, TypeEntry> = {
  bool: [16, 1000, 'boolean', 'boolean'],
  bytea: [17, 1001, 'binary'],
  char: [18, 1002, 'string', '"char"'],
  name: [19, 1003, 'string'],
  int8: [20, 1016, 'integer', 'bigint'],
  int2: [21, 1005, 'integer', 'smallint'],
  int4: [23, 1007, 'integer', 'integer'],
  text: [25, 1009, 'string'],
  oid: [26, 1028, 'integer'],
  tid: [27, 1010, 'string'],
  xid: [28, 1011, 'integer'],
  cid: [29, 1012, 'integer'],
  json: [114, 199, 'unknown'],
  xml: [142, 143, 'string'],
  point: [600, 1017, 'string'],
  lseg: [601, 1018, 'string'],
  path: [602, 1019, 'string'],
  box: [603, 1020, 'string'],
  polygon: [604, 1027, 'string'],
  line: [628, 629, 'string'],
  cidr: [650, 651, 'string'],
  float4: [700, 1021, 'number', 'real'],
  float8: [701, 1022, 'number', 'double precision'],
  circle: [718, 719, 'string'],
  macaddr8: [774, 775, 'string'],
  money: [790, 791, 'number'],
  macaddr: [829, 1040, 'string'],
  inet: [869, 1041, 'string'],
  bpchar: [1042, 1014, 'string', 'character'],
  varchar: [1043, 1015, 'string', 'character varying'],
  date: [1082, 1182, 'date'],
  time: [1083, 1183, 'time_without_timezone', 'time without time zone'],
  timestamp: [1114, 1115, 'timestamp_without_timezone', 'timestamp without time zone'],
  timestamptz: [1184, 1185, 'timestamp_with_timezone', 'timestamp with time zone'],
  interval: [1186, 1187, 'string'],
  timetz: [1266, 1270, 'time_with_timezone', 'time with time zone'],
  bit: [1560, 1561, 'string'],
  varbit: [1562, 1563, 'string', 'bit varying'],
  numeric: [1700, 1231, 'number'],
  uuid: [2950, 2951, 'string'],
  txid_snapshot: [2970, 2949, 'string'],
  pg_lsn: [3220, 3221, 'string'],
  tsvector: [3614, 3643, 'string'],
  tsquery: [3615, 3645, 'string'],
  jsonb: [3802, 3807, 'unknown'],
  int4range: [3904, 3905, 'string'],
  numrange: [3906, 3907, 'string'],
  tsrange: [3908, 3909, 'string'],
  tstzrange: [3910, 3911, 'string'],
  daterange: [3912, 3913, 'string'],
  int8range: [3926, 3927, 'string'],
  jsonpath: [4072, 4073, 'string'],
  int4multirange: [4451, 6150, 'string'],
  nummultirange: [4532, 6151, 'string'],
  tsmultirange: [4533, 6152, 'string'],
  tstzmultirange: [4534, 6153, 'string'],
  datemultirange: [4535, 6155, 'string'],
  int8multirange: [4536, 6157, 'string'],
  pg_snapshot: [5038, 5039, 'string'],
  xid8: [5069, 271, 'integer'],
}

/** Named by an OID of an array, or by a type's own. */
const BY_OID = new Map<number, { name: string; array: boolean }>()
for (const [name, [oid, array]] of Object.entries(TYPES)) {
  BY_OID.set(oid, { name, array: false })
  BY_OID.set(array, { name, array: true })
}

/** A type that the server defined, by its OID; domains bear the name of their base type. */
export type TypeNames = ReadonlyMap<number, { namespace: string; name: string }>

/**
 * A relation's columns as a catalog would describe them. Types of the database's own (enums, composites)
 * are strings. Whether a column may be null the log does not say.
 */
export function columnsOfRelation(relation: PgRelation, typeNames: TypeNames): Column[] {
  return relation.columns.map((column) => ({
    name: column.name,
    ...typeOf(column, typeNames),
  }))
}

function typeOf({ typeOid, typmod }: RelationColumn, typeNames: TypeNames): Omit<Column, 'name'> {
  const found = BY_OID.get(typeOid) ?? baseOf(typeNames.get(typeOid))
  const entry = found && TYPES[found.name]
  if (!found || !entry) return { type: 'string' }
  const type = found.array ? 'array' : entry[2]
  if (found.name === 'money') return { type }
  const native = `${withModifier(entry[3] ?? found.name, typmod)}${found.array ? '[]' : ''}`
  return { type, native: { dialect: 'postgres', type: native } }
}

function baseOf(type: { namespace: string; name: string } | undefined) {
  if (!type || (type.namespace !== 'pg_catalog' && type.namespace !== '')) return undefined
  if (TYPES[type.name]) return { name: type.name, array: false }
  const element = type.name.startsWith('_') ? type.name.slice(1) : ''
  return TYPES[element] ? { name: element, array: true } : undefined
}

/** A varlena's modifier counts its own four bytes. */
const VARLENA_HEADER = 4

/** As `format_type` prints it. */
function withModifier(name: string, typmod: number): string {
  if (typmod < 0) return name
  switch (name) {
    case 'numeric': {
      const packed = typmod - VARLENA_HEADER
      // Eleven bits, signed since PostgreSQL 15.
      const scale = ((packed & 0x7ff) ^ 1024) - 1024
      return `numeric(${(packed >> 16) & 0xffff},${scale})`
    }
    case 'character':
    case 'character varying':
      return `${name}(${typmod - VARLENA_HEADER})`
    case 'bit':
    case 'bit varying':
      return `${name}(${typmod})`
    case 'time without time zone':
    case 'time with time zone':
    case 'timestamp without time zone':
    case 'timestamp with time zone':
      return name.replace(/^(\w+)/, `$1(${typmod})`)
    default:
      return name
  }
}
