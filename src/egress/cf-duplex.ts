import { Duplex } from 'node:stream'
import type { ConnectorSocket, TlsOptions } from '../runtime/contract.ts'
import { piecesOf } from '../runtime/pieces.ts'
import { connectionLost } from './socket-errors.ts'

/** The part of a `cloudflare:sockets` Socket that we stand on. */
export interface PlatformSocket {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  readonly opened: Promise<unknown>
  readonly closed: Promise<unknown>
  close(): Promise<unknown>
  startTls(options?: { expectedServerHostname?: string }): PlatformSocket
}

export type StartTls = (socket: CfDuplex, options: TlsOptions) => Promise<ConnectorSocket>

const HIGH_WATER_MARK = 256 * 1024
/** More than a server says before TLS: MySQL's greeting. */
const GREETING_BYTES = 4096
/** Small writes that wait together go out as one. */
const JOIN_BELOW_BYTES = 64 * 1024

/**
 * A Node-style socket over `cloudflare:sockets`, for drivers that expect one: one read or write under way
 * at a time, so back-pressure reaches the network, and no promise of the platform is left to reject unseen.
 */
export class CfDuplex extends Duplex implements ConnectorSocket {
  readonly #socket: PlatformSocket
  readonly #peer: string
  readonly #startTls: StartTls
  #reader: ReadableStreamBYOBReader | undefined
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined
  readonly #next: () => Promise<Uint8Array | undefined>
  #received = 0

  /** `peer` names the other end in errors. */
  constructor(socket: PlatformSocket, peer: string, startTls: StartTls) {
    // Nothing is read ahead at first: the platform's TLS takes no socket with a read under way.
    super({
      readableHighWaterMark: 0,
      writableHighWaterMark: HIGH_WATER_MARK,
      allowHalfOpen: false,
    })
    this.#socket = socket
    this.#peer = peer
    this.#startTls = startTls
    this.#reader = socket.readable.getReader({ mode: 'byob' })
    this.#next = piecesOf(this.#reader)
    this.#writer = socket.writable.getWriter()
    for (const promise of [socket.closed, this.#reader.closed, this.#writer.closed])
      promise.catch(() => {})
    // As with a net.Socket in Node's own hands: a reset that nobody listens for must not end the process.
    this.on('error', () => {})
  }

  startTls(options: TlsOptions): Promise<ConnectorSocket> {
    return this.#startTls(this, options)
  }

  /** Lets go of the streams and hands out the socket, for the platform's own TLS. This object is dead then. */
  detach(): PlatformSocket {
    const [reader, writer] = [this.#reader, this.#writer]
    this.#reader = this.#writer = undefined
    reader?.releaseLock()
    writer?.releaseLock()
    return this.#socket
  }

  override _read(): void {
    const reader = this.#reader
    if (!reader) return
    this.#next().then(
      (piece) => {
        if (reader !== this.#reader) return
        if (!piece) this.push(null)
        else {
          this.#received += piece.byteLength
          if (this.#received > GREETING_BYTES) this.#readAhead()
          this.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))
        }
      },
      (cause) => {
        if (reader === this.#reader) this.destroy(connectionLost(this.#peer, cause))
      },
    )
  }

  #readAhead(): void {
    const { _readableState: state } = this as unknown as {
      _readableState: { highWaterMark: number }
    }
    state.highWaterMark = HIGH_WATER_MARK
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send(chunk).then(() => done(), done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#sendAll(chunks.map(({ chunk }) => chunk)).then(() => done(), done)
  }

  async #sendAll(chunks: Buffer[]): Promise<void> {
    let waiting: Buffer[] = []
    let bytes = 0
    for (const chunk of chunks) {
      waiting.push(chunk)
      bytes += chunk.byteLength
      if (bytes < JOIN_BELOW_BYTES) continue
      await this.#send(...waiting)
      waiting = []
      bytes = 0
    }
    if (bytes > 0) await this.#send(...waiting)
  }

  async #send(...chunks: Buffer[]): Promise<void> {
    const [first] = chunks
    if (!first || !this.#writer) return
    try {
      await this.#writer.write(chunks.length === 1 ? first : Buffer.concat(chunks))
    } catch (cause) {
      throw connectionLost(this.#peer, cause)
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    const closed = this.#writer?.close() ?? Promise.resolve()
    closed.then(
      () => done(),
      () => done(),
    )
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const [reader, writer] = [this.#reader, this.#writer]
    this.#reader = this.#writer = undefined
    if (reader || writer) {
      reader?.cancel(error).catch(() => {})
      writer?.abort(error).catch(() => {})
      this.#socket.close().catch(() => {})
    }
    done(error)
  }

  // The platform has none of these; drivers call them.
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  setTimeout(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
}
