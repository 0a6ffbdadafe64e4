import type { RowGroup, SchemaElement } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import type { Cell, Column } from '../../protocol/index.ts'
import type { CellProblem } from './parquet-cells.ts'
import { ColumnWriter } from './parquet-column.ts'
import { type ParquetType, parquetTypeOf, schemaElementOf } from './parquet-types.ts'

const MAGIC = new Uint8Array([0x50, 0x41, 0x52, 0x31])
/** Compressed bytes at which a row group ends: what waits in memory. */
const ROW_GROUP_BYTES = 6 * 1024 * 1024
/** Rows at which it ends in any case; a multiple of what vectorised readers take at once. */
const ROW_GROUP_ROWS = 122_880
/** Open pages of all columns together. */
const OPEN_PAGE_BYTES = 2 * 1024 * 1024

export interface ParquetColumn {
  name: string
  type: ParquetType
}

/**
 * Writes one Parquet file, columns in, bytes out; Snappy, PLAIN, one data page at a time.
 * Holds one row group, compressed: some 8 MiB at most, whatever the number of rows and columns
 * (a single cell may be larger than that).
 *
 * @example
 * const file = new ParquetFile(parquetColumns(schema))
 * schema.forEach((_, i) => file.append(i, batch.columns[i], batch.length))
 * yield* file.endRows(batch.length)
 * yield* file.end()
 */
export class ParquetFile {
  readonly #columns: ColumnWriter[]
  readonly #schema: SchemaElement[]
  readonly #groups: RowGroup[] = []
  #offset = 0
  #rows = 0
  #groupRows = 0

  constructor(columns: ParquetColumn[]) {
    const pageBytes = Math.min(
      256 * 1024,
      Math.max(4 * 1024, Math.floor(OPEN_PAGE_BYTES / Math.max(1, columns.length))),
    )
    this.#columns = columns.map(({ name, type }) => new ColumnWriter(name, type, pageBytes))
    this.#schema = [
      { name: 'schema', num_children: columns.length },
      ...columns.map(({ name, type }) => schemaElementOf(name, type)),
    ]
  }

  /** Adds the cells of one column (by index); call for every column, then `endRows`. */
  append(
    index: number,
    cells: ArrayLike<Cell> | undefined,
    length: number,
    problem: CellProblem = () => {},
  ) {
    const column = this.column(index)
    if (cells) column.append(cells, length, problem)
    else column.appendNulls(length)
  }

  /** The column itself, for callers that write its bytes. */
  column(index: number): ColumnWriter {
    const column = this.#columns[index]
    if (!column) throw new RangeError(`the file has no column ${index}`)
    return column
  }

  /** Ends `length` rows given by `append`; yields a row group's bytes when one is full. */
  *endRows(length: number): Generator<Uint8Array> {
    this.#groupRows += length
    if (this.#groupRows >= ROW_GROUP_ROWS || this.#held() >= ROW_GROUP_BYTES)
      yield* this.#endGroup()
  }

  /** The rest of the file: the last row group and the footer. */
  *end(): Generator<Uint8Array> {
    yield* this.#endGroup()
    if (this.#offset === 0) yield this.#count(MAGIC)
    const footer = new ByteWriter()
    writeMetadata(footer, {
      version: 2,
      schema: this.#schema,
      num_rows: BigInt(this.#rows),
      row_groups: this.#groups,
      created_by: '@dotdo/airbyte',
      metadata_length: 0,
    })
    footer.appendBytes(MAGIC)
    yield footer.getBytes()
  }

  *#endGroup(): Generator<Uint8Array> {
    if (this.#groupRows === 0) return
    if (this.#offset === 0) yield this.#count(MAGIC)
    const group: RowGroup = {
      columns: [],
      total_byte_size: 0n,
      num_rows: BigInt(this.#groupRows),
    }
    for (const column of this.#columns) {
      const { pages, chunk } = column.end(this.#offset)
      group.columns.push(chunk)
      group.total_byte_size += chunk.meta_data?.total_uncompressed_size ?? 0n
      for (const page of pages) yield this.#count(page)
    }
    this.#groups.push(group)
    this.#rows += this.#groupRows
    this.#groupRows = 0
  }

  #held(): number {
    return this.#columns.reduce((sum, column) => sum + column.held, 0)
  }

  #count(bytes: Uint8Array): Uint8Array {
    this.#offset += bytes.length
    return bytes
  }
}

export const parquetColumns = (columns: Column[]): ParquetColumn[] =>
  columns.map((column) => ({ name: column.name, type: parquetTypeOf(column) }))
