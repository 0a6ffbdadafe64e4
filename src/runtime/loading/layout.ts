/** A stream's plan in the terms of a database that keeps it in a table. */
import { AirbyteError, type Column, DELETED_AT, streamKey } from '../../protocol/index.ts'
import type { ChildTable, StreamPlan } from '../contract.ts'

export const RAW_ID = '_airbyte_raw_id'
export const EXTRACTED_AT = '_airbyte_extracted_at'
export const META = '_airbyte_meta'
export const GENERATION_ID = '_airbyte_generation_id'
/** Columns of a chunk that is merged: what happened to the row, the stream's order, which columns (by place) are unchanged. */
export const OP = '_airbyte_op'
export const ORDER = '_airbyte_order'
export const UNCHANGED = '_airbyte_unchanged'
/** Of a child table: the stream's row that a row belongs to. */
export const ROOT_ID = '_airbyte_root_id'
/** The one column of raw tables. */
export const RAW_DATA: Column = { name: '_airbyte_data', type: 'object' }
/** By which a change log says that a row was deleted, and when. */
const DELETION: Column = { name: DELETED_AT, type: 'timestamp_with_timezone' }
const OWN = [RAW_ID, EXTRACTED_AT, META, GENERATION_ID, OP, ORDER, UNCHANGED]

export interface TableColumn {
  column: Column
  /** Its name in the table, not quoted. */
  name: string
  /** Its type there. */
  type: string
}

export interface Layout {
  plan: StreamPlan
  /** `namespace.name`, for errors and the ledger. */
  stream: string
  schema: string
  table: string
  /** Where an overwriting generation grows until it is complete; null in append modes. */
  hidden: string | null
  /** Columns in the order in which the wire format has them. */
  columns: TableColumn[]
  dedup: boolean
  keys: string[]
  cursor: string | null
  /** The column that says when a row was deleted. */
  deletedAt: string | null
  /** Deleted rows stay, with the time of their deletion. */
  softDelete: boolean
  /** Tables of the elements of arrays, each as a stream that only appends or overwrites. */
  children: Layout[]
  /** Of a child table whose rows are removed with the rows that they belong to: the id of those. */
  root: string | null
}

/** What the destination's config says of every stream. */
export interface Settings {
  /** Where streams without a namespace land. */
  schema: string
  softDelete: boolean
}

/** How a database names and types things. */
export interface TableDialect {
  identifier(name: string): string
  columnIdentifiers(fields: string[], reserved: Iterable<string>): string[]
  /** @param keys of how many columns the key is that the column is a part of; 0: it is none */
  columnType(column: Column, keys: number): string
  /** Values without an order, or without an index, cannot be a key. */
  isOrdered(column: TableColumn): boolean
}

export function tableLayout(plan: StreamPlan, settings: Settings, dialect: TableDialect): Layout {
  const { softDelete } = settings
  const stream = streamKey(plan.stream)
  const overwrite = plan.mode === 'overwrite' || plan.mode === 'overwrite_dedup'
  const dedup = plan.mode === 'append_dedup' || plan.mode === 'overwrite_dedup'
  const fields = plan.normalization === 'raw' ? [RAW_DATA] : [...plan.columns]
  const marked = fields.some(({ name }) => name === DELETED_AT)
  if (dedup && softDelete && !marked) fields.push(DELETION)
  const names = dialect.columnIdentifiers(
    fields.map(({ name }) => name),
    OWN,
  )
  const keyFields = new Set(dedup ? plan.primaryKey.map((path) => path.join('.')) : [])
  const columns = fields.map((column, i) => ({
    column,
    name: names[i] as string,
    type: dialect.columnType(column, keyFields.has(column.name) ? keyFields.size : 0),
  }))
  const table = dialect.identifier(plan.target.table)
  const layout = {
    plan,
    stream,
    schema: dialect.identifier(plan.target.namespace ?? settings.schema),
    table,
    hidden: overwrite ? hiddenName(table, plan.generationId, dialect) : null,
    columns,
    dedup,
    keys: [] as string[],
    cursor: null,
    deletedAt: columns.find(({ column }) => column.name === DELETED_AT)?.name ?? null,
    softDelete,
    children: [] as Layout[],
    root: null,
  } satisfies Layout
  const children = (plan.children ?? []).map((child) => childLayout(layout, child, dialect))
  const family = { ...layout, children }
  return dedup ? { ...family, ...dedupOf(layout, dialect) } : family
}

