import { AirbyteError } from '../protocol/index.ts'

export type Resolver = (hostname: string) => Promise<string[]>

/** Record types of RFC 1035 and RFC 3596. */
const A = 1
const AAAA = 28
const TIMEOUT_MS = 5_000

/**
 * Resolves names by DNS over HTTPS in its JSON form. For the hosted product: workerd has no resolver of
 * its own that a policy could ask.
 *
 * @example
 * dohResolver(fetch, 'https://cloudflare-dns.com/dns-query')
 */
export function dohResolver(fetcher: typeof fetch, url: string): Resolver {
  return async (hostname) => {
    const [v4, v6] = await Promise.allSettled([
      query(fetcher, url, hostname, A),
      query(fetcher, url, hostname, AAAA),
    ])
    // One missing half could hide a private address, so it is no answer at all.
    if (v4.status === 'rejected') throw v4.reason
    if (v6.status === 'rejected') throw v6.reason
    return [...v4.value, ...v6.value]
  }
}

/**
 * Leaves resolving to the platform: answers with the name itself, which the policy takes for an address
 * only where private networks are open. For local mode, where names come from the machine (hosts file,
 * Docker) and workerd offers no way to look them up.
 */
export const platformResolver: Resolver = async (hostname) => [hostname]

interface DnsJson {
  Status?: number
  Answer?: { type: number; data: string }[]
}

async function query(fetcher: typeof fetch, url: string, hostname: string, type: number) {
  const target = new URL(url)
  target.searchParams.set('name', hostname)
  target.searchParams.set('type', String(type))
  const response = await fetcher(target.href, {
    headers: { accept: 'application/dns-json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (!response.ok) throw dnsFailed(hostname, `status ${response.status}`)
  const { Status, Answer = [] } = (await response.json()) as DnsJson
  const NXDOMAIN = 3
  if (Status !== 0 && Status !== NXDOMAIN) throw dnsFailed(hostname, `DNS code ${Status}`)
  return Answer.filter((answer) => answer.type === type).map((answer) => answer.data)
}

const dnsFailed = (hostname: string, why: string) =>
  new AirbyteError('HOST_UNREACHABLE', `Resolving '${hostname}' failed: ${why}.`)
