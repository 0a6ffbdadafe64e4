import { AirbyteError } from '../protocol/index.ts'

/** A request in the parts that survive from hop to hop. */
export interface Request {
  url: URL
  method: string
  headers: Headers
  body?: RequestInit['body']
}

/** What may follow to another origin. A list of what is safe: credentials have too many header names. */
const SAFE_HEADERS = new Set(['accept', 'accept-language', 'content-type', 'range', 'user-agent'])
const BODY_HEADERS = ['content-type', 'content-length', 'content-encoding', 'content-language']

/**
 * The request that follows a redirect, as the Fetch standard makes it; undefined if the response is none.
 * What that does not know, a GET with a body, loses it where a POST does.
 * Across origins only harmless headers go along, and a body, which may hold credentials, never does.
 */
export function nextHop(
  request: Request,
  response: Pick<Response, 'status' | 'headers'>,
): Request | undefined {
  const location = response.headers.get('location')
  if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return undefined
  if (!URL.canParse(location, request.url.href))
    throw new AirbyteError('UPSTREAM_ERROR', `${request.url.host} redirects to an invalid URL.`)
  const url = new URL(location, request.url)
  const next = becomesGet(request.method, response.status) ? asGet(request) : request
  if (keepsTrust(request.url, url)) return { ...next, url }
  if (next.body != null) throw bodyWouldLeave(request.url, url)
  const harmless = [...next.headers].filter(([name]) => SAFE_HEADERS.has(name))
  return { ...next, url, headers: new Headers(harmless) }
}

const becomesGet = (method: string, status: number) =>
  (status === 303 && method !== 'HEAD') ||
  ((status === 301 || status === 302) && (method === 'POST' || method === 'GET'))

function asGet(request: Request): Request {
  const headers = new Headers(request.headers)
  for (const name of BODY_HEADERS) headers.delete(name)
  return { ...request, method: 'GET', headers, body: undefined }
}

/** The same origin, or the same host moving up from http to https on their own ports. */
const keepsTrust = (from: URL, to: URL) =>
  from.origin === to.origin ||
  (from.hostname === to.hostname &&
    from.protocol === 'http:' &&
    to.protocol === 'https:' &&
    from.port === '' &&
    to.port === '')

const bodyWouldLeave = (from: URL, to: URL) =>
  new AirbyteError(
    'EGRESS_REFUSED',
    `${from.host} redirects a request with a body to ${to.host}; bodies are not sent to another origin.`,
    { hint: `If ${to.host} is the right host, put it into the config.` },
  )
