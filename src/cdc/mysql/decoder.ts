import { Buffer } from 'node:buffer'
import { inflateSync } from 'node:zlib'
import { AirbyteError, type StreamKey } from '../../protocol/index.ts'
import { LARGEST_ROW } from '../../runtime/database/large-values.ts'
import { ByteStream } from '../../runtime/mysql/byte-stream.ts'
import { PacketCursor } from '../../runtime/mysql/wire.ts'
import type { LogEvent } from '../../runtime/source-log.ts'
import {
  type BinlogEvent,
  EVENT,
  EVENT_SIZE,
  EVENT_TYPE,
  HEADER_BYTES,
  readEvent,
} from './binlog-event.ts'
import { ChangeBuilder, type ChangePlace } from './change-builder.ts'
import { type Gtids, gtidsOf, MariadbGtids, MysqlGtids, uuidText } from './gtid.ts'
import {
  type CutRows,
  compressedHead,
  cutRows,
  inflating,
  type LeftOutOfRows,
} from './large-rows.ts'
import {
  type BinlogPosition,
  fileNumber,
  orderOf,
  positionToJson,
  printPosition,
} from './position.ts'
import type { RowShape } from './row-shape.ts'
import { meaningOf, readStatement } from './statement.ts'
import { readTableMap, type TableMap } from './table-map.ts'
import { secondsText } from './temporal.ts'

export interface DecoderOptions {
  position: BinlogPosition
  /** How a table's rows are read; undefined: nobody wants them. */
  shapeOf(table: TableMap): Promise<RowShape | undefined>
  /** The stream of a table, if somebody wants it. */
  streamOf(schema: string, name: string): StreamKey | undefined
  now(): number
}

interface MappedTable {
  /** The event that described it. */
  event: Buffer
  name: string
  builder: ChangeBuilder | undefined
}

/** Events that say nothing of rows. */
const SILENT = new Set<number>([
  ...[EVENT.stop, EVENT.intvar, EVENT.rand, EVENT.userVar, EVENT.ignorable, EVENT.rowsQuery],
  ...[EVENT.transactionContext, EVENT.viewChange],
  ...[EVENT.annotateRows, EVENT.binlogCheckpoint, EVENT.startEncryption],
])

type RowOperation = 'write' | 'update' | 'delete'

interface RowsType {
  operation: RowOperation
  /** Has a part for extensions between header and rows. */
  extended?: true
  compressed?: true
}

const ROWS: Record<number, RowsType | undefined> = {
  [EVENT.writeRowsV1]: { operation: 'write' },
  [EVENT.updateRowsV1]: { operation: 'update' },
  [EVENT.deleteRowsV1]: { operation: 'delete' },
  [EVENT.writeRows]: { operation: 'write', extended: true },
  [EVENT.updateRows]: { operation: 'update', extended: true },
  [EVENT.deleteRows]: { operation: 'delete', extended: true },
  [EVENT.writeRowsCompressed]: { operation: 'write', compressed: true },
  [EVENT.updateRowsCompressed]: { operation: 'update', compressed: true },
  [EVENT.deleteRowsCompressed]: { operation: 'delete', compressed: true },
}

/**
 * Makes changes of streams out of the events of a binlog, from bytes to columns. What it does not know
 * and what may hold rows is an error, never skipped.
 */
export class BinlogDecoder {
  readonly #options: DecoderOptions
  #position: BinlogPosition
  /** Of the newest event. */
  #file: string
  #at: number
  #base: number
  #checksum = 0
  #tables = new Map<number, MappedTable>()
  #builders = new Map<StreamKey, ChangeBuilder>()
  #ready: LogEvent[] = []
  /** Row events of the open transaction, and how many of them were read before. */
  #events = 0
  #skip: number
  /** Of all that is before the position; undefined: that is not known. */
  #gtids: Gtids | undefined
  /** The id that the open transaction will have, and whether it is one event alone. */
  #gtid: string | undefined
  #standalone = false
  #open = false
  /** Of the newest change, and the same as text: many have one. */
  #second = -1
  #time = ''
  /** Bytes of changes since the last checkpoint. */
  #bytes = 0

