import type { ColumnChunk } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import type { Cell } from '../../protocol/index.ts'
import { appendCells, type CellProblem } from './parquet-cells.ts'
import { snappyBound, snappyCompress } from './parquet-snappy.ts'
import { decimalBytes, type ParquetType, schemaElementOf } from './parquet-types.ts'

/** Rows at which a page ends although it is small. */
const PAGE_ROWS = 65_536
/** A scratch buffer larger than this, for the page of a huge cell, is not kept. */
const KEPT_BYTES = 1024 * 1024

/** Bytes that are used only until the next `take`: pages need theirs for a moment, one at a time. */
function scratch() {
  let kept = new Uint8Array(0)
  return {
    take(length: number): Uint8Array<ArrayBuffer> {
      if (length > KEPT_BYTES) return new Uint8Array(length)
      if (length > kept.length) kept = new Uint8Array(Math.min(KEPT_BYTES, length * 2))
      return kept.subarray(0, length)
    },
  }
}

const bodyScratch = scratch()
const snappyScratch = scratch()

/**
 * One column of the row group being written. Cells go straight into the bytes of a page (PLAIN
 * encoding); a full page is compressed at once, so that a row group waits in memory compressed.
 */
export class ColumnWriter {
  readonly name: string
  readonly type: ParquetType
  /** Bytes of a decimal; 0 for other types. */
  readonly width: number
  readonly #pageBytes: number
  /** Values of the open page. */
  page = new Uint8Array(1024)
  view = new DataView(this.page.buffer)
  size = 0
  /** Smallest and largest value, where the type has an order that readers prune by. */
  min: number | bigint | undefined
  max: number | bigint | undefined

  /** One byte a row of the open page: whether it has a value. */
  #defined = new Uint8Array(1024)
  #rows = 0
  #values = 0
  #pages: Uint8Array[] = []
  #compressed = 0
  #uncompressed = 0
  #chunkRows = 0
  #chunkNulls = 0

  constructor(name: string, type: ParquetType, pageBytes: number) {
    this.name = name
    this.type = type
    this.width = type.kind === 'decimal' ? decimalBytes(type.precision) : 0
    this.#pageBytes = pageBytes
  }

  /** Compressed bytes waiting, plus the open page. */
  get held(): number {
    return this.#compressed + this.size
  }