/** Its rows follow those of the stream, so it needs neither key nor cursor of its own. */
function childLayout(
  { plan, stream, schema, dedup }: Layout,
  { path, table, columns }: ChildTable,
  dialect: TableDialect,
): Layout {
  const { children: _, ...own } = plan
  const mode = plan.mode.startsWith('overwrite') ? ('overwrite' as const) : ('append' as const)
  const target = { ...plan.target, table }
  const layout = tableLayout(
    { ...own, mode, target, columns, primaryKey: [], cursorField: [] },
    { schema, softDelete: false },
    dialect,
  )
  const root = dedup ? ROOT_ID : null
  return { ...layout, stream: childStream(stream, path), schema, deletedAt: null, root }
}

/** By which errors and the destination's own tables name a child of a stream. */
export const childStream = (stream: string, path: string[]) =>
  `${stream} → ${path.map((name) => `${name}[]`).join('.')}`

/** The table of the stream itself, or of one of its arrays. */
export const layoutFor = (layout: Layout, child: number | undefined): Layout =>
  child === undefined ? layout : (layout.children[child] as Layout)

/** The table in which a generation grows. */
export const hiddenName = (table: string, generation: number, dialect: TableDialect) =>
  dialect.identifier(`_airbyte_next_${generation}_${table}`)

function dedupOf({ plan, stream, columns }: Layout, { isOrdered }: TableDialect): Partial<Layout> {
  if (plan.normalization === 'raw')
    throw new AirbyteError(
      'MODE_UNSUPPORTED',
      `Stream '${stream}' cannot be deduplicated in a raw table: its key is inside the JSON.`,
      {
        stream,
        field: 'normalization',
        hint: "Use normalization 'basic', or mode append or overwrite.",
      },
    )
  if (plan.primaryKey.length === 0)
    throw new AirbyteError('PRIMARY_KEY_MISSING', `Stream '${stream}' has no primary key.`, {
      stream,
    })
  const find = (path: string[]) => columns.find(({ column }) => column.name === path.join('.'))
  const keys = plan.primaryKey.map((path) => {
    const key = find(path)
    if (!key)
      throw new AirbyteError(
        'PRIMARY_KEY_MISSING',
        `Stream '${stream}' has no column '${path.join('.')}', which is part of its primary key.`,
        { stream, field: 'primaryKey' },
      )
    if (!isOrdered(key))
      throw new AirbyteError(
        'TYPE_UNSUPPORTED',
        `Column '${key.name}' of stream '${stream}' has type ${key.type}, which cannot be a key.`,
        { stream, field: key.name },
      )
    return key.name
  })
  const cursor = plan.cursorField.length > 0 ? find(plan.cursorField) : undefined
  return {
    keys,
    cursor: cursor && isOrdered(cursor) ? cursor.name : null,
  }
}

/** The table that this plan's rows go to: a hidden one until an overwriting generation is shown. */
export function writeTable(
  { plan, table, hidden }: Layout,
  head: { visible: number | null } | null,
): string {
  return hidden !== null && head?.visible !== plan.generationId ? hidden : table
}

/** The plan's columns come first; a mark for deleted rows may follow that is the destination's own. */
export const plannedColumns = ({ plan, columns }: Layout) =>
  plan.normalization === 'raw' ? columns : columns.slice(0, plan.columns.length)

/** `_airbyte_meta` of a row that nothing happened to. */
export const metaText = ({ plan }: Layout) => `{"changes": [], "sync_id": ${plan.syncId}}`
