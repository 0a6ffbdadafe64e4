import type { RecordBatch } from '../../../src/protocol/index.ts'
import {
  GENERATION_ID,
  plannedColumns,
  type TableColumn,
} from '../../../src/runtime/loading/layout.ts'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { type BuiltColumn, RecordBuilder } from '../../../src/runtime/mysql/record-builder.ts'
import { quote } from '../../../src/runtime/mysql/sql.ts'
import type { CellKind } from '../../../src/runtime/mysql/types.ts'
import { type Layout, nameOf } from './layout.ts'
import { COLUMN_TYPES, trimmed } from './types.ts'

/** The visible rows in the plan's columns. */
export async function* readRows(
  client: MysqlClient,
  layout: Layout,
  generationId?: number,
): AsyncGenerator<RecordBatch> {
  const where =
    generationId === undefined ? '' : ` WHERE ${quote(GENERATION_ID)} = ${Number(generationId)}`
  const from = `${nameOf(layout, layout.table)}${where}`
  yield* recordsIn(client, layout, plannedColumns(layout), from)
}

/** Rows of a table with these columns, as they were before they were written there. */
export async function* recordsIn(
  client: MysqlClient,
  { stream }: Layout,
  columns: TableColumn[],
  from: string,
): AsyncGenerator<RecordBatch> {
  const list = columns.map(expression).join(', ')
  const builder = new RecordBuilder(stream, columns.map(built), new Set())
  for await (const block of client.rows(`SELECT ${list} FROM ${from}`)) {
    for (let row = 0; row < block.rows; ) {
      row = builder.append(block, row)
      if (builder.full) yield builder.take(0)
    }
  }
  if (builder.rows > 0) yield builder.take(0)
}

function expression({ name, type }: TableColumn): string {
  // MySQL prints a FLOAT with six digits only.
  if (type === 'float') return `(${quote(name)} + 0e0)`
  return type === COLUMN_TYPES.number ? trimmed(quote(name)) : quote(name)
}

const built = ({ column, type }: TableColumn): BuiltColumn => ({
  column,
  kind: kindOf(column.type, type),
})

function kindOf(airbyte: TableColumn['column']['type'], type: string): CellKind {
  switch (airbyte) {
    case 'boolean':
    case 'integer':
    case 'binary':
    case 'date':
      return airbyte
    case 'number':
      return type === 'float' || type === 'double' ? type : 'number'
    case 'timestamp_without_timezone':
      return 'datetime'
    case 'timestamp_with_timezone':
      return 'timestamp'
    default:
      return 'text'
  }
}
