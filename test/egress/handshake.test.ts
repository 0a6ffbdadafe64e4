import { createECDH, randomBytes, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { Handshake } from '../../src/egress/tls/handshake.ts'
import { message, TYPE } from '../../src/egress/tls/messages.ts'
import { uint16, vector } from '../../src/egress/tls/wire.ts'

/** A server that lies: it owns the key exchange, but not the key of the certificate it shows. */
const leaf = new X509Certificate(
  readFileSync(join(import.meta.dirname, '../support/certs/rsa.pem')),
)
const serverHello = (group = 0x0017, version = 0x0304, suite = 0x1301) => {
  const key = createECDH('prime256v1').generateKeys()
  const extensions = Buffer.concat([
    ...[uint16(43), vector(2, uint16(version))],
    ...[uint16(51), vector(2, uint16(group), vector(2, key))],
  ])
  return Buffer.concat([
    ...[uint16(0x0303), randomBytes(32), vector(1, randomBytes(32))],
    ...[uint16(suite), Buffer.from([0]), vector(2, extensions)],
  ])
}
const CERTIFICATE = Buffer.concat([vector(1), vector(3, vector(3, leaf.raw), vector(2))])
const forgedSignature = Buffer.concat([uint16(0x0804), vector(2, randomBytes(256))])

let handshake: Handshake
const take = (type: number, body: Buffer) => handshake.take(type, body, message(type, body))
beforeEach(() => {
  handshake = new Handshake({ servername: 'localhost', verify: 'none' })
})

it('does not complete without proof that the server holds its key', () => {
  take(TYPE.serverHello, serverHello())
  take(TYPE.encryptedExtensions, Buffer.alloc(2))
  take(TYPE.certificate, CERTIFICATE)
  expect(() => take(TYPE.finished, randomBytes(32))).toThrow('out of turn')
  expect(handshake.complete).toBe(false)
})

it('does not complete without a certificate', () => {
  take(TYPE.serverHello, serverHello())
  take(TYPE.encryptedExtensions, Buffer.alloc(2))
  expect(() => take(TYPE.finished, randomBytes(32))).toThrow('out of turn')
  expect(() => take(TYPE.certificateVerify, forgedSignature)).toThrow('out of turn')
  const none = Buffer.concat([vector(1), vector(3)])
  expect(() => take(TYPE.certificate, none)).toThrow('sent no certificate')
})

it.each([
  ['made with another key', forgedSignature],
  ['of a kind that was not offered', Buffer.concat([uint16(0x0401), vector(2, randomBytes(256))])],
  ['for another kind of key', Buffer.concat([uint16(0x0403), vector(2, randomBytes(70))])],
])('refuses a signature %s, even when nothing is verified', (_, signature) => {
  take(TYPE.serverHello, serverHello())
  take(TYPE.encryptedExtensions, Buffer.alloc(2))
  take(TYPE.certificate, CERTIFICATE)
  expect(() => take(TYPE.certificateVerify, signature)).toThrow(/hold the key|not offered/)
})

it.each([
  ['an older version', serverHello(0x0017, 0x0303), 'does not offer TLS 1.3'],
  ['a cipher that was not offered', serverHello(0x0017, 0x0304, 0x1303), 'no offered cipher'],
  ['a group that was not offered', serverHello(0x001d), 'not offered'],
  ['half a message', serverHello().subarray(0, 60), 'malformed'],
])('refuses a ServerHello with %s', (_, body, message) => {
  expect(() => take(TYPE.serverHello, body)).toThrow(message)
})
