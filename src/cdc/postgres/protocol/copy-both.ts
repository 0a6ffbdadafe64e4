import { Buffer } from 'node:buffer'
import type pg from 'pg'
import type { ConnectorSocket } from '../../../runtime/contract.ts'
import type { Lsn } from '../position.ts'
import {
  ASIDES,
  COPY_BOTH,
  COPY_DATA,
  COPY_DONE,
  copyDone,
  HEADER,
  KEEPALIVE,
  KEEPALIVE_REPLY,
  KEEPALIVE_WAL_END,
  statusUpdate,
  XLOG_WAL_END,
} from './frames.ts'
import { LARGEST_MESSAGE, OversizedMessage } from './oversized-message.ts'

/** What pg's connection offers to a query that takes over its socket. */
interface PgConnection {
  stream: ConnectorSocket
  query(text: string): void
}

/** Bytes that wait for the reader before the socket is paused. */
const WAITING_BYTES = 512 << 10
/** Well below the server's `wal_sender_timeout` of 60 s, also while the reader holds us back. */
const STATUS_MS = 10_000

/**
 * A replication command's stream in both directions, on a connection that pg opened. It hands over
 * whole CopyData messages, many at once and uncopied, and answers the server's keepalives by itself.
 */
export class CopyBoth {
  readonly text: string
  /** End of the log that the server has sent. */
  received: Lsn
  private acknowledged: Lsn
  private readonly now: () => number
  private socket?: ConnectorSocket
  private pgListener?: (chunk: Buffer) => void
  private timer?: ReturnType<typeof setInterval>
  private parts: Buffer[] = []
  private held = 0
  private needed = HEADER
  private oversized?: OversizedMessage
  private queue: Buffer[] = []
  private queued = 0
  private streaming = false
  private ended = false
  private leaving = false
  private failure?: unknown
  private waiting: (() => void)[] = []

  /** `text`: START_REPLICATION …; `start`: where it begins, and what is acknowledged unless that is less. */
  constructor(text: string, start: Lsn, now: () => number, acknowledged = start) {
    this.text = text
    this.received = start
    this.acknowledged = acknowledged
    this.now = now
  }

  /** Whether `next` would have to wait. */
  get idle(): boolean {
    return this.queue.length === 0 && !this.failure && !this.ended
  }

  /**
   * Whole CopyData messages, headers included, valid for as long as the caller likes; undefined at the
   * end of the stream or after `timeoutMs` without any (then `idle` is true).
   */
  async next(timeoutMs = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    if (this.idle) await this.arrival(timeoutMs)
    const bytes = this.queue.shift()
    if (bytes) {
      this.queued -= bytes.length
      if (this.queued < WAITING_BYTES / 2) this.socket?.resume()
      return bytes
    }
    if (this.failure) throw this.failure
    return undefined
  }

  /** Resolves once the server streams; rejects with its refusal. */
  async started(): Promise<void> {
    while (!this.streaming && !this.failure && !this.ended) await this.arrival()
    if (this.failure) throw this.failure
  }

  /** Lets the server forget the log before `lsn`. Never goes back. */
  acknowledge(lsn: Lsn) {
    if (lsn > this.acknowledged) this.acknowledged = lsn
    this.sendStatus()
  }

  /** Ends the stream; what still comes is dropped. Resolves at the server's end of it, or after `ms`. */
  async leave(ms: number): Promise<void> {
    this.leaving = true
    this.queue.length = 0
    this.queued = 0
    if (this.ended || this.failure || !this.streaming) return
    this.sendStatus()
    this.socket?.write(copyDone())
    this.socket?.resume()
    const until = Date.now() + ms
    while (!this.ended && !this.failure && Date.now() < until) {
      await this.arrival(until - Date.now())
    }
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
    this.failure ??= error
    this.notify()
  }

  handleCommandComplete() {}

  handleReadyForQuery() {
    this.giveBack()
    this.ended = true
    this.notify()
  }

  // ---- messages

