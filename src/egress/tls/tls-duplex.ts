import { Duplex } from 'node:stream'
import { AirbyteError } from '../../protocol/index.ts'
import type { ConnectorSocket, TlsOptions } from '../../runtime/contract.ts'
import { connectionLost, HANDSHAKE_TIMEOUT_MS, tlsFailed } from '../socket-errors.ts'
import { Handshake } from './handshake.ts'
import { message, TYPE } from './messages.ts'
import {
  CONTENT,
  HEADER_BYTES,
  MAX_PLAIN,
  MAX_SEALED,
  plainRecord,
  RecordCipher,
  sealedSize,
} from './record-cipher.ts'

const HIGH_WATER_MARK = 256 * 1024
/** Longest handshake message taken: certificate chains are some kilobytes. */
const MAX_MESSAGE = 128 * 1024
/** AES-GCM should not seal more records under one key than this, RFC 8446 section 5.5. */
const RECORDS_PER_KEY = 2 ** 24
const CLOSE_NOTIFY = Uint8Array.of(1, 0)

/**
 * TLS 1.3 in JavaScript over any socket, for what the platform's own TLS cannot do: a private CA, or no
 * verification. The ciphers are the platform's (node:crypto). Rejects with TLS_FAILED.
 */
export function startJsTls(socket: ConnectorSocket, options: TlsOptions): Promise<ConnectorSocket> {
  return new Promise((resolve, reject) => {
    const secure = new TlsDuplex(socket, options)
    const timer = setTimeout(
      () => secure.destroy(new Error('the server did not complete the handshake in time')),
      HANDSHAKE_TIMEOUT_MS,
    )
    const fail = (cause: Error) => {
      clearTimeout(timer)
      reject(tlsFailed(options.servername, cause))
    }
    secure.once('error', fail)
    secure.once('secure', () => {
      clearTimeout(timer)
      secure.off('error', fail)
      resolve(secure)
    })
  })
}

class TlsDuplex extends Duplex implements ConnectorSocket {
  readonly #socket: ConnectorSocket
  readonly #handshake: Handshake
  readonly #peer: string
  #reading: RecordCipher | undefined
  #writing: RecordCipher | undefined
  #readSecret!: Buffer
  #writeSecret!: Buffer
  /** Bytes of a record that is not complete yet. */
  #received: Buffer = Buffer.alloc(0)
  /** Bytes of a handshake message that is not complete yet. */
  #fragment: Buffer = Buffer.alloc(0)
  #closedByPeer = false

