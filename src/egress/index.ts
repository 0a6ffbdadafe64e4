/** The only way out to the network: policy, HTTP client, sockets. */
import { AirbyteError } from '../protocol/index.ts'
import type { ConnectorContext, ConnectorSocket, SocketTarget } from '../runtime/contract.ts'
import { createHttpClient } from './http.ts'
import { KeptConnections } from './kept-connections.ts'
import { createGuard, type EgressGuard, type EgressPolicy } from './policy.ts'

export type { EgressPolicy } from './policy.ts'

/** What a platform gives. `workerdEgressHost` and `nodeEgressHost` are the two there are. */
export interface EgressHost {
  fetch: typeof fetch
  /** Connects to an IP address that has been checked. Rejects with HOST_UNREACHABLE or TIMEOUT. */
  openSocket(
    address: { host: string; port: number },
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<ConnectorSocket>
  /** Addresses of a name, IPv4 first; rejects or is empty where there are none. */
  resolve(hostname: string): Promise<string[]>
}

const CONNECT_TIMEOUT_MS = 10_000

/**
 * The network half of a connector's context, under a policy.
 *
 * @param options `keepsConnections`: HTTP goes over sockets of our own to the addresses that were
 *   checked, not through the platform's fetch
 * @example
 * const { http, connect } = createEgress(nodeEgressHost(), { allowPrivate: false })
 * await http.fetch('https://169.254.169.254/') // rejects: EGRESS_REFUSED
 */
export function createEgress(
  host: EgressHost,
  policy: EgressPolicy,
  signal?: AbortSignal,
  { keepsConnections = false } = {},
): Pick<ConnectorContext, 'http' | 'connect'> {
  const guard = createGuard(host.resolve, policy)
  const open: ConnectorContext['connect'] = (target) => connect(host, guard, target, signal)
  return {
    http: createHttpClient({
      ...{ fetch: host.fetch, connect: open, guard, signal },
      kept: keepsConnections ? new KeptConnections() : undefined,
    }),
    connect: open,
  }
}

async function connect(
  host: EgressHost,
  guard: EgressGuard,
  target: SocketTarget,
  signal?: AbortSignal,
): Promise<ConnectorSocket> {
  signal?.throwIfAborted()
  const deadline = Date.now() + (target.timeoutMs ?? CONNECT_TIMEOUT_MS)
  const addresses = await guard.addressesOf(target.host)
  let failure: unknown
  for (const address of addresses) {
    const left = deadline - Date.now()
    if (left <= 0) break
    try {
      return await host.openSocket({ host: address, port: target.port }, left, signal)
    } catch (error) {
      signal?.throwIfAborted()
      failure = error
    }
  }
  throw describeFailure(target, addresses, failure)
}

/** The hosts report addresses; the person knows the name. */
function describeFailure({ host, port }: SocketTarget, addresses: string[], failure: unknown) {
  const where = addresses.includes(host) ? `${host}:${port}` : `${host}:${port} (${addresses})`
  const late = !failure || (failure instanceof AirbyteError && failure.code === 'TIMEOUT')
  const code = late ? 'TIMEOUT' : 'HOST_UNREACHABLE'
  const what =
    code === 'TIMEOUT'
      ? 'did not accept a connection in time'
      : 'does not accept connections or cannot be reached'
  return new AirbyteError(code, `${where} ${what}.`, {
    hint: 'Check host, port and firewall.',
    cause: failure,
  })
}
