import type { Buffer } from 'node:buffer'
import {
  AirbyteError,
  type Cell,
  type Column,
  type EncodedBatch,
  type RecordChange,
  type RowOp,
} from '../../../protocol/index.ts'
import { leftOutChange } from '../../../runtime/database/large-values.ts'
import { UNREADABLE } from '../../../runtime/postgres/unreadable-text.ts'
import type { Lsn } from '../position.ts'
import { LARGEST_MESSAGE, LEFT_OUT } from '../protocol/oversized-message.ts'
import { type CellReader, cellReaderOf } from './cell-readers.ts'
import { type CopiedOp, CopyRows } from './copy-rows.ts'
import { CDC_COLUMNS, type ChangeBatch, type PrintedColumn, type TableShape } from './events.ts'
import type { PgRelation } from './relation.ts'
import { MONEY_OIDS, TEXT, type TransactionCells, TUPLE_NULL, UNCHANGED, u32 } from './tuple.ts'

/** A tuple that is looked at before it becomes a row. `undefined`: unchanged, or not in the tuple. */
type Scratch = (Cell | undefined)[]

/**
 * Collects the changes of one relation until they are taken: as rows of COPY text where that is asked
 * for and can say them, and from the first change on that it cannot as columns, one array a column.
 */
export class TableBuffer {
  readonly relation: PgRelation
  readonly shape: TableShape
  /** Rows that are collected as columns. */
  private length = 0
  private readonly copied: CopyRows | undefined
  private readonly schema: Column[]
  /** Of each column of the relation: its reader and its place in the batch; -1: left out. */
  private readonly readers: CellReader[]
  private readonly places: number[]
  /** Columns of the shape that the relation lacks. */
  private readonly absent: number[]
  /** Places of the key, and those of them that an old tuple holds. */
  private readonly key: number[]
  private readonly identity: boolean[]
  private readonly printed: PrintedColumn[] = []
  private from: Lsn | undefined
  private columns: Cell[][] = []
  private lsns: Cell[] = []
  private updated: Cell[] = []
  private deleted: Cell[] = []
  private op: RowOp[] = []
  private sequences: number[] = []
  private unchanged: (Uint8Array | undefined)[] | undefined
  private movedFrom: Map<number, number> | undefined
  /** Places of the tuple looked at last whose values were too large, with their sizes. */
  private readonly leftOut = new Map<number, number>()
  /** Places of the tuple looked at last whose texts are not UTF-8. */
  private readonly unreadable = new Set<number>()
  private changes: RecordChange[] | undefined
  private readonly before: Scratch
  private readonly after: Scratch

  constructor(relation: PgRelation, shape: TableShape, copyText: boolean) {
    this.relation = relation
    this.shape = shape
    this.schema = [...shape.columns, ...CDC_COLUMNS]
    if (copyText) this.copied = CopyRows.of(relation, shape, this.schema)
    const byName = new Map(shape.columns.map(({ name }, place) => [name, place]))
    this.places = relation.columns.map(({ name }) => byName.get(name) ?? -1)
    this.readers = relation.columns.map(({ typeOid }, at) => {
      const place = this.places[at] as number
      const column = shape.columns[place]
      if (!column) return () => null
      const isPrinted = shape.printed?.includes(column.name) ?? false
      if (isPrinted) this.printed.push({ place, typeOid })
      const read = isPrinted ? { ...column, type: 'string' as const } : column
      return cellReaderOf(read, MONEY_OIDS.has(typeOid), () => this.unreadable.add(place))
    })
    const present = new Set(this.places)
    this.absent = shape.columns.map((_, place) => place).filter((place) => !present.has(place))
    this.identity = shape.columns.map(() => false)
    relation.columns.forEach(({ identity }, at) => {
      const place = this.places[at] as number
      if (place >= 0) this.identity[place] = identity
    })
    this.key = shape.key
      .map((name) => byName.get(name) ?? -1)
      .filter((place) => place >= 0 && this.identity[place])
    this.before = new Array<Cell | undefined>(shape.columns.length)
    this.after = new Array<Cell | undefined>(shape.columns.length)
    this.reset()
  }

