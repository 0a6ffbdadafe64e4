import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { describe, expect, inject, it } from 'vitest'
import { createNodeContext } from '../../src/egress/node-context.ts'
import { startJsTls } from '../../src/egress/tls/tls-duplex.ts'
import type { ConnectorSocket, TlsOptions } from '../../src/runtime/contract.ts'
import type { TlsScenario } from '../support/tls-server.ts'
import { TLS_CASES } from './tls-cases.ts'

const servers = inject('tls')

const openTo = (server: TlsScenario) =>
  createNodeContext().connect({ host: '127.0.0.1', port: servers.ports[server] })

const LAYERS = {
  'JavaScript TLS': startJsTls,
  "Node's TLS": (socket: ConnectorSocket, options: TlsOptions) => socket.startTls(options),
}

describe.each(Object.entries(LAYERS))('%s', (_, startTls) => {
  it.each(TLS_CASES.map((c) => ({ ...c, toString: () => JSON.stringify(c) })))(
    '$server, verify $verify, name $servername, CA $ca: fails with $fails',
    async ({ server, verify, servername = 'localhost', ca = 'own', fails, hint }) => {
      const pem = { own: servers.ca, other: servers.otherCa, junk: 'junk', none: undefined }[ca]
      const handshake = startTls(await openTo(server), { servername, verify, ca: pem })
      if (fails) {
        await expect(handshake).rejects.toMatchObject({
          code: 'TLS_FAILED',
          message: expect.stringMatching(fails),
          ...(hint && { hint: expect.stringMatching(hint) }),
        })
        return
      }
      const socket = await handshake
      socket.write('hello')
      expect(String((await once(socket, 'data'))[0])).toBe('hello')
      socket.destroy()
    },
  )
})

describe('JavaScript TLS', () => {
  const secureEcho = async (server: TlsScenario = 'rsa') =>
    startJsTls(await openTo(server), { servername: 'localhost', verify: 'full', ca: servers.ca })

  it('needs TLS 1.3 and says so', async () => {
    await expect(secureEcho('tls12')).rejects.toThrow('TLS 1.3')
  })

  it('refuses a CA that is no certificate', async () => {
    const options = { servername: 'localhost', verify: 'full', ca: 'junk' } as const
    await expect(startJsTls(await openTo('rsa'), options)).rejects.toThrow('not in PEM form')
  })

  it('says that a client certificate is required', async () => {
    const socket = await secureEcho('needsClient')
    const [error] = await once(socket, 'error')
    expect(error).toMatchObject({ code: 'TLS_FAILED' })
    expect(error.message).toContain('requires a client certificate')
  })

  it('carries 32 MB both ways in pieces of any size', async () => {
    const socket = await secureEcho()
    const sizes = [1, 16_383, 16_384, 16_385, 100_000, 1_000_000]
    const total = 32 * 1024 * 1024
    const [sentHash, receivedHash] = [createHash('sha256'), createHash('sha256')]
    const send = async () => {
      for (let sent = 0, i = 0; sent < total; i++) {
        const size = Math.min(sizes[i % sizes.length] ?? 1, total - sent)
        const piece = randomBytes(size)
        sentHash.update(piece)
        sent += size
        if (!socket.write(piece)) await once(socket, 'drain')
      }
    }
    const receive = async () => {
      let received = 0
      for await (const piece of socket) {
        received += piece.length
        receivedHash.update(piece)
        if (received === total) break
      }
    }
    await Promise.all([receive(), send()])
    expect(receivedHash.digest('hex')).toBe(sentHash.digest('hex'))
  })

  it('stops reading from the network when nobody reads from it', async () => {
    const socket = await secureEcho()
    socket.pause()
    for (let i = 0; i < 64; i++) socket.write(Buffer.alloc(64 * 1024))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(socket.readableLength).toBeLessThan(1024 * 1024)
    socket.destroy()
  })

  it('notices a stream that was cut short', async () => {
    const plain = await openTo('rsa')
    const options = { servername: 'localhost', verify: 'full', ca: servers.ca } as const
    const socket = await startJsTls(plain, options)
    plain.destroy()
    const [error] = await once(socket, 'error')
    expect(error).toMatchObject({ code: 'CONNECTION_LOST' })
  })

  it('refuses a record that was changed on the way', async () => {
    const plain = await openTo('rsa')
    const options = { servername: 'localhost', verify: 'full', ca: servers.ca } as const
    const socket = await startJsTls(plain, options)
    plain.prependOnceListener('data', (bytes: Buffer) => {
      const last = bytes.length - 1
      bytes[last] = (bytes[last] ?? 0) ^ 1
    })
    socket.write('hello')
    const [error] = await once(socket, 'error')
    expect(error).toMatchObject({ code: 'TLS_FAILED' })
  })
})