  /** Chunks are joined once, when they hold the whole of the message that was begun. */
  private readonly onData = (chunk: Buffer) => {
    if (this.oversized) return this.takeOversized(chunk)
    this.parts.push(chunk)
    this.held += chunk.length
    if (this.held < this.needed) return
    const bytes = this.parts.length === 1 ? chunk : Buffer.concat(this.parts, this.held)
    this.parts = []
    this.take(bytes)
    if (this.queued >= WAITING_BYTES) this.socket?.pause()
  }

  private takeOversized(chunk: Buffer) {
    const { oversized } = this
    try {
      const rest = oversized?.take(chunk)
      if (!oversized || !rest) return
      this.oversized = undefined
      const message = oversized.message()
      this.note(message, 0)
      this.push(message, 0, message.length)
      if (rest.length > 0) this.onData(rest)
    } catch (error) {
      this.failure ??= error
      this.socket?.destroy()
      this.notify()
    }
  }

  private take(bytes: Buffer) {
    let at = 0
    let first = 0
    this.needed = HEADER
    while (at + HEADER <= bytes.length) {
      const code = bytes[at] as number
      const end = at + 1 + bytes.readUInt32BE(at + 1)
      const data = code === COPY_DATA
      const aside = ASIDES.has(code) || (code === COPY_BOTH && !this.streaming)
      if (!data && !aside && !(code === COPY_DONE && this.streaming)) {
        this.push(bytes, first, at)
        return this.finish(bytes.subarray(at))
      }
      if (end > bytes.length) {
        this.needed = end - at
        if (data && this.needed > LARGEST_MESSAGE)
          this.oversized = new OversizedMessage(this.needed)
        break
      }
      if (!data) {
        this.push(bytes, first, at)
        first = end
        if (code === COPY_BOTH) this.begin()
        if (code === COPY_DONE) this.answerDone()
      } else this.note(bytes, at)
      at = end
    }
    this.push(bytes, first, at)
    const rest = bytes.subarray(at)
    if (this.oversized) {
      this.held = 0
      this.needed = HEADER
      return this.takeOversized(rest)
    }
    this.parts = rest.length > 0 ? [rest] : []
    this.held = rest.length
  }

  /** What must not wait for the reader: how far the server is, and whether it asks for an answer. */
  private note(bytes: Buffer, at: number) {
    const keepalive = bytes[at + HEADER] === KEEPALIVE
    const end = bytes.readBigUInt64BE(at + (keepalive ? KEEPALIVE_WAL_END : XLOG_WAL_END))
    if (end > this.received) this.received = end
    if (keepalive && bytes[at + KEEPALIVE_REPLY] === 1) this.sendStatus()
  }

  private push(bytes: Buffer, from: number, to: number) {
    if (to <= from || this.leaving) return
    this.queue.push(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to))
    this.queued += to - from
    this.notify()
  }

  private begin() {
    this.streaming = true
    this.timer = setInterval(() => this.sendStatus(), STATUS_MS)
    this.notify()
  }

  /** The server ended: it waits for our end before it says so. */
  private answerDone() {
    if (!this.leaving) this.socket?.write(copyDone())
    clearInterval(this.timer)
    this.streaming = false
  }

  /** An error or the end of the command: pg reads on from here and calls us back. */
  private finish(remaining: Buffer) {
    const listener = this.giveBack()
    this.socket?.resume()
    listener?.(remaining)
  }

  private giveBack() {
    clearInterval(this.timer)
    this.streaming = false
    const listener = this.pgListener
    this.pgListener = undefined
    this.parts = []
    this.socket?.removeListener('data', this.onData)
    if (listener) this.socket?.on('data', listener)
    return listener
  }

  /** `ask`: has the server say how far it is. */
  sendStatus(ask = false) {
    if (!this.streaming || this.socket?.destroyed) return
    this.socket?.write(statusUpdate(this.received, this.acknowledged, this.now(), ask))
  }

  /** Something came, or the time is over. */
  private async arrival(ms = Number.POSITIVE_INFINITY) {
    let timer: ReturnType<typeof setTimeout> | undefined
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve)
      if (Number.isFinite(ms)) timer = setTimeout(resolve, Math.max(0, ms))
    })
    clearTimeout(timer)
  }

  private notify() {
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}

/** Gives the command to pg; from here the socket is the stream's. */
export function submit(client: pg.Client, stream: CopyBoth) {
  client.query(stream as unknown as pg.Submittable)
}
