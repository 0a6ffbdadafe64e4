import { CDC_COLUMNS, CDC_CURSOR } from '../../../../src/cdc/mysql/index.ts'
import type { AirbyteStream, Column } from '../../../../src/protocol/index.ts'
import { loggedStream } from '../../../../src/runtime/database/columns.ts'
import type { SourceColumn, SourceTable } from '../tables.ts'

const NAMES = new Set(CDC_COLUMNS.map(({ name }) => name))

/** Without those that the log adds. */
export const ownColumns = (columns: Column[]) => columns.filter(({ name }) => !NAMES.has(name))

/**
 * The table with the columns that rows of the log have. A row that was read from the table ranks below
 * every change: it bears the place in the log from which on changes are read. `since` undefined: a full
 * refresh, which has no place.
 */
export function withCdcColumns(table: SourceTable, since: string | undefined): SourceTable {
  const taken = new Set(table.columns.map(({ name }) => name))
  const added = CDC_COLUMNS.filter(({ name }) => !taken.has(name)).map((column): SourceColumn => {
    const value = column.name === CDC_CURSOR && since !== undefined ? String(BigInt(since)) : 'NULL'
    const kind = column.type === 'integer' ? 'integer' : 'text'
    const type = { airbyte: column.type, kind, expression: () => value } as const
    return { name: column.name, dataType: kind, column, type, required: false }
  })
  return { ...table, columns: [...table.columns, ...added] }
}

/** The stream as it comes from the log. */
export function fromLog(stream: AirbyteStream, table: SourceTable): AirbyteStream {
  const columns = withCdcColumns(table, undefined).columns.map(({ column }) => column)
  return loggedStream(stream, columns, { inLog: !table.view, cursor: CDC_CURSOR })
}
