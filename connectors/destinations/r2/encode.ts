import type { Cell, RecordChange } from '../../../src/protocol/index.ts'
import { csvBytes, csvHeader } from '../../../src/runtime/formats/csv.ts'
import { gzip, jsonlBytes } from '../../../src/runtime/formats/jsonl.ts'
import { ParquetFile, parquetColumns } from '../../../src/runtime/formats/parquet.ts'
import type { RowIds } from '../../../src/runtime/row-ids.ts'
import type { FileFormat } from './document.ts'
import type { FileRows } from './rows.ts'
import { METADATA, type Table } from './table.ts'

/** A chunk's rows as the bytes of its data object. */
export function encodeFile(
  format: FileFormat,
  table: Table,
  ids: RowIds,
  rows: AsyncIterable<FileRows>,
): AsyncIterable<Uint8Array> {
  switch (format) {
    case 'Parquet':
      return parquet(table, ids, rows)
    case 'JSONL':
      return gzip(jsonl(table, ids, rows))
    case 'CSV':
      return csv(table, ids, rows)
  }
}

async function* parquet(table: Table, ids: RowIds, source: AsyncIterable<FileRows>) {
  const file = new ParquetFile([
    { name: METADATA[0]?.name ?? '', type: { kind: 'uuid' } },
    ...parquetColumns([...METADATA.slice(1), ...table.columns]).map((column, i) =>
      isLink(table, i) ? { name: column.name, type: { kind: 'uuid' as const } } : column,
    ),
  ])
  const [rawId, extractedAt, meta, generationId] = [0, 1, 2, 3].map((i) => file.column(i))
  for await (const rows of source) {
    const { length } = rows
    if (rows.rowIds) rawId?.append(rows.rowIds, length, () => {})
    else rawId?.appendFixed(16, length, (page, at, row) => ids.write(page, at, rows.firstRow + row))
    extractedAt?.appendRepeated(isoTime(rows), length)
    generationId?.appendRepeated(table.plan.generationId, length)
    for (const [i, { name }] of table.columns.entries()) {
      file.append(METADATA.length + i, rows.columns[i], length, (row, change, reason) =>
        rows.changes.push({ row, field: name, change, reason }),
      )
    }
    // Last, since encoding the others may have changed values.
    if (rows.changes.length === 0) meta?.appendRepeated(metaText(table, []), length)
    else meta?.append(metaCells(table, rows), length, () => {})
    yield* file.endRows(length)
  }
  yield* file.end()
}

async function* jsonl(table: Table, ids: RowIds, source: AsyncIterable<FileRows>) {
  const columns = [...METADATA, ...table.columns]
  for await (const rows of source) yield* jsonlBytes(columns, withMetadata(table, ids, rows))
}

async function* csv(table: Table, ids: RowIds, source: AsyncIterable<FileRows>) {
  const columns = [...METADATA, ...table.columns]
  yield csvHeader(columns)
  for await (const rows of source) yield* csvBytes(columns, withMetadata(table, ids, rows))
}

function withMetadata(table: Table, ids: RowIds, rows: FileRows) {
  const { length } = rows
  const repeated = (cell: Cell) => new Array<Cell>(length).fill(cell)
  return {
    length,
    columns: [
      rows.rowIds ?? Array.from({ length }, (_, row) => ids.text(rows.firstRow + row)),
      repeated(isoTime(rows)),
      metaCells(table, rows),
      repeated(table.plan.generationId),
      ...rows.columns,
    ],
  }
}

/** @param index among the columns after `_airbyte_raw_id` */
const isLink = ({ links }: Table, index: number) => {
  const own = index - (METADATA.length - 1)
  return own >= 0 && own < links
}

const isoTime = (rows: FileRows) => new Date(rows.extractedAt).toISOString()

function metaCells(table: Table, { length, changes }: FileRows): Cell[] {
  const byRow = Map.groupBy(changes, ({ row }) => row)
  const plain = metaText(table, [])
  return Array.from({ length }, (_, row) => {
    const own = byRow.get(row)
    return own ? metaText(table, own) : plain
  })
}

/** As Airbyte writes it. */
function metaText({ plan }: Table, changes: RecordChange[]): string {
  const list = changes.map(({ field, change, reason }) => ({ field, change, reason }))
  return JSON.stringify({ sync_id: plan.syncId, changes: list })
}
