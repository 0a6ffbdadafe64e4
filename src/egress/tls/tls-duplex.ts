import { Duplex } from 'node:stream'
import { AirbyteError } from '../../protocol/index.ts'
import type { ConnectorSocket, TlsOptions } from '../../runtime/contract.ts'
import { connectionLost, HANDSHAKE_TIMEOUT_MS, tlsFailed } from '../socket-errors.ts'
import { BulkCipher } from './bulk-cipher.ts'
import { Handshake } from './handshake.ts'
import { message, TYPE } from './messages.ts'
import {
  CONTENT,
  HEADER_BYTES,
  MAX_PLAIN,
  MAX_SEALED,
  type OpenedRecord,
  plainRecord,
  RecordCipher,
} from './record-cipher.ts'

const HIGH_WATER_MARK = 256 * 1024
/** Longest handshake message taken: certificate chains are some kilobytes. */
const MAX_MESSAGE = 128 * 1024
/** AES-GCM should not seal more records under one key than this, RFC 8446 section 5.5. */
const RECORDS_PER_KEY = 2 ** 24
const CLOSE_NOTIFY = Uint8Array.of(1, 0)

/**
 * TLS 1.3 in JavaScript over any socket, for what the platform's own TLS cannot do: a private CA, or no
 * verification. The ciphers are the platform's (node:crypto, Web Crypto). Rejects with TLS_FAILED.
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

interface SealedRecord {
  type: number
  header: Buffer
  body: Buffer
}

class TlsDuplex extends Duplex implements ConnectorSocket {
  readonly #socket: ConnectorSocket
  readonly #handshake: Handshake
  readonly #peer: string
  /** During the handshake. */
  #handshakeReading: RecordCipher | undefined
  /** After it. */
  #reading: BulkCipher | undefined
  #writing: BulkCipher | undefined
  /** Records go out in the order in which they were sealed. */
  #sent: Promise<void> = Promise.resolve()
  /** True while a batch of records is being decrypted. */
  #opening = false
  #ended = false
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
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
    try {
      while (!this.#handshake.complete) {
        const record = this.#nextRecord()
        if (!record) return
        this.#takeHandshakeRecord(record)
      }
      if (!this.#opening) void this.#openReceived()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Takes a complete record off what was received. */
  #nextRecord(): SealedRecord | undefined {
    const bytes = this.#received
    if (bytes.length < HEADER_BYTES) return undefined
    const length = bytes.readUInt16BE(3)
    const type = bytes[0] ?? 0
    if (length > MAX_SEALED || type < CONTENT.changeCipherSpec || type > CONTENT.data)
      throw new Error('the server does not speak TLS')
    const end = HEADER_BYTES + length
    if (bytes.length < end) return undefined
    this.#received = bytes.subarray(end)
    return {
      type,
      header: bytes.subarray(0, HEADER_BYTES),
      body: bytes.subarray(HEADER_BYTES, end),
    }
  }

  #takeHandshakeRecord({ type, header, body }: SealedRecord) {
    if (type === CONTENT.changeCipherSpec) return // a relic that middleboxes like to see
    if (!this.#handshakeReading) return void this.#takeContent({ type, content: body })
    if (type !== CONTENT.data) throw new Error('the server sent an unencrypted record')
    this.#takeContent(this.#handshakeReading.open(header, body))
  }

  /** Decrypts what is there while the network waits, one batch at a time. */
  async #openReceived() {
    this.#opening = true
    this.#socket.pause()
    let wantsMore = true
    try {
      for (let batch = this.#nextRecords(); batch.length > 0; batch = this.#nextRecords())
        wantsMore = (await this.#openBatch(batch)) && wantsMore
    } catch (error) {
      this.#fail(error)
    }
    this.#opening = false
    if (this.#ended) this.#onEnd()
    else if (wantsMore) this.#socket.resume()
  }

  #nextRecords(): SealedRecord[] {
    const records: SealedRecord[] = []
    if (this.destroyed || this.#closedByPeer) return records
    for (let next = this.#nextRecord(); next; next = this.#nextRecord()) records.push(next)
    return records
  }

  /** Resolves false when the reader of this stream has enough for now. */
  async #openBatch(records: SealedRecord[]): Promise<boolean> {
    const cipher = this.#reading
    if (!cipher || records.some(({ type }) => type !== CONTENT.data))
      throw new Error('the server sent an unencrypted record')
    // A failure counts only when its turn comes: after a KeyUpdate the rest is under another key.
    const opened = await Promise.all(
      records.map(({ header, body }) =>
        cipher.open(header, body).catch(() => new Error('a record was changed on its way')),
      ),
    )
    let wantsMore = true
    for (const [index, record] of opened.entries()) {
      if (this.destroyed || this.#closedByPeer) return false
      if (cipher !== this.#reading) return this.#openBatch(records.slice(index))
      if (record instanceof Error) throw record
      wantsMore = this.#takeContent(record) && wantsMore
    }
    return wantsMore
  }

  #fail(error: unknown) {
    this.destroy(error instanceof Error ? error : new Error(String(error)))
  }

  /** False when the reader of this stream has enough for now. */
  #takeContent({ type, content }: OpenedRecord): boolean {
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
    const { suite, schedule } = this.#handshake
    if (step.readSecret)
      this.#handshakeReading = new RecordCipher(suite, schedule.trafficKeys(step.readSecret))
    if (step.application && step.writeSecret) {
      this.#socket.write(plainRecord(CONTENT.changeCipherSpec, Uint8Array.of(1)))
      const cipher = new RecordCipher(suite, schedule.trafficKeys(step.writeSecret))
      for (const part of step.flight ?? []) this.#socket.write(cipher.seal(CONTENT.handshake, part))
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
    if (body[0] === 1) void this.#inOrder(() => this.#updateWriteKey())
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
    this.#ended = true
    if (this.#opening || this.#closedByPeer || this.destroyed) return
    if (!this.#handshake.complete)
      this.destroy(new Error('the server closed the connection during the handshake'))
    // Without the peer's notice of closing, somebody may have cut the stream short.
    else if (!this.writableFinished)
      this.destroy(connectionLost(this.#peer, new Error('closed without notice')))
    else this.destroy()
  }

  override _read(): void {
    if (!this.#opening) this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#inOrder(async () => {
      if (this.#writing && this.#writing.count >= RECORDS_PER_KEY) await this.#updateWriteKey()
      this.#socket.write(await this.#seal(CONTENT.data, chunk), done)
    }).catch(done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#inOrder(async () => {
      if (!this.#socket.destroyed) this.#socket.write(await this.#seal(CONTENT.alert, CLOSE_NOTIFY))
      this.#socket.end(() => done())
    }).catch(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error && (error instanceof AirbyteError ? error : tlsFailed(this.#peer, error)))
  }

  /** Runs one thing that seals and sends after the other. */
  #inOrder(work: () => Promise<void>): Promise<void> {
    const done = this.#sent.then(work)
    this.#sent = done.catch(() => {})
    return done
  }

  async #seal(type: number, content: Uint8Array): Promise<Buffer> {
    const cipher = this.#writing
    if (!cipher) throw new Error('the handshake is not complete')
    const records: Promise<[Buffer, Buffer]>[] = []
    for (let at = 0; at < content.length; at += MAX_PLAIN)
      records.push(cipher.seal(type, content.subarray(at, at + MAX_PLAIN)))
    return Buffer.concat((await Promise.all(records)).flat())
  }

  async #updateWriteKey() {
    this.#socket.write(
      await this.#seal(CONTENT.handshake, message(TYPE.keyUpdate, Uint8Array.of(0))),
    )
    this.#writeUnder(this.#handshake.schedule.nextSecret(this.#writeSecret))
  }

  #readUnder(secret: Buffer) {
    this.#readSecret = secret
    this.#reading = new BulkCipher(this.#handshake.schedule.trafficKeys(secret))
  }

  #writeUnder(secret: Buffer) {
    this.#writeSecret = secret
    this.#writing = new BulkCipher(this.#handshake.schedule.trafficKeys(secret))
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
