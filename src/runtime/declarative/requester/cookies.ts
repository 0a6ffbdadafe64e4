interface Cookie {
  name: string
  value: string
  domain: string
  /** Only this host, none below it. */
  hostOnly: boolean
  path: string
  secure: boolean
  expires: number
}

/** The cookies of one requester: what its answers set goes along with its later requests. */
export class CookieJar {
  readonly #cookies = new Map<string, Cookie>()

  learn(address: string, headers: Headers, now: number): void {
    const url = new URL(address)
    for (const line of headers.getSetCookie()) {
      const cookie = parse(line, url, now)
      if (!cookie) continue
      const key = [cookie.name, cookie.domain, cookie.path].join(';')
      this.#cookies.delete(key)
      if (cookie.expires > now && this.#cookies.size < MOST) this.#cookies.set(key, cookie)
    }
  }

  /** The `Cookie` header of a request; undefined for none. */
  header(address: string, now: number): string | undefined {
    if (this.#cookies.size === 0) return undefined
    const url = new URL(address)
    const fitting = [...this.#cookies.values()].filter(
      ({ domain, hostOnly, path, secure, expires }) =>
        (hostOnly ? url.hostname === domain : isWithin(url.hostname, domain)) &&
        isBelow(url.pathname, path) &&
        (!secure || url.protocol === 'https:') &&
        expires > now,
    )
    fitting.sort((a, b) => b.path.length - a.path.length)
    return fitting.map(({ name, value }) => `${name}=${value}`).join('; ') || undefined
  }
}

const MOST = 100
const LONGEST = 4096

/** @see https://www.rfc-editor.org/rfc/rfc6265#section-5.2 */
function parse(line: string, url: URL, now: number): Cookie | undefined {
  const [pair = '', ...rest] = line.split(';')
  const equals = pair.indexOf('=')
  const name = pair.slice(0, equals).trim()
  if (equals < 1 || name === '' || line.length > LONGEST) return undefined
  const attributes = new Map(
    rest.map((text) => {
      const [key = '', ...value] = text.split('=')
      return [key.trim().toLowerCase(), value.join('=').trim()]
    }),
  )
  const domain = attributes.get('domain')?.replace(/^\./, '').toLowerCase()
  // A name without a dot would be that of all hosts below it.
  if (domain && !(isWithin(url.hostname, domain) && domain.includes('.'))) return undefined
  const path = attributes.get('path')
  return {
    ...{ name, value: pair.slice(equals + 1).trim() },
    ...{ domain: domain || url.hostname, hostOnly: !domain },
    path: path?.startsWith('/')
      ? path
      : url.pathname.slice(0, url.pathname.lastIndexOf('/')) || '/',
    secure: attributes.has('secure'),
    expires: expiryOf(attributes, now),
  }
}

function expiryOf(attributes: Map<string, string>, now: number): number {
  const seconds = attributes.get('max-age')
  if (seconds !== undefined && /^-?\d+$/.test(seconds)) return now + Number(seconds) * 1000
  const date = Date.parse(attributes.get('expires') ?? '')
  return Number.isNaN(date) ? Number.POSITIVE_INFINITY : date
}

const isWithin = (host: string, domain: string) => host === domain || host.endsWith(`.${domain}`)

const isBelow = (path: string, folder: string) =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
