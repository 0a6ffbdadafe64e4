import { AirbyteError } from '../protocol/index.ts'
import { concat } from '../staging/bytes.ts'

/** A response as it comes in, whichever way it was asked for. */
export interface Incoming {
  status: number
  statusText: string
  headers: Headers
  /** Null where there is none. `return` gives up what is left of it. */
  body: AsyncIterator<Uint8Array> | null
}

interface BodyLimits {
  url: URL
  maxBytes: number
  /** Longest silence between two pieces of the body. */
  timeoutMs: number
}

/** Statuses whose responses have none. */
export const NULL_BODY = new Set([101, 204, 205, 304])

/** What a platform's fetch gave. */
export function incomingOf({ status, statusText, headers, body }: Response): Incoming {
  const hasBody = body !== null && !NULL_BODY.has(status)
  return { status, statusText, headers, body: hasBody ? piecesOf(body) : null }
}

export function piecesOf(body: ReadableStream<Uint8Array>): AsyncIterator<Uint8Array> {
  const reader = body.getReader()
  reader.closed.catch(() => {}) // the same failure rejects the read
  return {
    next: () => reader.read() as Promise<IteratorResult<Uint8Array>>,
    async return() {
      await reader.cancel()
      return { done: true, value: undefined }
    },
  }
}

/** Gives up what is left of a body. */
export async function discard({ body }: Pick<Incoming, 'body'>): Promise<void> {
  await body?.return?.().catch(() => {})
}

/**
 * The response with a body that errors with TOO_LARGE past `maxBytes`, TIMEOUT when it stalls,
 * and CONNECTION_LOST when it breaks off. `url` is that of the last hop.
 */
export function limitBody(incoming: Incoming, limits: BodyLimits): Response {
  const announced = Number(incoming.headers.get('content-length') ?? 0)
  if (announced > limits.maxBytes) {
    void discard(incoming)
    throw tooLarge(limits)
  }
  return new LimitedResponse(incoming, limits)
}

/** Most are read whole: no stream is made for them, which takes longer than all the rest here. */
class LimitedResponse extends Response {
  readonly #pieces: Pieces | null
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined
  #isTaken = false

  constructor({ status, statusText, headers, body }: Incoming, limits: BodyLimits) {
    super(null, { status, statusText, headers })
    this.#pieces = body && new Pieces(body, limits)
    Object.defineProperty(this, 'url', { value: limits.url.href })
  }

  override get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    this.#stream ??= this.#pieces && !this.#isTaken ? streamOf(this.#pieces) : undefined
    return this.#stream ?? null
  }

  override get bodyUsed(): boolean {
    return this.#isTaken || (this.#stream?.locked ?? false)
  }

  override async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.bodyUsed) throw new TypeError('The body has been read already.')
    this.#isTaken = true
    const pieces = this.#stream ? piecesOf(this.#stream) : this.#pieces
    const read: Uint8Array[] = []
    for (let next = await pieces?.next(); next && !next.done; next = await pieces?.next()) {
      read.push(next.value)
    }
    const [only = new Uint8Array(0)] = read
    return (read.length > 1 ? concat(read) : only) as Uint8Array<ArrayBuffer>
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    const { buffer, byteOffset, byteLength } = await this.bytes()
    return byteLength === buffer.byteLength
      ? buffer
      : buffer.slice(byteOffset, byteOffset + byteLength)
  }

  override async text(): Promise<string> {
    return UTF_8.decode(await this.bytes())
  }

  override async json<T>(): Promise<T> {
    return JSON.parse(await this.text()) as T
  }

  override async blob(): Promise<Blob> {
    return new Blob([await this.bytes()], { type: this.headers.get('content-type') ?? '' })
  }

  override formData(): Promise<FormData> {
    return new Response(this.body, this).formData()
  }

  override clone(): Response {
    if (this.bodyUsed) throw new TypeError('The body has been read already.')
    const [kept, given] = this.body?.tee() ?? []
    this.#stream = kept
    return new Response(given ?? null, this)
  }
}

const UTF_8 = new TextDecoder()

/** A body under its limits. */
class Pieces implements AsyncIterator<Uint8Array> {
  readonly #body: AsyncIterator<Uint8Array>
  readonly #limits: BodyLimits
  #left: number

  constructor(body: AsyncIterator<Uint8Array>, limits: BodyLimits) {
    this.#body = body
    this.#limits = limits
    this.#left = limits.maxBytes
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      const result = await this.#nextInTime()
      if (!result.done) this.#left -= result.value.byteLength
      if (this.#left < 0) throw tooLarge(this.#limits)
      return result
    } catch (error) {
      void discard({ body: this.#body })
      throw error instanceof AirbyteError ? error : brokeOff(this.#limits, error)
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#body.return?.()
    return { done: true, value: undefined }
  }

  #nextInTime(): Promise<IteratorResult<Uint8Array>> {
    const { timeoutMs } = this.#limits
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(stall(this.#limits)), timeoutMs)
      this.#body
        .next()
        .then(resolve, reject)
        .finally(() => clearTimeout(timer))
    })
  }
}

export function streamOf(pieces: AsyncIterator<Uint8Array>) {
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await pieces.next()
      if (done) controller.close()
      else controller.enqueue(value as Uint8Array<ArrayBuffer>)
    },
    async cancel() {
      await pieces.return?.()
    },
  })
}

const tooLarge = ({ url, maxBytes }: BodyLimits) =>
  new AirbyteError('TOO_LARGE', `The response of ${url.host} is larger than ${maxBytes} bytes.`, {
    hint: 'Ask for smaller pages.',
  })

const stall = ({ url, timeoutMs }: BodyLimits) =>
  new AirbyteError('TIMEOUT', `The response of ${url.host} stalled for ${timeoutMs} ms.`)

const brokeOff = ({ url }: BodyLimits, cause: unknown) =>
  new AirbyteError('CONNECTION_LOST', `The response of ${url.host} broke off.`, { cause })
