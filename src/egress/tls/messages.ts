import { randomBytes } from 'node:crypto'
import { isAddress } from '../address.ts'
import type { KeyShare } from './key-share.ts'
import { CERTIFICATE_ONLY_SCHEMES, SIGNATURE_SCHEMES, SUITES } from './suites.ts'
import { Reader, uint16, vector } from './wire.ts'

/** HandshakeType, RFC 8446 section 4. */
export const TYPE = {
  clientHello: 1,
  serverHello: 2,
  newSessionTicket: 4,
  encryptedExtensions: 8,
  certificate: 11,
  certificateRequest: 13,
  certificateVerify: 15,
  finished: 20,
  keyUpdate: 24,
} as const

const EXTENSION = {
  serverName: 0,
  supportedGroups: 10,
  signatureAlgorithms: 13,
  supportedVersions: 43,
  keyShare: 51,
} as const

const TLS_1_3 = 0x0304

export const message = (type: number, body: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([type]), vector(3, body)])

export function clientHello(servername: string, shares: KeyShare[]): Buffer {
  const schemes = [...SIGNATURE_SCHEMES.map(({ id }) => id), ...CERTIFICATE_ONLY_SCHEMES]
  const extensions = [
    ...(isAddress(servername) ? [] : [extension(EXTENSION.serverName, sni(servername))]),
    extension(EXTENSION.supportedVersions, vector(1, uint16(TLS_1_3))),
    extension(EXTENSION.supportedGroups, vector(2, uint16(...shares.map(({ group }) => group)))),
    extension(EXTENSION.signatureAlgorithms, vector(2, uint16(...schemes))),
    extension(EXTENSION.keyShare, vector(2, ...shares.map(keyShareEntry))),
  ]
  const body = Buffer.concat([
    uint16(0x0303),
    randomBytes(32),
    vector(1, randomBytes(32)), // a session id, for middleboxes that expect one
    vector(2, uint16(...SUITES.map(({ id }) => id))),
    vector(1, Buffer.from([0])),
    vector(2, ...extensions),
  ])
  return message(TYPE.clientHello, body)
}

const extension = (id: number, data: Uint8Array) => Buffer.concat([uint16(id), vector(2, data)])

const sni = (name: string) => vector(2, Buffer.from([0]), vector(2, Buffer.from(name)))

const keyShareEntry = ({ group, publicKey }: KeyShare) =>
  Buffer.concat([uint16(group), vector(2, publicKey)])

/** The random of a ServerHello that is a HelloRetryRequest, section 4.1.3. */
const RETRY = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c'

/** The chosen suite and the server's key. Throws where the server does not speak TLS 1.3. */
export function parseServerHello(body: Buffer) {
  const reader = new Reader(body)
  reader.take(2)
  if (reader.take(32).toString('hex') === RETRY)
    throw new Error('the server supports neither P-256 nor P-384')
  reader.vector(1)
  const chosen = reader.uint(2)
  const suite = SUITES.find(({ id }) => id === chosen)
  if (reader.uint(1) !== 0) throw new Error('the server sent a malformed message')
  const extensions = parseExtensions(reader.done ? Buffer.alloc(0) : reader.vector(2))
  if (extensions.get(EXTENSION.supportedVersions)?.readUInt16BE() !== TLS_1_3)
    throw new Error('the server does not offer TLS 1.3')
  const share = extensions.get(EXTENSION.keyShare)
  if (!suite || !share) throw new Error('the server agreed to no offered cipher')
  const entry = new Reader(share)
  return { suite, group: entry.uint(2), publicKey: entry.vector(2) }
}

/** The certificates as DER, the server's own first. */
export function parseCertificates(body: Buffer): Buffer[] {
  const reader = new Reader(body)
  reader.vector(1)
  const list = new Reader(reader.vector(3))
  reader.finish()
  const certificates: Buffer[] = []
  while (!list.done) {
    certificates.push(list.vector(3))
    list.vector(2)
  }
  return certificates
}

export function parseCertificateVerify(body: Buffer) {
  const reader = new Reader(body)
  const scheme = reader.uint(2)
  const signature = reader.vector(2)
  reader.finish()
  return { scheme, signature }
}

/** The answer to a CertificateRequest from one who has none: an empty list, with the request's context. */
export function emptyCertificate(request: Buffer): Buffer {
  const context = new Reader(request).vector(1)
  return message(TYPE.certificate, Buffer.concat([vector(1, context), vector(3)]))
}

function parseExtensions(bytes: Buffer): Map<number, Buffer> {
  const reader = new Reader(bytes)
  const extensions = new Map<number, Buffer>()
  while (!reader.done) extensions.set(reader.uint(2), reader.vector(2))
  return extensions
}
