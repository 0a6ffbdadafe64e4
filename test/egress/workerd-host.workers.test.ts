import { connect } from 'cloudflare:sockets'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { describe, expect, inject, it } from 'vitest'
import { createEgress } from '../../src/egress/index.ts'
import { platformResolver } from '../../src/egress/resolvers.ts'
import { workerdEgressHost } from '../../src/egress/workerd-host.ts'
import { TLS_CASES } from './tls-cases.ts'

const servers = inject('tls')
const pg = new URL(inject('pgUrl'))
const host = workerdEgressHost({ connect, resolver: platformResolver })
const egress = createEgress(host, { allowPrivate: true })
const openTo = (port: number) => egress.connect({ host: 'localhost', port })

/** PostgreSQL's SSLRequest: a server answers with one byte. */
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex')

describe('a socket', () => {
  it('speaks with a real PostgreSQL', async () => {
    const socket = await openTo(Number(pg.port))
    socket.write(SSL_REQUEST)
    expect(String((await once(socket, 'data'))[0])).toMatch(/^[SN]$/)
    socket.destroy()
  })

  it('ends when its writer ends it', async () => {
    const socket = await openTo(Number(pg.port))
    socket.end()
    socket.resume()
    await once(socket, 'close')
    expect(socket.destroyed).toBe(true)
  })

  it('may be destroyed at any moment', async () => {
    const socket = await openTo(Number(pg.port))
    socket.write(SSL_REQUEST)
    socket.resume()
    socket.destroy()
    await once(socket, 'close')
    expect(() => socket.write('late')).not.toThrow()
  })

  it('names host and port when nothing listens', async () => {
    await expect(openTo(1)).rejects.toMatchObject({
      code: 'HOST_UNREACHABLE',
      message: expect.stringContaining('localhost:1'),
    })
  })

  it('is refused to private addresses when hosted', async () => {
    const hosted = createEgress(host, { allowPrivate: false })
    const target = { host: '127.0.0.1', port: Number(pg.port) }
    await expect(hosted.connect(target)).rejects.toMatchObject({ code: 'EGRESS_REFUSED' })
  })
})

describe('an encrypted socket', () => {
  const secureEcho = async () => {
    const plain = await openTo(servers.ports.rsa)
    const options = { servername: 'localhost', verify: 'full', ca: servers.ca } as const
    return { plain, socket: await plain.startTls(options) }
  }

  it('carries 16 MB both ways in pieces of any size', async () => {
    const { socket } = await secureEcho()
    const [sent, received] = [createHash('sha256'), createHash('sha256')]
    const sizes = [1, 16_384, 60_000, 1_000_000]
    const total = 16 * 1024 * 1024
    const send = async () => {
      for (let at = 0, i = 0; at < total; i++) {
        const piece = randomBytes(Math.min(sizes[i % sizes.length] ?? 1, total - at, 65_536))
        sent.update(piece)
        at += piece.length
        if (!socket.write(piece)) await once(socket, 'drain')
      }
    }
    const receive = async () => {
      let left = total
      for await (const piece of socket) {
        received.update(piece)
        left -= piece.length
        if (left === 0) break
      }
    }
    await Promise.all([send(), receive()])
    expect(received.digest('hex')).toBe(sent.digest('hex'))
  })

  it('stops reading from the network when nobody reads from it', async () => {
    const { plain, socket } = await secureEcho()
    socket.pause()
    for (let i = 0; i < 64; i++) socket.write(Buffer.alloc(64 * 1024))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(socket.readableLength + plain.readableLength).toBeLessThan(1024 * 1024)
    socket.destroy()
  })
})

describe('startTls', () => {
  it('fails against a private CA under the public ones', async () => {
    const socket = await openTo(servers.ports.rsa)
    await expect(
      socket.startTls({ servername: 'localhost', verify: 'full' }),
    ).rejects.toMatchObject({ code: 'TLS_FAILED' })
  })

  it.each(TLS_CASES)(
    '$server, verify $verify, name $servername, CA $ca: fails with $fails',
    async ({ server, verify, servername = 'localhost', ca = 'own', fails, hint }) => {
      const pem = { own: servers.ca, other: servers.otherCa, junk: 'junk', none: undefined }[ca]
      const plain = await openTo(servers.ports[server])
      const handshake = plain.startTls({ servername, verify, ca: pem })
      if (fails) {
        await expect(handshake).rejects.toMatchObject({
          code: 'TLS_FAILED',
          message: expect.stringMatching(fails),
          ...(hint && { hint: expect.stringMatching(hint) }),
        })
        return
      }
      const socket = await handshake
      socket.write(Buffer.alloc(100_000, 'x'))
      let received = 0
      for await (const piece of socket) {
        received += piece.length
        if (received === 100_000) break
      }
      expect(received).toBe(100_000)
    },
  )
})
