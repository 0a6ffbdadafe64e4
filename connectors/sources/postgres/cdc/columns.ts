import { CDC_COLUMNS, type Lsn } from '../../../../src/cdc/postgres/index.ts'
import type { Column } from '../../../../src/protocol/index.ts'
import type { Relation, RelationColumn } from '../relations.ts'

const NAMES = new Set(CDC_COLUMNS.map(({ name }) => name))

/** Without those that the log adds. */
export const ownColumns = (columns: Column[]) => columns.filter(({ name }) => !NAMES.has(name))

/**
 * The relation with the columns that rows of the log have. A row that was read from the table ranks
 * below every change: it bears the place in the log from which on changes are read, and no time of
 * change, since nobody knows it. `since` undefined: a full refresh, which has no place.
 */
export function withCdcColumns(relation: Relation, since: Lsn | undefined): Relation {
  const added = CDC_COLUMNS.map((column): RelationColumn => {
    const integer = column.type === 'integer'
    const value = integer && since !== undefined ? `${since}` : 'NULL'
    const sqlType = integer ? 'bigint' : 'timestamptz'
    return {
      name: column.name,
      column,
      literalType: sqlType,
      type: { airbyte: column.type, expression: () => `${value}::${sqlType}`, plain: false },
    }
  })
  const taken = new Set(relation.columns.map(({ name }) => name))
  return { ...relation, columns: [...relation.columns, ...added.filter((c) => !taken.has(c.name))] }
}
