import type { Buffer } from 'node:buffer'
import type { LogEvent } from '../../runtime/source-log.ts'
import {
  type BinlogEvent,
  checksumOf,
  EVENT,
  EVENT_SIZE,
  HEADER_BYTES,
  readEvent,
  writerOf,
} from './binlog-event.ts'
import { type DatabaseTables, DroppedTables } from './dropped-tables.ts'
import { type Gtids, gtidsOf, MariadbGtids, MysqlGtids, uuidText } from './gtid.ts'
import { readLargeEvent } from './large-event.ts'
import type { LeftOutOfRows } from './large-rows.ts'
import { LogCursor } from './log-cursor.ts'
import { type BinlogPosition, positionToJson } from './position.ts'
import { refusalOf, rolledBackInXa, statementFormat } from './refused.ts'
import { RolledBack } from './rolled-back.ts'
import { ROWS, type RowsType } from './row-events.ts'
import { meaningOfEvent } from './statement.ts'
import { TableChanges, type WantedTables } from './table-changes.ts'
import { type PreparedRows, PreparedTransactions, readXaPrepare, xidOfGtid } from './xa.ts'
import { XaReplay } from './xa-replay.ts'

export interface DecoderOptions extends WantedTables, DatabaseTables {
  position: BinlogPosition
}

/** Events that say nothing of rows. */
const SILENT = new Set<number>([
  ...[EVENT.stop, EVENT.intvar, EVENT.rand, EVENT.userVar, EVENT.ignorable, EVENT.rowsQuery],
  ...[EVENT.transactionContext, EVENT.viewChange],
  ...[EVENT.annotateRows, EVENT.binlogCheckpoint, EVENT.startEncryption],
])

/** Events of before that come once more. */
export type Replay = XaReplay | RolledBack

/**
 * Makes changes of streams out of the events of a binlog, from bytes to columns. What it does not know
 * and what may hold rows is an error, never skipped.
 */
export class BinlogDecoder {
  readonly #tables: TableChanges
  readonly #cursor: LogCursor
  readonly #xa: PreparedTransactions
  readonly #dropped: DroppedTables
  #position: BinlogPosition
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
  /** All of the open transaction is to be taken back. */
  #isRolledBack = false
  /**
   * Rows that were prepared before and count now, or that were rolled back: they have to be read before
   * the next event is.
   */
  replay: Replay | undefined
  /** Bytes of changes at the last checkpoint. */
  #bytes = 0

  constructor(options: DecoderOptions) {
    this.#tables = new TableChanges(options, (batch) => this.#ready.push({ type: 'batch', batch }))
    this.#position = options.position
    this.#cursor = new LogCursor(options.position)
    this.#xa = new PreparedTransactions(options.position.prepared ?? [])
    this.#dropped = new DroppedTables(options, options.position.dropped ?? [])
    this.#skip = options.position.events
    this.#gtids = gtidsOf(options.position.gtid)
  }

  /** A log has no end. */
  readonly isDone = false

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
    // Of a transaction that is not prepared yet the rows are read when it counts.
    const tables = this.#xa.isRecording ? undefined : this.#tables
    const { event, rows, leftOut } = await readLargeEvent(pieces, this.#checksum, tables)
    if (rows && !tables) this.#xa.passOver()
    await this.#decode(event, rows, leftOut)
  }

