import type { StreamPlan } from '../../../src/runtime/contract.ts'
import {
  EXTRACTED_AT,
  GENERATION_ID,
  META,
  hiddenName as nameOfHidden,
  RAW_ID,
  type Settings,
  type TableDialect,
  type Layout as TableLayout,
  tableLayout,
} from '../../../src/runtime/loading/layout.ts'
import { shortHash } from '../../../src/runtime/loading/names.ts'
import { qualified } from '../../../src/runtime/mysql/sql.ts'
import { columnIdentifiers, tableIdentifier } from './identifiers.ts'
import type { Server } from './server.ts'
import { columnType, isOrdered } from './types.ts'

/** A stream's plan in MySQL's terms; a schema is what MySQL calls a database. */
export interface Layout extends TableLayout {
  server: Server
}

export const METADATA: Record<string, string> = {
  [RAW_ID]: 'char(36)',
  [EXTRACTED_AT]: 'datetime(6)',
  [META]: 'longtext',
  [GENERATION_ID]: 'bigint',
}

const dialectOf = ({ lowerCase }: Server): TableDialect => ({
  identifier: (name) => tableIdentifier(name, lowerCase),
  columnIdentifiers,
  columnType,
  isOrdered: ({ column }) => isOrdered(column),
})

export const layoutOf = (plan: StreamPlan, settings: Settings, server: Server): Layout => ({
  ...tableLayout(plan, settings, dialectOf(server)),
  server,
})

/** The table in which a generation grows. */
export const hiddenName = ({ server }: Layout, table: string, generation: number) =>
  nameOfHidden(table, generation, dialectOf(server))

export const nameOf = ({ schema }: Layout, name: string) => qualified({ schema, name })

/** Of the unique index that a deduplicating merge needs; one per key. */
export const keyIndexName = (keys: string[]) => `_airbyte_key_${shortHash(JSON.stringify(keys))}`

/** The temporary tables of a chunk that is merged: its rows, and which of them are the latest of their key. */
export const incoming = (layout: Layout) => nameOf(layout, '_airbyte_incoming')
export const latest = (layout: Layout) => nameOf(layout, '_airbyte_latest')
