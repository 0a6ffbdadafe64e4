import {
  AirbyteError,
  type Batch,
  type Cell,
  type RecordBatch,
  type RecordChange,
} from '../../../src/protocol/index.ts'
import type { RejectedRow } from '../../../src/runtime/contract.ts'
import { jsonTexts } from '../../../src/runtime/formats/jsonl.ts'
import { unfitRows } from '../../../src/runtime/formats/parquet-column.ts'
import { parquetTypeOf } from '../../../src/runtime/formats/parquet-types.ts'
import type { FileFormat } from './document.ts'
import type { Table } from './table.ts'

/** A batch in the file's column order. */
export interface FileRows {
  length: number
  /** Index of the first row among the chunk's. */
  firstRow: number
  extractedAt: number
  columns: (ArrayLike<Cell> | undefined)[]
  changes: RecordChange[]
}

/** What passed by, complete when the rows are exhausted. */
export interface Tally {
  rows: number
  extracted: [number, number] | null
  rejects: RejectedRow[]
}

/** The chunk's batches as rows of the file; counts them into `tally`. Empty batches are left out. */
export async function* fileRows(
  table: Table,
  format: FileFormat,
  body: AsyncIterable<Batch>,
  tally: Tally,
): AsyncGenerator<FileRows> {
  for await (const batch of body) {
    if (batch.kind !== 'records') {
      throw new AirbyteError(
        'UNSUPPORTED',
        `The warehouse takes record batches, not ${batch.format}.`,
        {
          stream: table.stream,
        },
      )
    }
    const kept = format === 'Parquet' ? withoutUnfitKeys(table, batch, tally.rejects) : batch
    if (kept.length === 0) continue
    const rows = {
      length: kept.length,
      firstRow: tally.rows,
      extractedAt: kept.extractedAt,
      columns: columnsOf(table, kept),
      changes: [...(kept.changes ?? [])],
    }
    tally.rows += kept.length
    const [from, to] = tally.extracted ?? [kept.extractedAt, kept.extractedAt]
    tally.extracted = [Math.min(from, kept.extractedAt), Math.max(to, kept.extractedAt)]
    yield rows
  }
}

function columnsOf(table: Table, batch: RecordBatch): (ArrayLike<Cell> | undefined)[] {
  const byName = new Map(batch.schema.map(({ name }, i) => [name, batch.columns[i]]))
  if (table.plan.normalization === 'raw') {
    return [byName.get('_airbyte_data') ?? jsonTexts(batch.schema, batch)]
  }
  const columns = table.sources.map((name) => byName.get(name))
  if (batch.op?.includes('d')) markDeletes(table, batch, batch.op, columns)
  return columns
}

/** A delete is a row with the time of its deletion. */
function markDeletes(
  table: Table,
  batch: RecordBatch,
  op: string[],
  columns: (ArrayLike<Cell> | undefined)[],
) {
  if (table.deletedAt < 0) {
    throw new AirbyteError(
      'UNSUPPORTED',
      `Stream '${table.stream}' has deletes, and mode ${table.plan.mode} has no place for them.`,
      { stream: table.stream, hint: 'Use a deduplicating mode, or select _ab_cdc_deleted_at.' },
    )
  }
  const given = columns[table.deletedAt]
  const extracted = new Date(batch.extractedAt).toISOString()
  columns[table.deletedAt] = op.map((kind, row) =>
    kind === 'd' ? (given?.[row] ?? extracted) : null,
  )
}

/** Rows whose key or cursor the file's type cannot hold are rejected, not nulled. */
function withoutUnfitKeys(table: Table, batch: RecordBatch, rejects: RejectedRow[]): RecordBatch {
  const unfit = new Map<number, string>()
  for (const index of table.vital) {
    const column = table.columns[index]
    const cells = batch.columns[batch.schema.findIndex(({ name }) => name === table.sources[index])]
    if (!column || !cells) continue
    for (const row of unfitRows(parquetTypeOf(column), cells, batch.length)) {
      unfit.set(row, column.name)
    }
  }
  if (unfit.size === 0) return batch
  const texts = jsonTexts(batch.schema, batch)
  for (const [row, field] of unfit) {
    const reason = `the value of key or cursor column '${field}' does not fit its Parquet type`
    rejects.push({ reason, field, row: texts[row] ?? '' })
  }
  return without(batch, unfit)
}

function without(batch: RecordBatch, dropped: Map<number, unknown>): RecordBatch {
  const kept = Array.from({ length: batch.length }, (_, row) => row).filter(
    (row) => !dropped.has(row),
  )
  const place = new Map(kept.map((row, i) => [row, i]))
  return {
    ...batch,
    length: kept.length,
    columns: batch.columns.map((cells) => kept.map((row) => cells[row] ?? null)),
    op: batch.op && kept.map((row) => batch.op?.[row] ?? 'u'),
    changes: batch.changes?.flatMap((change) => {
      const row = place.get(change.row)
      return row === undefined ? [] : [{ ...change, row }]
    }),
  }
}
