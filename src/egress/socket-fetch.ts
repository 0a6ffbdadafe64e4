import { AirbyteError } from '../protocol/index.ts'
import type { ConnectorContext, ConnectorSocket } from '../runtime/contract.ts'
import { type Incoming, NULL_BODY, piecesOf, streamOf } from './body.ts'
import type { ByteReader } from './byte-reader.ts'
import { type KeptConnections, openConnection } from './kept-connections.ts'

/** What is sent by hand: a GET with a body, which a platform's fetch refuses, or all requests. */
export interface SocketRequest {
  url: URL
  method: string
  headers: Headers
  body: string | Uint8Array | undefined
  /** What ends it. */
  signals: AbortSignal[]
}

/**
 * One request in HTTP/1.1, over a connection of its own or one of those that are kept. Redirects are
 * the caller's; the body is unpacked, neither limited nor timed.
 *
 * Throws what `connect` and `startTls` throw, and HOST_UNREACHABLE for what is no HTTP.
 */
export async function fetchBySocket(
  connect: ConnectorContext['connect'],
  request: SocketRequest,
  kept?: KeptConnections,
): Promise<Incoming> {
  const { url, signals } = request
  for (const signal of signals) signal.throwIfAborted()
  // One that is closed just now leaves it unknown whether the request was seen.
  const known = IDEMPOTENT.has(request.method) ? kept?.take(url.origin) : undefined
  const connection = known ?? openConnection(await unlessAborted(openFor(url, connect), signals))
  const { socket, reader } = connection
  const forget = onAbort(signals, () => socket.destroy())
  let isHeld = true
  const letGo = (isReusable: boolean) => {
    if (!isHeld) return
    isHeld = false
    forget()
    if (isReusable && kept) kept.give(url.origin, connection)
    else socket.destroy()
  }
  const { received } = reader
  try {
    for (const signal of signals) signal.throwIfAborted()
    socket.write(bytesOf(request, kept !== undefined))
    const { status, statusText, headers, persists } = await headOf(reader)
    const hasBody = request.method !== 'HEAD' && !NULL_BODY.has(status)
    const body = hasBody
      ? unpacked(bodyOf(framed(reader, headers), persists, letGo), headers)
      : null
    if (!body) letGo(persists)
    return { status, statusText, headers, body }
  } catch (error) {
    letGo(false)
    if (error instanceof AirbyteError || signals.some(({ aborted }) => aborted)) throw error
    if (known && reader.received === received) return fetchBySocket(connect, request, kept)
    throw new AirbyteError(
      'HOST_UNREACHABLE',
      `${url.host} did not answer in HTTP: ${error instanceof Error ? error.message : error}.`,
      { cause: error },
    )
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#name-idempotent-methods */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])

async function openFor(url: URL, connect: ConnectorContext['connect']): Promise<ConnectorSocket> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isSecure = url.protocol === 'https:'
  const socket = await connect({ host, port: Number(url.port) || (isSecure ? 443 : 80) })
  if (!isSecure) return socket
  try {
    return await socket.startTls({ servername: host, verify: 'full' })
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** The socket, or the reason to stop; a socket that comes later is closed. */
function unlessAborted(
  opening: Promise<ConnectorSocket>,
  signals: AbortSignal[],
): Promise<ConnectorSocket> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signals, (reason) => {
      reject(reason)
      opening.then(
        (socket) => socket.destroy(),
        () => {},
      )
    })
    opening.then(resolve, reject).finally(forget)
  })
}

/** @returns what makes them forget it */
function onAbort(signals: AbortSignal[], abort: (reason: unknown) => void): () => void {
  const aborted = (event: Event) => abort((event.target as AbortSignal).reason)
  for (const signal of signals) signal.addEventListener('abort', aborted, { once: true })
  return () => {
    for (const signal of signals) signal.removeEventListener('abort', aborted)
  }
}

const UTF_8 = new TextEncoder()
/** What a request says of its connection and its body, which are not the caller's. */
const OURS = new Set(
  'connection keep-alive te transfer-encoding upgrade host accept-encoding content-length'.split(
    ' ',
  ),
)