  get rows(): number {
    return this.length + (this.copied?.length ?? 0)
  }

  /** Takes note of where a change is that is about to be added, if anybody wants to know. */
  noteFrom(bytes: Buffer, at: number) {
    if (this.printed.length === 0) return
    const lsn = bytes.readBigUInt64BE(at)
    if (this.from === undefined || lsn < this.from) this.from = lsn
  }

  /** Adds the tuple at `at` to the rows of COPY text, if that can say it and no columns wait before it. */
  copy(
    bytes: Buffer,
    at: number,
    op: CopiedOp,
    isWhole: boolean,
    cells: TransactionCells,
  ): boolean {
    return this.length === 0 && (this.copied?.add(bytes, at, op, isWhole, cells) ?? false)
  }

  /** Adds the tuple at `at` as a row that is so now; returns where it ends. */
  upsert(
    bytes: Buffer,
    latin: string,
    at: number,
    op: 'i' | 'u',
    sequence: number,
    cells: TransactionCells,
  ) {
    const { places, readers, columns } = this
    const width = this.width(bytes, at)
    this.unreadable.clear()
    at += 2
    for (let c = 0; c < width; c++) {
      const kind = bytes[at++]
      const place = places[c] as number
      if (kind === TEXT) {
        const start = at + 4
        at = start + u32(bytes, at)
        if (place >= 0)
          (columns[place] as Cell[]).push((readers[c] as CellReader)(bytes, latin, start, at))
      } else {
        if (place >= 0) (columns[place] as Cell[]).push(null)
        if (kind === UNCHANGED) {
          if (place >= 0) this.markUnchanged(place, this.length)
        } else if (kind === LEFT_OUT) {
          if (place >= 0) this.markLeftOut(place, this.length, u32(bytes, at))
          at += 4
        } else if (kind !== TUPLE_NULL) throw unknownKind(kind)
      }
    }
    this.markUnreadable(this.length)
    this.endRow(op, sequence, cells)
    return at
  }

  /** An update that brings its old tuple: `whole`, or only the replica identity. Returns where it ends. */
  update(
    bytes: Buffer,
    latin: string,
    at: number,
    whole: boolean,
    sequence: number,
    cells: TransactionCells,
  ) {
    const { before, after, identity, key } = this
    at = this.readScratch(bytes, latin, at, before)
    // `N` announces the new tuple.
    at = this.readScratch(bytes, latin, at + 1, after)
    for (let place = 0; place < after.length; place++) {
      // What the old tuple holds need not be looked up: old rows are sent with their large values.
      if (after[place] === undefined && (whole || identity[place]) && before[place] !== null) {
        after[place] = before[place]
      }
    }
    const moved = key.some((place) => before[place] !== undefined && before[place] !== after[place])
    if (moved) this.pushDelete(before, whole, sequence, cells)
    const row = this.length
    let incomplete = false
    for (let place = 0; place < after.length; place++) {
      const cell = after[place]
      ;(this.columns[place] as Cell[]).push(cell ?? null)
      if (cell !== undefined || this.absent.includes(place)) continue
      this.markUnchanged(place, row)
      incomplete = true
    }
    for (const [place, size] of this.leftOut) this.markLeftOut(place, row, size)
    this.markUnreadable(row)
    this.endRow('u', sequence, cells, false)
    if (moved && incomplete) {
      this.movedFrom ??= new Map()
      this.movedFrom.set(row, row - 1)
    }
    return at
  }

  /** A delete, with the whole old tuple or only its replica identity. Returns where it ends. */
  delete(
    bytes: Buffer,
    latin: string,
    at: number,
    whole: boolean,
    sequence: number,
    cells: TransactionCells,
  ) {
    const end = this.readScratch(bytes, latin, at, this.before)
    this.pushDelete(this.before, whole, sequence, cells)
    return end
  }

  /** The rows of COPY text, which come before the columns. */
  takeCopied(extractedAt: number): EncodedBatch | undefined {
    return this.copied && this.copied.length > 0 ? this.copied.take(extractedAt) : undefined
  }

