import type { Buffer } from 'node:buffer'
import type { Cell, RecordBatch, RecordChange, RowOp } from '../../protocol/index.ts'
import { leftOutChange } from '../../runtime/database/large-values.ts'
import { isMisfit } from '../../runtime/mysql/cells.ts'
import { CDC_COLUMNS } from './columns.ts'
import type { LeftOutOfRows } from './large-rows.ts'
import type { RowOperation } from './row-events.ts'
import type { RowShape } from './row-shape.ts'

/** What the log says of a change besides its row. */
export interface ChangePlace {
  file: string
  pos: number
  order: number
  /** ISO 8601. */
  at: string
}

const MAX_ROWS = 5000
const MAX_BYTES = 2 << 20

/** Fills batches of one stream's changes, column by column, straight from the bytes of row events. */
export class ChangeBuilder {
  readonly shape: RowShape
  #columns: Cell[][] = []
  #op: RowOp[] = []
  #changes: RecordChange[] = []
  /** Starts and ends of the key's fields in the images of an update. */
  readonly #before: number[] = []
  readonly #after: number[] = []
  bytes = 0
  /** Of the images that are read next. */
  leftOut: LeftOutOfRows | undefined

  constructor(shape: RowShape) {
    this.shape = shape
    this.#reset()
  }

  get length(): number {
    return this.#op.length
  }

  get full(): boolean {
    return this.length >= MAX_ROWS || this.bytes >= MAX_BYTES
  }

  /** Reads the row image at `at` as the next row; returns where it ends. */
  image(op: RowOp, bytes: Buffer, at: number, place: ChangePlace): number {
    const { fields, key } = this.shape
    const nulls = at
    let next = at + ((fields.length + 7) >> 3)
    const row = this.length
    const missing = this.leftOut?.get(at)
    for (let f = 0; f < fields.length; f++) {
      const { span, target, read } = fields[f] as (typeof fields)[0]
      const isNull = ((bytes[nulls + (f >> 3)] as number) & (1 << (f & 7))) !== 0
      let end = next
      let start = next
      if (!isNull) {
        start = next + span.lengthBytes
        end = start + (span.lengthBytes > 0 ? bytes.readUIntLE(next, span.lengthBytes) : span.size)
        next = end
      }
      if (target < 0 || !read) continue
      const cells = this.#columns[target] as Cell[]
      if (isNull) {
        cells.push(null)
        const size = missing?.get(f)
        if (size !== undefined) this.#changes.push(leftOutChange(row, this.#nameOf(target), size))
        continue
      }
      const value = read(bytes, start, end)
      if (!isMisfit(value)) {
        cells.push(value)
        continue
      }
      // In a key there is no value that could stand for it: the engine rejects the row.
      if (key.includes(target)) {
        cells.push(value.inKey ?? value.cell)
        continue
      }
      cells.push(value.cell)
      const field = this.#nameOf(target)
      const reason = 'SOURCE_SERIALIZATION_ERROR'
      this.#changes.push({ row, field, change: value.change, reason })
    }
    this.bytes += next - at
    this.#place(op, place)
    return next
  }

  #nameOf = (target: number) => (this.shape.columns[target] as { name: string }).name

