import {
  type Cell,
  type Column,
  columnsOf,
  type RecordBatch,
} from '../../../../src/protocol/index.ts'
import { findRelation, type StreamInput } from '../reader.ts'
import { isSameType } from './shape.ts'

/** The batch in these columns: those that the log did not have are null. */
export function alignTo(schema: Column[], batch: RecordBatch): RecordBatch {
  const places = new Map(batch.schema.map(({ name }, index) => [name, index]))
  const names = new Set(schema.map(({ name }) => name))
  const changes = batch.changes?.filter(({ field }) => names.has(field))
  const { changes: _changes, ...rest } = batch
  return {
    ...rest,
    schema: schema.map((column) => batch.schema[places.get(column.name) ?? -1] ?? column),
    columns: schema.map(
      ({ name }) =>
        batch.columns[places.get(name) ?? -1] ?? new Array<Cell>(batch.length).fill(null),
    ),
    ...(changes?.length ? { changes } : {}),
  }
}

/**
 * Whether the log tells columns that the table has by now and that were unknown, or of another type,
 * when this sync was planned. Columns that the table had once are no reason to stop.
 */
export async function isBehind(input: StreamInput, told: Column[]): Promise<boolean> {
  const { client, config, configured } = input
  const known = new Map(columnsOf(configured.stream.json_schema).map((c) => [c.name, c]))
  const odd = told.filter((column) => {
    const found = known.get(column.name)
    return !found || !isSameType(found, column)
  })
  if (odd.length === 0) return false
  const relation = await findRelation(client, config, configured.stream)
  return odd.some(({ name }) => {
    const now = relation.columns.find((column) => column.name === name)?.column
    const found = known.get(name)
    return now !== undefined && (!found || !isSameType(found, now))
  })
}
