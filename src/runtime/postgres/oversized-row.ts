import { Buffer } from 'node:buffer'
import { fits, LARGEST_ROW, type LeftOut } from '../database/large-values.ts'

const TAB = 0x09
const NULL_FIELD = Buffer.from('\\N')
const SEPARATOR = Buffer.from('\t')
const END_OF_ROW = Buffer.from('\n')

/**
 * Takes in a row of COPY text that is too large to hold, piece by piece, and makes a smaller one of it,
 * in which fields that would carry it beyond the limit are null.
 */
export class OversizedRow {
  readonly leftOut: Omit<LeftOut, 'row'>[] = []
  /** Bytes of the row that are still to come. */
  #left: number
  readonly #limit: number
  readonly #kept: Buffer[] = []
  #size = 0
  #field = 0
  /** Of the field that is being read; undefined: it is left out. */
  #parts: Buffer[] | undefined = []
  #bytes = 0

  /** `length`: of the row, with its newline. */
  constructor(length: number, limit = LARGEST_ROW) {
    this.#left = length
    this.#limit = limit
  }

  /** The rest of `chunk` once the row is complete; undefined: more is to come. */
  take(chunk: Buffer): Buffer | undefined {
    const end = Math.min(chunk.length, this.#left)
    this.#left -= end
    const isLast = this.#left === 0
    const fields = isLast ? end - 1 : end
    // A tab within a value is escaped: this one ends a field.
    for (let at = 0; at < fields; ) {
      const tab = chunk.subarray(0, fields).indexOf(TAB, at)
      this.#take(chunk.subarray(at, tab === -1 ? fields : tab))
      if (tab === -1) break
      this.#endField(SEPARATOR)
      at = tab + 1
    }
    if (!isLast) return undefined
    this.#endField(END_OF_ROW)
    return chunk.subarray(end)
  }

  /** The smaller row. */
  row(): Buffer {
    return Buffer.concat(this.#kept)
  }

  #take(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#parts && fits(this.#size, this.#bytes, this.#limit)) this.#parts.push(bytes)
    else this.#parts = undefined
  }

  #endField(end: Buffer): void {
    if (this.#parts) {
      this.#kept.push(...this.#parts, end)
      this.#size += this.#bytes
    } else {
      this.#kept.push(NULL_FIELD, end)
      this.leftOut.push({ field: this.#field, bytes: this.#bytes })
    }
    this.#field += 1
    this.#parts = []
    this.#bytes = 0
  }
}
