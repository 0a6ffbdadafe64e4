import { Buffer } from 'node:buffer'
import type pg from 'pg'
import { AirbyteError } from '../../protocol/index.ts'
import type { ConnectorSocket } from '../contract.ts'
import { LARGEST_ROW, type LeftOut } from '../database/large-values.ts'
import { OversizedRow } from './oversized-row.ts'

/** Whole rows of COPY text. The bytes belong to the receiver. */
export interface CopiedRows {
  bytes: Uint8Array
  rows: number
  /** Fields that are null here because they are too large to hold. */
  leftOut?: LeftOut[]
}

export interface CopyOutOptions {
  /** A batch ends with the row that reaches this many bytes; default 1 MiB. */
  batchBytes?: number
  /** … or with this many rows. */
  batchRows?: number
  /** A row of more bytes loses what is beyond; default `LARGEST_ROW`. */
  largestRow?: number
}

/**
 * Runs `COPY (…) TO STDOUT` and yields its bytes in batches of whole rows, without an object per row.
 * At most two batches wait; then the socket is paused. After leaving the loop early the rest is thrown
 * away as it comes: call `closePostgres`, which cancels it. Rejects with pg's own errors: map them with `mapPostgresError`.
 *
 * pg-copy-streams would do the same through a Readable; here frames are copied once, straight from
 * the socket's chunk into the batch.
 *
 * @example
 * for await (const { bytes, rows } of copyOut(client, 'COPY t TO STDOUT')) total += rows
 */
export async function* copyOut(
  client: pg.Client,
  sql: string,
  options: CopyOutOptions = {},
): AsyncGenerator<CopiedRows> {
  const query = new CopyOutQuery(sql, options)
  client.query(query as unknown as pg.Submittable)
  let finished = false
  try {
    for (;;) {
      const batch = await query.next()
      if (!batch) break
      yield batch
    }
    finished = true
  } catch (error) {
    finished = true
    throw error
  } finally {
    if (!finished) query.abandon()
  }
}

/** What pg's connection offers to a query that takes over its socket, as pg-copy-streams does. */
interface PgConnection {
  stream: ConnectorSocket
  query(text: string): void
}

const COPY_DATA = 0x64
/** Messages the server may send between rows: CopyOutResponse, ParameterStatus, Notice, Notification. */
const BETWEEN_ROWS = new Set([0x48, 0x53, 0x4e, 0x41])
const NEWLINE = 0x0a
const HEADER = 5
const EMPTY = Buffer.alloc(0)
const WAITING_BATCHES = 2

class CopyOutQuery {
  readonly text: string
  private readonly batchBytes: number
  private readonly batchRows: number
  private readonly largestRow: number
  /** A row that is being made smaller as it comes. */
  private oversized?: OversizedRow
  private leftOut: LeftOut[] = []
  private socket?: ConnectorSocket
  private pgListener?: (chunk: Buffer) => void
  /** Of a message that is not here in full: what came of it, and how much of it is needed. */
  private rest: Buffer[] = []
  private restBytes = 0
  private needed = 0
  private batch: Buffer
  private length = 0
  private rows = 0
  private readonly ready: CopiedRows[] = []
  private done = false
  private abandoned = false
  private failure?: unknown
  private wake?: () => void

  constructor(text: string, options: CopyOutOptions) {
    const { batchBytes = 1 << 20, batchRows = Infinity, largestRow = LARGEST_ROW } = options
    this.text = text
    this.batchBytes = batchBytes
    this.batchRows = batchRows
    this.largestRow = largestRow
    this.batch = this.emptyBatch()
  }

