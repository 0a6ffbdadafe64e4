import { timingSafeEqual, X509Certificate } from 'node:crypto'
import type { TlsOptions } from '../../runtime/contract.ts'
import { parsePem, verifyChain, verifyHandshakeSignature, verifyName } from './certificates.ts'
import { KeySchedule } from './key-schedule.ts'
import { keyShares } from './key-share.ts'
import {
  clientHello,
  emptyCertificate,
  message,
  parseCertificates,
  parseCertificateVerify,
  parseServerHello,
  TYPE,
} from './messages.ts'
import type { Suite } from './suites.ts'

export interface Secrets {
  client: Buffer
  server: Buffer
}

/** What a handshake message leads to, in the order given. */
export interface Step {
  /** Read under this secret from now on. */
  readSecret?: Buffer
  /** To send, under `writeSecret`. */
  flight?: Buffer[]
  writeSecret?: Buffer
  /** The handshake is complete: both directions go over to these. */
  application?: Secrets
}

/**
 * The client's side of a TLS 1.3 handshake without PSK or early data (RFC 8446, section 2), as a strict
 * sequence: a message out of turn is an error, so no check can be skipped by leaving its message out.
 */
export class Handshake {
  readonly hello: Buffer
  schedule!: KeySchedule
  suite!: Suite
  readonly #options: TlsOptions
  readonly #shares = keyShares()
  readonly #messages: Buffer[]
  #expected: number = TYPE.serverHello
  #secrets!: Secrets
  #leaf!: X509Certificate
  #certificateRequest: Buffer | undefined

  constructor(options: TlsOptions) {
    this.#options = options
    this.hello = clientHello(options.servername, this.#shares)
    this.#messages = [this.hello]
  }

  get complete(): boolean {
    return this.#expected === 0
  }

  /** Takes the server's next message; `raw` is all of it, with its header. Throws on anything wrong. */
  take(type: number, body: Buffer, raw: Buffer): Step {
    if (type === TYPE.certificateRequest && this.#expected === TYPE.certificate) {
      this.#certificateRequest = body
      this.#messages.push(raw)
      return {}
    }
    if (type !== this.#expected) throw new Error('the server sent a message out of turn')
    const transcript = this.#transcript()
    this.#messages.push(raw)
    switch (type) {
      case TYPE.serverHello:
        return this.#serverHello(body)
      case TYPE.encryptedExtensions:
        return this.#expect(TYPE.certificate)
      case TYPE.certificate:
        return this.#certificate(body)
      case TYPE.certificateVerify:
        return this.#certificateVerify(body, transcript)
      default:
        return this.#finished(body, transcript)
    }
  }

  #serverHello(body: Buffer): Step {
    const { suite, group, publicKey } = parseServerHello(body)
    const share = this.#shares.find((own) => own.group === group)
    if (!share) throw new Error('the server chose a key group that was not offered')
    this.suite = suite
    this.schedule = new KeySchedule(suite, share.agree(publicKey))
    this.#secrets = this.schedule.handshakeSecrets(this.#transcript())
    return { ...this.#expect(TYPE.encryptedExtensions), readSecret: this.#secrets.server }
  }

  #certificate(body: Buffer): Step {
    const chain = parseCertificates(body).map((der) => new X509Certificate(der))
    const [leaf] = chain
    if (!leaf) throw new Error('the server sent no certificate')
    const { verify, ca, servername } = this.#options
    if (verify !== 'none') verifyChain(chain, parsePem(ca ?? ''), Date.now())
    if (verify === 'full') verifyName(leaf, servername)
    this.#leaf = leaf
    return this.#expect(TYPE.certificateVerify)
  }

  #certificateVerify(body: Buffer, transcript: Buffer): Step {
    const { scheme, signature } = parseCertificateVerify(body)
    verifyHandshakeSignature(this.#leaf, scheme, signature, this.schedule.hashOf(transcript))
    return this.#expect(TYPE.finished)
  }

  #finished(body: Buffer, transcript: Buffer): Step {
    const expected = this.schedule.finished(this.#secrets.server, transcript)
    if (body.length !== expected.length || !timingSafeEqual(body, expected))
      throw new Error('the handshake was tampered with')
    const application = this.schedule.applicationSecrets(this.#transcript())
    const flight: Buffer[] = []
    const send = (part: Buffer) => {
      flight.push(part)
      this.#messages.push(part)
    }
    if (this.#certificateRequest) send(emptyCertificate(this.#certificateRequest))
    const { client } = this.#secrets
    send(message(TYPE.finished, this.schedule.finished(client, this.#transcript())))
    return { ...this.#expect(0), flight, writeSecret: client, application }
  }

  #expect(type: number): Step {
    this.#expected = type
    return {}
  }

  #transcript(): Buffer {
    return Buffer.concat(this.#messages)
  }
}
