import { AirbyteError } from '../protocol/index.ts'
import type { ConnectorContext, ConnectorSocket } from '../runtime/contract.ts'
import { NULL_BODY } from './body.ts'
import { ByteReader } from './byte-reader.ts'

/** What is sent by hand because the platform's fetch refuses it: a GET with a body. */
export interface BodiedRequest {
  url: URL
  method: string
  headers: Headers
  body: string | Uint8Array
  signal: AbortSignal | undefined
}

/**
 * One request over a connection of its own, in HTTP/1.1. Redirects are the caller's; the body is
 * unpacked, neither limited nor timed.
 *
 * Throws what `connect` and `startTls` throw, and HOST_UNREACHABLE for what is no HTTP.
 */
export async function fetchBySocket(
  connect: ConnectorContext['connect'],
  request: BodiedRequest,
): Promise<Response> {
  const { url, signal } = request
  const socket = await unlessAborted(openFor(url, connect), signal)
  const abort = () => socket.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    signal?.throwIfAborted()
    socket.write(bytesOf(request))
    const reader = new ByteReader(socket)
    const { status, statusText, headers } = await headOf(reader)
    const hasBody = !NULL_BODY.has(status)
    if (!hasBody) socket.destroy()
    const body = hasBody ? unpacked(streamOf(bodyOf(reader, headers), socket), headers) : null
    return new Response(body, { status, statusText, headers })
  } catch (error) {
    socket.destroy()
    if (error instanceof AirbyteError || signal?.aborted) throw error
    throw new AirbyteError(
      'HOST_UNREACHABLE',
      `${url.host} did not answer in HTTP: ${error instanceof Error ? error.message : error}.`,
      { cause: error },
    )
  }
}

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
  signal: AbortSignal | undefined,
): Promise<ConnectorSocket> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal?.reason)
      opening.then(
        (socket) => socket.destroy(),
        () => {},
      )
    }
    if (signal?.aborted) return abort()
    signal?.addEventListener('abort', abort, { once: true })
    opening.then(resolve, reject).finally(() => signal?.removeEventListener('abort', abort))
  })
}

function bytesOf({ url, method, headers: given, body }: BodiedRequest): Uint8Array {
  const content = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const headers = new Headers(given)
  for (const name of ['transfer-encoding', 'keep-alive', 'te', 'upgrade']) headers.delete(name)
  headers.set('connection', 'close')
  headers.set('content-length', String(content.length))
  headers.set('accept-encoding', 'gzip, deflate')
  if (!headers.has('accept')) headers.set('accept', '*/*')
  const lines = [`${method} ${url.pathname}${url.search} HTTP/1.1`, `host: ${url.host}`]
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
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
}

const MAX_LINE = 32 * 1024
const MAX_HEADERS = 500

async function headOf(reader: ByteReader): Promise<Head> {
  for (;;) {
    const [, code, statusText = ''] =
      /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(await reader.line(MAX_LINE)) ?? []
    if (code === undefined) throw new Error('its first line is no status')
    const headers = await headersOf(reader)
    const status = Number(code)
    if (status >= 200) return { status, statusText, headers }
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

/** @see https://www.rfc-editor.org/rfc/rfc9112#name-message-body-length */
function bodyOf(reader: ByteReader, headers: Headers): AsyncGenerator<Uint8Array> {
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

async function* chunked(reader: ByteReader): AsyncGenerator<Uint8Array> {
  for (;;) {
    const [, size] = /^([0-9a-f]{1,12})\s*(?:;.*)?$/i.exec(await reader.line(MAX_LINE)) ?? []
    if (size === undefined) throw new Error('the size of a chunk is no number')
    const length = Number.parseInt(size, 16)
    if (length === 0) return
    yield* reader.exactly(length)
    if ((await reader.line(MAX_LINE)) !== '') throw new Error('a chunk is longer than its size')
  }
}

function streamOf(chunks: AsyncGenerator<Uint8Array>, socket: ConnectorSocket) {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next()
        if (!done) return controller.enqueue(new Uint8Array(value))
        controller.close()
      } catch (error) {
        controller.error(error)
      }
      socket.destroy()
    },
    cancel: () => void socket.destroy(),
  })
}

function unpacked(body: ReadableStream<Uint8Array>, headers: Headers): ReadableStream<Uint8Array> {
  const packing = headers.get('content-encoding')?.toLowerCase()
  if (packing === undefined || packing === 'identity') return body
  const isGzip = packing === 'gzip' || packing === 'x-gzip'
  if (!isGzip && packing !== 'deflate') throw new Error(`its body is packed by '${packing}'`)
  return body.pipeThrough(new DecompressionStream(isGzip ? 'gzip' : 'deflate') as never)
}
