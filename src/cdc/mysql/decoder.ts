import { Buffer } from 'node:buffer'
import { ByteStream } from '../../runtime/mysql/byte-stream.ts'
import type { LogEvent } from '../../runtime/source-log.ts'
import {
  type BinlogEvent,
  EVENT,
  EVENT_SIZE,
  EVENT_TYPE,
  HEADER_BYTES,
  readEvent,
} from './binlog-event.ts'
import type { ChangePlace } from './change-builder.ts'
import { type Gtids, gtidsOf, MariadbGtids, MysqlGtids, uuidText } from './gtid.ts'
import type { LeftOutOfRows } from './large-rows.ts'
import {
  type BinlogPosition,
  fileNumber,
  orderOf,
  positionToJson,
  printPosition,
} from './position.ts'
import { refusalOf, statementFormat } from './refused.ts'
import { inflated, ROWS, type RowsType } from './row-events.ts'
import { meaningOf, readStatement } from './statement.ts'
import { TableChanges, type WantedTables } from './table-changes.ts'
import { secondsText } from './temporal.ts'

export interface DecoderOptions extends WantedTables {
  position: BinlogPosition
}

/** Events that say nothing of rows. */
const SILENT = new Set<number>([
  ...[EVENT.stop, EVENT.intvar, EVENT.rand, EVENT.userVar, EVENT.ignorable, EVENT.rowsQuery],
  ...[EVENT.transactionContext, EVENT.viewChange],
  ...[EVENT.annotateRows, EVENT.binlogCheckpoint, EVENT.startEncryption],
])

/**
 * Makes changes of streams out of the events of a binlog, from bytes to columns. What it does not know
 * and what may hold rows is an error, never skipped.
 */
export class BinlogDecoder {
  readonly #tables: TableChanges
  #position: BinlogPosition
  /** Of the newest event. */
  #file: string
  #at: number
  #base: number
  #checksum = 0
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
  /** Bytes of changes at the last checkpoint. */
  #bytes = 0

  constructor(options: DecoderOptions) {
    this.#tables = new TableChanges(options, (batch) => this.#ready.push({ type: 'batch', batch }))
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
    return this.#tables.bytes - this.#bytes
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
    const { event, leftOut } = type
      ? await this.#tables.smaller(header, stream, size + 1, type)
      : { event: await beginningOf(header, stream, size), leftOut: undefined }
    await stream.end()
    const whole = type && { ...type, compressed: undefined }
    await this.#decode(readEvent(event, 0, event.length, 0), whole, leftOut)
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
        return this.#tables.describe(event)
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
    this.#tables.flush()
    // Another table description may come for each: they begin anew.
    const position = {
      ...this.#position,
      gtid: String(this.#gtids ?? ''),
      events: Math.max(this.#events, this.#skip),
    }
    this.#ready.push({ type: 'checkpoint', position: positionToJson(position) })
    this.#bytes = this.#tables.bytes
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
    if (meaning.kind === 'truncate') {
      this.#tables.truncate(meaning.schema, meaning.name, this.#place(event))
    }
    // A rollback is in the log only with changes of tables that have no transactions, which stay.
    const ends = meaning.kind === 'commit' || meaning.kind === 'rollback'
    if (ends || this.#standalone || !this.#open) this.#commit()
  }

  #rows(event: BinlogEvent, type: RowsType, leftOut?: LeftOutOfRows): Promise<void> | undefined {
    this.#events += 1
    if (this.#events <= this.#skip) return undefined
    return this.#tables.rows(event, type, this.#place(event), leftOut)
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
    throw refusalOf(type, this.#here())
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

/** A statement is known by its beginning, and other events say nothing of rows. */
async function beginningOf(header: Buffer, stream: ByteStream, size: number): Promise<Buffer> {
  return Buffer.concat([header, await stream.take(Math.min(size - HEADER_BYTES, STATEMENT_BYTES))])
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
