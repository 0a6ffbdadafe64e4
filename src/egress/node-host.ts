import { lookup } from 'node:dns/promises'
import { Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { AirbyteError } from '../protocol/index.ts'
import type { ConnectorSocket, TlsOptions } from '../runtime/contract.ts'
import { isAddress } from './address.ts'
import type { EgressHost } from './index.ts'
import { HANDSHAKE_TIMEOUT_MS, tlsFailed } from './socket-errors.ts'

/** The network of a plain Node process: node:net, node:tls, the system's resolver and Node's own CAs. */
export function nodeEgressHost(): EgressHost {
  return {
    fetch: (input, init) => fetch(input, init),
    openSocket,
    async resolve(hostname) {
      const found = await lookup(hostname, { all: true, order: 'ipv4first' })
      return found.map(({ address }) => address)
    },
  }
}

function openSocket(
  { host, port }: { host: string; port: number },
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<ConnectorSocket> {
  const socket = withStartTls(new Socket())
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      settle()
      socket.destroy()
      reject(error)
    }
    const timer = setTimeout(
      () => fail(new AirbyteError('TIMEOUT', `No connection to ${host}:${port} in time.`)),
      timeoutMs,
    )
    const onError = (cause: Error) =>
      fail(new AirbyteError('HOST_UNREACHABLE', `${host}:${port}: ${cause.message}`, { cause }))
    const onAbort = () => fail(signal?.reason)
    const settle = () => {
      clearTimeout(timer)
      socket.off('error', onError)
      signal?.removeEventListener('abort', onAbort)
    }
    signal?.addEventListener('abort', onAbort)
    socket.once('error', onError)
    socket.setNoDelay(true).setKeepAlive(true)
    socket.connect({ host, port }, () => {
      settle()
      resolve(socket)
    })
  })
}

/** A reset must reach whoever uses the socket, and must not end the process when nobody does. */
function withStartTls<S extends Socket>(socket: S) {
  socket.on('error', () => {})
  const upgrade = { startTls: (options: TlsOptions) => startTls(socket, options) }
  return Object.assign(socket, upgrade) as S & ConnectorSocket
}

function startTls(socket: Socket, options: TlsOptions): Promise<ConnectorSocket> {
  const { servername, ca, verify } = options
  return new Promise((resolve, reject) => {
    const late = () => fail(new Error('the server did not complete the handshake in time'))
    const timer = setTimeout(late, HANDSHAKE_TIMEOUT_MS)
    const fail = (cause: Error) => {
      clearTimeout(timer)
      secure.destroy()
      reject(tlsFailed(servername, cause))
    }
    const ended = () => fail(new Error('the server closed the connection during the handshake'))
    const secure: TLSSocket = connectTls(
      {
        socket,
        // An IP address is no valid SNI name, yet the certificate is checked against it.
        servername: isAddress(servername) ? '' : servername,
        host: servername,
        ca,
        minVersion: 'TLSv1.2',
        rejectUnauthorized: verify !== 'none',
        ...(verify === 'full' ? {} : { checkServerIdentity: () => undefined }),
      },
      () => {
        clearTimeout(timer)
        secure.off('error', fail).off('close', ended)
        resolve(withStartTls(secure))
      },
    )
    secure.once('error', fail).once('close', ended)
  })
}
