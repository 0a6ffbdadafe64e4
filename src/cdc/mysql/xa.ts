/**
 * Transactions of two phases. Their rows stand in the log where they are prepared, and count where they
 * are committed: later, in another file perhaps, by another session, after a restart; or never.
 */
import { Buffer } from 'node:buffer'
import { AirbyteError } from '../../protocol/index.ts'
import { type BinlogEvent, HEADER_BYTES } from './binlog-event.ts'
import type { TransactionPlace } from './position.ts'

/** A prepared transaction of which nobody has said yet whether it counts, and where the log has its rows. */
export interface PreparedXa extends TransactionPlace {
  xid: string
}

/** A transaction as it is named here: both of its parts in hexadecimal digits, and the number of their format. */
const nameOf = (gtrid: string, bqual: string, format: number) =>
  `${gtrid.toLowerCase()}.${bqual.toLowerCase()}.${format}`

/** As servers print one in statements: `X'61',X'',1`. */
const PRINTED = /X'([0-9a-f]*)'\s*,\s*X'([0-9a-f]*)'\s*,\s*(\d+)/i

export function xidOfText(text: string): string | undefined {
  const [, gtrid, bqual, format] = PRINTED.exec(text) ?? []
  return gtrid === undefined ? undefined : nameOf(gtrid, bqual ?? '', Number(format))
}

/** As MariaDB lists one: `'ab','c'` or `X'00ff'`, and the number of the format beside. */
export function xidOfList(format: string | null, printed: string | null): string {
  const [gtrid = '', bqual = ''] = [...(printed ?? '').matchAll(/(X?)'([^']*)'/g)].map(
    ([, hex, text = '']) => (hex ? text : Buffer.from(text).toString('hex')),
  )
  return nameOf(gtrid, bqual, Number(format))
}

const GROUP_COMMIT = 2
const PREPARED = 64

/** Of the transaction that MariaDB's event begins, if it is prepared at its end. */
export function xidOfGtid({ bytes, start }: BinlogEvent): string | undefined {
  const flags = bytes[start + 12] as number
  if ((flags & PREPARED) === 0) return undefined
  const format = start + (flags & GROUP_COMMIT ? 21 : 13)
  const gtrid = format + 6
  const bqual = gtrid + (bytes[format + 4] as number)
  const end = bqual + (bytes[format + 5] as number)
  const hex = (from: number, to: number) => bytes.toString('hex', from, to)
  return nameOf(hex(gtrid, bqual), hex(bqual, end), bytes.readUInt32LE(format))
}

/** The event that ends the first phase. MySQL writes it for `XA COMMIT … ONE PHASE` too, which is both phases. */
export function readXaPrepare({ bytes, start }: BinlogEvent): { xid: string; onePhase: boolean } {
  const gtrid = start + 13
  const bqual = gtrid + bytes.readUInt32LE(start + 5)
  const end = bqual + bytes.readUInt32LE(start + 9)
  const hex = (from: number, to: number) => bytes.toString('hex', from, to)
  const xid = nameOf(hex(gtrid, bqual), hex(bqual, end), bytes.readUInt32LE(start + 1))
  return { xid, onePhase: bytes[start] !== 0 }
}

/** Bytes of prepared transactions that are held in memory; what does not fit is read from the log again. */
const HELD_BYTES = 8 << 20

interface Recording {
  place: TransactionPlace
  /** Its events so far; undefined: they are too many to hold. */
  events: Buffer[] | undefined
  bytes: number
}

/** The rows of a transaction that counts now: those that are held, or where the log has them. */
export interface PreparedRows extends PreparedXa {
  events: Buffer[] | undefined
}

/** Keeps prepared transactions apart until they are decided. */
export class PreparedTransactions {
  #undecided: Map<string, PreparedXa>
  /** The same that are in memory, oldest first. */
  readonly #held = new Map<string, Recording>()
  #heldBytes = 0
  #recording: Recording | undefined

  constructor(undecided: PreparedXa[]) {
    this.#undecided = new Map(undecided.map((prepared) => [prepared.xid, prepared]))
  }

  get undecided(): PreparedXa[] {
    return [...this.#undecided.values()]
  }

  /** Whether what comes belongs to a transaction that is not prepared yet. */
  get isRecording(): boolean {
    return this.#recording !== undefined
  }

  begin(place: TransactionPlace): void {
    this.#recording = { place, events: [], bytes: 0 }
  }

  /** Keeps an event of the transaction that is not prepared yet. */
  keep({ bytes, start, end }: BinlogEvent): void {
    const recording = this.#recording
    if (!recording?.events) return
    recording.bytes += end - start
    if (recording.bytes > HELD_BYTES) recording.events = undefined
    else recording.events.push(Buffer.from(bytes.subarray(start - HEADER_BYTES, end)))
  }

  /** An event of it is too large to hold. */
  passOver(): void {
    if (this.#recording) this.#recording.events = undefined
  }

  /** It is prepared: from now on it is undecided. */
  prepare(xid: string): void {
    const recording = this.#ended()
    this.#undecided.set(xid, { xid, ...recording.place })
    if (!recording.events) return
    this.#held.set(xid, recording)
    this.#heldBytes += recording.bytes
    for (const oldest of this.#held.keys()) {
      if (this.#heldBytes <= HELD_BYTES) break
      this.#release(oldest)
    }
  }

  /** It counts at once: nobody has to decide. */
  commitAtOnce(xid: string): PreparedRows {
    const { place, events } = this.#ended()
    return { xid, ...place, events }
  }

  #ended(): Recording {
    const recording = this.#recording
    this.#recording = undefined
    if (recording) return recording
    throw new AirbyteError('INTERNAL', 'The binlog ends an XA transaction that did not begin.')
  }

  /** What was prepared. Undefined: before the log was taken up, and snapshots have seen what became of it. */
  rowsOf(xid: string): PreparedRows | undefined {
    const prepared = this.#undecided.get(xid)
    return prepared && { ...prepared, events: this.#held.get(xid)?.events }
  }

  /** It is decided. */
  forget(xid: string): void {
    this.#undecided.delete(xid)
    this.#release(xid)
  }

  #release(xid: string): void {
    this.#heldBytes -= this.#held.get(xid)?.bytes ?? 0
    this.#held.delete(xid)
  }
}
