import {
  AirbyteError,
  type AirbyteStream,
  type Column,
  jsonSchemaOf,
} from '../../protocol/index.ts'

/** A column as the database has it now. */
export interface TableColumn {
  name: string
  type: { key?: true; cursor?: string }
  column: Column
  /** @see AirbyteStream.column_ids */
  id?: string
}

export interface Table<C extends TableColumn = TableColumn> {
  schema: string
  name: string
  columns: C[]
  /** Names of the primary key's columns, in key order; empty without one. */
  key: string[]
  /** As the database estimates them; null when it does not. */
  rows: number | null
}

/**
 * The stream that a table is in the catalog.
 *
 * @param losesNulls whether rows without a value in this column, as a cursor, are in `nullCursors`
 */
export function catalogStream<C extends TableColumn>(
  table: Table<C>,
  resumable: boolean,
  losesNulls: (column: C) => boolean,
): AirbyteStream {
  const { key, columns } = table
  const cursors = columns.filter(({ type }) => type.cursor)
  // An update is seen only if it moves the cursor, which in practice a date or time outside the key does.
  const updates = cursors.some(
    ({ name, type }) =>
      !key.includes(name) && (type.cursor === 'timestamp' || type.cursor === 'date'),
  )
  const nullCursors = cursors.filter(losesNulls).map(({ name }) => name)
  const ids = columns.flatMap(({ name, id }) => (id === undefined ? [] : [[name, id]]))
  return {
    name: table.name,
    namespace: table.schema,
    json_schema: jsonSchemaOf(columns.map(({ column }) => column)),
    supported_sync_modes: cursors.length > 0 ? ['full_refresh', 'incremental'] : ['full_refresh'],
    source_defined_cursor: false,
    ...(key.length > 0 ? { source_defined_primary_key: key.map((name) => [name]) } : {}),
    is_resumable: resumable,
    captures: {
      ...{ creates: cursors.length > 0, updates, deletes: false },
      ...(nullCursors.length > 0 && { nullCursors }),
    },
    ...(table.rows !== null ? { estimated_rows: table.rows } : {}),
    ...(ids.length > 0 ? { column_ids: Object.fromEntries(ids) } : {}),
  }
}

/**
 * The stream as it comes from a log, with the columns that the log adds. What is not in the log (a view)
 * has no changes.
 */
export function loggedStream(
  stream: AirbyteStream,
  columns: Column[],
  { inLog, cursor }: { inLog: boolean; cursor: string },
): AirbyteStream {
  return {
    ...stream,
    json_schema: jsonSchemaOf(columns),
    supported_sync_modes: inLog ? ['full_refresh', 'incremental'] : ['full_refresh'],
    ...(inLog ? { source_defined_cursor: true, default_cursor_field: [cursor] } : {}),
    captures: { creates: inLog, updates: inLog, deletes: inLog },
  }
}

/** A plan that is behind the table is no reason to stop the connection: the next one is not. */
const SYNC_AGAIN =
  'Sync again: columns are discovered anew, and schemaChanges says what becomes of the change.'

/** The column that the catalog described, as it is now. Rejects with COLUMNS_CHANGED. */
export function currentColumn<C extends TableColumn>(columns: C[], wanted: Column): C {
  const current = columns.find(({ name }) => name === wanted.name)
  const was = wanted.native?.type ?? wanted.type
  if (!current) {
    throw new AirbyteError(
      'COLUMNS_CHANGED',
      `The column '${wanted.name}' is gone since discovery, or may no longer be read.`,
      { field: wanted.name, hint: SYNC_AGAIN },
    )
  }
  const is = wanted.native
    ? (current.column.native?.type ?? current.column.type)
    : current.column.type
  if (is !== was) {
    throw new AirbyteError(
      'COLUMNS_CHANGED',
      `The column '${wanted.name}' changed from ${was} to ${is} since discovery.`,
      { field: wanted.name, hint: SYNC_AGAIN },
    )
  }
  return current
}

/** The column to follow. Rejects with CURSOR_MISSING. */
export function cursorColumn<C extends TableColumn>(columns: C[], [name]: string[]): C {
  const column = columns.find((candidate) => candidate.name === name)
  if (column?.type.cursor) return column
  const usable = columns.filter(({ type }) => type.cursor).map((candidate) => candidate.name)
  throw new AirbyteError(
    'CURSOR_MISSING',
    column
      ? `The column '${name}' is of a type that cannot be a cursor.`
      : `The stream has no column '${name ?? ''}' to use as its cursor.`,
    { field: 'cursorField', didYouMean: usable.slice(0, 10) },
  )
}
