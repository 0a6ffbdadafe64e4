import {
  AirbyteError,
  type Batch,
  type Cell,
  isDedup,
  isDelete,
  type RecordBatch,
  type RecordChange,
  type RowOp,
} from '../../../src/protocol/index.ts'
import { withRows } from '../../../src/runtime/batch-rows.ts'
import type { RejectedRow } from '../../../src/runtime/contract.ts'
import { jsonTexts } from '../../../src/runtime/formats/jsonl.ts'
import { unfitRows } from '../../../src/runtime/formats/parquet-column.ts'
import { parquetTypeOf } from '../../../src/runtime/formats/parquet-types.ts'
import { rejectedRow } from '../../../src/runtime/row-text.ts'
import type { FileFormat } from './document.ts'
import type { Table } from './table.ts'
import { withoutMoved } from './unchanged.ts'

/** A batch in the file's column order. */
export interface FileRows {
  length: number
  /** Index of the first row among the chunk's. */
  firstRow: number
  extractedAt: number
  /** Where the engine gave them. */
  rowIds?: string[]
  columns: (ArrayLike<Cell> | undefined)[]
  changes: RecordChange[]
}

/** What passed by, complete when the rows are exhausted. */
export interface Tally {
  rows: number
  /** Rows among them that are deletes, those of them that have no cursor, and that are truncates. */
  deletes: number
  unplaced: number
  truncates: number
  /** Columns that some row left out (`UNCHANGED`), as the file names them. */
  unchanged: Set<string>
  extracted: [number, number] | null
  rejects: RejectedRow[]
  /** Ids of rejected rows. */
  gone: Set<string>
}

export const newTally = (): Tally => ({
  ...{ rows: 0, deletes: 0, unplaced: 0, truncates: 0 },
  ...{ unchanged: new Set<string>(), extracted: null, rejects: [], gone: new Set<string>() },
})

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
    const kept = withoutBadKeys(table, format, batch, tally)
    if (kept.length === 0) continue
    const rows = {
      length: kept.length,
      firstRow: tally.rows,
      extractedAt: kept.extractedAt,
      ...(kept.rowIds && { rowIds: kept.rowIds }),
      columns: columnsOf(table, kept),
      changes: changesOf(table, kept),
    }
    tally.rows += kept.length
    countDeletes(table, rows, tally)
    for (const { field, change } of rows.changes)
      if (change === 'UNCHANGED') tally.unchanged.add(field)
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
  if (batch.op?.some(isDelete)) markDeletes(table, batch, batch.op, columns)
  return columns
}

/** By the names of the file's columns. */
function changesOf(table: Table, batch: RecordBatch): RecordChange[] {
  const told = isDedup(table.plan.mode) ? withoutMoved(batch) : [...(batch.changes ?? [])]
  return told.map((entry) => {
    const name = table.columns[table.sources.indexOf(entry.field)]?.name
    return name === undefined || name === entry.field ? entry : { ...entry, field: name }
  })
}

/** A delete is a row with the time of its deletion; a truncate has no key besides. */
function markDeletes(
  table: Table,
  batch: RecordBatch,
  op: RowOp[],
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
    isDelete(kind) ? (given?.[row] ?? extracted) : null,
  )
}

function countDeletes(table: Table, { length, columns }: FileRows, tally: Tally): void {
  const deletedAt = columns[table.deletedAt]
  if (!deletedAt) return
  for (let row = 0; row < length; row++) {
    if ((deletedAt[row] ?? null) === null) continue
    const lacks = (column: number) => (columns[column]?.[row] ?? null) === null
    tally.deletes += 1
    if (lacks(table.cursor)) tally.unplaced += 1
    if (table.keys.some(lacks)) tally.truncates += 1
  }
}

/**
 * Rejects the rows that could not be told apart later: those without a complete key in a dedup
 * mode, and those whose key or cursor the file's type cannot hold.
 */
function withoutBadKeys(
  table: Table,
  format: FileFormat,
  batch: RecordBatch,
  { rejects, gone }: Tally,
): RecordBatch {
  const bad = new Map<number, Pick<RejectedRow, 'reason' | 'field'>>()
  const cellsOf = (index: number) =>
    batch.columns[batch.schema.findIndex(({ name }) => name === table.sources[index])]
  for (const index of format === 'Parquet' ? table.vital : []) {
    const column = table.columns[index]
    const cells = cellsOf(index)
    if (!column || !cells) continue
    const reason = `the value of key or cursor column '${column.name}' does not fit its Parquet type`
    for (const row of unfitRows(parquetTypeOf(column), cells, batch.length)) {
      bad.set(row, { reason, field: column.name })
    }
  }
  for (const index of table.keys) {
    const cells = cellsOf(index)
    const field = table.sources[index] ?? ''
    for (let row = 0; row < batch.length; row++) {
      if ((cells?.[row] ?? null) === null && !bad.has(row) && batch.op?.[row] !== 't') {
        bad.set(row, { reason: 'a primary key column is null', field })
      }
    }
  }
  if (bad.size === 0) return batch
  for (const [row, why] of bad) {
    // Of a row that has left the stream nothing is there that a file could not hold.
    if (batch.op?.[row] !== 'x') rejects.push(rejectedRow(batch, row, why))
    const id = batch.rowIds?.[row]
    if (id !== undefined) gone.add(id)
  }
  return withRows(batch, (row) => !bad.has(row))
}
