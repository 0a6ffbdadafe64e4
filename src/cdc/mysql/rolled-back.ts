/**
 * Rows that are in the log and were rolled back. MariaDB writes a transaction with its ROLLBACK when it
 * made or dropped a temporary table, and up to a savepoint too when it wrote to a table that has no
 * transactions (whose rows stand elsewhere). The rows were read as they came: the transaction is read
 * again, to take them back.
 */
import { Buffer } from 'node:buffer'
import { type BinlogEvent, checksumOf, EVENT, HEADER_BYTES, readEvent } from './binlog-event.ts'
import { readLargeEvent } from './large-event.ts'
import { printPosition, type TransactionPlace } from './position.ts'
import { rolledBackTooMuch } from './refused.ts'
import { ROWS, type RowsType } from './row-events.ts'
import { meaningOfEvent } from './statement.ts'
import type { TableChanges } from './table-changes.ts'

/** Bytes of rows that are taken back at once, the last one first. */
const MOST_BYTES = 16 << 20

interface LoggedRows {
  bytes: Buffer
  type: RowsType
}

/** Reads a transaction from its begin up to the statement that took its rows back. */
export class RolledBack {
  readonly place: TransactionPlace & { events?: undefined }
  readonly #until: number
  readonly #tables: TableChanges
  #checksum = 0
  readonly #rows: LoggedRows[] = []
  #bytes = 0
  readonly #savepoints = new Map<string, number>()
  /** What was taken back, in the order in which it was done. */
  #undone: LoggedRows[] = []
  isDone = false

  /** @param until where the log goes on after the statement */
  constructor(place: TransactionPlace, until: number, tables: TableChanges) {
    this.place = place
    this.#until = until
    this.#tables = tables
  }

  decode(bytes: Buffer, at: number, end: number): undefined {
    const event = readEvent(bytes, at, end, this.#checksum)
    this.#take(event, ROWS[event.type])
  }

  async decodeLarge(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const { event, rows, leftOut } = await readLargeEvent(pieces, this.#checksum, this.#tables)
    // What a row had before cannot be said without its value.
    if (leftOut?.size && this.#tables.wants(event)) throw this.#tooLarge()
    this.#take(event, rows)
  }

  #take(event: BinlogEvent, rows: RowsType | undefined): void {
    if (rows) this.#keep(event, rows)
    else if (event.type === EVENT.formatDescription)
      this.#checksum = checksumOf(event, this.#checksum)
    else if (event.type === EVENT.query || event.type === EVENT.queryCompressed)
      this.#statement(event)
  }

  /** Hands the events on that have to be taken back, the last one first. */
  *backwards(): Generator<[BinlogEvent, RowsType]> {
    for (const { bytes, type } of this.#undone.reverse())
      yield [readEvent(bytes, 0, bytes.length, 0), type]
  }

  #keep(event: BinlogEvent, type: RowsType): void {
    if (!this.#tables.wants(event)) return
    const { bytes, start, end } = event
    this.#bytes += end - start
    if (this.#bytes > MOST_BYTES) throw this.#tooLarge()
    this.#rows.push({ bytes: Buffer.from(bytes.subarray(start - HEADER_BYTES, end)), type })
  }

  #statement(event: BinlogEvent): void {
    const meaning = meaningOfEvent(event)
    if (meaning.kind === 'savepoint') this.#savepoints.set(meaning.name, this.#rows.length)
    if (meaning.kind !== 'rollback' && meaning.kind !== 'rollbackTo') return
    // Of a savepoint before all rows nothing is in the log.
    const from = meaning.kind === 'rollbackTo' ? (this.#savepoints.get(meaning.name) ?? 0) : 0
    this.#undone = this.#rows.splice(from)
    this.isDone = event.nextPosition === this.#until
  }

  #tooLarge = () => rolledBackTooMuch(printPosition(this.place))
}