  #decode(
    event: BinlogEvent,
    rows: RowsType | undefined,
    leftOut?: LeftOutOfRows,
  ): Promise<void> | undefined {
    if (event.nextPosition > 0 && !event.artificial) this.#cursor.moveTo(event.nextPosition)
    if (rows) return this.#rows(event, rows, leftOut)
    switch (event.type) {
      case EVENT.tableMap:
        return this.#isKept(event) ? undefined : this.#tables.describe(event)
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
      case EVENT.queryCompressed:
        return this.#statement(event)
      case EVENT.xaPrepare:
        this.#prepare(event)
        return undefined
      case EVENT.rotate:
        if (this.#cursor.rotate(event) && !this.#open && this.#skip === 0) this.#done()
        return undefined
      case EVENT.formatDescription:
        this.#checksum = checksumOf(event, this.#checksum)
        this.#tables.writer = writerOf(event)
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
      prepared: this.#xa.undecided,
      dropped: this.#dropped.streams,
    }
    this.#ready.push({ type: 'checkpoint', position: positionToJson(position) })
    this.#bytes = this.#tables.bytes
  }

  #done(): void {
    if (this.#gtid) this.#gtids?.add(this.#gtid)
    this.#position = {
      ...{ file: this.#cursor.file, pos: this.#cursor.pos, base: this.#cursor.base },
      ...{ gtid: '', events: 0 },
    }
  }

  #begin(event: BinlogEvent): void {
    const { bytes, start } = event
    const sequence = bytes.readBigUInt64LE(start)
    const domain = bytes.readUInt32LE(start + 8)
    const server = bytes.readUInt32LE(start - 14)
    this.#gtid = `${domain}-${server}-${sequence}`
    this.#standalone = ((bytes[start + 12] as number) & 1) !== 0
    if (!this.#standalone) this.#open = true
    if (xidOfGtid(event) !== undefined) this.#beginXa(event)
  }

  /** The rows that come are kept apart: they may never count. */
  #beginXa({ bytes, start }: BinlogEvent): void {
    this.#open = true
    const { file, pos } = this.#cursor
    const size = bytes.readUInt32LE(start - HEADER_BYTES + EVENT_SIZE)
    this.#xa.begin({ file, pos: pos - size, gtid: String(this.#gtids ?? '') })
  }

  #prepare(event: BinlogEvent): void {
    const { xid, onePhase } = readXaPrepare(event)
    if (onePhase) {
      this.#count(this.#xa.commitAtOnce(xid))
      return
    }
    this.#xa.prepare(xid)
    this.#commit()
  }

  #count(rows: PreparedRows): void {
    this.replay = new XaReplay(rows, this.#tables, (event, type, leftOut) =>
      this.#countedRows(event, type, leftOut),
    )
  }

  /** The rows that `replay` wanted were read. */
  endReplay(replay: Replay): void {
    this.replay = undefined
    if (replay instanceof RolledBack) {
      this.#tables.flush()
      for (const [event, type] of replay.backwards())
        this.#tables.undo(event, type, this.#cursor.placeOf(event))
      if (!this.#isRolledBack) return
    } else {
      this.#xa.forget(replay.place.xid)
    }
    this.#commit()
  }

  /** The rows of the open transaction are to be taken back; `isWhole`: all, which ends it. */
  #rollBack({ nextPosition }: BinlogEvent, isWhole: boolean): void {
    if (this.#xa.isRecording) throw rolledBackInXa(this.#here())
    this.#isRolledBack = isWhole
    // Rows behind this one were read before: it was taken back then.
    if (this.#events === 0 || this.#events < this.#skip) {
      if (isWhole) this.#commit()
      return
    }
    const { file, pos } = this.#position
    const place = { file, pos, gtid: String(this.#gtids ?? '') }
    this.replay = new RolledBack(place, nextPosition, this.#tables)
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
    if (bytes.toString('utf8', start, end) !== this.#cursor.file || nextPosition === 0) return
    this.#done()
  }

  /** A promise only where a table has to be looked at. */
  #statement(event: BinlogEvent): Promise<void> | undefined {
    let looking: Promise<void> | undefined
    const meaning = meaningOfEvent(event)
    const isAnew = this.#dropped.follow(meaning)
    switch (meaning.kind) {
      case 'rows':
        throw statementFormat(this.#here())
      case 'begin':
        this.#open = true
        return undefined
      case 'xaStart':
        // MariaDB has said so before.
        if (!this.#xa.isRecording) this.#beginXa(event)
        return undefined
      case 'xaCommit': {
        const rows = this.#xa.rowsOf(meaning.xid)
        if (rows) this.#count(rows)
        else this.#commit()
        return undefined
      }
      case 'xaRollback':
        this.#xa.forget(meaning.xid)
        this.#commit()
        return undefined
      case 'made':
      case 'truncate':
        if (meaning.kind === 'made' && !isAnew) break
        this.#tables.truncate(meaning.schema, meaning.name, this.#cursor.placeOf(event))
        break
      case 'otherRows':
        for (const { schema, name } of meaning.tables) this.#tables.note(schema, name, meaning.what)
        break
      case 'goneColumns':
        looking = this.#tables.goneColumns(meaning.schema, meaning.name, meaning.columns)
    }
    const isWhole = meaning.kind === 'rollback'
    if (this.#open && (isWhole || meaning.kind === 'rollbackTo')) {
      this.#rollBack(event, isWhole)
      return undefined
    }
    if (meaning.kind === 'commit' || this.#standalone || !this.#open) this.#commit()
    return looking
  }

  #rows(event: BinlogEvent, type: RowsType, leftOut?: LeftOutOfRows): Promise<void> | undefined {
    return this.#isKept(event) ? undefined : this.#countedRows(event, type, leftOut)
  }

  #isKept(event: BinlogEvent): boolean {
    if (this.#xa.isRecording) this.#xa.keep(event)
    return this.#xa.isRecording
  }

  /** Rows of the open transaction, but for those that were read before. */
  #countedRows(event: BinlogEvent, type: RowsType, leftOut?: LeftOutOfRows) {
    this.#events += 1
    if (this.#events <= this.#skip) return undefined
    return this.#tables.rows(event, type, this.#cursor.placeOf(event), leftOut)
  }

  #other({ type, ignorable }: BinlogEvent): void {
    if (SILENT.has(type) || ignorable) return
    throw refusalOf(type, this.#here())
  }

  #here(): string {
    return `at ${this.#cursor}`
  }
}

/** A byte of flags, the server that made the transaction, its number. */
const mysqlGtid = ({ bytes, start }: BinlogEvent) =>
  `${uuidText(bytes, start + 1)}:${bytes.readBigInt64LE(start + 17)}`
