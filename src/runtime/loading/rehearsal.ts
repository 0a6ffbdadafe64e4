import type { Rehearsal } from '../contract.ts'
import type { Layout } from './layout.ts'

/** A table as it is, and the columns that it would have, without those that every table of a sync has. */
export const rehearsedTable = (
  { schema, table, columns }: Layout,
  existing: ReadonlyMap<string, { type: string }> | null,
  metadata: Record<string, string>,
): Pick<Rehearsal, 'target' | 'existing' | 'columns'> => ({
  target: `${schema}.${table}`,
  existing: [...(existing ?? [])].map(([name, { type }]) => ({ name, type })),
  columns: columns
    .filter(({ name }) => !(name in metadata))
    .map(({ name, type }) => ({ name, type })),
})
