import { AirbyteError } from '../../protocol/index.ts'
import type { Layout } from './layout.ts'

interface Found {
  /** Another stream, whose head names the table. */
  owner: string | null
  /** The table that this stream's head names. */
  own: string | undefined
  /** Of the table as it is; null: there is none. */
  columns: ReadonlyMap<string, unknown> | null
  /** Names of the columns that every table of a sync has. */
  metadata: readonly string[]
}

/**
 * A table is written if this stream wrote it before, or if nobody's head names it and it has the
 * metadata columns (a table of Airbyte's own destination is taken over). Any other is left alone.
 *
 * @throws TABLE_TAKEN
 */
export function refuseStrangers(
  { schema, table, stream }: Layout,
  { owner, own, columns, metadata }: Found,
): void {
  if (owner)
    throw new AirbyteError('TABLE_TAKEN', `Table ${schema}.${table} is written by ${owner}.`, {
      stream,
      hint: `Give this connection its own namespace or prefix. If the other connection is gone, drop the table and delete its row from ${schema}._airbyte_heads.`,
    })
  if (!columns || own === table) return
  if (metadata.every((name) => columns.has(name))) return
  throw new AirbyteError(
    'TABLE_TAKEN',
    `Table ${schema}.${table} exists and was not made by a sync.`,
    { stream, hint: 'Give the connection a namespace or prefix of its own, or rename that table.' },
  )
}
