import { AirbyteError } from '../protocol/index.ts'
import type { ConnectorContext, HttpClient, HttpOptions } from '../runtime/contract.ts'
import { backoffMs, retryAfterMs } from '../runtime/retry.ts'
import { discard, type Incoming, incomingOf, limitBody } from './body.ts'
import type { KeptConnections } from './kept-connections.ts'
import type { EgressGuard } from './policy.ts'
import { nextHop, type Request } from './redirect.ts'
import { fetchBySocket } from './socket-fetch.ts'

const ATTEMPTS = 5
const MAX_BYTES = 256 * 1024 * 1024
const TIMEOUT_MS = 60_000
const MAX_REDIRECTS = 10
/** A server that asks for more is not waited for: the slice ends and is resumed when the limit resets. */
const LONGEST_WAIT_MS = 30_000

export interface HttpClientDeps {
  fetch: typeof fetch
  /** For a GET with a body, which no platform's fetch sends. Absent: such a request is refused. */
  connect?: ConnectorContext['connect']
  /** Present: requests go over connections of our own, which are kept here in between. */
  kept?: KeptConnections
  guard: EgressGuard
  signal?: AbortSignal
  /** Milliseconds of wait that `Retry-After` may ask for before RATE_LIMITED is thrown; default 30 000. */
  longestWaitMs?: number
  /** First back-off in milliseconds, doubled with each attempt; default 500. */
  backoffBaseMs?: number
}

/**
 * `fetch` under the egress policy. Network errors, 429 and 5xx are tried again with back-off and jitter;
 * when the attempts are used up, a 429 throws RATE_LIMITED and a 5xx is returned for the caller to read.
 * With `attempts: 1` every response is returned as it came. A streamed request body is sent once.
 *
 * Throws EGRESS_REFUSED, HOST_UNREACHABLE, TIMEOUT (no headers, or a body that stalls), RATE_LIMITED with
 * `retryAt`, TOO_LARGE and CONNECTION_LOST (from the body).
 */
export function createHttpClient(deps: HttpClientDeps): HttpClient {
  return { fetch: (url, init = {}) => fetchWithRetries(deps, url, init) }
}

async function fetchWithRetries(
  deps: HttpClientDeps,
  url: string | URL,
  init: RequestInit & HttpOptions,
): Promise<Response> {
  const request = parseRequest(url, init)
  const repeatable = !(init.body instanceof ReadableStream)
  const attempts = repeatable ? Math.max(1, init.attempts ?? ATTEMPTS) : 1
  const signal = anySignal(init.afterCancel ? undefined : deps.signal, init.signal)
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    const last = attempt >= attempts
    const outcome = await fetchOnce(deps, request, init, signal).catch((error: unknown) => {
      if (last || !isRetryable(error)) throw error
      return undefined
    })
    if (outcome && (!isRetryableStatus(outcome.status) || attempts === 1)) return outcome
    if (outcome && last && outcome.status !== 429) return outcome
    await waitBeforeRetry(deps, request.url, outcome, attempt, last, signal)
  }
}

async function waitBeforeRetry(
  deps: HttpClientDeps,
  url: URL,
  response: Response | undefined,
  attempt: number,
  last: boolean,
  signal: AbortSignal | undefined,
) {
  const asked = response && retryAfterMs(response.headers.get('retry-after'), Date.now())
  await response?.body?.cancel().catch(() => {})
  const wait = asked ?? backoffMs(attempt, deps.backoffBaseMs)
  if (last || wait > (deps.longestWaitMs ?? LONGEST_WAIT_MS))
    throw new AirbyteError(
      'RATE_LIMITED',
      `${url.host} asked to slow down (${response?.status}).`,
      {
        retryAt: Date.now() + wait,
      },
    )
  await sleep(wait, signal)
}

/** One attempt: every hop checked, the final response with its body capped. */
async function fetchOnce(
  deps: HttpClientDeps,
  first: Request,
  init: RequestInit & HttpOptions,
  signal: AbortSignal | undefined,
): Promise<Response> {
  let request = first
  const timeoutMs = init.timeoutMs ?? TIMEOUT_MS
  const maxBytes = init.maxBytes ?? MAX_BYTES
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    await deps.guard.checkUrl(request.url)
    const response = await fetchHeaders(deps, request, timeoutMs, signal)
    const next = init.redirect === 'manual' ? undefined : nextHop(request, response)
    if (!next) return limitBody(response, { url: request.url, maxBytes, timeoutMs })
    await discard(response)
    if (init.redirect === 'error')
      throw new AirbyteError('UPSTREAM_ERROR', `${request.url.host} redirects to ${next.url.host}.`)
    request = next
  }
  throw new AirbyteError('UPSTREAM_ERROR', `${first.url.host} redirects more than 10 times.`)
}

/** The timer ends with the headers; a body has its own. */
async function fetchHeaders(
  { fetch, connect, kept }: HttpClientDeps,
  { url, method, headers, body }: Request,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Incoming> {
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), timeoutMs)
  try {
    if (connect && (kept || (method === 'GET' && body != null)) && isPlain(body)) {
      const signals = signal ? [timeout.signal, signal] : [timeout.signal]
      const request = { url, method, headers, body: body ?? undefined, signals }
      return await fetchBySocket(connect, request, kept)
    }
    const response = await fetch(url.href, {
      ...{ method, headers, body, redirect: 'manual' },
      signal: anySignal(timeout.signal, signal),
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
    })
    return incomingOf(response)
  } catch (cause) {
    signal?.throwIfAborted()
    if (timeout.signal.aborted)
      throw new AirbyteError('TIMEOUT', `${url.host} did not answer within ${timeoutMs} ms.`)
    if (cause instanceof AirbyteError) throw cause
    throw new AirbyteError('HOST_UNREACHABLE', `${url.host} cannot be reached.`, { cause })
  } finally {
    clearTimeout(timer)
  }
}

const isPlain = (
  body: RequestInit['body'],
): body is string | Uint8Array<ArrayBuffer> | null | undefined =>
  body == null || typeof body === 'string' || body instanceof Uint8Array

function parseRequest(url: string | URL, init: RequestInit): Request {
  if (!URL.canParse(String(url)))
    throw new AirbyteError('EGRESS_REFUSED', 'The address to fetch is not a valid URL.')
  const parsed = new URL(url)
  const headers = new Headers(init.headers)
  headers.delete('host') // what was checked is the host of the URL
  if (parsed.username !== '') {
    // fetch refuses user-info in URLs, and logs would show it.
    if (!headers.has('authorization')) headers.set('authorization', basicAuth(parsed))
    parsed.username = parsed.password = ''
  }
  return { url: parsed, method: (init.method ?? 'GET').toUpperCase(), headers, body: init.body }
}

function basicAuth({ username, password }: URL): string {
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(pair)))}`
}

const isRetryableStatus = (status: number) => status === 429 || (status >= 500 && status !== 501)

const isRetryable = (error: unknown) =>
  error instanceof AirbyteError && (error.code === 'TIMEOUT' || error.code === 'HOST_UNREACHABLE')

function anySignal(...signals: (AbortSignal | null | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal != null)
  return given.length > 1 ? AbortSignal.any(given) : given[0]
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
