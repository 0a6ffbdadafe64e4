/** Where a chunk's rows go: the table itself, or a temporary table from which they are merged. */
import type pg from 'pg'
import {
  AirbyteError,
  type Batch,
  type Column,
  isDelete,
  type RowOp,
} from '../../../src/protocol/index.ts'
import { appendField, encodeCopyText } from '../../../src/runtime/formats/pg-copy-text.ts'
import { type Layout, OP } from '../../../src/runtime/loading/layout.ts'
import { type SinkTable, tableRows } from '../../../src/runtime/loading/rows.ts'
import { type CopyIn, copyIn } from './copy-in.ts'
import { quote } from './identifiers.ts'

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
  if (batch.kind === 'encoded' && layout.plan.normalization !== 'raw') {
    const { bytes, op } = batch
    const named = batch.schema.map((column) => nameOf(layout, column))
    if (!op || (target.changeLog && areToldByRows(layout, named, op)))
      return { bytes, columns: named }
    if (target.changeLog) return { bytes: appendField(bytes, op), columns: [...named, OP] }
    if (!op.some(isDelete)) return { bytes, columns: named }
  }
  const { records, names } = tableRows(layout, target, batch, (places) => `{${places}}`)
  return { bytes: encodeCopyText(records), columns: names }
}

/** Whether the rows tell by themselves what happened to them: those that are gone, by the time of it. */
const areToldByRows = ({ deletedAt }: Layout, names: string[], op: RowOp[]) =>
  deletedAt !== null &&
  names.includes(deletedAt) &&
  op.every((kind) => kind === 'i' || kind === 'u' || kind === 'd')

function nameOf(layout: Layout, { name }: Column): string {
  const known = layout.columns.find(({ column }) => column.name === name)
  if (known) return known.name
  throw new AirbyteError(
    'SCHEMA_CHANGED',
    `Stream '${layout.stream}' sent a column '${name}' that its plan does not have.`,
    { stream: layout.stream, field: name },
  )
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
  async flush(): Promise<void> {
    const copy = this.copy
    this.copy = null
    this.shape = ''
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
