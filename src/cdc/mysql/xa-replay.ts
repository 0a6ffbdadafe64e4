import type { Buffer } from 'node:buffer'
import { AirbyteError } from '../../protocol/index.ts'
import { type BinlogEvent, checksumOf, EVENT, readEvent } from './binlog-event.ts'
import { readLargeEvent } from './large-event.ts'
import type { LeftOutOfRows } from './large-rows.ts'
import { ROWS, type RowsType } from './row-events.ts'
import { meaningOfEvent } from './statement.ts'
import type { TableChanges } from './table-changes.ts'
import { type PreparedRows, readXaPrepare, xidOfGtid } from './xa.ts'

/** Takes the rows of an event, as the decoder counts them. */
type TakesRows = (
  event: BinlogEvent,
  type: RowsType,
  leftOut?: LeftOutOfRows,
) => Promise<void> | undefined

/**
 * A transaction that was prepared and counts now: its events come once more, out of memory or out of the
 * log, among others there. Their rows are of the place where it counts.
 */
export class XaReplay {
  readonly place: PreparedRows
  readonly #tables: TableChanges
  readonly #takeRows: TakesRows
  #checksum = 0
  #isInside: boolean
  isDone = false

  constructor(place: PreparedRows, tables: TableChanges, takeRows: TakesRows) {
    this.place = place
    this.#tables = tables
    this.#takeRows = takeRows
    // In memory there is nothing else.
    this.#isInside = place.events !== undefined
  }

  decode(bytes: Buffer, at: number, end: number): Promise<void> | undefined {
    const event = readEvent(bytes, at, end, this.#checksum)
    return this.#decode(event, ROWS[event.type])
  }

  async decodeLarge(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const tables = this.#isInside ? this.#tables : undefined
    const { event, rows, leftOut } = await readLargeEvent(pieces, this.#checksum, tables)
    await this.#decode(event, rows, leftOut)
  }

  #decode(
    event: BinlogEvent,
    rows: RowsType | undefined,
    leftOut?: LeftOutOfRows,
  ): Promise<void> | undefined {
    switch (event.type) {
      case EVENT.formatDescription:
        this.#checksum = checksumOf(event, this.#checksum)
        return undefined
      case EVENT.mariaGtid:
        this.#isInside = xidOfGtid(event) === this.place.xid
        return undefined
      case EVENT.query:
      case EVENT.queryCompressed:
        this.#statement(event)
        return undefined
      case EVENT.xaPrepare:
        this.isDone = readXaPrepare(event).xid === this.place.xid
        return undefined
      case EVENT.tableMap:
        return this.#isInside ? this.#tables.describe(event) : undefined
      default:
        return rows && this.#isInside ? this.#takeRows(event, rows, leftOut) : undefined
    }
  }

  #statement(event: BinlogEvent): void {
    const meaning = meaningOfEvent(event)
    if (!('xid' in meaning) || meaning.xid !== this.place.xid) return
    if (meaning.kind === 'xaStart') this.#isInside = true
    else throw gone(this.place)
  }
}

const gone = ({ file, pos }: PreparedRows) =>
  new AirbyteError(
    'CDC_POSITION_LOST',
    `An XA transaction was committed whose rows are no longer in the binlog at ${file}:${pos}.`,
    { hint: 'Refresh all streams of the connection: they are read from the start.' },
  )