  /**
   * Reads the images before and after an update. Where both have one key, the row before is passed over:
   * it would be taken away again.
   */
  update(bytes: Buffer, at: number, place: ChangePlace): number {
    const after = this.#find(bytes, at, this.#before)
    if (this.shape.key.length > 0) {
      this.#find(bytes, after, this.#after)
      if (!this.#isSameKey(bytes)) {
        this.image('d', bytes, at, place)
        const end = this.image('u', bytes, after, place)
        // Other bytes, and yet the same value.
        if (this.#isSameValue()) this.#dropBefore()
        return end
      }
    }
    return this.image('u', bytes, after, place)
  }

  /** Takes back what rows of one event did, the last one first. */
  undo(operation: RowOperation, bytes: Buffer, place: ChangePlace): void {
    const starts: number[] = []
    for (let at = 0; at < bytes.length; ) {
      starts.push(at)
      at = this.#find(bytes, at, this.#before)
      if (operation === 'update') at = this.#find(bytes, at, this.#after)
    }
    for (const at of starts.reverse()) {
      if (operation === 'update') {
        const after = this.#find(bytes, at, this.#before)
        this.#find(bytes, after, this.#after)
        if (this.shape.key.length > 0 && !this.#isSameKey(bytes))
          this.image('d', bytes, after, place)
      }
      this.image(operation === 'write' ? 'd' : 'u', bytes, at, place)
    }
  }

  /** Where the key's fields of an image are; returns where the image ends. */
  #find(bytes: Buffer, at: number, spans: number[]): number {
    const { fields, key } = this.shape
    let next = at + ((fields.length + 7) >> 3)
    let found = 0
    for (let f = 0; f < fields.length; f++) {
      const { span, target } = fields[f] as (typeof fields)[0]
      const isNull = ((bytes[at + (f >> 3)] as number) & (1 << (f & 7))) !== 0
      const start = next
      if (!isNull) {
        const { lengthBytes, size } = span
        next += lengthBytes + (lengthBytes > 0 ? bytes.readUIntLE(next, lengthBytes) : size)
      }
      if (target < 0 || !key.includes(target)) continue
      spans[found++] = isNull ? -1 : start
      spans[found++] = next
    }
    return next
  }

  #isSameKey(bytes: Buffer): boolean {
    for (let at = 0; at < this.#before.length; at += 2) {
      const [a, b] = [this.#before[at] as number, this.#after[at] as number]
      const length = a < 0 ? -1 : (this.#before[at + 1] as number) - a
      if ((b < 0 ? -1 : (this.#after[at + 1] as number) - b) !== length) return false
      for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false
    }
    return true
  }

  /** Every row before is gone. */
  truncate(place: ChangePlace): void {
    for (let c = 0; c < this.shape.columns.length; c++) (this.#columns[c] as Cell[]).push(null)
    this.#place('t', place)
  }

  /** Whether the last two rows have the same key. */
  #isSameValue(): boolean {
    const last = this.length - 1
    return this.shape.key.every((c) => {
      const cells = this.#columns[c]
      return cells?.[last] === cells?.[last - 1]
    })
  }

  /** Takes the last row but one away: the image before an update that left the key as it was. */
  #dropBefore(): void {
    const last = this.length - 1
    for (const cells of this.#columns) {
      cells[last - 1] = cells[last] as Cell
      cells.length = last
    }
    this.#op[last - 1] = this.#op[last] as RowOp
    this.#op.length = last
    if (this.#changes.length === 0) return
    this.#changes = this.#changes.flatMap((change) =>
      change.row === last - 1
        ? []
        : change.row === last
          ? [{ ...change, row: last - 1 }]
          : [change],
    )
  }

  #place(op: RowOp, { file, pos, order, at }: ChangePlace): void {
    const deleted = op === 'd' ? at : null
    const cells: Cell[] = [file, pos, at, deleted, order]
    const first = this.shape.columns.length
    for (let c = 0; c < cells.length; c++)
      (this.#columns[first + c] as Cell[]).push(cells[c] as Cell)
    this.#op.push(op)
  }

  take(extractedAt: number): RecordBatch {
    const batch: RecordBatch = {
      kind: 'records',
      stream: this.shape.stream,
      schema: [...this.shape.columns, ...CDC_COLUMNS],
      length: this.length,
      columns: this.#columns,
      extractedAt,
      op: this.#op,
    }
    if (this.#changes.length > 0) batch.changes = this.#changes
    this.#reset()
    return batch
  }

  #reset(): void {
    this.#columns = [...this.shape.columns, ...CDC_COLUMNS].map(() => [])
    this.#op = []
    this.#changes = []
    this.bytes = 0
  }
}
