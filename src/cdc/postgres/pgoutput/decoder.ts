import type { Buffer } from 'node:buffer'
import { AirbyteError, type Column } from '../../../protocol/index.ts'
import { type CdcPosition, type Lsn, lsnCell } from '../position.ts'
import {
  clockText,
  HEADER,
  KEEPALIVE,
  KEEPALIVE_WAL_END,
  XLOG_DATA,
  XLOG_MESSAGE,
  XLOG_START,
} from '../protocol/frames.ts'
import { ByteReader } from './byte-reader.ts'
import { columnsOfRelation } from './column-types.ts'
import type { ChangeEvent, TableShape } from './events.ts'
import { type PgRelation, readRelation, sameRelation } from './relation.ts'
import { TableBuffer } from './table-buffer.ts'
import { type TransactionCells, u32 } from './tuple.ts'

export interface DecoderOptions {
  /** Where the stream was started. What it covers is skipped. */
  position: CdcPosition
  /** Transactions that commit here or later are left for the next read. */
  bound?: Lsn
  /**
   * What is wanted of a relation, given the columns that the log tells; undefined: nothing. Asked when
   * the relation is first seen and again after each change of it.
   */
  describe(relation: PgRelation, columns: Column[]): TableShape | undefined
  /** Changes may come as rows of COPY text: see `ChangeEvent`. */
  copyText?: boolean
  /** Rows, over all tables, after which a checkpoint is due; default 5000. */
  batchRows?: number
  /** … or bytes of the log; default 4 MiB. The rows may hold on to that much. */
  batchBytes?: number
  /** Epoch milliseconds. */
  now(): number
}

interface Transaction extends TransactionCells {
  commit: Lsn
  sequence: number
  /** Changes up to this one were taken before. */
  skip: number
}

/**
 * pgoutput, protocol version 2: CopyData messages in, batches of columns out, no object per row.
 * A checkpoint may lie within a transaction, so that memory does not grow with the transaction.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 *
 * @example
 * decoder.decode(bytes)
 * for (const event of decoder.take()) …
 */
export class PgOutputDecoder {
  /** The bound is reached: nothing more is decoded. */
  done = false
  private readonly options: DecoderOptions
  private readonly batchRows: number
  private readonly batchBytes: number
  private confirmed: Lsn
  private resume: CdcPosition['transaction']
  private reported: { confirmed: Lsn; sequence: number }
  private transaction?: Transaction
  private readonly relations = new Map<number, PgRelation>()
  private readonly tables = new Map<number, TableBuffer>()
  private readonly typeNames = new Map<number, { namespace: string; name: string }>()
  private dirty: TableBuffer[] = []
  private rows = 0
  private retained = 0
  private events: ChangeEvent[] = []
  private latin?: string

  constructor(options: DecoderOptions) {
    this.options = options
    this.batchRows = options.batchRows ?? 5000
    this.batchBytes = options.batchBytes ?? 4 << 20
    this.confirmed = options.position.confirmed
    this.resume = options.position.transaction
    this.reported = { confirmed: this.confirmed, sequence: this.resume?.sequence ?? 0 }
    if (options.bound !== undefined && this.confirmed >= options.bound) this.done = true
  }

  /** Whether a transaction is open: more of it is certain to come. */
  get insideTransaction(): boolean {
    return this.transaction !== undefined
  }

  /** Takes in whole CopyData messages. What they amount to is for `take`. */
  decode(bytes: Buffer): void {
    this.latin = undefined
    for (let at = 0; at < bytes.length && !this.done; ) {
      const end = at + 1 + u32(bytes, at + 1)
      const kind = bytes[at + HEADER]
      if (kind === XLOG_DATA) this.message(bytes, at + XLOG_MESSAGE, end)
      else if (kind === KEEPALIVE) this.keepalive(bytes.readBigUInt64BE(at + KEEPALIVE_WAL_END))
      else throw unknown('a message', kind)
      at = end
    }
    this.latin = undefined
    if (this.done || this.rows >= this.batchRows || this.retained >= this.batchBytes) this.flush()
  }

  /** The events so far, in order. */
  take(): ChangeEvent[] {
    const events = this.events
    this.events = []
    return events
  }

  /** Makes batches of everything collected, and a checkpoint if the position moved. */
  flush(): void {
    this.flushTables()
    const position = this.position()
    const sequence = position.transaction?.sequence ?? 0
    if (position.confirmed === this.reported.confirmed && sequence === this.reported.sequence)
      return
    this.reported = { confirmed: position.confirmed, sequence }
    this.events.push({ type: 'checkpoint', position })
  }

  private position(): CdcPosition {
    const { transaction, confirmed } = this
    if (!transaction) return this.resume ? { confirmed, transaction: this.resume } : { confirmed }
    const { commit, sequence, skip } = transaction
    const done = Math.max(sequence, skip)
    return done === 0 ? { confirmed } : { confirmed, transaction: { commit, sequence: done } }
  }

  private flushTables() {
    const now = this.options.now()
    for (const table of this.dirty) {
      const copied = table.takeCopied(now)
      if (copied) this.events.push({ type: 'copied', batch: copied })
      const batch = table.takeColumns(now)
      if (batch) this.events.push({ type: 'changes', batch })
    }
    this.dirty = []
    this.rows = 0
    this.retained = 0
  }

  private message(bytes: Buffer, at: number, end: number) {
    switch (bytes[at]) {
      case INSERT:
      case UPDATE:
      case DELETE:
        return this.change(bytes, at, end)
      case BEGIN:
        return this.begin(new ByteReader(bytes, at + 1))
      case COMMIT:
        return this.commit(new ByteReader(bytes, at + 1))
      case RELATION:
        return this.relation(readRelation(new ByteReader(bytes, at + 1)))
      case TYPE:
        return this.type(new ByteReader(bytes, at + 1))
      case TRUNCATE:
        return this.truncate(new ByteReader(bytes, at + 1))
      case ORIGIN:
        return
      default:
        throw unknown(`an event of ${end - at} bytes`, bytes[at])
    }
  }

