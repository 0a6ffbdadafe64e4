import { AirbyteError, type Cell } from '../../protocol/index.ts'

/** What one query may cost. */
export interface QueryLimits {
  /** Milliseconds. */
  time: number
  /** Bytes read from the store, as they lie there. */
  bytes: number
  /** Bytes in memory at once, by estimate. */
  memory: number
  /** Cells looked at: the measure of computing that a clock in a Worker does not give. */
  steps: number
  /** Rows of the answer. */
  rows: number
}

export const QUERY_LIMITS: QueryLimits = {
  time: 20_000,
  bytes: 256 * 1024 * 1024,
  memory: 48 * 1024 * 1024,
  steps: 5_000_000,
  rows: 500,
}

const ROW_BYTES = 200
const CELL_BYTES = 120

/** Counts what a query uses and ends it at a limit. */
export class Meter {
  readonly limits: QueryLimits
  readonly signal: AbortSignal
  /** The query keeps rows: it joins, groups, sorts or compares them. */
  readonly holds: boolean
  readonly #ends: number
  bytes = 0
  rows = 0
  #memory = 0
  #steps = 0

  constructor(limits: QueryLimits, signal: AbortSignal, holds: boolean) {
    this.limits = limits
    this.signal = signal
    this.holds = holds
    this.#ends = Date.now() + limits.time
  }

  /** Before each read, which is when a Worker's clock moves. */
  read(bytes: number): void {
    this.bytes += bytes
    if (this.bytes > this.limits.bytes) throw over(`read more than ${mib(this.limits.bytes)}`)
    this.#requireTime()
  }

  /** A row that was read. */
  row(): void {
    this.rows += 1
    this.step()
  }

  /** A row that passed the conditions of its table, and that the engine may keep. */
  hold(cells: readonly Cell[]): void {
    if (!this.holds) return
    this.#memory += ROW_BYTES
    for (const cell of cells) {
      this.#memory += CELL_BYTES + (typeof cell === 'string' ? cell.length * 2 : 0)
    }
    if (this.#memory > this.limits.memory) {
      throw over(
        `hold more than ${mib(this.limits.memory)} of rows at once, after ${this.rows} rows`,
      )
    }
  }

  step(): void {
    this.#steps += 1
    if (this.#steps > this.limits.steps) {
      throw over(`look at more than ${this.limits.steps / 1e6} million values`)
    }
    if (this.#steps % 4096 === 0) this.#requireTime()
  }

  #requireTime(): void {
    if (this.signal.aborted) throw new AirbyteError('CANCELLED', 'The query was cancelled.')
    if (Date.now() > this.#ends) throw over(`take longer than ${this.limits.time / 1000} seconds`)
  }
}

const over = (what: string) => new AirbyteError('QUERY_LIMIT', `The query would ${what}.`)
const mib = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`
