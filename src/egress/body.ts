import { AirbyteError } from '../protocol/index.ts'

interface BodyLimits {
  url: URL
  maxBytes: number
  /** Longest silence between two pieces of the body. */
  timeoutMs: number
}

/** Statuses whose responses have none. */
export const NULL_BODY = new Set([101, 204, 205, 304])

/**
 * The same response with a body that errors with TOO_LARGE past `maxBytes`, TIMEOUT when it stalls,
 * and CONNECTION_LOST when it breaks off. `url` is that of the last hop.
 */
export function limitBody(response: Response, limits: BodyLimits): Response {
  const { url, maxBytes } = limits
  const announced = Number(response.headers.get('content-length') ?? 0)
  if (announced > maxBytes) {
    void response.body?.cancel().catch(() => {})
    throw tooLarge(limits)
  }
  const body = NULL_BODY.has(response.status) ? null : response.body
  const limited = new Response(body && limitedStream(body, limits), {
    status: response.status,
    statusText: response.statusText,
    headers: response.headers,
  })
  Object.defineProperty(limited, 'url', { value: url.href })
  return limited
}

function limitedStream(body: ReadableStream<Uint8Array>, limits: BodyLimits) {
  const reader = body.getReader()
  reader.closed.catch(() => {}) // the same failure rejects the read
  let left = limits.maxBytes
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await readWithin(reader, limits)
        if (done) return controller.close()
        left -= value.byteLength
        if (left < 0) throw tooLarge(limits)
        controller.enqueue(value)
      } catch (error) {
        void reader.cancel(error).catch(() => {})
        throw error instanceof AirbyteError ? error : brokeOff(limits, error)
      }
    },
    cancel: (reason) => reader.cancel(reason),
  })
}

async function readWithin(reader: ReadableStreamDefaultReader<Uint8Array>, limits: BodyLimits) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(stall(limits)), limits.timeoutMs)
  })
  try {
    return await Promise.race([reader.read(), stalled])
  } finally {
    clearTimeout(timer)
  }
}

const tooLarge = ({ url, maxBytes }: BodyLimits) =>
  new AirbyteError('TOO_LARGE', `The response of ${url.host} is larger than ${maxBytes} bytes.`, {
    hint: 'Ask for smaller pages.',
  })

const stall = ({ url, timeoutMs }: BodyLimits) =>
  new AirbyteError('TIMEOUT', `The response of ${url.host} stalled for ${timeoutMs} ms.`)

const brokeOff = ({ url }: BodyLimits, cause: unknown) =>
  new AirbyteError('CONNECTION_LOST', `The response of ${url.host} broke off.`, { cause })
