import { connect } from 'cloudflare:sockets'
import { once } from 'node:events'
import { createEgress } from '../../src/egress/index.ts'
import { platformResolver } from '../../src/egress/resolvers.ts'
import { workerdEgressHost } from '../../src/egress/workerd-host.ts'
import type { ConnectorSocket, TlsOptions } from '../../src/runtime/contract.ts'

export interface Job {
  port: number
  megabytes: number
  direction: 'read' | 'write'
  tls: TlsOptions | null
}

const host = workerdEgressHost({ connect, resolver: platformResolver })
const egress = createEgress(host, { allowPrivate: true })
const MEGABYTE = 1024 * 1024
const PIECE = Buffer.alloc(64 * 1024, 'abcdefghij')

/** Moves bytes between this Worker and the bench's server; answers with the milliseconds it took. */
// biome-ignore lint/style/noDefaultExport: a Worker's entry
export default {
  async fetch(request: Request): Promise<Response> {
    const job = (await request.json()) as Job
    const plain = await egress.connect({ host: '127.0.0.1', port: job.port })
    const opening = Date.now()
    const socket = job.tls ? await plain.startTls(job.tls) : plain
    const started = Date.now()
    await (job.direction === 'read' ? read(socket, job) : write(socket, job))
    const ended = Date.now()
    socket.destroy()
    return Response.json({ handshakeMs: started - opening, moveMs: ended - started })
  },
}

async function read(socket: ConnectorSocket, { megabytes }: Job) {
  socket.write(`R${megabytes}\n`)
  let left = megabytes * MEGABYTE
  for await (const piece of socket) {
    left -= piece.length
    if (left <= 0) return
  }
  throw new Error('the server ended early')
}

async function write(socket: ConnectorSocket, { megabytes }: Job) {
  socket.write(`W${megabytes}\n`)
  const acknowledged = once(socket, 'data')
  for (let sent = 0; sent < megabytes * MEGABYTE; sent += PIECE.length)
    if (!socket.write(PIECE)) await once(socket, 'drain')
  await acknowledged
}