  private keepalive(walEnd: Lsn) {
    const { bound } = this.options
    // Within a transaction it says how far the server read, not what it sent.
    if (this.transaction) return
    if (walEnd > this.confirmed && !this.resume) this.confirmed = walEnd
    if (bound !== undefined && walEnd >= bound) this.finish()
  }

  private begin(reader: ByteReader) {
    const commit = reader.u64()
    const { bound } = this.options
    if (bound !== undefined && commit >= bound) return this.finish()
    let skip = 0
    if (this.resume) {
      if (commit !== this.resume.commit) throw this.resumeLost()
      skip = this.resume.sequence
      this.resume = undefined
    }
    const time = clockText(reader.i64())
    this.transaction = { commit, lsn: lsnCell(commit), time, sequence: 0, skip }
  }

  private commit(reader: ByteReader) {
    reader.at += 1 + 8
    const end = reader.u64()
    const { bound } = this.options
    this.transaction = undefined
    if (end > this.confirmed) this.confirmed = end
    if (bound !== undefined && end >= bound) this.finish()
  }

  private finish() {
    if (this.resume) throw this.resumeLost()
    this.done = true
  }

  private change(bytes: Buffer, at: number, end: number) {
    const sequence = this.count()
    if (sequence === 0) return
    const table = this.table(u32(bytes, at + 1))
    if (!table) return
    if (table.rows === 0) this.dirty.push(table)
    table.noteFrom(bytes, at - XLOG_MESSAGE + XLOG_START)
    const before = table.rows
    const transaction = this.transaction as Transaction
    const isDelete = bytes[at] === DELETE
    const tuple = bytes[at + 5]
    const isWhole = tuple === OLD
    const start = at + 6
    const isSingle = isDelete || tuple === NEW
    const op = isDelete ? 'd' : bytes[at] === INSERT ? 'i' : 'u'
    if (isSingle && table.copy(bytes, start, op, isWhole || !isDelete, transaction))
      this.retained += end - start
    else {
      const latin = this.latinOf(bytes)
      if (op === 'd') table.delete(bytes, latin, start, isWhole, sequence, transaction)
      else if (isSingle) table.upsert(bytes, latin, start, op, sequence, transaction)
      else table.update(bytes, latin, start, isWhole, sequence, transaction)
    }
    this.rows += table.rows - before
    if (this.rows >= this.batchRows) this.flush()
  }

  /** The bytes as text, one character a byte; cells are slices of it, and hold on to it. */
  private latinOf(bytes: Buffer): string {
    if (this.latin === undefined) {
      this.latin = bytes.toString('latin1')
      this.retained += bytes.length
    }
    return this.latin
  }

  /** The number of the change that is here, 0 if it was taken before. */
  private count(): number {
    const { transaction } = this
    if (!transaction) throw unknown('a change outside of a transaction', 0)
    transaction.sequence++
    return transaction.sequence > transaction.skip ? transaction.sequence : 0
  }

  private table(oid: number): TableBuffer | undefined {
    const table = this.tables.get(oid)
    if (!table && !this.relations.has(oid)) throw unknown('a change of an undescribed table', oid)
    return table
  }

  private relation(relation: PgRelation) {
    const previous = this.relations.get(relation.oid)
    if (previous && sameRelation(previous, relation)) return
    this.flushTables()
    this.relations.set(relation.oid, relation)
    const columns = columnsOfRelation(relation, this.typeNames)
    const { describe, copyText = false } = this.options
    const shape = describe(relation, columns)
    const last = this.tables.get(relation.oid)
    if (shape) this.tables.set(relation.oid, new TableBuffer(relation, shape, copyText))
    else this.tables.delete(relation.oid)
    const stream = shape?.stream ?? last?.shape.stream
    if (stream === undefined) return
    this.events.push({
      type: 'relation',
      stream,
      relation,
      columns,
      ...(previous ? { previous } : {}),
    })
  }

  private type(reader: ByteReader) {
    const oid = reader.u32()
    const namespace = reader.cstring()
    this.typeNames.set(oid, { namespace, name: reader.cstring() })
  }

  private truncate(reader: ByteReader) {
    const sequence = this.count()
    let left = reader.u32()
    reader.u8()
    if (sequence === 0) return
    this.flushTables()
    const { commit, time } = this.transaction as Transaction
    for (; left > 0; left--) {
      const table = this.table(reader.u32())
      if (!table) continue
      const { stream } = table.shape
      this.events.push({ type: 'truncate', stream, order: { commit, sequence }, at: time })
    }
    // Truncates alone make batches of nothing: what covers them must still come in time.
    this.rows++
  }

  private resumeLost() {
    return new AirbyteError(
      'CDC_POSITION_LOST',
      'The log no longer holds the transaction within which the last read ended.',
    )
  }
}

const BEGIN = 0x42
const COMMIT = 0x43
const ORIGIN = 0x4f
const RELATION = 0x52
const TYPE = 0x59
const INSERT = 0x49
const UPDATE = 0x55
const DELETE = 0x44
const TRUNCATE = 0x54
/** Kinds of tuple; the third, of the key alone, is `K`. */
const NEW = 0x4e
const OLD = 0x4f

const unknown = (what: string, code: number | undefined) =>
  new AirbyteError('INTERNAL', `The log holds ${what} that is not known (${code}).`, {
    hint: 'Nothing was skipped. Report it with the version of the server.',
  })