function bytesOf(
  { url, method, headers: given, body = '' }: SocketRequest,
  keeps: boolean,
): Uint8Array {
  const content = typeof body === 'string' ? UTF_8.encode(body) : body
  const hasBody = content.length > 0 || method !== 'GET'
  const lines = [`${method} ${url.pathname}${url.search} HTTP/1.1`, `host: ${url.host}`]
  for (const [name, value] of given) if (!OURS.has(name)) lines.push(`${name}: ${value}`)
  lines.push(`connection: ${keeps ? 'keep-alive' : 'close'}`, 'accept-encoding: gzip, deflate')
  if (hasBody) lines.push(`content-length: ${content.length}`)
  if (!given.has('accept')) lines.push('accept: */*')
  // Some APIs refuse who does not say.
  if (!given.has('user-agent')) lines.push('user-agent: dotdo-airbyte')
  const head = `${lines.join('\r\n')}\r\n\r\n`
  const bytes = new Uint8Array(head.length + content.length)
  // Each character of a header is a byte.
  for (let at = 0; at < head.length; at++) bytes[at] = head.charCodeAt(at)
  bytes.set(content, head.length)
  return bytes
}

interface Head {
  status: number
  statusText: string
  headers: Headers
  /** The connection may carry another request after this response. */
  persists: boolean
}

const MAX_LINE = 32 * 1024
const MAX_HEADERS = 500

async function headOf(reader: ByteReader): Promise<Head> {
  for (;;) {
    const [, minor, code, statusText = ''] =
      /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(await reader.line(MAX_LINE)) ?? []
    if (code === undefined) throw new Error('its first line is no status')
    const headers = await headersOf(reader)
    const status = Number(code)
    const persists = minor === '1' && !/\bclose\b/i.test(headers.get('connection') ?? '')
    if (status >= 200) return { status, statusText, headers, persists }
    if (status === 101) throw new Error('it wants another protocol')
  }
}

async function headersOf(reader: ByteReader): Promise<Headers> {
  const headers = new Headers()
  for (let count = 0; ; count++) {
    const line = await reader.line(MAX_LINE)
    if (line === '') return headers
    if (count >= MAX_HEADERS) throw new Error('it has too many headers')
    const colon = line.indexOf(':')
    if (colon <= 0) throw new Error('one of its headers is none')
    headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim())
  }
}

/** The pieces of a body; in the end, whether what follows them belongs to the next response. */
type Framed = AsyncGenerator<Uint8Array, boolean>

/** @see https://www.rfc-editor.org/rfc/rfc9112#name-message-body-length */
function framed(reader: ByteReader, headers: Headers): Framed {
  const coding = headers.get('transfer-encoding')
  if (coding !== null) {
    if (!/^chunked$/i.test(coding)) throw new Error(`it is sent as '${coding}'`)
    return chunked(reader)
  }
  const lengths = new Set(headers.get('content-length')?.split(/\s*,\s*/))
  const [length] = lengths
  if (length === undefined) return reader.rest()
  if (lengths.size > 1 || !/^\d+$/.test(length)) throw new Error('its length is no number')
  return reader.exactly(Number(length))
}

async function* chunked(reader: ByteReader): Framed {
  for (;;) {
    const [, size] = /^([0-9a-f]{1,12})\s*(?:;.*)?$/i.exec(await reader.line(MAX_LINE)) ?? []
    if (size === undefined) throw new Error('the size of a chunk is no number')
    const length = Number.parseInt(size, 16)
    if (length === 0) return endsAfterTrailers(reader)
    yield* reader.exactly(length)
    if ((await reader.line(MAX_LINE)) !== '') throw new Error('a chunk is longer than its size')
  }
}

/** The body is whole without them, so that a connection which ends here is no failure. */
async function endsAfterTrailers(reader: ByteReader): Promise<boolean> {
  try {
    for (let count = 0; count <= MAX_HEADERS; count++) {
      if ((await reader.line(MAX_LINE)) === '') return true
    }
  } catch {
    // It is not used again.
  }
  return false
}

/** @param letGo called when it is over, with whether the connection can be used again */
function bodyOf(
  pieces: Framed,
  persists: boolean,
  letGo: (isReusable: boolean) => void,
): AsyncIterator<Uint8Array> {
  return {
    async next() {
      const result = await pieces.next()
      if (result.done) letGo(result.value && persists)
      return result.done ? { done: true, value: undefined } : result
    },
    async return() {
      // At once: a piece that is waited for would hold up all that comes after it.
      letGo(false)
      return { done: true, value: undefined }
    },
  }
}

function unpacked(body: AsyncIterator<Uint8Array>, headers: Headers): AsyncIterator<Uint8Array> {
  const packing = headers.get('content-encoding')?.toLowerCase()
  if (packing === undefined || packing === 'identity') return body
  const isGzip = packing === 'gzip' || packing === 'x-gzip'
  if (!isGzip && packing !== 'deflate') throw new Error(`its body is packed by '${packing}'`)
  const packed = streamOf(body)
  return piecesOf(packed.pipeThrough(new DecompressionStream(isGzip ? 'gzip' : 'deflate') as never))
}
