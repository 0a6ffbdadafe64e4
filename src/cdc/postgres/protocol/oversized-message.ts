import { Buffer } from 'node:buffer'
import { AirbyteError } from '../../../protocol/index.ts'
import { fits } from '../../../runtime/database/large-values.ts'
import { HEADER, XLOG_MESSAGE } from './frames.ts'

/** A message beyond this is never held as a whole: a field may have 1 GB. */
export const LARGEST_MESSAGE = 8 << 20

/**
 * Kind of a value that was left out for its size. Ours, not PostgreSQL's: `t` with its length and
 * without its bytes.
 */
export const LEFT_OUT = 0x78

const TEXT = 0x74
const OWN_ROWS = new Set([0x49, 0x55, 0x44])
/** Up to and with the number of columns: tag, relation, kind of tuple, count. */
const START = XLOG_MESSAGE + 1 + 4 + 1 + 2
/** Before the second tuple: its kind, its number of columns. */
const NEXT_TUPLE = 1 + 2

/**
 * Takes in a change that is too large to hold, piece by piece, and makes a smaller message of it, in
 * which values that would carry it beyond the limit are left out.
 */
export class OversizedMessage {
  private readonly limit: number
  private left: number
  private readonly kept: Buffer[] = []
  private size = 0
  /** What is read next: so many bytes, then `step` with them. */
  private held: Buffer = Buffer.alloc(0)
  private wanted = START
  private step: (bytes: Buffer) => void
  private columns = 0
  private keeping = 0
  private dropping = 0

  /** `length`: of the whole message, with its header. */
  constructor(length: number, limit = LARGEST_MESSAGE) {
    this.left = length
    this.limit = limit
    this.step = this.start
  }

  /** The rest of `chunk` once the message is complete; undefined: more is to come. */
  take(chunk: Buffer): Buffer | undefined {
    let at = 0
    const end = Math.min(chunk.length, this.left)
    this.left -= end
    while (at < end) at += this.part(chunk.subarray(at, end))
    return this.left === 0 ? chunk.subarray(end) : undefined
  }

  /** The smaller message. */
  message(): Buffer {
    const bytes = Buffer.concat(this.kept, this.size)
    bytes.writeUInt32BE(this.size - 1, 1)
    return bytes
  }

  private part(bytes: Buffer): number {
    if (this.dropping > 0) {
      const length = Math.min(this.dropping, bytes.length)
      this.dropping -= length
      return length
    }
    if (this.keeping > 0) {
      const length = Math.min(this.keeping, bytes.length)
      this.keep(Buffer.from(bytes.subarray(0, length)))
      this.keeping -= length
      return length
    }
    const length = Math.min(this.wanted - this.held.length, bytes.length)
    this.held = Buffer.concat([this.held, bytes.subarray(0, length)])
    if (this.held.length < this.wanted) return length
    const whole = this.held
    this.held = Buffer.alloc(0)
    this.step(whole)
    return length
  }

  private keep(bytes: Buffer) {
    this.kept.push(bytes)
    this.size += bytes.length
  }

  private expect(bytes: number, step: (bytes: Buffer) => void) {
    this.wanted = bytes
    this.step = step
  }

  private start(bytes: Buffer) {
    if (!OWN_ROWS.has(bytes[XLOG_MESSAGE] as number)) {
      throw new AirbyteError(
        'TOO_LARGE',
        `The log holds a message of ${this.left + HEADER} bytes that is not a row.`,
      )
    }
    this.keep(bytes)
    this.beginTuple(bytes)
  }

  private nextTuple(bytes: Buffer) {
    this.keep(bytes)
    this.beginTuple(bytes)
  }

  private beginTuple(bytes: Buffer) {
    this.columns = bytes.readUInt16BE(bytes.length - 2)
    this.nextColumn()
  }

  private nextColumn() {
    if (this.columns-- > 0) this.expect(1, this.column)
    else this.expect(NEXT_TUPLE, this.nextTuple)
  }

  private column(kind: Buffer) {
    if (kind[0] === TEXT) return this.expect(4, this.value)
    this.keep(kind)
    this.nextColumn()
  }

  private value(length: Buffer) {
    const bytes = length.readUInt32BE(0)
    const isKept = fits(this.size, bytes, this.limit)
    this.keep(Buffer.of(isKept ? TEXT : LEFT_OUT))
    this.keep(length)
    if (isKept) this.keeping = bytes
    else this.dropping = bytes
    this.nextColumn()
  }
}
