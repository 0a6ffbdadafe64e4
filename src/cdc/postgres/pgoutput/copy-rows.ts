import { type Buffer, isUtf8 } from 'node:buffer'
import type { Column, EncodedBatch, RowOp } from '../../../protocol/index.ts'
import { timestamptzText } from '../../../runtime/formats/temporal-text.ts'
import type { TableShape } from './events.ts'
import type { PgRelation } from './relation.ts'
import { MONEY_OIDS, TEXT, type TransactionCells, TUPLE_NULL, u32 } from './tuple.ts'

const TAB = 0x09
const SPACE = 0x20
const NOT_ASCII = 0x80
const BACKSLASH = 0x5c
const LETTER_N = 0x4e
/** What COPY writes after the backslash; every other character stands for itself. */
const ESCAPES: ReadonlyMap<number, number> = new Map(
  [...'\b\t\n\v\f\r\\'].map((char, i) => [char.charCodeAt(0), 'btnvfr\\'.charCodeAt(i)]),
)
const FIRST_BYTES = 4 << 10
/** A larger value is not copied about. */
const LARGE = 1 << 20
const NOTHING = new Uint8Array(0)

/** What such a row can say of itself. */
export type CopiedOp = Extract<RowOp, 'i' | 'u' | 'd'>

/**
 * Changes of one relation as rows of COPY text, copied from the log byte by byte: the server prints a
 * value in both alike. What is left out of a tuple has no place in such text.
 */
export class CopyRows {
  length = 0
  readonly #shape: TableShape
  readonly #schema: Column[]
  /** Of each column of the relation, whether it is wanted, and whether it tells rows apart. */
  readonly #wanted: boolean[]
  readonly #identity: boolean[]
  /** Thousands of tables may have one: none holds memory while it has no rows. */
  #bytes: Uint8Array = NOTHING
  #end = 0
  #op: RowOp[] = []
  /** How rows of the transaction seen last end: those that stand, and those that are gone. */
  #of: TransactionCells | undefined
  #tails = { stands: '', gone: '' }

  private constructor(relation: PgRelation, shape: TableShape, schema: Column[]) {
    const wanted = new Set(shape.columns.map(({ name }) => name))
    this.#shape = shape
    this.#schema = schema
    this.#wanted = relation.columns.map(({ name }) => wanted.has(name))
    this.#identity = relation.columns.map(({ identity }) => identity)
  }

  /**
   * Undefined for a relation that has columns in another order or form than its rows are to have, or
   * ones that are yet to be read.
   */
  static of(relation: PgRelation, shape: TableShape, schema: Column[]): CopyRows | undefined {
    if (shape.printed?.length) return undefined
    const wanted = new Set(shape.columns.map(({ name }) => name))
    const told = relation.columns.filter(({ name }) => wanted.has(name))
    const isAlike = told.length === wanted.size && shape.columns.every(isPrintedAlike(told))
    return isAlike ? new CopyRows(relation, shape, schema) : undefined
  }

  /**
   * Adds the tuple at `at`. False if it has something that such a row cannot say; nothing is added then.
   *
   * @param isWhole whether all columns of a deleted row are told, or only its replica identity
   */
  add(bytes: Buffer, at: number, op: CopiedOp, isWhole: boolean, cells: TransactionCells): boolean {
    const width = ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
    if (width !== this.#wanted.length) return false
    const start = this.#end
    at += 2
    for (let c = 0; c < width; c++) {
      const kind = bytes[at++]
      if (kind === TEXT) {
        const end = at + 4 + u32(bytes, at)
        if (this.#wanted[c]) {
          if (!isWhole && !this.#identity[c]) this.#null()
          else if (!this.#field(bytes, at + 4, end)) return this.#giveUp(start)
        }
        at = end
      } else if (kind === TUPLE_NULL) {
        if (this.#wanted[c]) this.#null()
      } else return this.#giveUp(start)
    }
    this.#text(this.#tailOf(op, cells))
    this.#op.push(op)
    this.length++
    return true
  }

  /** What was collected; nothing is left then. */
  take(extractedAt: number): EncodedBatch {
    const batch: EncodedBatch = {
      ...{ kind: 'encoded', stream: this.#shape.stream, schema: this.#schema },
      ...{ format: 'pg-copy-text', rows: this.length, bytes: this.#bytes.subarray(0, this.#end) },
      ...{ extractedAt, op: this.#op },
    }
    this.length = 0
    this.#bytes = NOTHING
    this.#end = 0
    this.#op = []
    return batch
  }

  #giveUp(start: number): false {
    this.#end = start
    return false
  }

  /** False for a text that is not UTF-8, or large. */
  #field(bytes: Buffer, start: number, end: number): boolean {
    if (end - start > LARGE) return false
    // Each byte may need a backslash, and the field a tab.
    this.#reserve(2 * (end - start) + 1)
    const target = this.#bytes
    let to = this.#end
    let seen = 0
    for (let from = start; from < end; from++) {
      const byte = bytes[from] as number
      seen |= byte
      const letter = byte < SPACE || byte === BACKSLASH ? ESCAPES.get(byte) : undefined
      if (letter === undefined) target[to++] = byte
      else {
        target[to++] = BACKSLASH
        target[to++] = letter
      }
    }
    target[to++] = TAB
    this.#end = to
    return seen < NOT_ASCII || isUtf8(bytes.subarray(start, end))
  }

  #null(): void {
    this.#reserve(3)
    this.#bytes[this.#end++] = BACKSLASH
    this.#bytes[this.#end++] = LETTER_N
    this.#bytes[this.#end++] = TAB
  }

  /** ASCII that needs no escapes. */
  #text(text: string): void {
    this.#reserve(text.length)
    for (let i = 0; i < text.length; i++) this.#bytes[this.#end++] = text.charCodeAt(i)
  }

  #tailOf(op: CopiedOp, cells: TransactionCells): string {
    if (this.#of !== cells) {
      this.#of = cells
      const time = timestamptzText(cells.time) ?? cells.time
      const begin = `${cells.lsn}\t${time}`
      this.#tails = { stands: `${begin}\t\\N\n`, gone: `${begin}\t${time}\n` }
    }
    return op === 'd' ? this.#tails.gone : this.#tails.stands
  }

  #reserve(more: number): void {
    const needed = this.#end + more
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length, FIRST_BYTES))
    larger.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = larger
  }
}

/** Whether a column is in its place, and its values are in COPY text what they are in the log. */
const isPrintedAlike =
  (told: PgRelation['columns']) =>
  ({ name, type, native }: Column, place: number): boolean => {
    const { name: own, typeOid } = told[place] as PgRelation['columns'][number]
    if (own !== name) return false
    // `money` has signs of its own in the log, and arrays of a database's own types are read otherwise.
    return !MONEY_OIDS.has(typeOid) && (type !== 'array' || native !== undefined)
  }
