import { Buffer } from 'node:buffer'
import { AirbyteError, type RecordBatch, type StreamKey } from '../../protocol/index.ts'
import { LARGEST_ROW } from '../../runtime/database/large-values.ts'
import { ByteStream } from '../../runtime/mysql/byte-stream.ts'
import { PacketCursor } from '../../runtime/mysql/wire.ts'
import type { BinlogEvent } from './binlog-event.ts'
import { ChangeBuilder, type ChangePlace } from './change-builder.ts'
import { type CutRows, compressedHead, type LeftOutOfRows } from './large-rows.ts'
import { printPosition } from './position.ts'
import { partialImage, rolledBackTooMuch, unsureSign } from './refused.ts'
import {
  cutEvent,
  DUMMY_TABLE,
  imagesOf,
  inflated,
  type RowsType,
  tableOf,
  takeHead,
} from './row-events.ts'
import type { RowShape } from './row-shape.ts'
import { INTEGERS, readTableMap, signsYears, type TableMap } from './table-map.ts'

export interface WantedTables {
  /** How a table's rows are read; undefined: nobody wants them. */
  shapeOf(table: TableMap): Promise<RowShape | undefined>
  /** The stream of a table, if somebody wants it. */
  streamOf(schema: string, name: string): StreamKey | undefined
  /** The names of those columns of a stream's table that it wants, as the table is now. */
  columnsOf(schema: string, name: string): Promise<string[]>
  now(): number
}

interface MappedTable {
  /** The event that described it. */
  event: Buffer
  name: string
  builder: ChangeBuilder | undefined
}

/** The rows of an event that was too large to hold, as they are without what was. */
export interface SmallerRows {
  event: Buffer
  leftOut: LeftOutOfRows | undefined
}

/** Makes changes of streams out of events that describe tables and those that hold their rows. */
export class TableChanges {
  readonly #wanted: WantedTables
  readonly #emit: (batch: RecordBatch) => void
  #tables = new Map<number, MappedTable>()
  #builders = new Map<StreamKey, ChangeBuilder>()
  /** The version of the server that wrote what follows. */
  writer = ''
  /** Bytes of changes, in all that was ever read. */
  bytes = 0

  /** @param emit takes a batch that is full or has to end */
  constructor(wanted: WantedTables, emit: (batch: RecordBatch) => void) {
    this.#wanted = wanted
    this.#emit = emit
  }

  /** Ends the batches that have begun. */
  flush(): void {
    for (const builder of this.#builders.values()) this.#end(builder)
  }

  #end(builder: ChangeBuilder): void {
    if (builder.length > 0) this.#emit(builder.take(this.#wanted.now()))
  }

  /** A table is described. A promise only where it has to be looked at. */
  describe(event: BinlogEvent): Promise<void> | undefined {
    const { bytes, start, end } = event
    const known = this.#tables.get(tableOf(event))
    if (known?.event.equals(bytes.subarray(start, end))) return undefined
    const copy = Buffer.from(bytes.subarray(start, end))
    return this.#map(copy, readTableMap({ ...event, bytes: copy, start: 0, end: copy.length }))
  }

