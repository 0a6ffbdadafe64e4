/** Where a chunk's rows go: the table itself, or a temporary table from which they are merged. */
import type pg from 'pg'
import {
  AirbyteError,
  type Batch,
  type Cell,
  type Column,
  type RecordBatch,
  type RecordChange,
  type RowOp,
} from '../../../src/protocol/index.ts'
import { decodeCopyText, encodeCopyText } from '../../../src/runtime/formats/pg-copy-text.ts'
import { type CopyIn, copyIn } from './copy-in.ts'
import { quote } from './identifiers.ts'
import { type Layout, META, OP, RAW_DATA, UNCHANGED } from './layout.ts'
import { packRaw } from './raw.ts'
import { metaText } from './tables.ts'

/** What the sink writes to. */
export interface SinkTable {
  /** Qualified and quoted. */
  table: string
  /** Whether it has columns for what a change log says of its rows. */
  changeLog: boolean
}

/** Rows as bytes with the columns that they fill. */
interface Encoded {
  bytes: Uint8Array
  columns: string[]
}

/**
 * The batch as COPY text. Bytes that came as COPY text are not touched: metadata come from column
 * defaults. Record batches carry their own `_airbyte_meta`, since values may have been changed.
 */
export function encode(layout: Layout, target: SinkTable, batch: Batch): Encoded {
  if (batch.kind === 'encoded' && layout.plan.normalization !== 'raw')
    return { bytes: batch.bytes, columns: batch.schema.map((column) => nameOf(layout, column)) }
  const records = toRecords(layout, batch)
  const columns = layout.columns.map(({ column }) => column)
  const marks = target.changeLog ? marksOf(layout, records) : []
  // By place, not by name: the source may have a column that is called like ours.
  const cells = columns.map(({ name }) => {
    const at = records.schema.findIndex((column) => column.name === name)
    return records.columns[at] ?? []
  })
  if (!target.changeLog) markDeleted(layout, records, cells)
  const extra = [{ name: META, cells: metaCells(layout, target, records) }, ...marks]
  const extended: RecordBatch = {
    ...records,
    schema: [...columns, ...extra.map(({ name }): Column => ({ name, type: 'string' }))],
    columns: [...cells, ...extra.map((column) => column.cells)],
  }
  return {
    bytes: encodeCopyText(extended),
    columns: [...layout.columns, ...extra].map(({ name }) => name),
  }
}

/** What the merge has to know of the rows beyond their values. */
function marksOf(layout: Layout, { op, changes, length }: RecordBatch) {
  const marks: { name: string; cells: Cell[] }[] = []
  if (op) marks.push({ name: OP, cells: op })
  const unchanged = changes?.filter(({ change }) => change === 'UNCHANGED') ?? []
  if (unchanged.length === 0) return marks
  const places = new Map(layout.columns.map(({ column }, c) => [column.name, c + 1]))
  const cells = new Array<Cell>(length).fill(null)
  for (const [row, own] of Map.groupBy(unchanged, ({ row }) => row))
    cells[row] = `{${own.flatMap(({ field }) => places.get(field) ?? [])}}`
  return [...marks, { name: UNCHANGED, cells }]
}

/** A table that is a log itself tells a deleted row, which would else look like one of nulls, by its time. */
function markDeleted(layout: Layout, { op, extractedAt }: RecordBatch, cells: Cell[][]): void {
  const { stream, plan, deletedAt } = layout
  const isDeleted = (kind: RowOp) => kind === 'd' || kind === 't'
  if (plan.normalization === 'raw' || !op?.some(isDeleted)) return
  const place = layout.columns.findIndex(({ name }) => name === deletedAt)
  if (place < 0)
    throw new AirbyteError(
      'UNSUPPORTED',
      `Stream '${stream}' has deletes, and mode ${plan.mode} has no place for them.`,
      { stream, hint: 'Use a deduplicating mode, or select _ab_cdc_deleted_at.' },
    )
  const given = cells[place] ?? []
  const now = new Date(extractedAt).toISOString()
  cells[place] = op.map((kind, row) => given[row] ?? (isDeleted(kind) ? now : null))
}

/** The batch as records of the table's own columns. */
export function toRecords(layout: Layout, batch: Batch): RecordBatch {
  const records =
    batch.kind === 'records' ? batch : { ...decodeCopyText(batch.bytes, batch.schema, batch) }
  const isPacked = records.schema.length === 1 && records.schema[0]?.name === RAW_DATA.name
  return layout.plan.normalization === 'raw' && !isPacked ? packRaw(records) : records
}

function nameOf(layout: Layout, { name }: Column): string {
  const known = layout.columns.find(({ column }) => column.name === name)
  if (known) return known.name
  throw new AirbyteError(
    'SCHEMA_CHANGED',
    `Stream '${layout.stream}' sent a column '${name}' that its plan does not have.`,
    { stream: layout.stream, field: name },
  )
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

/** Writes batches through one COPY for as long as their columns stay the same. */
export class Sink {
  private readonly client: pg.Client
  private readonly target: SinkTable
  private copy: CopyIn | null = null
  private shape = ''
  private rows = 0

  constructor(client: pg.Client, target: SinkTable) {
    this.client = client
    this.target = target
  }

  async write({ bytes, columns }: Encoded): Promise<void> {
    const shape = columns.map(quote).join(', ')
    if (shape !== this.shape) {
      await this.flush()
      this.shape = shape
    }
    this.copy ??= copyIn(this.client, `COPY ${this.target.table} (${shape}) FROM STDIN`)
    await this.copy.write(bytes)
  }

  /** Ends the running COPY. */
  private async flush(): Promise<void> {
    const copy = this.copy
    this.copy = null
    if (copy) this.rows += await copy.end()
  }

  /** Resolves with the rows that PostgreSQL took in all. */
  async end(): Promise<number> {
    await this.flush()
    return this.rows
  }

  /** Ends a running COPY so that the transaction can be rolled back. */
  async cancel(): Promise<void> {
    await this.copy?.cancel()
    this.copy = null
  }
}