  /** The next batch; undefined at the end. */
  async next(): Promise<CopiedRows | undefined> {
    for (;;) {
      const batch = this.ready.shift()
      if (batch) {
        if (this.ready.length < WAITING_BATCHES && this.pgListener) this.socket?.resume()
        return batch
      }
      if (this.failure) throw this.failure
      if (this.done) return undefined
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  /** Takes what the server still sends, and drops it. */
  abandon() {
    this.abandoned = true
    this.ready.length = 0
    this.socket?.resume()
  }

  // ---- what pg calls

  submit(connection: PgConnection) {
    this.socket = connection.stream
    this.pgListener = connection.stream.listeners('data')[0] as (chunk: Buffer) => void
    connection.stream.removeListener('data', this.pgListener)
    connection.stream.on('data', this.onData)
    connection.query(this.text)
  }

  handleError(error: unknown) {
    this.giveBack()
    this.failure = error
    this.notify()
  }

  handleCommandComplete() {}

  handleReadyForQuery() {
    this.done = true
    this.notify()
  }

  // ---- frames

  private readonly onData = (chunk: Buffer): void => {
    const bytes = this.oversized ? this.takeOversized(this.oversized, chunk) : this.joined(chunk)
    if (bytes.length === 0) return
    let at = 0
    let needed = HEADER
    while (at + HEADER <= bytes.length) {
      const code = bytes[at] as number
      const end = at + 1 + bytes.readUInt32BE(at + 1)
      if (code !== COPY_DATA && !BETWEEN_ROWS.has(code)) {
        this.finish(bytes.subarray(at))
        return
      }
      if (code === COPY_DATA && end - at > this.largestRow) {
        this.beginOversized(end - at - HEADER)
        this.onData(bytes.subarray(at + HEADER))
        return
      }
      needed = end - at
      if (end > bytes.length) break
      needed = HEADER
      if (code === COPY_DATA) this.append(bytes, at + HEADER, end)
      at = end
    }
    this.keep(bytes.subarray(at), needed)
    if (this.ready.length >= WAITING_BATCHES) this.socket?.pause()
  }

  private keep(bytes: Buffer, needed: number) {
    this.rest = bytes.length > 0 ? [bytes] : []
    this.restBytes = bytes.length
    this.needed = needed
  }

  /** What came of the message so far, with this; nothing: it is not here in full yet. */
  private joined(chunk: Buffer): Buffer {
    this.rest.push(chunk)
    this.restBytes += chunk.length
    if (this.restBytes < this.needed) return EMPTY
    const { rest } = this
    this.keep(EMPTY, 0)
    return rest.length === 1 ? chunk : Buffer.concat(rest)
  }

  private beginOversized(length: number) {
    if (this.length > 0 && this.batch[this.length - 1] !== NEWLINE) {
      // Something between the server and us cuts rows: where its fields begin is not known.
      this.socket?.destroy(new AirbyteError('TOO_LARGE', 'A row comes in parts too large to hold.'))
    }
    this.oversized = new OversizedRow(length, this.largestRow)
  }

  /** What follows the row in `chunk`; nothing: more of the row is to come. */
  private takeOversized(oversized: OversizedRow, chunk: Buffer): Buffer {
    const rest = oversized.take(chunk)
    if (!rest) return EMPTY
    this.oversized = undefined
    for (const field of oversized.leftOut) this.leftOut.push({ row: this.rows, ...field })
    const row = oversized.row()
    this.append(row, 0, row.length)
    return rest
  }

  private append(bytes: Buffer, start: number, end: number) {
    const needed = this.length + end - start
    if (needed > this.batch.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.batch.length * 2))
      larger.set(this.batch.subarray(0, this.length))
      this.batch = larger
    }
    this.batch.set(bytes.subarray(start, end), this.length)
    this.length = needed
    // The server sends one row a message; a proxy that cuts rows must not make us cut a batch there.
    if (bytes[end - 1] !== NEWLINE) return
    this.rows++
    if (this.abandoned) {
      this.reset()
      return
    }
    if (this.length >= this.batchBytes || this.rows >= this.batchRows) this.flush()
  }

  private flush() {
    if (this.length === 0) return
    const { leftOut, rows } = this
    const bytes = this.batch.subarray(0, this.length)
    this.ready.push({ bytes, rows, ...(leftOut.length > 0 && { leftOut }) })
    this.batch = this.emptyBatch()
    this.reset()
    this.notify()
  }

  private reset() {
    this.length = 0
    this.rows = 0
    this.leftOut = []
  }

  /** CopyDone or an error: pg reads on from here and calls us back. */
  private finish(remaining: Buffer) {
    if (remaining[0] !== ERROR_RESPONSE) this.flush()
    const listener = this.giveBack()
    this.socket?.resume()
    listener?.(remaining)
  }

  private giveBack() {
    const listener = this.pgListener
    this.pgListener = undefined
    this.keep(EMPTY, 0)
    this.socket?.removeListener('data', this.onData)
    if (listener) this.socket?.on('data', listener)
    return listener
  }

  private notify() {
    this.wake?.()
    this.wake = undefined
  }

  private emptyBatch() {
    return Buffer.allocUnsafeSlow(this.batchBytes + (this.batchBytes >> 3))
  }
}

const ERROR_RESPONSE = 0x45
