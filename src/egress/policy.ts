import { AirbyteError } from '../protocol/index.ts'
import { type AddressClass, canonicalHost, classifyAddress, isAddress } from './address.ts'

export interface EgressPolicy {
  /**
   * Opens loopback, RFC 1918, carrier-grade NAT and unique local addresses, and plain http.
   * Link-local addresses (cloud metadata), multicast and reserved ranges stay closed.
   */
  allowPrivate: boolean
}

export interface EgressGuard {
  /** Rejects with EGRESS_REFUSED or HOST_UNREACHABLE unless every address of the URL's host is allowed. */
  checkUrl(url: URL): Promise<void>
  /** The allowed addresses of a host, in the order to try. Connect to these, never to the name. */
  addressesOf(host: string): Promise<string[]>
}

/** An API is asked hundreds of times a minute; its name need not be. Refusals are never remembered. */
const REMEMBER_MS = 30_000

/** Decides what may be reached. Names are judged by all the addresses they resolve to; no answer is a refusal. */
export function createGuard(
  resolve: (hostname: string) => Promise<string[]>,
  policy: EgressPolicy,
): EgressGuard {
  const remembered = new Map<string, { addresses: string[]; until: number }>()
  const addressesOf = async (host: string) => {
    const name = canonicalHost(host)
    if (name === undefined) throw refused(`'${host}' is not a valid host name.`)
    const known = remembered.get(name)
    if (known && known.until > Date.now()) return known.addresses
    const addresses = isAddress(name) ? [name] : await lookUp(name, resolve)
    for (const address of addresses) assertAllowed(host, address, policy)
    remembered.set(name, { addresses, until: Date.now() + REMEMBER_MS })
    return addresses
  }
  return {
    addressesOf,
    async checkUrl(url) {
      assertProtocol(url, policy)
      await addressesOf(url.hostname)
    },
  }
}

function assertProtocol(url: URL, policy: EgressPolicy) {
  if (url.protocol === 'https:') return
  if (url.protocol !== 'http:')
    throw refused(`${url.protocol}// addresses are not allowed (host '${url.hostname}').`, {
      hint: 'Use an https:// URL.',
    })
  if (!policy.allowPrivate)
    throw refused(`Plain http:// to '${url.hostname}' is not allowed.`, {
      hint: 'Use an https:// URL.',
    })
}

function assertAllowed(host: string, address: string, policy: EgressPolicy) {
  const is = classOf(address)
  if (is === 'public' || (is === 'private' && policy.allowPrivate)) return
  const where = host === address ? `'${host}'` : `'${host}' (${address})`
  if (is === 'private') throw refused(`${where} is in a private network.`)
  throw refused(`${where} is a link-local, metadata or reserved address, which is never allowed.`, {
    hint: 'Use the public address of the system.',
  })
}

/** A name in place of an address is one that the platform will resolve unseen (`platformResolver`). */
function classOf(address: string): AddressClass {
  const canonical = canonicalHost(address)
  if (canonical === undefined || METADATA_NAMES.has(canonical)) return 'forbidden'
  return isAddress(canonical) ? classifyAddress(canonical) : 'private'
}

const METADATA_NAMES = new Set(['metadata', 'metadata.google.internal', 'instance-data'])

async function lookUp(name: string, resolve: (hostname: string) => Promise<string[]>) {
  if (name === 'localhost' || name.endsWith('.localhost')) return ['127.0.0.1', '::1'] // RFC 6761
  const addresses = await resolve(name).catch((cause: unknown) => {
    throw unresolved(name, cause)
  })
  if (addresses.length === 0) throw unresolved(name)
  return addresses
}

const refused = (message: string, details?: { hint: string }) =>
  new AirbyteError('EGRESS_REFUSED', message, details)

const unresolved = (name: string, cause?: unknown) =>
  new AirbyteError('HOST_UNREACHABLE', `The host name '${name}' does not resolve.`, {
    hint: 'Check the spelling of the host name.',
    cause,
  })
