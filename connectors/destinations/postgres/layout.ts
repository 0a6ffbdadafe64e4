import type { StreamPlan } from '../../../src/runtime/contract.ts'
import {
  EXTRACTED_AT,
  GENERATION_ID,
  type Layout,
  META,
  hiddenName as nameOfHidden,
  RAW_ID,
  type Settings,
  type TableDialect,
  tableLayout,
} from '../../../src/runtime/loading/layout.ts'
import { shortHash } from '../../../src/runtime/loading/names.ts'
import { columnIdentifiers, identifier, quote } from './identifiers.ts'
import { columnType, UNINDEXABLE } from './types.ts'

export const METADATA: Record<string, string> = {
  [RAW_ID]: 'uuid',
  [EXTRACTED_AT]: 'timestamp with time zone',
  [META]: 'jsonb',
  [GENERATION_ID]: 'bigint',
}
/** The temporary table of a chunk that is merged. */
export const INCOMING = 'pg_temp."_airbyte_incoming"'

const DIALECT: TableDialect = {
  identifier,
  columnIdentifiers,
  columnType,
  isOrdered: ({ type }) => !UNINDEXABLE.has(type),
}

/** A stream's plan in PostgreSQL's terms. */
export const layoutOf = (plan: StreamPlan, settings: Settings): Layout =>
  tableLayout(plan, settings, DIALECT)

/** The table in which a generation grows. */
export const hiddenName = (table: string, generation: number) =>
  nameOfHidden(table, generation, DIALECT)

export const qualified = (schema: string, table: string) => `${quote(schema)}.${quote(table)}`

/** Name of the unique index that a deduplicating merge needs; one per table and key. */
export const keyIndexName = (table: string, keys: string[]) =>
  `_airbyte_key_${shortHash(table)}_${shortHash(JSON.stringify(keys))}`