  /** The rows that were collected as columns. */
  takeColumns(extractedAt: number): ChangeBatch | undefined {
    if (this.length === 0) return undefined
    const batch: ChangeBatch = {
      kind: 'records',
      stream: this.shape.stream,
      schema: this.schema,
      length: this.length,
      columns: [...this.columns, this.lsns, this.updated, this.deleted],
      extractedAt,
      op: this.op,
      sequences: this.sequences,
    }
    if (this.unchanged) batch.unchanged = this.unchanged
    if (this.movedFrom) batch.movedFrom = this.movedFrom
    if (this.changes) batch.changes = this.changes
    if (this.printed.length > 0) batch.printed = this.printed
    if (this.from !== undefined) batch.from = this.from
    this.reset()
    return batch
  }

  private reset() {
    this.length = 0
    this.columns = this.shape.columns.map(() => [])
    this.lsns = []
    this.updated = []
    this.deleted = []
    this.op = []
    this.sequences = []
    this.unchanged = undefined
    this.movedFrom = undefined
    this.changes = undefined
    this.from = undefined
  }

  private readScratch(bytes: Buffer, latin: string, at: number, into: Scratch): number {
    const width = this.width(bytes, at)
    into.fill(undefined)
    this.leftOut.clear()
    this.unreadable.clear()
    at += 2
    for (let c = 0; c < width; c++) {
      const kind = bytes[at++]
      const place = this.places[c] as number
      if (kind === TEXT) {
        const start = at + 4
        at = start + u32(bytes, at)
        if (place >= 0) into[place] = (this.readers[c] as CellReader)(bytes, latin, start, at)
      } else if (kind === TUPLE_NULL) {
        if (place >= 0) into[place] = null
      } else if (kind === LEFT_OUT) {
        if (place >= 0) {
          into[place] = null
          this.leftOut.set(place, u32(bytes, at))
        }
        at += 4
      } else if (kind !== UNCHANGED) throw unknownKind(kind)
    }
    return at
  }

  private pushDelete(old: Scratch, whole: boolean, sequence: number, cells: TransactionCells) {
    for (let place = 0; place < old.length; place++) {
      const known = whole || this.identity[place]
      ;(this.columns[place] as Cell[]).push((known ? old[place] : null) ?? null)
    }
    this.endRow('d', sequence, cells, false)
  }

  private endRow(op: RowOp, sequence: number, { lsn, time }: TransactionCells, fillAbsent = true) {
    if (fillAbsent) for (const place of this.absent) (this.columns[place] as Cell[]).push(null)
    this.op.push(op)
    this.sequences.push(sequence)
    this.lsns.push(lsn)
    this.updated.push(time)
    this.deleted.push(op === 'd' ? time : null)
    this.length++
  }

  private markUnchanged(place: number, row: number) {
    this.unchanged ??= new Array<Uint8Array | undefined>(this.shape.columns.length).fill(undefined)
    let bits = this.unchanged[place]
    if (!bits || row >> 3 >= bits.length) {
      const larger = new Uint8Array(Math.max(64, (row >> 3) * 2 + 1))
      if (bits) larger.set(bits)
      bits = larger
      this.unchanged[place] = bits
    }
    bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7))
  }

  private markLeftOut(place: number, row: number, size: number) {
    this.record(leftOutChange(row, this.nameOf(place), size, LARGEST_MESSAGE))
  }

  private markUnreadable(row: number) {
    for (const place of this.unreadable) {
      this.record({ row, field: this.nameOf(place), change: 'NULLED', reason: UNREADABLE })
    }
  }

  private record(change: RecordChange) {
    this.changes ??= []
    this.changes.push(change)
  }

  private nameOf(place: number): string {
    return this.shape.columns[place]?.name ?? ''
  }

  private width(bytes: Buffer, at: number): number {
    const width = ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
    if (width === this.places.length) return width
    throw new AirbyteError(
      'INTERNAL',
      `A row of ${this.shape.stream} has ${width} columns in the log; its description has ${this.places.length}.`,
      { stream: this.shape.stream },
    )
  }
}

const unknownKind = (kind: number | undefined) =>
  new AirbyteError('INTERNAL', `A value of kind ${kind} came in the log; text was asked for.`)
