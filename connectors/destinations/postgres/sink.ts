/** Where a chunk's rows go: the table itself, or a temporary table from which they are merged. */
import type pg from 'pg'
import {
  AirbyteError,
  type Batch,
  type Column,
  type RecordBatch,
  type RecordChange,
} from '../../../src/protocol/index.ts'
import { decodeCopyText, encodeCopyText } from '../../../src/runtime/formats/pg-copy-text.ts'
import { type CopyIn, copyIn } from './copy-in.ts'
import { quote } from './identifiers.ts'
import { type Layout, META, OP, RAW_DATA } from './layout.ts'
import { packRaw } from './raw.ts'
import { metaText } from './tables.ts'

/** What the sink writes to. */
export interface SinkTable {
  /** Qualified and quoted. */
  table: string
  /** Whether it has a column for upsert and delete marks. */
  op: boolean
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
  const meta: Column = { name: META, type: 'string' }
  const op: Column = { name: OP, type: 'string' }
  // By place, not by name: the source may have a column that is called like ours.
  const cells = columns.map(({ name }) => {
    const at = records.schema.findIndex((column) => column.name === name)
    return records.columns[at] ?? []
  })
  const extended: RecordBatch = {
    ...records,
    schema: [...columns, meta, ...(target.op ? [op] : [])],
    columns: [...cells, metaCells(layout, records), records.op ?? []],
  }
  return {
    bytes: encodeCopyText(extended),
    columns: [...layout.columns.map(({ name }) => name), META, ...(target.op ? [OP] : [])],
  }
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

function metaCells(layout: Layout, { length, changes }: RecordBatch): string[] {
  const cells = new Array<string>(length).fill(metaText(layout))
  const byRow = Map.groupBy(changes ?? [], ({ row }: RecordChange) => row)
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