  constructor(socket: ConnectorSocket, options: TlsOptions) {
    super({ highWaterMark: HIGH_WATER_MARK, allowHalfOpen: false })
    this.#socket = socket
    this.#peer = options.servername
    this.#handshake = new Handshake(options)
    this.on('error', () => {})
    socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    socket.on('end', () => this.#onEnd())
    socket.on('close', () => this.#onEnd())
    socket.on('error', (error) => this.destroy(error))
    socket.write(plainRecord(CONTENT.handshake, this.#handshake.hello))
    socket.resume()
  }

  async startTls(): Promise<ConnectorSocket> {
    throw new AirbyteError('TLS_FAILED', `The connection to '${this.#peer}' is encrypted already.`)
  }

  #receive(bytes: Buffer) {
    if (this.destroyed) return
    try {
      const all = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
      this.#received = all.subarray(this.#takeRecords(all))
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Handles every complete record, returns how many bytes they took. */
  #takeRecords(bytes: Buffer): number {
    let at = 0
    let wantsMore = true
    while (bytes.length - at >= HEADER_BYTES && !this.#closedByPeer) {
      const length = bytes.readUInt16BE(at + 3)
      const type = bytes[at] ?? 0
      if (length > MAX_SEALED || type < CONTENT.changeCipherSpec || type > CONTENT.data)
        throw new Error('the server does not speak TLS')
      const end = at + HEADER_BYTES + length
      if (bytes.length < end) break
      const header = bytes.subarray(at, at + HEADER_BYTES)
      wantsMore =
        this.#takeRecord(type, header, bytes.subarray(at + HEADER_BYTES, end)) && wantsMore
      at = end
    }
    if (!wantsMore) this.#socket.pause()
    return at
  }

  /** False when the reader of this stream has enough for now. */
  #takeRecord(type: number, header: Buffer, body: Buffer): boolean {
    // A relic that middleboxes like to see; only during the handshake.
    if (type === CONTENT.changeCipherSpec && !this.#handshake.complete) return true
    if (!this.#reading) return this.#takeContent(type, body)
    if (type !== CONTENT.data) throw new Error('the server sent an unencrypted record')
    const { type: inner, content } = this.#reading.open(header, body)
    if (content.length > MAX_PLAIN) throw new Error('the server sent a malformed record')
    return this.#takeContent(inner, content)
  }

  #takeContent(type: number, content: Buffer): boolean {
    if (type !== CONTENT.handshake && this.#fragment.length > 0)
      throw new Error('the server sent a message out of turn')
    if (type === CONTENT.data && this.#handshake.complete)
      return content.length === 0 || this.push(content)
    if (type === CONTENT.handshake) this.#takeMessages(content)
    else if (type === CONTENT.alert) this.#takeAlert(content)
    else throw new Error('the server sent a message out of turn')
    return true
  }

  #takeMessages(content: Buffer) {
    let bytes = Buffer.concat([this.#fragment, content])
    while (bytes.length >= 4) {
      const end = 4 + bytes.readUIntBE(1, 3)
      if (end > MAX_MESSAGE) throw new Error('the server sent a malformed message')
      if (bytes.length < end) break
      const raw = bytes.subarray(0, end)
      bytes = bytes.subarray(end)
      const changedKeys = this.#takeMessage(raw[0] ?? 0, raw.subarray(4), raw)
      if (changedKeys && bytes.length > 0) throw new Error('the server sent a message out of turn')
    }
    this.#fragment = bytes
  }

  /** True when what follows is read under another key. */
  #takeMessage(type: number, body: Buffer, raw: Buffer): boolean {
    if (this.#handshake.complete) return this.#takeLateMessage(type, body)
    const step = this.#handshake.take(type, body, raw)
    if (step.readSecret) this.#readUnder(step.readSecret)
    if (step.application && step.writeSecret) {
      this.#socket.write(plainRecord(CONTENT.changeCipherSpec, Uint8Array.of(1)))
      this.#writeUnder(step.writeSecret)
      for (const part of step.flight ?? []) this.#send(CONTENT.handshake, part)
      this.#writeUnder(step.application.client)
      this.#readUnder(step.application.server)
      this.emit('secure')
    }
    return step.readSecret !== undefined || step.application !== undefined
  }

  #takeLateMessage(type: number, body: Buffer): boolean {
    if (type === TYPE.newSessionTicket) return false
    if (type !== TYPE.keyUpdate || body.length !== 1)
      throw new Error('the server sent a message out of turn')
    this.#readUnder(this.#handshake.schedule.nextSecret(this.#readSecret))
    if (body[0] === 1) this.#updateWriteKey()
    return true
  }

  #takeAlert(content: Buffer) {
    const [, code = 0] = content
    if (code === 0) {
      this.#closedByPeer = true
      this.push(null)
      return
    }
    throw new Error(`the server refused: ${ALERTS[code] ?? `alert ${code}`}`)
  }

  #onEnd() {
    if (this.#closedByPeer || this.destroyed) return
    if (!this.#handshake.complete)
      this.destroy(new Error('the server closed the connection during the handshake'))
    // Without the peer's notice of closing, somebody may have cut the stream short.
    else if (!this.writableFinished)
      this.destroy(connectionLost(this.#peer, new Error('closed without notice')))
    else this.destroy()
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#writing && this.#writing.count >= RECORDS_PER_KEY) this.#updateWriteKey()
    const out = Buffer.allocUnsafeSlow(sealedSize(chunk.length))
    let end = 0
    // The socket is handed out after the handshake, so there is a cipher.
    for (let at = 0; at < chunk.length && this.#writing; at += MAX_PLAIN)
      end = this.#writing.seal(CONTENT.data, chunk.subarray(at, at + MAX_PLAIN), out, end)
    this.#socket.write(out, done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', done)
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#writing && !this.#socket.destroyed) this.#send(CONTENT.alert, CLOSE_NOTIFY)
    this.#socket.end(() => done())
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error && (error instanceof AirbyteError ? error : tlsFailed(this.#peer, error)))
  }

  #send(type: number, content: Uint8Array) {
    const out = Buffer.alloc(sealedSize(content.length))
    this.#writing?.seal(type, content, out, 0)
    this.#socket.write(out)
  }

  #updateWriteKey() {
    this.#send(CONTENT.handshake, message(TYPE.keyUpdate, Uint8Array.of(0)))
    this.#writeUnder(this.#handshake.schedule.nextSecret(this.#writeSecret))
  }

  #readUnder(secret: Buffer) {
    const { suite, schedule } = this.#handshake
    this.#readSecret = secret
    this.#reading = new RecordCipher(suite, schedule.trafficKeys(secret))
  }

  #writeUnder(secret: Buffer) {
    const { suite, schedule } = this.#handshake
    this.#writeSecret = secret
    this.#writing = new RecordCipher(suite, schedule.trafficKeys(secret))
  }

  setNoDelay(on?: boolean): this {
    this.#socket.setNoDelay(on)
    return this
  }
  setKeepAlive(on?: boolean, delay?: number): this {
    this.#socket.setKeepAlive(on, delay)
    return this
  }
  setTimeout(): this {
    return this
  }
  ref(): this {
    this.#socket.ref()
    return this
  }
  unref(): this {
    this.#socket.unref()
    return this
  }
}

/** AlertDescription, RFC 8446 section 6, of those that a person can do something about. */
const ALERTS: Record<number, string> = {
  40: 'no common cipher or certificate type (TLS 1.3 is needed)',
  70: 'it does not offer TLS 1.3',
  71: 'insufficient security',
  86: 'inappropriate fallback',
  112: 'it does not know this host name',
  116: 'it requires a client certificate',
}
