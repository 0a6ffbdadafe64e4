/**
 * IP addresses as the egress policy sees them. Parsing is the WHATWG URL parser's, so every spelling
 * that a platform would accept (decimal, octal, hex, short forms, full-width digits) is seen as the
 * address it stands for.
 */

/** `public`: anyone's. `private`: opened by a switch. `forbidden`: never a data source, such as cloud metadata. */
export type AddressClass = 'public' | 'private' | 'forbidden'

/**
 * The canonical form of a host: dotted IPv4, compressed IPv6 without brackets, or an ASCII name in lower case.
 * Undefined when it is none of these.
 *
 * @example
 * canonicalHost('0x7f.1') // '127.0.0.1'
 * canonicalHost('[::FFFF:127.0.0.1]') // '::ffff:7f00:1'
 * canonicalHost('Db.Example.com') // 'db.example.com'
 */
export function canonicalHost(host: string): string | undefined {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  if (bare === '' || /[\s/\\?#@%[\]]/.test(bare)) return undefined
  const authority = bare.includes(':') ? `[${bare}]` : bare
  if (!URL.canParse(`http://${authority}/`)) return undefined
  const { hostname } = new URL(`http://${authority}/`)
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

/** True for a host in canonical form that is an IP address and not a name. */
export const isAddress = (host: string) => host.includes(':') || /^\d+(\.\d+){3}$/.test(host)

/** Class of a canonical IP address; anything that is not understood is `forbidden`. */
export function classifyAddress(address: string): AddressClass {
  return address.includes(':') ? classifyIPv6(address) : classifyIPv4(address)
}

/** First matching block wins. RFC 6890 and its registry, plus the metadata addresses of the clouds. */
const IPV4_BLOCKS: readonly [block: string, bits: number, is: AddressClass][] = [
  ['0.0.0.0', 8, 'forbidden'], // this network
  ['100.100.100.200', 32, 'forbidden'], // metadata (Alibaba)
  ['168.63.129.16', 32, 'forbidden'], // platform endpoint (Azure)
  ['169.254.0.0', 16, 'forbidden'], // link-local, metadata
  ['192.0.0.0', 24, 'forbidden'], // protocol assignments, metadata (Oracle)
  ['192.0.2.0', 24, 'forbidden'], // documentation
  ['192.88.99.0', 24, 'forbidden'], // 6to4 relay
  ['198.51.100.0', 24, 'forbidden'], // documentation
  ['203.0.113.0', 24, 'forbidden'], // documentation
  ['224.0.0.0', 3, 'forbidden'], // multicast, reserved, broadcast
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'private'], // carrier-grade NAT
  ['127.0.0.0', 8, 'private'], // loopback
  ['172.16.0.0', 12, 'private'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'private'], // benchmarking
]

function classifyIPv4(address: string): AddressClass {
  const value = ipv4Value(address)
  if (value === undefined) return 'forbidden'
  for (const [block, bits, is] of IPV4_BLOCKS) {
    const shift = 32 - bits
    if (value >>> shift === (ipv4Value(block) ?? 0) >>> shift) return is
  }
  return 'public'
}

function ipv4Value(address: string): number | undefined {
  const octets = address.split('.').map(Number)
  if (octets.length !== 4 || octets.some((o) => !Number.isInteger(o) || o < 0 || o > 255)) return
  return octets.reduce((value, octet) => value * 256 + octet, 0)
}

const METADATA_IPV6 = 'fd00:ec2:0:0:0:0:0:254'

function classifyIPv6(address: string): AddressClass {
  const groups = ipv6Groups(address)
  if (groups === undefined) return 'forbidden'
  const embedded = embeddedIPv4(groups)
  if (embedded !== undefined) return classifyIPv4(embedded)
  const [first = 0, second = 0] = groups
  const full = groups.map((group) => group.toString(16)).join(':')
  if (full === METADATA_IPV6) return 'forbidden'
  if (full === '0:0:0:0:0:0:0:1') return 'private'
  if (first >>> 9 === 0xfc >>> 1) return 'private' // fc00::/7, unique local
  if (first >>> 13 !== 1) return 'forbidden' // outside 2000::/3 nothing is routed
  if (first === 0x2001 && (second < 0x200 || second === 0xdb8)) return 'forbidden' // Teredo, ORCHID, documentation
  if (first === 0x3fff && second < 0x1000) return 'forbidden' // documentation
  return 'public'
}

/** The IPv4 address that an IPv6 one carries: mapped, compatible, translated, NAT64 and 6to4. */
function embeddedIPv4(groups: number[]): string | undefined {
  const [a = 0, b = 0, c = 0] = groups
  if (a === 0x2002) return dotted(b, c)
  const [high = 0, low = 0] = groups.slice(6)
  const prefix = groups.slice(0, 6).join(':')
  const carries =
    prefix === '0:0:0:0:0:65535' ||
    prefix === '0:0:0:0:65535:0' ||
    (prefix === '0:0:0:0:0:0' && high !== 0) ||
    prefix === `${0x64}:${0xff9b}:0:0:0:0`
  return carries ? dotted(high, low) : undefined
}

const dotted = (high: number, low: number) =>
  [high >>> 8, high & 255, low >>> 8, low & 255].join('.')

function ipv6Groups(address: string): number[] | undefined {
  const halves = address.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const [head = [], tail] = halves
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (halves.length > 2 || (tail ? missing < 1 : missing !== 0)) return undefined
  const groups = [...head, ...Array<string>(missing).fill('0'), ...(tail ?? [])]
  const values = groups.map((group) => (/^[\da-f]{1,4}$/i.test(group) ? parseInt(group, 16) : -1))
  return values.includes(-1) ? undefined : values
}
