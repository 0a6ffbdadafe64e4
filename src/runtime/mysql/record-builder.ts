import type { Cell, Column, RecordBatch, RecordChange } from '../../protocol/index.ts'
import { type LeftOut, leftOutChange } from '../database/large-values.ts'
import { DECODE_TEXT, type FieldBytes, isMisfit, type Misfit } from './cells.ts'
import type { RowBlock } from './rows.ts'
import type { CellKind } from './types.ts'

/** A column of a batch, and how its values are written. */
export interface BuiltColumn {
  column: Column
  kind: CellKind
}

const MAX_ROWS = 5000
const MAX_BYTES = 2 << 20

/**
 * Fills record batches column by column. A value without a cell of its type (a zero date)
 * becomes another with a recorded change; in a key it stays, for the engine to reject.
 */
export class RecordBuilder {
  readonly #stream: string
  readonly #schema: Column[]
  readonly #decode: (typeof DECODE_TEXT)[CellKind][]
  readonly #inKey: boolean[]
  readonly #maxRows: number
  #columns: Cell[][] = []
  #changes: RecordChange[] = []
  #bytes = 0
  #rows = 0

  constructor(stream: string, columns: BuiltColumn[], keys: Set<string>, maxRows = MAX_ROWS) {
    this.#stream = stream
    this.#schema = columns.map(({ column }) => column)
    this.#decode = columns.map(({ kind }) => DECODE_TEXT[kind])
    this.#inKey = this.#schema.map(({ name }) => keys.has(name))
    this.#maxRows = Math.min(MAX_ROWS, maxRows)
    this.#reset()
  }

  get rows(): number {
    return this.#rows
  }

  get bytes(): number {
    return this.#bytes
  }

  get full(): boolean {
    return this.#rows >= this.#maxRows || this.#bytes >= MAX_BYTES
  }

  /** Adds rows of the block, from this one on, until the batch is full; returns the first that is left. */
  append(block: RowBlock, from: number): number {
    const first = this.#spanStart(block, from)
    const last = this.#spanEnd(block)
    const fields: FieldBytes = {
      bytes: block.bytes,
      latin1: block.bytes.toString('latin1', first, last),
      base: first,
    }
    let row = from
    for (; row < block.rows && !this.full; row++) {
      if (block.leftOut) this.#recordLeftOut(block.leftOut, row)
      this.#appendRow(fields, block, row)
    }
    return row
  }

  #recordLeftOut(leftOut: LeftOut[], row: number): void {
    for (const { row: of, field, bytes } of leftOut) {
      const column = this.#schema[field]
      if (of === row && column) this.#changes.push(leftOutChange(this.#rows, column.name, bytes))
    }
  }

  #appendRow(fields: FieldBytes, { width, starts, ends }: RowBlock, row: number): void {
    const decode = this.#decode
    for (let c = 0; c < decode.length; c++) {
      const index = row * width + c
      const start = starts[index] as number
      const cells = this.#columns[c] as Cell[]
      if (start < 0) {
        cells.push(null)
        continue
      }
      const end = ends[index] as number
      this.#bytes += end - start
      const value = (decode[c] as (typeof decode)[0])(fields, start, end)
      if (isMisfit(value)) cells.push(this.#misfit(value, c, fields, start, end))
      else cells.push(value)
    }
    this.#rows++
  }

  #misfit(value: Misfit, c: number, fields: FieldBytes, start: number, end: number): Cell {
    if (this.#inKey[c]) return value.inKey ?? fields.bytes.toString('latin1', start, end)
    const field = (this.#schema[c] as Column).name
    const reason = 'SOURCE_SERIALIZATION_ERROR'
    this.#changes.push({ row: this.#rows, field, change: value.change, reason })
    return value.cell
  }

  #spanStart({ starts, width, rows }: RowBlock, from: number): number {
    for (let i = from * width; i < rows * width; i++) {
      if ((starts[i] as number) >= 0) return starts[i] as number
    }
    return 0
  }

  #spanEnd({ starts, ends, width, rows }: RowBlock): number {
    for (let i = rows * width - 1; i >= 0; i--) {
      if ((starts[i] as number) >= 0) return ends[i] as number
    }
    return 0
  }

  take(extractedAt: number): RecordBatch {
    const batch: RecordBatch = {
      kind: 'records',
      stream: this.#stream,
      schema: this.#schema,
      length: this.#rows,
      columns: this.#columns,
      extractedAt,
    }
    if (this.#changes.length > 0) batch.changes = this.#changes
    this.#reset()
    return batch
  }

  #reset(): void {
    this.#columns = this.#schema.map(() => [])
    this.#changes = []
    this.#bytes = 0
    this.#rows = 0
  }
}
