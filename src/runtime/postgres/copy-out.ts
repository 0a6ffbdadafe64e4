import { Buffer } from 'node:buffer'
import type pg from 'pg'
import type { ConnectorSocket } from '../contract.ts'

/** Whole rows of COPY text. The bytes belong to the receiver. */
export interface CopiedRows {
  bytes: Uint8Array
  rows: number
}

export interface CopyOutOptions {
  /** A batch ends with the row that reaches this many bytes; default 1 MiB. */
  batchBytes?: number
  /** … or with this many rows. */
  batchRows?: number
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
const WAITING_BATCHES = 2

class CopyOutQuery {
  readonly text: string
  private readonly batchBytes: number
  private readonly batchRows: number
  private socket?: ConnectorSocket
  private pgListener?: (chunk: Buffer) => void
  private rest: Buffer = Buffer.alloc(0)
  private batch: Buffer
  private length = 0
  private rows = 0
  private readonly ready: CopiedRows[] = []
  private done = false
  private abandoned = false
  private failure?: unknown
  private wake?: () => void

  constructor(text: string, { batchBytes = 1 << 20, batchRows = Infinity }: CopyOutOptions) {
    this.text = text
    this.batchBytes = batchBytes
    this.batchRows = batchRows
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

  private readonly onData = (chunk: Buffer) => {
    const bytes = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk
    let at = 0
    while (at + HEADER <= bytes.length) {
      const code = bytes[at] as number
      const end = at + 1 + bytes.readUInt32BE(at + 1)
      if (code !== COPY_DATA && !BETWEEN_ROWS.has(code)) return this.finish(bytes.subarray(at))
      if (end > bytes.length) break
      if (code === COPY_DATA) this.append(bytes, at + HEADER, end)
      at = end
    }
    this.rest = at < bytes.length ? bytes.subarray(at) : Buffer.alloc(0)
    if (this.ready.length >= WAITING_BATCHES) this.socket?.pause()
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
      this.length = 0
      this.rows = 0
      return
    }
    if (this.length >= this.batchBytes || this.rows >= this.batchRows) this.flush()
  }

  private flush() {
    if (this.length === 0) return
    this.ready.push({ bytes: this.batch.subarray(0, this.length), rows: this.rows })
    this.batch = this.emptyBatch()
    this.length = 0
    this.rows = 0
    this.notify()
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
    this.rest = Buffer.alloc(0)
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
