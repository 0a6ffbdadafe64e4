import type { BinlogEvent } from './binlog-event.ts'
import type { ChangePlace } from './change-builder.ts'
import { type BinlogPosition, fileNumber, orderOf, printPosition } from './position.ts'
import { secondsText } from './temporal.ts'

/** Positions have 32 bits. */
const LAP = 2 ** 32

/** Where the newest event ends. */
export class LogCursor {
  file: string
  pos: number
  base: number
  /** Of the newest change, and the same as text: many have one. */
  #second = -1
  #time = ''

  constructor({ file, pos, base }: BinlogPosition) {
    this.file = file
    this.pos = pos
    this.base = base
  }

  /**
   * A transaction can make a file longer than positions count. What lies before the place where reading
   * began (the file's own description) moves nothing.
   */
  moveTo(next: number): void {
    const candidate = Math.floor(this.pos / LAP) * LAP + next
    if (candidate > this.pos) this.pos = candidate
    else if (candidate < this.pos - LAP / 2) this.pos = candidate + LAP
  }

  /** Whether another file begins. */
  rotate({ bytes, start, end }: BinlogEvent): boolean {
    const file = bytes.toString('utf8', start + 8, end)
    if (file === this.file) return false
    const before = fileNumber(this.file) + this.base
    const next = fileNumber(file) + this.base
    // A server that took over counts from elsewhere: the order goes on above what there was.
    if (next <= before) this.base += before + 1 - next
    this.file = file
    this.pos = Number(bytes.readBigUInt64LE(start))
    return true
  }

  /** Of a change in the newest event. */
  placeOf({ timestamp }: BinlogEvent): ChangePlace {
    if (timestamp !== this.#second) {
      this.#second = timestamp
      this.#time = `${secondsText(timestamp).replace(' ', 'T')}Z`
    }
    const { file, pos } = this
    return { file, pos, order: orderOf(file, this.base, pos), at: this.#time }
  }

  toString(): string {
    return printPosition(this)
  }
}
