/** A batch as rows of its table: values, metadata, and what a merge has to know of them. */
import {
  AirbyteError,
  type Batch,
  type Cell,
  type Column,
  isDelete,
  type RecordBatch,
  type RecordChange,
} from '../../protocol/index.ts'
import { decodeCopyText } from '../formats/pg-copy-text.ts'
import { type Layout, META, metaText, OP, RAW_DATA, RAW_ID, UNCHANGED } from './layout.ts'
import { packRaw } from './raw.ts'

/** What the rows go to. */
export interface SinkTable {
  /** Qualified and quoted. */
  table: string
  /** Whether it has columns for what a change log says of its rows. */
  changeLog: boolean
}

export interface TableRows {
  /** Of the table, not quoted; beside each its values. */
  names: string[]
  /** In the same order; what is not the stream's own is text. */
  records: RecordBatch
}

/**
 * The batch's rows in the columns of the layout, then `_airbyte_meta` and the marks of a change log.
 *
 * @param places columns by their place, from 1 on, as the database's list of them
 */
export function tableRows(
  layout: Layout,
  target: SinkTable,
  batch: Batch,
  places: (places: number[]) => string,
): TableRows {
  const records = toRecords(layout, batch)
  const columns = layout.columns.map(({ column }) => column)
  const marks = target.changeLog ? marksOf(layout, records, places) : []
  // By place, not by name: the source may have a column that is called like ours.
  const cells = columns.map(({ name }) => {
    const at = records.schema.findIndex((column) => column.name === name)
    return records.columns[at] ?? []
  })
  if (!target.changeLog) markDeleted(layout, records, cells)
  const ids = records.rowIds ? [{ name: RAW_ID, cells: records.rowIds }] : []
  const extra = [{ name: META, cells: metaCells(layout, target, records) }, ...ids, ...marks]
  return {
    names: [...layout.columns, ...extra].map(({ name }) => name),
    records: {
      ...records,
      schema: [...columns, ...extra.map(({ name }): Column => ({ name, type: 'string' }))],
      columns: [...cells, ...extra.map((column) => column.cells)],
    },
  }
}

/** What the merge has to know of the rows beyond their values. */
function marksOf(
  layout: Layout,
  { op, changes, length }: RecordBatch,
  places: (places: number[]) => string,
) {
  const marks: { name: string; cells: Cell[] }[] = []
  if (op) marks.push({ name: OP, cells: op })
  const unchanged = changes?.filter(({ change }) => change === 'UNCHANGED') ?? []
  if (unchanged.length === 0) return marks
  const placeOf = new Map(layout.columns.map(({ column }, c) => [column.name, c + 1]))
  const cells = new Array<Cell>(length).fill(null)
  for (const [row, own] of Map.groupBy(unchanged, ({ row }) => row))
    cells[row] = places(own.flatMap(({ field }) => placeOf.get(field) ?? []))
  return [...marks, { name: UNCHANGED, cells }]
}

/** A table that is a log itself tells a deleted row, which would else look like one of nulls, by its time. */
function markDeleted(layout: Layout, { op, extractedAt }: RecordBatch, cells: Cell[][]): void {
  const { stream, plan, deletedAt } = layout
  if (plan.normalization === 'raw' || !op?.some(isDelete)) return
  const place = layout.columns.findIndex(({ name }) => name === deletedAt)
  if (place < 0)
    throw new AirbyteError(
      'UNSUPPORTED',
      `Stream '${stream}' has deletes, and mode ${plan.mode} has no place for them.`,
      { stream, hint: 'Use a deduplicating mode, or select _ab_cdc_deleted_at.' },
    )
  const given = cells[place] ?? []
  const now = new Date(extractedAt).toISOString()
  cells[place] = op.map((kind, row) => given[row] ?? (isDelete(kind) ? now : null))
}

/** The batch as records of the table's own columns. */
export function toRecords(layout: Layout, batch: Batch): RecordBatch {
  const records =
    batch.kind === 'records' ? batch : decodeCopyText(batch.bytes, batch.schema, batch)
  const isPacked = records.schema.length === 1 && records.schema[0]?.name === RAW_DATA.name
  return layout.plan.normalization === 'raw' && !isPacked ? packRaw(records) : records
}

function metaCells(layout: Layout, target: SinkTable, { length, changes }: RecordBatch): string[] {
  const cells = new Array<string>(length).fill(metaText(layout))
  // What is unchanged, the merge fills in.
  const told = changes?.filter(({ change }) => !target.changeLog || change !== 'UNCHANGED') ?? []
  const byRow = Map.groupBy(told, ({ row }: RecordChange) => row)
  for (const [row, rowChanges] of byRow)
    cells[row] = JSON.stringify({
      changes: rowChanges.map(({ field, change, reason }) => ({ field, change, reason })),
      sync_id: layout.plan.syncId,
    })
  return cells
}