  async #map(event: Buffer, table: TableMap): Promise<void> {
    const shape = await this.#wanted.shapeOf(table)
    const name = `${table.schema}.${table.name}`
    let builder: ChangeBuilder | undefined
    if (shape) {
      this.#refuseUnsureSigns(table, shape)
      const before = this.#builders.get(shape.stream)
      if (before && sameShape(before.shape, shape)) {
        builder = before
      } else {
        if (before) this.#forget(before)
        builder = new ChangeBuilder(shape)
        this.#builders.set(shape.stream, builder)
      }
    }
    this.#tables.set(table.id, { event, name, builder })
  }

  /**
   * Ends what nobody adds to any more. A server that was restarted counts its tables anew: a description
   * that it had before comes again, word by word.
   */
  #forget(builder: ChangeBuilder): void {
    this.#end(builder)
    for (const [id, table] of this.#tables) if (table.builder === builder) this.#tables.delete(id)
  }

  #refuseUnsureSigns({ columns, schema, name }: TableMap, { fields }: RowShape): void {
    const unsure = columns.find(
      ({ type, mayHaveOtherSign }, i) =>
        mayHaveOtherSign && INTEGERS.has(type) && (fields[i]?.target ?? -1) >= 0,
    )
    if (unsure && !signsYears(this.writer))
      throw unsureSign(`${schema}.${name}`, unsure.name, this.writer)
  }

  /** A statement took all rows of a table away. */
  truncate(schema: string, name: string, place: ChangePlace): void {
    const stream = this.#wanted.streamOf(schema, name)
    if (!stream) return
    const builder = this.#builders.get(stream) ?? new ChangeBuilder(emptyShape(stream))
    builder.truncate(place)
    this.bytes += ROW_BYTES
    if (!this.#builders.has(stream)) this.#end(builder)
  }

  /** A statement did something to a table that no row tells. */
  note(schema: string, name: string, what: string): void {
    const stream = this.#wanted.streamOf(schema, name)
    if (!stream) return
    const builder = this.#builders.get(stream)
    if (builder) this.#end(builder)
    const note = `${stream}: ${what}. The log has no rows of that; refresh the stream, with remove, if the destination should have it.`
    const extractedAt = this.#wanted.now()
    this.#emit({ kind: 'records', stream, schema: [], length: 0, columns: [], extractedAt, note })
  }

  /**
   * A statement took columns away, or their names. One that has such a name now is another, and no row
   * tells what it has. A promise only where somebody wants the table.
   */
  goneColumns(schema: string, name: string, gone: string[]): Promise<void> | undefined {
    if (!this.#wanted.streamOf(schema, name)) return undefined
    return this.#wanted.columnsOf(schema, name).then((now) => {
      const anew = now.filter((column) => gone.includes(column.toLowerCase()))
      if (anew.length === 0) return
      const names = anew.map((column) => `column '${column}'`).join(', ')
      this.note(schema, name, `${names} was made anew, or has the name of another`)
    })
  }

  /** Rows of a table. A promise only where they have to be made smaller. */
  rows(
    event: BinlogEvent,
    type: RowsType,
    place: ChangePlace,
    leftOut?: LeftOutOfRows,
  ): Promise<void> | undefined {
    const found = this.#find(event, type, place)
    if (!found) return undefined
    const { builder, rest } = found
    if (type.compressed && compressedHead(rest).length > LARGEST_ROW) {
      return cutEvent(new ByteStream(once(rest)), rest.length, type, builder.shape).then((cut) =>
        this.#read(builder, cut, type, place),
      )
    }
    const rows = type.compressed ? inflated(rest) : rest
    this.#read(builder, { bytes: rows, leftOut }, type, place)
    return undefined
  }

  /** Whether anybody wants rows of this event's table. */
  wants = (event: Pick<BinlogEvent, 'bytes' | 'start'>): boolean =>
    this.#tables.get(tableOf(event))?.builder !== undefined

  /** Takes back what an event of rows did. */
  undo(event: BinlogEvent, type: RowsType, place: ChangePlace): void {
    const found = this.#find(event, type, place)
    if (!found) return
    if (type.compressed && compressedHead(found.rest).length > LARGEST_ROW)
      throw rolledBackTooMuch(printPosition(place))
    const rows = type.compressed ? inflated(found.rest) : found.rest
    found.builder.undo(type.operation, rows, place)
    this.bytes += rows.length
    this.#end(found.builder)
  }

  #find(event: BinlogEvent, type: RowsType, place: ChangePlace) {
    const { bytes, start, end } = event
    const id = tableOf(event)
    const table = this.#tables.get(id)
    if (!table && id !== DUMMY_TABLE) {
      const here = `${place.file}:${place.pos}`
      throw new AirbyteError('INTERNAL', `Rows of a table that was not described, at ${here}.`)
    }
    if (!table?.builder) return undefined
    const cursor = new PacketCursor(bytes, start + 8, end)
    if (type.extended) cursor.at += bytes.readUInt16LE(cursor.at)
    refusePartial(cursor, type, table.name)
    return { builder: table.builder, rest: cursor.rest() }
  }

  /** Takes what follows the header of an event of rows that is too large to hold, and ends before `end`. */
  async smaller(
    header: Buffer,
    stream: ByteStream,
    end: number,
    type: RowsType,
  ): Promise<SmallerRows> {
    const { table, bytes, columns } = await takeHead(stream, type)
    const { builder, name = '' } = this.#tables.get(table) ?? {}
    if (!builder) return { event: Buffer.concat([header, bytes]), leftOut: undefined }
    refusePartial(new PacketCursor(columns), type, name)
    const cut = await cutEvent(stream, end, type, builder.shape)
    return { event: Buffer.concat([header, bytes, cut.bytes]), leftOut: cut.leftOut }
  }

  #read(
    builder: ChangeBuilder,
    { bytes: rows, leftOut }: Partial<CutRows> & Pick<CutRows, 'bytes'>,
    { operation }: RowsType,
    place: ChangePlace,
  ): void {
    builder.leftOut = leftOut
    for (let at = 0; at < rows.length; ) {
      if (operation === 'write') at = builder.image('i', rows, at, place)
      else if (operation === 'delete') at = builder.image('d', rows, at, place)
      else at = builder.update(rows, at, place)
      if (builder.full) this.#end(builder)
    }
    builder.leftOut = undefined
    this.bytes += Math.max(rows.length, ROW_BYTES)
  }
}

/** What a change counts at least. */
const ROW_BYTES = 64

/** Every column has to be in every image. Moves the cursor to the rows. */
function refusePartial(cursor: PacketCursor, type: RowsType, table: string): void {
  const images = imagesOf(type)
  const width = cursor.length() ?? 0
  for (let bit = 0, image = 0; image < images; image++, bit = 0) {
    const bitmap = cursor.take((width + 7) >> 3)
    for (; bit < width; bit++) {
      if (((bitmap[bit >> 3] as number) & (1 << (bit & 7))) === 0) throw partialImage(table)
    }
  }
}

const emptyShape = (stream: StreamKey): RowShape => ({
  ...{ stream, logged: [], columns: [], fields: [], key: [] },
})

/** Whether rows of both are read alike and fit one batch. A table may be altered and look the same. */
const sameShape = (a: RowShape, b: RowShape): boolean => shapeText(a) === shapeText(b)

const shapeText = ({ logged, columns, key }: RowShape) => JSON.stringify([logged, columns, key])

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
