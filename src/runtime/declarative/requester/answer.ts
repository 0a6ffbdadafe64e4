import { chunksOf, concat } from '../../../staging/bytes.ts'
import { dumps } from '../python/json.ts'
import type { Value } from '../python/values.ts'
import { CaseInsensitiveMap } from '../template/index.ts'
import { parseJson } from './json-body.ts'

const UTF_8 = new TextDecoder()

/** What of a body is looked at before it is handed on piece by piece, in bytes. */
const HEAD_BYTES = 64 * 1024

/**
 * An HTTP response with its body read, or with its head read and the rest to come: then `bytes`
 * and `text` are the head's, and there is no `json`.
 */
export class Answer {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
  #rest: AsyncGenerator<Uint8Array> | undefined
  #text: string | undefined
  #json: { value: Value } | undefined

  constructor(
    url: string,
    status: number,
    headers: Headers,
    bytes: Uint8Array,
    rest?: AsyncGenerator<Uint8Array>,
  ) {
    this.url = url
    this.status = status
    this.headers = headers
    this.bytes = bytes
    this.#rest = rest
    this.isWhole = rest === undefined
  }

  /** Reads a response's body; with `streams` only its head, unless it failed. */
  static async of(url: string, response: Response, streams = false): Promise<Answer> {
    const { status, headers, body } = response
    const at = response.url || url
    if (!streams || !body) {
      return new Answer(at, status, headers, await response.bytes())
    }
    const chunks = chunksOf(body)
    const head: Uint8Array[] = []
    for (let length = 0; length < HEAD_BYTES; ) {
      const { done, value } = await chunks.next()
      if (done) return new Answer(at, status, headers, concat(head))
      head.push(value)
      length += value.length
    }
    if (status < 400) return new Answer(at, status, headers, concat(head), chunks)
    await chunks.return(undefined)
    return new Answer(at, status, headers, concat(head))
  }

  /** An answer that nobody gave: what it would have held came with another one. */
  static holding(value: Value): Answer {
    return new Answer('', 200, new Headers(), new TextEncoder().encode(dumps(value)))
  }

  readonly isWhole: boolean

  /** The body in pieces of at most 64 KiB. One that is still to come can be read once. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    yield* pieces(this.bytes)
    if (this.#rest) for await (const chunk of this.#rest) yield* pieces(chunk)
  }

  /** The same, to be decoded once more. Only the head of one that is not whole. */
  anew(): Answer {
    return new Answer(this.url, this.status, this.headers, this.bytes)
  }

  /** Nothing more of the body is wanted. */
  async close(): Promise<void> {
    await this.#rest?.return(undefined)
  }

  get ok(): boolean {
    return this.status < 400
  }

  /** The body as text, without a byte order mark. */
  get text(): string {
    this.#text ??= UTF_8.decode(this.bytes)
    return this.#text
  }

  /** The body as JSON, with every digit of integers; undefined when it is not JSON. */
  get json(): Value | undefined {
    if (!this.#json && !this.isWhole) this.#json = { value: undefined }
    if (!this.#json) {
      let value: Value
      try {
        value = parseJson(this.text)
      } catch {
        value = undefined
      }
      this.#json = { value }
    }
    return this.#json.value
  }
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += HEAD_BYTES) {
    yield bytes.subarray(at, at + HEAD_BYTES)
  }
}

/** Response headers as templates see them: names in any letter case. */
export const headersOf = ({ headers }: Answer) => new CaseInsensitiveMap(headers)

/** What pagination templates see: the headers, with `link` parsed into `{rel: {url, rel, …}}`. */
export function paginationHeaders({ headers }: Answer): CaseInsensitiveMap {
  return new CaseInsensitiveMap([...headers, ['link', parseLinks(headers.get('link'))]])
}

/** @see https://www.rfc-editor.org/rfc/rfc8288 */
function parseLinks(header: string | null): Record<string, Value> {
  const links: Record<string, Value> = {}
  if (!header) return links
  for (const match of header.matchAll(/<([^>]*)>([^<]*)/g)) {
    const link: Record<string, Value> = { url: match[1] }
    for (const [, name = '', value = ''] of (match[2] ?? '').matchAll(
      /;\s*([^=;\s,]+)\s*=\s*"?([^";,]*)"?/g,
    )) {
      link[name] = value
    }
    links[String(link.rel ?? link.url)] = link
  }
  return links
}
