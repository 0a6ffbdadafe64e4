import type { JsonSchema } from './json.ts'

/**
 * Airbyte's data types. `object`, `array` and `unknown` cells hold JSON *text*.
 * @see https://docs.airbyte.com/platform/understanding-airbyte/supported-data-types
 */
export type AirbyteType =
  | 'string'
  | 'binary'
  | 'boolean'
  | 'date'
  | 'time_without_timezone'
  | 'time_with_timezone'
  | 'timestamp_without_timezone'
  | 'timestamp_with_timezone'
  | 'integer'
  | 'number'
  | 'object'
  | 'array'
  | 'unknown'

/** A database's own type, kept so that equal systems can create an equal column. */
export interface NativeType {
  /** `postgres`, `mysql` … */
  dialect: string
  /** As the database prints it: `numeric(38,10)`, `uuid`, `timestamp with time zone`. */
  type: string
}

export interface Column {
  name: string
  type: AirbyteType
  /** Absent or true: may be null. */
  nullable?: boolean
  native?: NativeType
  /** What an object column is flattened into: columns of its members, each with its path in the object. */
  members?: (Omit<Column, 'members'> & { path: string[] })[]
  /** The table that the elements of an array column become. */
  elements?: ElementTable
}

export interface ElementTable {
  /** Its name, without the connection's prefix. */
  table: string
  /** The column that stands in the array's place and has the number of its elements. */
  count: string
  /** Fields of an element, as they are read; where elements are no objects the element itself. */
  columns: Column[]
  /** Elements are no objects. */
  scalar?: true
}

/**
 * A cell of a record batch. `null` is SQL NULL; a JSON null inside a JSON column is the text `null`.
 *
 * | type | JavaScript value |
 * |---|---|
 * | string | string |
 * | binary | base64 text |
 * | boolean | boolean |
 * | date | `YYYY-MM-DD` (years beyond 9999 or BC as PostgreSQL prints them; `infinity`) |
 * | time… | `HH:MM:SS[.ffffff][±HH:MM]` |
 * | timestamp… | ISO 8601, `2026-11-23T03:31:33.432059[Z or ±HH:MM]` |
 * | integer | number when safe, else bigint |
 * | number | number, or decimal text when a double would lose digits |
 * | object, array, unknown | JSON text |
 */
export type Cell = string | number | bigint | boolean | null

/** Columns of a stream, from its JSON Schema. Order is the order of `properties`. */
export function columnsOf(schema: JsonSchema): Column[] {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>
  const required = new Set((schema.required as string[] | undefined) ?? [])
  return Object.entries(properties).map(([name, property]) => {
    const native = property['x-native'] as NativeType | undefined
    const column: Column = { name, type: airbyteTypeOf(property) }
    if (required.has(name)) column.nullable = false
    if (native) column.native = native
    return column
  })
}

/** The Airbyte type that a property's JSON Schema stands for. */
export function airbyteTypeOf(property: JsonSchema): AirbyteType {
  const declared = property.type
  const types = (Array.isArray(declared) ? declared : [declared]).filter((t) => t !== 'null')
  if (types.length !== 1) return 'unknown'
  switch (types[0]) {
    case 'string':
      return stringType(property)
    case 'boolean':
    case 'integer':
    case 'object':
    case 'array':
      return types[0]
    case 'number':
      return property.airbyte_type === 'integer' ? 'integer' : 'number'
    default:
      return 'unknown'
  }
}

function stringType(property: JsonSchema): AirbyteType {
  if (property.contentEncoding === 'base64') return 'binary'
  const airbyteType = property.airbyte_type
  switch (property.format) {
    case 'date':
      return 'date'
    case 'time':
      return airbyteType === 'time_with_timezone' ? 'time_with_timezone' : 'time_without_timezone'
    case 'date-time':
      return airbyteType === 'timestamp_without_timezone'
        ? 'timestamp_without_timezone'
        : 'timestamp_with_timezone'
    default:
      if (airbyteType === 'integer') return 'integer'
      return airbyteType === 'big_number' ? 'number' : 'string'
  }
}

const TYPE_SCHEMAS: Record<AirbyteType, JsonSchema> = {
  string: { type: 'string' },
  binary: { type: 'string', contentEncoding: 'base64' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date' },
  time_without_timezone: {
    type: 'string',
    format: 'time',
    airbyte_type: 'time_without_timezone',
  },
  time_with_timezone: { type: 'string', format: 'time', airbyte_type: 'time_with_timezone' },
  timestamp_without_timezone: {
    type: 'string',
    format: 'date-time',
    airbyte_type: 'timestamp_without_timezone',
  },
  timestamp_with_timezone: {
    type: 'string',
    format: 'date-time',
    airbyte_type: 'timestamp_with_timezone',
  },
  integer: { type: 'integer' },
  number: { type: 'number' },
  object: { type: 'object' },
  array: { type: 'array' },
  unknown: {},
}

/** The JSON Schema of a stream with these columns; `columnsOf` undoes it. */
export function jsonSchemaOf(columns: Column[]): JsonSchema {
  // From entries: a column may be called `__proto__`, and assigning to that is something else.
  const properties = Object.fromEntries(
    columns.map((column): [string, JsonSchema] => {
      const base = TYPE_SCHEMAS[column.type]
      const nullable = column.nullable !== false && typeof base.type === 'string'
      return [
        column.name,
        {
          ...base,
          ...(nullable ? { type: [base.type, 'null'] } : {}),
          ...(column.native ? { 'x-native': column.native } : {}),
        },
      ]
    }),
  )
  const required = columns.filter((c) => c.nullable === false).map((c) => c.name)
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}) }
}