  constructor(options: DecoderOptions) {
    this.#options = options
    this.#position = options.position
    this.#file = options.position.file
    this.#at = options.position.pos
    this.#base = options.position.base
    this.#skip = options.position.events
    this.#gtids = gtidsOf(options.position.gtid)
  }

  get hasReady(): boolean {
    return this.#ready.length > 0
  }

  get pendingBytes(): number {
    return this.#bytes
  }

  /** Takes one event: `bytes[at..end)`. A promise only where a table has to be looked at. */
  decode(bytes: Buffer, at: number, end: number): Promise<void> | undefined {
    const event = readEvent(bytes, at, end, this.#checksum)
    return this.#decode(event, ROWS[event.type])
  }

  /** Takes an event that is too large to hold, with the byte that comes before it, as it comes. */
  async decodeLarge(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const stream = new ByteStream(pieces)
    await stream.skip(1)
    const header = await stream.take(HEADER_BYTES)
    const size = header.readUInt32LE(EVENT_SIZE) - this.#checksum
    const type = ROWS[header[EVENT_TYPE] as number]
    const parts = [header]
    let leftOut: LeftOutOfRows | undefined
    if (type) {
      const table = await stream.take(6)
      parts.push(table, await stream.take(2))
      if (type.extended) {
        const length = await stream.take(2)
        parts.push(length, await stream.take(length.readUInt16LE(0) - 2))
      }
      const columns = await takeColumns(stream, type.operation)
      parts.push(columns)
      const { builder, name } = this.#tables.get(table.readUIntLE(0, 6)) ?? {}
      if (builder) {
        this.#refusePartial(new PacketCursor(columns), type.operation, name ?? '')
        const cut = await this.#cut(stream, size + 1, type, builder)
        parts.push(cut.bytes)
        leftOut = cut.leftOut
      }
    } else {
      // A statement is known by its beginning, and other events say nothing of rows.
      parts.push(await stream.take(Math.min(size - HEADER_BYTES, STATEMENT_BYTES)))
    }
    await stream.end()
    const event = Buffer.concat(parts)
    const whole = type && { ...type, compressed: undefined }
    await this.#decode(readEvent(event, 0, event.length, 0), whole, leftOut)
  }

  /** The rows of an event, made smaller. */
  async #cut(
    stream: ByteStream,
    end: number,
    { compressed, operation }: RowsType,
    { shape }: ChangeBuilder,
  ): Promise<CutRows> {
    const isUpdate = operation === 'update'
    if (!compressed) return cutRows(stream, end, shape.fields, isUpdate)
    const inflated = await inflating(stream)
    return cutRows(inflated.stream, inflated.length, shape.fields, isUpdate)
  }

