import { AirbyteError } from '../protocol/index.ts'
import type { ConnectorSocket, TlsOptions } from '../runtime/contract.ts'
import { CfDuplex, type PlatformSocket } from './cf-duplex.ts'
import type { EgressHost } from './index.ts'
import type { Resolver } from './resolvers.ts'
import { HANDSHAKE_TIMEOUT_MS, tlsFailed } from './socket-errors.ts'

type PlatformConnect = (
  address: { hostname: string; port: number },
  options: { secureTransport: 'starttls'; allowHalfOpen: boolean },
) => PlatformSocket

export interface WorkerdDeps {
  /** `connect` of `cloudflare:sockets`. */
  connect: PlatformConnect
  /** `dohResolver(...)` when hosted, `platformResolver` when local. */
  resolver: Resolver
}

/** The network of workerd: `cloudflare:sockets`, the platform's fetch and CAs. */
export function workerdEgressHost({ connect, resolver }: WorkerdDeps): EgressHost {
  return {
    fetch: (input, init) => fetch(input, init),
    resolve: resolver,
    openSocket: (address, timeoutMs, signal) => openSocket(connect, address, timeoutMs, signal),
  }
}

async function openSocket(
  connect: PlatformConnect,
  { host, port }: { host: string; port: number },
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<ConnectorSocket> {
  const hostname = host.includes(':') ? `[${host}]` : host
  const peer = `${hostname}:${port}`
  const socket = connect({ hostname, port }, { secureTransport: 'starttls', allowHalfOpen: false })
  socket.closed.catch(() => {})
  try {
    await within(socket.opened, timeoutMs, signal)
  } catch (cause) {
    socket.close().catch(() => {})
    signal?.throwIfAborted()
    if (cause === TIMED_OUT) throw new AirbyteError('TIMEOUT', `No connection to ${peer} in time.`)
    throw new AirbyteError('HOST_UNREACHABLE', `${peer} does not accept connections.`, { cause })
  }
  return new CfDuplex(socket, peer, startTls)
}

/**
 * The platform verifies chain and name against its own CAs, always. What it cannot do, a private CA or no
 * verification, is done in JavaScript, which is loaded only then.
 */
async function startTls(socket: CfDuplex, options: TlsOptions): Promise<ConnectorSocket> {
  const { servername, ca, verify } = options
  if (ca !== undefined || verify === 'none') {
    const { startJsTls } = await import('./tls/tls-duplex.ts')
    return startJsTls(socket, options)
  }
  const secure = socket.detach().startTls({ expectedServerHostname: servername })
  secure.closed.catch(() => {})
  try {
    await within(secure.opened, HANDSHAKE_TIMEOUT_MS)
  } catch (cause) {
    secure.close().catch(() => {})
    throw tlsFailed(servername, new Error(UNVERIFIED, { cause }))
  }
  return new CfDuplex(secure, servername, startTls)
}

/** The platform gives no reason. */
const UNVERIFIED =
  'the server ended the handshake, or no public CA vouches for its certificate under this name.'

const TIMED_OUT = Symbol('timed out')

function within<T>(promise: Promise<T>, ms: number, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(TIMED_OUT), ms)
    const onAbort = () => reject(signal?.reason)
    signal?.addEventListener('abort', onAbort)
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    })
  })
}