  /** Adds the cells; those that the type cannot hold become null and are told to `problem`. */
  append(cells: ArrayLike<Cell>, length: number, problem: CellProblem) {
    // A page is cut between runs of rows, by what the rows before have taken.
    for (let at = 0; at < length; ) {
      const to = Math.min(length, at + 1024)
      appendCells(this, cells, at, to, problem)
      at = to
      if (this.size >= this.#pageBytes || this.#rows >= PAGE_ROWS) this.#endPage()
    }
  }

  appendNulls(length: number) {
    this.#markAll(0, length)
    if (this.#rows >= PAGE_ROWS) this.#endPage()
  }

  /** Adds one cell `length` times, at the price of copying its bytes. */
  appendRepeated(cell: Cell, length: number) {
    if (length === 0) return
    const from = this.size
    appendCells(this, [cell], 0, 1, () => {})
    const bytes = this.size - from
    this.room(bytes * (length - 1))
    // Each copy doubles what there is to copy from.
    for (let done = 1; done < length && bytes > 0; ) {
      const more = Math.min(done, length - done)
      this.page.copyWithin(this.size, from, from + bytes * more)
      this.size += bytes * more
      done += more
    }
    this.#markAll(bytes > 0 ? 1 : 0, length - 1)
    if (this.size >= this.#pageBytes || this.#rows >= PAGE_ROWS) this.#endPage()
  }

  /** Adds values of a fixed width, without nulls, that `fill` writes into the page itself. */
  appendFixed(
    width: number,
    length: number,
    fill: (page: Uint8Array, at: number, row: number) => void,
  ) {
    this.room(width * length)
    for (let row = 0; row < length; row++) {
      fill(this.page, this.size, row)
      this.size += width
    }
    this.#markAll(1, length)
    if (this.size >= this.#pageBytes || this.#rows >= PAGE_ROWS) this.#endPage()
  }

  /** Lets the statistics cover a value. */
  widen(value: number | bigint) {
    if (this.min === undefined || value < this.min) this.min = value
    if (this.max === undefined || value > this.max) this.max = value
  }

  /** Notes a row with (1) or without (0) a value; the value's bytes go to `page` by `room`. */
  mark(defined: 0 | 1) {
    if (this.#rows === this.#defined.length) this.#defined = grown(this.#defined, this.#rows + 1)
    this.#defined[this.#rows++] = defined
    this.#values += defined
  }

  #markAll(defined: 0 | 1, count: number) {
    const rows = this.#rows + count
    if (rows > this.#defined.length) this.#defined = grown(this.#defined, rows)
    this.#defined.fill(defined, this.#rows, rows)
    this.#rows = rows
    this.#values += defined * count
  }

  /** Makes sure that `bytes` more fit the page. */
  room(bytes: number) {
    if (this.size + bytes <= this.page.length) return
    this.page = grown(this.page, this.size + bytes)
    this.view = new DataView(this.page.buffer)
  }

  /** Ends the row group's chunk: its pages, and what the footer says of it. */
  end(offset: number): { pages: Uint8Array[]; chunk: ColumnChunk } {
    this.#endPage()
    const element = schemaElementOf(this.name, this.type)
    const pages = this.#pages
    const chunk: ColumnChunk = {
      file_offset: BigInt(offset),
      meta_data: {
        type: element.type ?? 'BYTE_ARRAY',
        encodings: ['PLAIN', 'RLE'],
        path_in_schema: [this.name],
        codec: 'SNAPPY',
        num_values: BigInt(this.#chunkRows),
        total_uncompressed_size: BigInt(this.#uncompressed),
        total_compressed_size: BigInt(this.#compressed),
        data_page_offset: BigInt(offset),
        statistics: this.#statistics(),
      },
    }
    this.#pages = []
    this.#compressed = this.#uncompressed = this.#chunkRows = this.#chunkNulls = 0
    this.min = this.max = undefined
    return { pages, chunk }
  }

  #statistics() {
    const null_count = BigInt(this.#chunkNulls)
    if (this.min === undefined || this.max === undefined) return { null_count }
    if (this.type.kind !== 'int64') return { null_count, min_value: this.min, max_value: this.max }
    return { null_count, min_value: BigInt(this.min), max_value: BigInt(this.max) }
  }

  #endPage() {
    if (this.#rows === 0) return
    const levels = levelBytes(this.#defined, this.#rows, this.#values)
    const values = this.type.kind === 'boolean' ? packBits(this.page, this.size) : this.size
    const length = 4 + levels.length + values
    const body = bodyScratch.take(length)
    new DataView(body.buffer).setUint32(0, levels.length, true)
    body.set(levels, 4)
    body.set(this.page.subarray(0, values), 4 + levels.length)
    const compressed = snappyCompress(body, snappyScratch.take(snappyBound(length)))

    const header = new ByteWriter(64)
    writePageHeader(header, {
      type: 'DATA_PAGE',
      uncompressed_page_size: length,
      compressed_page_size: compressed.length,
      data_page_header: {
        num_values: this.#rows,
        encoding: 'PLAIN',
        definition_level_encoding: 'RLE',
        repetition_level_encoding: 'RLE',
      },
    })
    this.#uncompressed += header.offset + length
    const bytes = new Uint8Array(header.offset + compressed.length)
    bytes.set(header.getBytes())
    bytes.set(compressed, header.offset)
    this.#pages.push(bytes)
    this.#compressed += bytes.length
    this.#chunkRows += this.#rows
    this.#chunkNulls += this.#rows - this.#values
    this.#rows = this.#values = this.size = 0
  }
}

/** The bytes in a buffer at least twice as long, of at least `length`. */
function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(bytes.length * 2, length))
  larger.set(bytes)
  return larger
}

/** Definition levels of one bit, in Parquet's RLE and bit-packing hybrid. */
function levelBytes(defined: Uint8Array, rows: number, values: number): Uint8Array {
  if (values === rows || values === 0) {
    return Uint8Array.from([...varint(rows << 1), values === 0 ? 0 : 1])
  }
  const groups = Math.ceil(rows / 8)
  const header = varint((groups << 1) | 1)
  const bytes = new Uint8Array(header.length + groups)
  bytes.set(header)
  for (let i = 0; i < rows; i++) {
    const at = header.length + (i >> 3)
    bytes[at] = (bytes[at] ?? 0) | ((defined[i] ?? 0) << (i & 7))
  }
  return bytes
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
  return [...bytes, rest]
}

/** Booleans are gathered one a byte; packs the first `count` in place and tells the bytes used. */
function packBits(page: Uint8Array, count: number): number {
  const used = Math.ceil(count / 8)
  for (let byte = 0; byte < used; byte++) {
    let packed = 0
    for (let bit = 0; bit < 8 && byte * 8 + bit < count; bit++) {
      packed |= (page[byte * 8 + bit] ?? 0) << bit
    }
    page[byte] = packed
  }
  return used
}

/** Rows whose cell the type cannot hold. */
export function unfitRows(type: ParquetType, cells: ArrayLike<Cell>, length: number): number[] {
  if (type.kind === 'text' || type.kind === 'json') return []
  const rows: number[] = []
  new ColumnWriter('', type, 256 * 1024).append(cells, length, (row, change) => {
    if (change === 'NULLED') rows.push(row)
  })
  return rows
}
