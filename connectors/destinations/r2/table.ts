import {
  AirbyteError,
  type Column,
  DELETED_AT,
  type DestinationSyncMode,
  isDedup,
  streamKey,
} from '../../../src/protocol/index.ts'
import type { ChildTable, StreamPlan } from '../../../src/runtime/contract.ts'

export const RAW_ID = '_airbyte_raw_id'
export const EXTRACTED_AT = '_airbyte_extracted_at'
export const META = '_airbyte_meta'
export const GENERATION_ID = '_airbyte_generation_id'

/** The columns that begin every file, in this order. */
export const METADATA: Column[] = [
  { name: RAW_ID, type: 'string' },
  { name: EXTRACTED_AT, type: 'timestamp_with_timezone' },
  { name: META, type: 'object' },
  { name: GENERATION_ID, type: 'integer' },
]
const RAW_DATA: Column = { name: '_airbyte_data', type: 'object' }

/** A stream's plan in terms of files. */
export interface Table {
  plan: StreamPlan
  /** `namespace.name`, for errors. */
  stream: string
  /** The columns after the metadata, named as in the file. */
  columns: Column[]
  /** For each of them the name in batches. */
  sources: string[]
  /** Indexes of key columns; empty unless deduplicating. */
  keys: number[]
  /** Index of the cursor column, or -1. */
  cursor: number
  /** Indexes of key and cursor columns: a value that does not fit there rejects its row. */
  vital: number[]
  /** Index of the tombstone column, or -1. */
  deletedAt: number
  /** How many of the first columns are ids of rows: of a table of an array. */
  links: number
}

/** Tables of the arrays of a plan. */
export const childTablesOf = (plan: StreamPlan): Table[] =>
  (plan.children ?? []).map((child) => childTableOf(plan, child))

export function childTableOf(plan: StreamPlan, { table, columns }: ChildTable): Table {
  const { children: _, ...own } = plan
  const target = { ...plan.target, table }
  const found = tableOf({
    ...{ ...own, target, columns, mode: 'append', primaryKey: [], cursorField: [] },
  })
  return { ...found, deletedAt: -1, links: LINKS }
}

/** `_airbyte_parent_id` and `_airbyte_root_id`. */
const LINKS = 2
export const PARENT_ID = '_airbyte_parent_id'
export const ROOT_ID = '_airbyte_root_id'

export const isOverwrite = (mode: DestinationSyncMode) => mode.startsWith('overwrite')

/** Throws PRIMARY_KEY_MISSING or MODE_UNSUPPORTED for a dedup mode that has nothing to go by. */
export function tableOf(plan: StreamPlan): Table {
  const stream = streamKey(plan.stream)
  const fields = plan.normalization === 'raw' ? [RAW_DATA] : [...plan.columns]
  const dedup = isDedup(plan.mode)
  if (dedup && plan.normalization === 'raw') {
    throw new AirbyteError(
      'MODE_UNSUPPORTED',
      `Stream '${stream}' cannot be deduplicated in raw form: its key is inside the JSON.`,
      { stream, hint: "Use normalization 'basic', or mode append or overwrite." },
    )
  }
  if (dedup && !fields.some(({ name }) => name === DELETED_AT)) {
    fields.push({ name: DELETED_AT, type: 'timestamp_with_timezone' })
  }
  const sources = fields.map(({ name }) => name)
  const indexOf = (path: string[]) => sources.indexOf(path.join('.'))
  const keys = dedup ? plan.primaryKey.map(indexOf) : []
  if (dedup && (keys.length === 0 || keys.includes(-1))) {
    throw new AirbyteError('PRIMARY_KEY_MISSING', `Stream '${stream}' has no usable primary key.`, {
      stream,
      field: 'primaryKey',
    })
  }
  const cursor = indexOf(plan.cursorField)
  const vital = new Set([...plan.primaryKey.map(indexOf), cursor])
  vital.delete(-1)
  const names = distinctNames(sources)
  return {
    plan,
    stream,
    columns: fields.map((column, i) => ({ ...column, name: names[i] ?? column.name })),
    sources,
    keys,
    cursor,
    vital: [...vital],
    deletedAt: sources.indexOf(DELETED_AT),
    links: 0,
  }
}

/** Readers of files match names without case; two columns that then meet get a number. */
function distinctNames(names: string[]): string[] {
  const taken = new Set(METADATA.map(({ name }) => name))
  return names.map((name) => {
    let distinct = name
    for (let i = 1; taken.has(distinct.toLowerCase()); i++) distinct = `${name}_${i}`
    taken.add(distinct.toLowerCase())
    return distinct
  })
}