  #decode(
    event: BinlogEvent,
    rows: RowsType | undefined,
    leftOut?: LeftOutOfRows,
  ): Promise<void> | undefined {
    if (event.nextPosition > 0 && !event.artificial) this.#moveTo(event.nextPosition)
    if (rows) return this.#rows(event, rows, leftOut)
    switch (event.type) {
      case EVENT.tableMap:
        return this.#tableMap(event)
      case EVENT.mariaGtid:
        this.#begin(event)
        return undefined
      case EVENT.gtid:
        this.#gtid = mysqlGtid(event)
        return undefined
      case EVENT.gtidTagged:
      case EVENT.anonymousGtid:
        // What such ids do not tell is told by the place in the file alone.
        this.#gtids = undefined
        return undefined
      case EVENT.previousGtids:
      case EVENT.mariaGtidList:
        this.#begun(event)
        return undefined
      case EVENT.xid:
        this.#commit()
        return undefined
      case EVENT.query:
        this.#statement(event)
        return undefined
      case EVENT.queryCompressed:
        this.#statement(inflatedStatement(event))
        return undefined
      case EVENT.rotate:
        this.#rotate(event)
        return undefined
      case EVENT.formatDescription:
        // The last byte but four names the checksum: 1 is CRC32.
        this.#checksum = event.bytes[event.end + this.#checksum - 5] === 1 ? 4 : 0
        return undefined
      case EVENT.heartbeat:
      case EVENT.heartbeatV2:
        this.#idle(event)
        return undefined
      default:
        this.#other(event)
        return undefined
    }
  }

  /** Batches that are full, and checkpoints that were asked for. */
  take(): LogEvent[] {
    return this.#ready.splice(0)
  }

  /** Ends the batches that have begun, and says where that is. */
  checkpoint(): void {
    for (const builder of this.#builders.values()) this.#emit(builder)
    // Another table description may come for each: they begin anew.
    const position = {
      ...this.#position,
      gtid: String(this.#gtids ?? ''),
      events: Math.max(this.#events, this.#skip),
    }
    this.#ready.push({ type: 'checkpoint', position: positionToJson(position) })
    this.#bytes = 0
  }

  #emit(builder: ChangeBuilder): void {
    if (builder.length === 0) return
    this.#ready.push({ type: 'batch', batch: builder.take(this.#options.now()) })
  }

  /**
   * Positions have 32 bits, and a transaction can make a file longer than that. What lies before the
   * place where reading began (the file's own description) moves nothing.
   */
  #moveTo(next: number): void {
    const candidate = Math.floor(this.#at / LAP) * LAP + next
    if (candidate > this.#at) this.#at = candidate
    else if (candidate < this.#at - LAP / 2) this.#at = candidate + LAP
  }

  #rotate({ bytes, start, end }: BinlogEvent): void {
    const file = bytes.toString('utf8', start + 8, end)
    if (file === this.#file) return
    const before = fileNumber(this.#file) + this.#base
    const next = fileNumber(file) + this.#base
    // A server that took over counts from elsewhere: the order goes on above what there was.
    if (next <= before) this.#base += before + 1 - next
    this.#file = file
    this.#at = Number(bytes.readBigUInt64LE(start))
    if (!this.#open && this.#skip === 0) this.#done()
  }

  #done(): void {
    if (this.#gtid) this.#gtids?.add(this.#gtid)
    this.#position = {
      ...{ file: this.#file, pos: this.#at, base: this.#base },
      ...{ gtid: '', events: 0 },
    }
  }

  #begin({ bytes, start, type }: BinlogEvent): void {
    if (type !== EVENT.mariaGtid) return
    const sequence = bytes.readBigUInt64LE(start)
    const domain = bytes.readUInt32LE(start + 8)
    const server = bytes.readUInt32LE(start - 14)
    this.#gtid = `${domain}-${server}-${sequence}`
    this.#standalone = ((bytes[start + 12] as number) & 1) !== 0
    if (!this.#standalone) this.#open = true
  }

  /** A file begins with the ids of all that was in those before. */
  #begun({ type, artificial, bytes, start, end }: BinlogEvent): void {
    if (artificial || this.#open || this.#skip > 0) return
    const decode = type === EVENT.previousGtids ? MysqlGtids.decode : MariadbGtids.decode
    this.#gtids ??= decode(bytes, start, end)
  }

  #commit(): void {
    this.#done()
    this.#gtid = undefined
    this.#standalone = false
    this.#open = false
    this.#events = 0
    this.#skip = 0
  }

  #idle({ nextPosition, bytes, start, end, type }: BinlogEvent): void {
    if (this.#open || this.#skip > 0 || type !== EVENT.heartbeat) return
    if (bytes.toString('utf8', start, end) !== this.#file || nextPosition === 0) return
    this.#done()
  }

  #statement(event: BinlogEvent): void {
    const statement = readStatement(event)
    const meaning = meaningOf(statement)
    if (meaning.kind === 'rows') throw statementFormat(this.#here())
    if (meaning.kind === 'begin') {
      this.#open = true
      return
    }
    if (meaning.kind === 'truncate') this.#truncate(meaning, event)
    // A rollback is in the log only with changes of tables that have no transactions, which stay.
    const ends = meaning.kind === 'commit' || meaning.kind === 'rollback'
    if (ends || this.#standalone || !this.#open) this.#commit()
  }

  #truncate({ schema, name }: { schema: string; name: string }, event: BinlogEvent): void {
    const stream = this.#options.streamOf(schema, name)
    if (!stream) return
    const builder = this.#builders.get(stream) ?? new ChangeBuilder(emptyShape(stream))
    builder.truncate(this.#place(event))
    this.#bytes += 64
    if (!this.#builders.has(stream)) this.#emit(builder)
  }

  #tableMap(event: BinlogEvent): Promise<void> | undefined {
    const { bytes, start, end } = event
    const id = bytes.readUIntLE(start, 6)
    const known = this.#tables.get(id)
    if (known?.event.equals(bytes.subarray(start, end))) return undefined
    const copy = Buffer.from(bytes.subarray(start, end))
    return this.#map(copy, readTableMap({ ...event, bytes: copy, start: 0, end: copy.length }))
  }

  async #map(event: Buffer, table: TableMap): Promise<void> {
    const shape = await this.#options.shapeOf(table)
    const name = `${table.schema}.${table.name}`
    let builder: ChangeBuilder | undefined
    if (shape) {
      const before = this.#builders.get(shape.stream)
      if (before && sameShape(before.shape, shape)) {
        builder = before
      } else {
        if (before) this.#emit(before)
        builder = new ChangeBuilder(shape)
        this.#builders.set(shape.stream, builder)
      }
    }
    this.#tables.set(table.id, { event, name, builder })
  }

  #rows(event: BinlogEvent, type: RowsType, leftOut?: LeftOutOfRows): Promise<void> | undefined {
    const { operation, extended, compressed } = type
    this.#events += 1
    if (this.#events <= this.#skip) return undefined
    const { bytes, start, end } = event
    const id = bytes.readUIntLE(start, 6)
    const table = this.#tables.get(id)
    if (!table && id !== DUMMY_TABLE) {
      throw new AirbyteError('INTERNAL', `Rows of a table that was not described, ${this.#here()}.`)
    }
    if (!table?.builder) return undefined
    const cursor = new PacketCursor(bytes, start + 8, end)
    if (extended) cursor.at += bytes.readUInt16LE(cursor.at)
    this.#refusePartial(cursor, operation, table.name)
    const { builder } = table
    const rest = cursor.rest()
    const place = this.#place(event)
    if (compressed && compressedHead(rest).length > LARGEST_ROW) {
      return this.#cut(new ByteStream(once(rest)), rest.length, type, builder).then((cut) =>
        this.#readRows(builder, cut, operation, place),
      )
    }
    const rows = compressed ? inflated(rest) : rest
    this.#readRows(builder, { bytes: rows, leftOut }, operation, place)
    return undefined
  }

  /** Every column has to be in every image. Moves the cursor to the rows. */
  #refusePartial(cursor: PacketCursor, operation: RowOperation, table: string): void {
    const images = imagesOf(operation)
    const width = cursor.length() ?? 0
    for (let bit = 0, image = 0; image < images; image++, bit = 0) {
      const bitmap = cursor.take((width + 7) >> 3)
      for (; bit < width; bit++) {
        if (((bitmap[bit >> 3] as number) & (1 << (bit & 7))) === 0) throw partialImage(table)
      }
    }
  }

  #readRows(
    builder: ChangeBuilder,
    { bytes: rows, leftOut }: Partial<CutRows> & Pick<CutRows, 'bytes'>,
    operation: RowOperation,
    place: ChangePlace,
  ): void {
    builder.leftOut = leftOut
    for (let at = 0; at < rows.length; ) {
      if (operation === 'write') at = builder.image('u', rows, at, place)
      else if (operation === 'delete') at = builder.image('d', rows, at, place)
      else at = builder.update(rows, at, place)
      if (builder.full) this.#emit(builder)
    }
    builder.leftOut = undefined
    this.#bytes += Math.max(rows.length, 64)
  }

  #place({ timestamp }: BinlogEvent): ChangePlace {
    if (timestamp !== this.#second) {
      this.#second = timestamp
      this.#time = `${secondsText(timestamp).replace(' ', 'T')}Z`
    }
    const order = orderOf(this.#file, this.#base, this.#at)
    return { file: this.#file, pos: this.#at, order, at: this.#time }
  }

  #other({ type, ignorable }: BinlogEvent): void {
    if (SILENT.has(type) || ignorable) return
    throw REFUSED[type]?.(this.#here()) ?? unknownEvent(type, this.#here())
  }

  #here(): string {
    return `at ${printPosition({ file: this.#file, pos: this.#at })}`
  }
}

/** A byte of flags, the server that made the transaction, its number. */
const mysqlGtid = ({ bytes, start }: BinlogEvent) =>
  `${uuidText(bytes, start + 1)}:${bytes.readBigInt64LE(start + 17)}`

const LAP = 2 ** 32

/** As much of a statement as is needed to know what it does. */
const STATEMENT_BYTES = 64 << 10

/** What servers number rows of no table with: the end of a statement whose tables nobody replicates. */
const DUMMY_TABLE = 0xffffff

const emptyShape = (stream: StreamKey): RowShape => ({ stream, columns: [], fields: [], key: [] })

/** Whether rows of both fit one batch. */
function sameShape(a: RowShape, b: RowShape): boolean {
  return JSON.stringify([a.columns, a.key]) === JSON.stringify([b.columns, b.key])
}

/** MariaDB's compression: a byte with the size of the length, the length, then zlib's bytes. */
const inflated = (bytes: Buffer): Buffer => inflateSync(bytes.subarray(compressedHead(bytes).start))

/** Images of a row that an event has. */
const imagesOf = (operation: RowOperation) => (operation === 'update' ? 2 : 1)

/** The number of columns, and which of them the images have. */
async function takeColumns(stream: ByteStream, operation: RowOperation): Promise<Buffer> {
  const first = await stream.take(1)
  const more = first[0] === 0xfc ? await stream.take(2) : Buffer.alloc(0)
  const count = Buffer.concat([first, more])
  const width = new PacketCursor(count).length() ?? 0
  return Buffer.concat([count, await stream.take(((width + 7) >> 3) * imagesOf(operation))])
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** As a statement that is not compressed. */
function inflatedStatement(event: BinlogEvent): BinlogEvent {
  const { bytes, start, end } = event
  const head = 13 + bytes.readUInt16LE(start + 11) + (bytes[start + 8] as number) + 1
  const whole = Buffer.concat([
    bytes.subarray(start, start + head),
    inflated(bytes.subarray(start + head, end)),
  ])
  return { ...event, bytes: whole, start: 0, end: whole.length }
}

const REFRESH =
  'then refresh all streams of the connection: what was written so cannot be read from the log.'

const statementFormat = (here: string) =>
  new AirbyteError('CDC_SETUP_REQUIRED', `A session wrote statements instead of rows, ${here}.`, {
    hint: `Run SET GLOBAL binlog_format = ROW and let no session change it; ${REFRESH}`,
  })

const partialImage = (table: string) =>
  new AirbyteError('CDC_SETUP_REQUIRED', `The binlog has rows of ${table} without all columns.`, {
    hint: `Run SET GLOBAL binlog_row_image = FULL and let no session change it; ${REFRESH}`,
  })

const unknownEvent = (type: number, here: string) =>
  new AirbyteError(
    'UNSUPPORTED',
    `The binlog has an event of an unknown type (${type}), ${here}.`,
    {
      hint: 'It may hold rows, so it is not skipped. Report the version of the server, and refresh all streams of the connection.',
    },
  )

/** Events that are known to hold rows in a form that is not read here. */
const REFUSED: Record<number, ((here: string) => AirbyteError) | undefined> = {
  [EVENT.beginLoadQuery]: statementFormat,
  [EVENT.executeLoadQuery]: statementFormat,
  [EVENT.incident]: (here) =>
    new AirbyteError(
      'CDC_POSITION_LOST',
      `The server reports that its binlog lacks events ${here}.`,
    ),
  [EVENT.xaPrepare]: (here) =>
    new AirbyteError('UNSUPPORTED', `The binlog has an XA transaction ${here}.`, {
      hint: 'Its rows may never be committed. Read these tables by a cursor, or refresh all streams of the connection.',
    }),
  [EVENT.transactionPayload]: (here) =>
    new AirbyteError('CDC_SETUP_REQUIRED', `The binlog has compressed transactions ${here}.`, {
      hint: `Run SET GLOBAL binlog_transaction_compression = OFF; ${REFRESH}`,
    }),
}
